"""Compares what gas charges with what the `cpu` backend takes at its AVX2 level.

    python -m bench.calibrate_gas                     # measures, into bench/results/gas-<date>.json
    python -m bench.calibrate_gas --only unary,pools  # some families; "networks" is one of them
    python -m bench.calibrate_gas --write             # the newest report into the engine's README
    python -m bench.calibrate_gas --adversarial       # what was looked for to be charged least

A second run on the same day keeps the least times of both, as least times are what is asked for:
other work on the machine can only add. `--fresh` forgets the earlier ones. The exit status is 1
where a ratio of the report is out of bounds.
"""

import argparse
import json
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from cvm.numba_cache import configure_numba_cache

configure_numba_cache()

# The cache folder must be named before a module with kernels is imported.
from bench.gas_cases import FAMILIES, family_cases  # noqa: E402
from bench.gas_hunt import HUNTS  # noqa: E402
from bench.gas_hunt.hunting import hunt  # noqa: E402
from bench.gas_measure import LEVEL, measured_cases, measured_networks  # noqa: E402
from bench.gas_table import (  # noqa: E402
    RESULTS,
    Comparison,
    Json,
    key_of,
    latest_report,
    network_comparisons,
    operator_comparisons,
    write_table,
)
from bench.sgemm import sgemm_seconds  # noqa: E402

NETWORKS = "networks"
PEAK_SIZE = 768
"""Rows, columns and depth of the product whose speed is taken for the machine's peak."""


def main(arguments: list[str]) -> int:
    """Measure or write, print what is out of bounds, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.calibrate_gas")
    parser.add_argument("--only", default="")
    parser.add_argument("--adversarial", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--fresh", action="store_true")
    options = parser.parse_args(arguments)
    chosen = options.only.split(",") if options.only else []
    if options.adversarial:
        return 1 if hunt(chosen or list(HUNTS)) else 0
    if options.write:
        report = latest_report()
        write_table(report)
    else:
        report = measure(chosen or [*FAMILIES, NETWORKS], is_fresh=options.fresh)
    return 1 if show_out_of_bounds(report) else 0


def measure(families: list[str], *, is_fresh: bool) -> Json:
    """Measure families of cases into today's report; returns the report."""
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    path = RESULTS / f"gas-{date}.json"
    empty: Json = {"operators_us": {}, "networks": []}
    kept = path.exists() and not is_fresh
    earlier: Json = json.loads(path.read_text(encoding="utf-8")) if kept else empty
    report: Json = {
        "date": date,
        "machine": processor_name(),
        "sgemm_gflops": max(peak_gflops(), earlier.get("sgemm_gflops", 0.0)),
        "operators_us": dict(earlier["operators_us"]),
        "networks": list(earlier["networks"]),
    }
    for family in families:
        if family == NETWORKS:
            keep_networks(report)
        else:
            keep_family(report, family)
        print(family, flush=True)
        RESULTS.mkdir(exist_ok=True)
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


def keep_family(report: Json, family: str) -> None:
    """Measure a family and keep the least times."""
    for case, times in measured_cases(family_cases(family)):
        key = key_of(case)
        report["operators_us"][key] = least_of(report["operators_us"].get(key, {}), times)


def keep_networks(report: Json) -> None:
    """Measure the networks and keep the least times."""
    before = {entry["model"]: entry["times_us"] for entry in report["networks"]}
    report["networks"] = [
        {"model": name, "cost": list(cost), "times_us": least_of(before.get(name, {}), times)}
        for name, cost, times in measured_networks()
    ]


def least_of(before: dict[str, float], times: dict[str, float]) -> dict[str, float]:
    """Return the lesser time of each kind of data, in microseconds."""
    return {
        kind: round(min(seconds * 1e6, before.get(kind, seconds * 1e6)), 3)
        for kind, seconds in times.items()
    }


def show_out_of_bounds(report: Json) -> list[Comparison]:
    """Print and return the comparisons whose ratios break a bound."""
    is_whole = len(report["operators_us"]) and len(report["networks"])
    judged = [*operator_comparisons(report), *network_comparisons(report)] if is_whole else []
    broken = [entry for entry in judged if not entry.is_within]
    for entry in broken:
        print(
            f"{entry.name:40} {entry.size:6} charged {entry.charged_us:10.1f} us, "
            f"measured {entry.measured_us:10.1f}, ratio {entry.ratio:5.2f}, "
            f"{entry.worst_kind} {entry.worst_ratio:5.2f}"
        )
    return broken


def peak_gflops() -> float:
    """Return the speed of NumPy's product with the OpenBLAS kernel of the level."""
    seconds = sgemm_seconds(LEVEL, PEAK_SIZE, PEAK_SIZE, PEAK_SIZE)
    return round(2e-9 * PEAK_SIZE**3 / seconds, 1)


def processor_name() -> str:
    """Return what the machine calls its processor, with family and model where it says them."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return platform.processor() or platform.machine()
    lines = path.read_text(encoding="utf-8").splitlines()
    facts = {name.strip(): value.strip() for name, _, value in (s.partition(":") for s in lines)}
    return f"{facts['model name']}, family {facts['cpu family']}, model {facts['model']}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
