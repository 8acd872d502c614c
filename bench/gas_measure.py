"""Measures one-operator graphs on the `cpu` backend at its AVX2 level, for the calibration of gas.

What is measured of a case is the fixed part of one `plan.run`, which is that of a plan that does
nothing (Identity of one element), and the calls that the plan makes. Copying the inputs in and the
outputs out is not in it: `IO_WORD` and `INFER_BASE` pay for that. Times are CPU time of the thread.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np

from bench.gas_cases.case import (
    SEED,
    GasCase,
    any_bits,
    not_finite,
    subnormal,
    underflowing,
)
from bench.gas_table import ORDINARY
from bench.networks import NETWORKS
from bench.timed_models import timed_models
from cvm.inference.backends.cpu import CpuBackend
from cvm.inference.backends.cpu.plan import CpuPlan
from cvm.inference.float_environment import default_float_environment
from cvm.inference.graph import Graph
from cvm.inference.limits import OFF_CHAIN_LIMITS
from cvm.inference.model_file import parse_model
from cvm.inference.tensor_type import Array

Times = dict[str, float]

LEVEL = "avx2"
MODELS = Path(__file__).parents[1] / "models-registry" / "models"
EVICTED_BYTES = 1 << 26
"""A walk over so many bytes leaves nothing of a model in any cache."""

ROUNDS = 7
SHORT_S = 50e-6
"""A run below this is repeated in each round, so that the clock's own steps do not count."""

REPEATS = 20

SUMS_OF_PRODUCTS = frozenset(
    {"Conv", "ConvTranspose", "Einsum", "Gemm", "GRU", "LSTM", "MatMul", "RNN"}
)
"""Operators that are also run on inputs and weights whose products are subnormal."""


class Subject:
    """A planned case, ready to run on each kind of data.

    Its twin is a plan of the same kernels over other memory: a run of it brings the code back
    into the caches, and leaves the data of the subject cold.
    """

    def __init__(self, case: GasCase, backend: CpuBackend) -> None:
        graph = case.graph()
        rng = np.random.default_rng(SEED)
        plan = backend.plan(graph)
        given = case.given()
        self._twin = backend.plan(deepcopy(case).graph())
        self._twin.run(given)
        self._data: dict[str, tuple[CpuPlan, Sequence[Array]]] = {ORDINARY: (plan, given)}
        if any(array.dtype == np.float32 for array in given):
            for kind, change in (
                ("subnormal", subnormal),
                ("NaN", not_finite),
                ("bits", any_bits),
            ):
                self._data[kind] = plan, [change(rng, array) for array in given]
        if case.op in SUMS_OF_PRODUCTS:
            small = backend.plan(case.with_small_weights().graph())
            self._data["underflow"] = small, [underflowing(rng, array) for array in given]

    def cold_seconds(self, evicted: Array) -> float:
        """Return the time on ordinary data that no cache holds."""
        plan, arrays = self._data[ORDINARY]
        plan.run(arrays)
        evicted += np.uint8(1)
        seconds_of_calls(self._twin)
        return seconds_of_calls(plan)

    def kinds(self) -> Iterator[tuple[str, CpuPlan, Sequence[Array]]]:
        """Return each kind of data with the plan that runs it and the inputs."""
        for kind, (plan, arrays) in self._data.items():
            yield kind, plan, arrays


class Network:
    """A planned network with one ordinary input; its twin is another plan of it."""

    def __init__(self, backend: CpuBackend, graph: Graph, x: Array) -> None:
        self._plan, self._twin = backend.plan(graph), backend.plan(graph)
        self._inputs = (x.astype(graph.inputs[0].type.dtype),)
        self._twin.run(self._inputs)

    def cold_seconds(self, evicted: Array) -> float:
        """Return the time where no cache holds activations or weights."""
        self._plan.run(self._inputs)
        seconds_of_calls(self._twin)
        evicted += np.uint8(1)
        return seconds_of_calls(self._plan)

    def kinds(self) -> Iterator[tuple[str, CpuPlan, Sequence[Array]]]:
        """Return the plan and its input."""
        yield ORDINARY, self._plan, self._inputs


def seconds_of_calls(plan: CpuPlan, repeats: int = 1) -> float:
    """Return the time of what one run calls; the inputs are those of the last whole run."""
    program = plan.program()
    start = time.thread_time()
    for _ in range(repeats):
        for call in program:
            call()
    return (time.thread_time() - start) / repeats


def fixed_seconds(backend: CpuBackend) -> float:
    """Return the least time of one `plan.run` that does nothing."""
    x = np.zeros(1, np.float32)
    plan = backend.plan(GasCase("Identity", "small", (x,)).graph())

    def once() -> float:
        start = time.thread_time()
        for _ in range(REPEATS):
            plan.run((x,))
        return (time.thread_time() - start) / REPEATS

    return least(once, 30)


def least(once: Callable[[], float], rounds: int) -> float:
    """Return the least of several times."""
    return min(once() for _ in range(rounds))


def measured_cases(
    cases: Sequence[GasCase], rounds: int = ROUNDS
) -> Iterator[tuple[GasCase, Times]]:
    """Return each case with its least seconds by kind of data."""
    backend = CpuBackend(LEVEL)
    evicted = np.zeros(EVICTED_BYTES, np.uint8)
    with default_float_environment():
        fixed = fixed_seconds(backend)
        for case in cases:
            yield case, least_seconds(Subject(case, backend), evicted, fixed, rounds)


def measured_networks() -> Iterator[tuple[str, tuple[int, ...], Times]]:
    """Return whole networks: name, cost vector, and least seconds."""
    backend = CpuBackend(LEVEL)
    evicted = np.zeros(EVICTED_BYTES, np.uint8)
    with default_float_environment():
        fixed = fixed_seconds(backend)
        for name, data, x in network_files():
            graph = parse_model(data, OFF_CHAIN_LIMITS).graph
            network = Network(backend, graph, x)
            yield name, graph.cost.vector(), least_seconds(network, evicted, fixed)


def network_files() -> Iterator[tuple[str, bytes, Array]]:
    """Return the name, the file and an input of every network that is compared."""
    images = np.load(MODELS / "digits_100_images.npy")
    for name in ("digits_float32", "digits_int8"):
        data = (MODELS / f"{name}.onnx").read_bytes()
        yield name, data, images[:1].reshape(1, 1, 28, 28)
    for model in timed_models():
        if model.name not in NETWORKS:
            continue
        yield f"{model.name} {model.dtype}", model.strict, model.x


def least_seconds(
    subject: "Subject | Network", evicted: Array, fixed: float, rounds: int = ROUNDS
) -> Times:
    """Return the least time on each kind of data, and of ordinary data that is in no cache."""
    seconds: Times = {}
    for _ in range(rounds):
        for kind, plan, arrays in subject.kinds():
            plan.run(arrays)
            took = seconds_of_calls(plan)
            if took < SHORT_S:
                took = min(took, seconds_of_calls(plan, REPEATS))
            _keep(seconds, kind, fixed + took)
        _keep(seconds, "cold", fixed + subject.cold_seconds(evicted))
    return seconds


def _keep(seconds: Times, kind: str, took: float) -> None:
    """Keep the least time of a kind."""
    seconds[kind] = min(took, seconds.get(kind, took))
