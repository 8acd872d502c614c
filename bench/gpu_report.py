"""Proves and times the CUDA backend on this machine's GPU: `python -m bench.gpu_report`.

Needs NumPy, onnx, numba and CuPy, and imports nothing of the project but `cvm.inference` and
`bench`. Every golden vector, hostile case, digit model and network is compared bit by bit with
`reference` or `cpu`; products, convolutions and networks are timed on the device, copies left
out. The report is one JSON file in `bench/results/`, or in the folder given as the only
argument. The exit status is 0 if every bit is right, 1 if one is wrong, 2 where there is no GPU.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bench.gpu_cases import Case, hostile_cases, timed_cases
from bench.networks import NETWORKS
from cvm.faults import BackendDisagrees, DeviceFault
from cvm.inference.backends.backend import Backend
from cvm.inference.backends.cuda import CudaBackend, open_gpu
from cvm.inference.backends.cuda.device import Device
from cvm.inference.backends.cuda.plan import CudaPlan
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.engine import output_sha256, run_items, trace_items
from cvm.inference.faults import InferenceFault, InvalidModel
from cvm.inference.float_environment import default_float_environment
from cvm.inference.graph import Graph
from cvm.inference.model_file import Model, parse_model
from cvm.inference.self_test import run_self_test
from cvm.inference.tensor_bytes import encode_tensors
from cvm.inference.tensor_type import Array
from cvm.inference.vectors import Vector, parse_vectors
from cvm.numba_cache import configure_numba_cache

ROOT = Path(__file__).parent.parent
MODELS = ROOT / "models-registry" / "models"
DIGIT_MODELS = ("digits_float32", "digits_int8")
ROUNDS = 7
ROUND_SECONDS = 0.02

Entry = dict[str, Any]  # one row of the report, written as JSON


def main(arguments: Sequence[str]) -> int:
    """Run every part, write the report and return the exit status."""
    folder = Path(arguments[0]) if arguments else ROOT / "bench" / "results"
    try:
        device = open_gpu()
    except DeviceFault as fault:
        print(f"no report: {fault}")
        return 2
    configure_numba_cache()
    report: Entry = {**device.description(), "date": f"{datetime.now(UTC):%Y-%m-%d}"}
    path = folder / f"gpu-{_file_name(report['device'])}-{report['date']}.json"
    parts: dict[str, Callable[[Device], Sequence[Entry]]] = {
        "vectors": vector_entries,
        "hostile": hostile_entries,
        "digits": digit_entries,
        "operators": operator_entries,
        "networks": network_entries,
    }
    for name, part in parts.items():
        report[name] = _guarded(part, device)
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(report, indent=1) + "\n")
    entries = [entry for name in parts for entry in report[name]]
    wrong = [entry["name"] for entry in entries if not entry["equal"]]
    print(f"{report['device']}: {len(entries)} entries, {len(wrong)} wrong {wrong[:5]}; {path}")
    return 1 if wrong else 0


def _guarded(part: Callable[[Device], Sequence[Entry]], device: Device) -> list[Entry]:
    """Return the entries of a part; a device that fails in it makes one wrong entry."""
    try:
        return list(part(device))
    except DeviceFault as fault:
        return [{"name": part.__name__, "equal": False, "fault": str(fault)}]


def vector_entries(device: Device) -> list[Entry]:
    """Run every golden vector by itself, so that all wrong ones are listed."""
    backend = CudaBackend(device)
    return [_vector_entry(backend, vector) for vector in _vectors()]


def _vector_entry(backend: Backend, vector: Vector) -> Entry:
    try:
        run_self_test(backend, [vector])
    except (BackendDisagrees, InferenceFault) as fault:
        return {"name": vector.name, "equal": False, "fault": str(fault)}
    return {"name": vector.name, "equal": True}


def _vectors() -> list[Vector]:
    folder = files("cvm.inference") / "vectors"
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    texts = [entry.read_text("utf-8") for entry in entries if entry.name.endswith(".json")]
    return [vector for text in texts for vector in parse_vectors(text)]


def hostile_entries(device: Device) -> list[Entry]:
    """Compare operators on hostile numbers with the definition."""
    return [_compared(case, device, ReferenceBackend()) for case in hostile_cases()]


def digit_entries(device: Device) -> list[Entry]:
    """Compare both digit models with the definition and with cpu, on 100 digits and by node."""
    return [_digit_entry(device, name) for name in DIGIT_MODELS]


def _digit_entry(device: Device, name: str) -> Entry:
    model = parse_model((MODELS / f"{name}.onnx").read_bytes())
    digits = np.load(MODELS / "digits_100_images.npy").tobytes()
    backends = (CudaBackend(device), ReferenceBackend(), _cpu())
    cuda, reference, cpu = (run_items(b.plan(model.graph), model, digits) for b in backends)
    one = digits[: model.input_bytes]
    traces = [trace_items(b.plan(model.graph), model, one) for b in backends[:2]]
    plan = CudaBackend(device).plan(model.graph)
    return {
        "name": name,
        "equal": cuda == reference == cpu and traces[0] == traces[1],
        "output_sha256": output_sha256(cuda),
        "microseconds": round(_seconds(plan, device) * 1e6, 1),
        "microseconds_with_copies": round(_least(partial(run_items, plan, model, one)) * 1e6, 1),
    }


def operator_entries(device: Device) -> list[Entry]:
    """Compare products and convolutions with cpu, and time them."""
    entries = []
    for case in timed_cases():
        graph = case.graph()
        plan = CudaBackend(device).plan(graph)
        plan.run(case.given())
        figures = _figures(graph, _seconds(plan, device))
        entries.append({**_compared(case, device, _cpu()), **figures})
    return entries


def network_entries(device: Device) -> list[Entry]:
    """Compare larger networks with cpu, and time them."""
    return [_network_entry(device, name) for name in NETWORKS]


def _network_entry(device: Device, name: str) -> Entry:
    try:
        model = parse_model(NETWORKS[name]().SerializeToString(deterministic=True))
    except InvalidModel as fault:
        return {"name": name, "equal": True, "refused": str(fault)}
    data = _input_bytes(model)
    plan = CudaBackend(device).plan(model.graph)
    cuda = run_items(plan, model, data)
    return {
        "name": name,
        "equal": cuda == run_items(_cpu().plan(model.graph), model, data),
        "output_sha256": output_sha256(cuda),
        **_figures(model.graph, _seconds(plan, device)),
    }


def _compared(case: Case, device: Device, other: Backend) -> Entry:
    """Compare one node on the device with another backend."""
    graph = case.graph()
    made = _output(CudaBackend(device), graph, case.given())
    return {"name": case.name, "equal": made == _output(other, graph, case.given())}


def _output(backend: Backend, graph: Graph, inputs: Sequence[Array]) -> bytes:
    with default_float_environment():
        return encode_tensors(backend.plan(graph).run(inputs))


def _cpu() -> Backend:
    # Only here: numba reads the folder of its cache when kernels are imported.
    from cvm.inference.backends.cpu import CpuBackend

    return CpuBackend()


def _input_bytes(model: Model) -> bytes:
    """Return reproducible inputs: normal float32, or any value of an integer."""
    rng = np.random.default_rng(3)
    arrays = []
    for value in model.graph.inputs:
        if value.type.dtype == "float32":
            arrays.append(rng.standard_normal(value.type.shape).astype(np.float32))
        else:
            arrays.append(rng.integers(0, 2, value.type.shape).astype(value.type.dtype))
    return encode_tensors(arrays)


def _figures(graph: Graph, seconds: float) -> Entry:
    """Return a time and what it means."""
    return {
        "microseconds": round(seconds * 1e6, 1),
        "gmacs_per_second": round(graph.cost.macs / seconds / 1e9, 1),
    }


def _seconds(plan: CudaPlan, device: Device) -> float:
    """Return the median time of one item on the device, after warm-up, without copies."""

    def run(count: int) -> None:
        for _ in range(count):
            plan.execute()
        device.wait()

    run(3)
    repeats = max(1, int(ROUND_SECONDS / _least(partial(run, 1))))
    return median(_times(partial(run, repeats))) / repeats


def _least(run: Callable[[], object]) -> float:
    """Return the least time of a call in a few rounds."""
    return min(_times(run))


def _times(run: Callable[[], object]) -> list[float]:
    """Return the time of each round."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return times


def _file_name(device: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in device.lower())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
