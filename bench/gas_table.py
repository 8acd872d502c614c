"""The table of charged against measured time: from a report of `calibrate_gas` into the README."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.gas_cases import FAMILIES, family_cases
from bench.gas_cases.case import SIZES, GasCase
from cvm.inference.cost import Cost
from opcodes.gas import compute_gas

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parents[1] / "cvm" / "inference" / "README.md"
BEGIN, END = "<!-- gas: begin -->", "<!-- gas: end -->"

NS_PER_GAS = 25
BOUND = 3.0
"""Charged / measured is 1 / BOUND to BOUND on ordinary data, and at least that on hard data."""

ORDINARY = "ordinary"
HARD_KINDS = ("subnormal", "underflow", "NaN", "cold")

Json = dict[str, Any]  # a report as `json.loads` returns it


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one run is charged and what it took, on ordinary data and on the hardest."""

    name: str
    size: str
    charged_us: float
    measured_us: float
    worst_us: float
    worst_kind: str

    @property
    def ratio(self) -> float:
        """Return charged / measured on ordinary data."""
        return self.charged_us / self.measured_us

    @property
    def worst_ratio(self) -> float:
        """Return charged / measured on the data that takes longest."""
        return self.charged_us / self.worst_us

    @property
    def is_within(self) -> bool:
        """Say whether both ratios keep the bounds."""
        return 1 / BOUND <= self.ratio <= BOUND and self.worst_ratio >= 1 / BOUND

    @classmethod
    def of(cls, name: str, size: str, cost: Cost, times_us: dict[str, float]) -> "Comparison":
        """Compare a cost with least times by kind of data; other kinds are not judged."""
        hard = {kind: times_us[kind] for kind in HARD_KINDS if kind in times_us}
        kind = max(hard, key=lambda entry: hard[entry])
        charged = compute_gas(cost) * NS_PER_GAS / 1e3
        return cls(name, size, charged, times_us[ORDINARY], hard[kind], kind)


def key_of(case: GasCase) -> str:
    """Return how a report names a case."""
    return f"{case.name}, {case.size}"


def latest_report() -> Json:
    """Return the newest report of the repository."""
    path = max(RESULTS.glob("gas-*.json"))
    report: Json = json.loads(path.read_text(encoding="utf-8"))
    return report


def all_cases() -> Iterator[GasCase]:
    """Return every case, one family after the other."""
    for family in FAMILIES:
        yield from family_cases(family)


def operator_comparisons(report: Json) -> list[Comparison]:
    """Compare every case, by name and from small to large; raises KeyError for one not measured."""
    times: dict[str, dict[str, float]] = report["operators_us"]
    found = [
        Comparison.of(case.name, case.size, case.graph().cost, times[key_of(case)])
        for case in all_cases()
    ]
    sizes = list(SIZES)
    return sorted(found, key=lambda entry: (entry.name, sizes.index(entry.size)))


def network_comparisons(report: Json) -> list[Comparison]:
    """Compare every network of the report."""
    return [
        Comparison.of(entry["model"], "", Cost(*entry["cost"]), entry["times_us"])
        for entry in report["networks"]
    ]


def table_text(report: Json) -> str:
    """Return what stands between the marks in the README."""
    operators, networks = operator_comparisons(report), network_comparisons(report)
    judged = [*operators, *networks]
    ratios = [entry.ratio for entry in judged]
    lines = [
        f"Measured on {report['date']}: {report['machine']}, AVX2 level, one thread; NumPy's sgemm "
        f"reaches {report['sgemm_gflops']} GFLOP/s there.",
        f"Charged / measured is {min(ratios):.2f} to {max(ratios):.2f} on ordinary data and at "
        f"least {min(entry.worst_ratio for entry in judged):.2f} on the hardest.",
        "",
        "| network | charged us | measured us | ratio | worst |",
        "| --- | ---: | ---: | ---: | --- |",
        *(f"| {entry.name} | {_cells(entry)} |" for entry in networks),
        "",
        "| operator | size | charged us | measured us | ratio | worst |",
        "| --- | --- | ---: | ---: | ---: | --- |",
        *(f"| {entry.name} | {entry.size} | {_cells(entry)} |" for entry in operators),
    ]
    return "\n".join(lines) + "\n"


def _cells(entry: Comparison) -> str:
    """Return the numbers of one row."""
    return (
        f"{entry.charged_us:,.1f} | {entry.measured_us:,.1f} | {entry.ratio:.2f} | "
        f"{entry.worst_ratio:.2f} {entry.worst_kind}"
    )


def write_table(report: Json) -> None:
    """Put the table between the marks in the README."""
    text = README.read_text(encoding="utf-8")
    before, _begin, rest = text.partition(BEGIN + "\n")
    _old, _end, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\n{table_text(report)}{END}{after}", encoding="utf-8")
