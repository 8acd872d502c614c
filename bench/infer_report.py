"""Times the networks on the `cpu` backend beside onnxruntime: `python -m bench.infer_report`.

Every feature level of this machine and onnxruntime take turns in one process, one thread each, and
the least time of each counts, so that other work on the machine disturbs all of them alike. Then
two plans run side by side. The report ends in one JSON line, which is also written to
`bench/results/infer-<date>.json`, or to the folder given as the only argument.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import onnxruntime

from cvm.numba_cache import configure_numba_cache

configure_numba_cache()

# The cache folder must be named before a module with kernels is imported.
from bench.sgemm import sgemm_seconds  # noqa: E402
from bench.timed_models import TimedModel, timed_models  # noqa: E402
from cvm.inference.backends.backend import Plan  # noqa: E402
from cvm.inference.backends.cpu import CpuBackend  # noqa: E402
from cvm.inference.backends.cpu.feature_level import available_levels  # noqa: E402
from cvm.inference.engine import output_sha256  # noqa: E402
from cvm.inference.float_environment import default_float_environment  # noqa: E402
from cvm.inference.limits import OFF_CHAIN_LIMITS  # noqa: E402
from cvm.inference.model_file import parse_model  # noqa: E402
from cvm.inference.tensor_bytes import encode_tensor  # noqa: E402
from cvm.inference.tensor_type import Array  # noqa: E402

RESULTS = Path(__file__).parent / "results"
LEVELS = ("avx512", "avx2")
LEAST_ROUNDS = 12
LEAST_SECONDS = 5.0
TURNS = 15
TURN_SECONDS = 0.2
PEAK_SIZE = 768
"""Rows, columns and depth of the product whose speed is taken for the machine's peak."""

Entry = dict[str, Any]
Run = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Planned:
    """A model planned at a level, and another plan of it for a second thread."""

    level: str
    plan: Plan
    other: Plan
    gmacs: float

    @classmethod
    def of(cls, model: TimedModel, level: str) -> "Planned":
        """Plan a model twice."""
        graph = parse_model(model.strict, OFF_CHAIN_LIMITS).graph
        backend = CpuBackend(level)
        macs = graph.cost.float32_macs + graph.cost.int8_macs
        return cls(level, backend.plan(graph), backend.plan(graph), macs / 1e9)


def main(arguments: list[str]) -> int:
    """Measure, print a table, write the report and return the exit status."""
    folder = Path(arguments[0]) if arguments else RESULTS
    levels = [level.name for level in available_levels() if level.name in LEVELS]
    report: Entry = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "onnxruntime": onnxruntime.__version__,
        "sgemm_gflops": {level: peak_gflops(level) for level in levels},
        "results": [],
    }
    print("sgemm of NumPy, one thread, GFLOP/s:", report["sgemm_gflops"])
    float32_ms: dict[str, float] = {}
    for model in timed_models():
        for entry in model_entries(model, levels):
            if entry["dtype"] == "float32":
                float32_ms[entry["model"]] = entry["ort_ms"]
            entry["ort_float32_ms"] = float32_ms[entry["model"]]
            report["results"].append(entry)
            print(line_of(entry), flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report)
    (folder / f"infer-{report['date']}.json").write_text(text + "\n")
    print(text)
    return 0


def peak_gflops(level: str) -> float:
    """Return the speed of NumPy's product with the OpenBLAS kernel of a level."""
    seconds = sgemm_seconds(level, PEAK_SIZE, PEAK_SIZE, PEAK_SIZE)
    return round(2e-9 * PEAK_SIZE**3 / seconds, 1)


def line_of(entry: Entry) -> str:
    """Return a row of the table."""
    return (
        f"{entry['model']:21} {entry['dtype']:8} {entry['level']:7} {entry['threads']} thread(s) "
        f"{entry['ms']:8.2f} ms, onnxruntime {entry['ort_ms']:8.2f} ms, "
        f"ratio {entry['ratio']:5.2f}, speedup {entry['speedup']:5.2f}, "
        f"{entry['gmacs_per_s']:6.1f} GMAC/s, {entry['output_sha256'][:8]}"
    )


def model_entries(model: TimedModel, levels: list[str]) -> list[Entry]:
    """Return what one model takes: each level on one thread, then two at once on two threads."""
    print(f"{model.name} {model.dtype}: planning", flush=True)
    session = session_of(model.peer)
    planned = [Planned.of(model, level) for level in levels]
    feed = {session.get_inputs()[0].name: model.x}
    runs: list[Run] = [lambda: session.run(None, feed)]
    runs += [lambda made=made: made.plan.run([model.x]) for made in planned]  # type: ignore[misc]
    with default_float_environment():
        ort, *alone = interleaved_seconds(runs)
    entries = []
    for made, seconds in zip(planned, alone, strict=True):
        alone_again, pair = side_by_side_seconds(made, model.x, seconds)
        planning = planning_seconds(model.strict, made.level)
        for threads, per_item, speedup in (
            (1, seconds, 1.0),
            (2, pair / 2, 2 * alone_again / pair),
        ):
            entries.append(
                {
                    "model": model.name,
                    "dtype": model.dtype,
                    "level": made.level,
                    "threads": threads,
                    "ms": round(per_item * 1e3, 3),
                    "ort_ms": round(ort * 1e3, 3),
                    "ratio": round(per_item / ort, 3),
                    "gmacs_per_s": round(made.gmacs / per_item, 1),
                    "output_sha256": hash_of(made.plan, model.x),
                    "speedup": round(speedup, 2),
                    "parse_and_plan_s": planning,
                }
            )
    return entries


def session_of(data: bytes) -> Any:
    """Return an onnxruntime session of one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def interleaved_seconds(runs: list[Run]) -> list[float]:
    """Return the least time of each, all taking turns, after a first run that is not counted."""
    least = [float("inf")] * len(runs)
    for run in runs:
        run()
    began = time.perf_counter()
    rounds = 0
    while rounds < LEAST_ROUNDS or time.perf_counter() - began < LEAST_SECONDS:
        for index, run in enumerate(runs):
            start = time.perf_counter()
            run()
            least[index] = min(least[index], time.perf_counter() - start)
        rounds += 1
    return least


def side_by_side_seconds(made: Planned, x: Array, least: float) -> tuple[float, float]:
    """Return the seconds an inference takes alone, and two of them side by side on two threads.

    Alone and side by side take turns; a turn has as many inferences, each at least `least`
    seconds, as `TURN_SECONDS` hold, so that starting threads does not count. Both are medians:
    the least time of one inference and of twenty in a row do not compare on a noisy machine.
    """
    count = max(1, round(TURN_SECONDS / least))

    def work(plan: Plan) -> tuple[float, float]:
        with default_float_environment():
            start = time.perf_counter()
            for _ in range(count):
                plan.run([x])
            return start, time.perf_counter()

    alone, both = [], []
    with ThreadPoolExecutor(2) as pool:
        for _ in range(TURNS):
            start, end = pool.submit(work, made.plan).result()
            alone.append(end - start)
            first, second = pool.map(work, (made.plan, made.other))
            both.append(max(first[1], second[1]) - min(first[0], second[0]))
    return median(alone) / count, median(both) / count


def hash_of(plan: Plan, x: Array) -> str:
    """Return the hash of the output bytes, as `cvm infer` prints it."""
    with default_float_environment():
        return output_sha256(b"".join(encode_tensor(output) for output in plan.run([x])))


def planning_seconds(data: bytes, level: str) -> float:
    """Return how long parsing and planning take in a fresh process, kernels on disk."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(data)
        result = subprocess.run(
            [sys.executable, "-m", "bench.planning_time", str(path), level],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
    return round(float(result.stdout), 3)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
