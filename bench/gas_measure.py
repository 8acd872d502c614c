"""Measures one-operator graphs on the `cpu` backend at its AVX2 level, for the calibration of gas.

What is measured of a case is the fixed part of one `plan.run`, which is that of a plan that does
nothing (Identity of one element), and the calls that the plan makes. Copying the inputs in and the
outputs out is not in it: `IO_WORD` and `INFER_BASE` pay for that.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np

from bench.gas_cases.case import (
    SEED,
    GasCase,
    any_bits,
    not_finite,
    subnormal,
    underflowing,
)
from cvm.inference.backends.cpu import CpuBackend
from cvm.inference.backends.cpu.plan import CpuPlan
from cvm.inference.cost import Cost
from cvm.inference.float_environment import default_float_environment
from cvm.inference.tensor_type import Array
from opcodes.gas import compute_gas

LEVEL = "avx2"
NS_PER_GAS = 25
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


@dataclass(frozen=True, slots=True)
class Measured:
    """Least seconds of one case, by the kind of data it ran on."""

    case: GasCase
    cost: Cost
    seconds: dict[str, float]


class Subject:
    """A planned case, ready to run on each kind of data.

    Its twin is a plan of the same kernels over other memory: a run of it brings the code back
    into the caches, and leaves the data of the subject cold.
    """

    def __init__(self, case: GasCase, backend: CpuBackend) -> None:
        graph = case.graph()
        self.case = case
        self.cost = graph.cost
        rng = np.random.default_rng(SEED)
        plan = backend.plan(graph)
        given = case.given()
        self._twin = backend.plan(deepcopy(case).graph())
        self._twin.run(given)
        self._data: dict[str, tuple[CpuPlan, Sequence[Array]]] = {"ordinary": (plan, given)}
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
        plan, arrays = self._data["ordinary"]
        plan.run(arrays)
        evicted += np.uint8(1)
        seconds_of_calls(self._twin)
        return seconds_of_calls(plan)

    def kinds(self) -> Iterator[tuple[str, CpuPlan, Sequence[Array]]]:
        """Return each kind of data with the plan that runs it and the inputs."""
        for kind, (plan, arrays) in self._data.items():
            yield kind, plan, arrays


def seconds_of_calls(plan: CpuPlan, repeats: int = 1) -> float:
    """Return the time of what one run calls; the inputs are those of the last whole run."""
    program = plan.program()
    start = time.perf_counter()
    for _ in range(repeats):
        for call in program:
            call()
    return (time.perf_counter() - start) / repeats


def fixed_seconds(backend: CpuBackend) -> float:
    """Return the least time of one `plan.run` that does nothing."""
    x = np.zeros(1, np.float32)
    plan = backend.plan(GasCase("Identity", "small", (x,)).graph())

    def once() -> float:
        start = time.perf_counter()
        for _ in range(REPEATS):
            plan.run((x,))
        return (time.perf_counter() - start) / REPEATS

    return least(once, 30)


def least(once: Callable[[], float], rounds: int) -> float:
    """Return the least of several times."""
    return min(once() for _ in range(rounds))


def measured(cases: Sequence[GasCase]) -> list[Measured]:
    """Return the least times of each case; all cases take turns in every round."""
    backend = CpuBackend(LEVEL)
    evicted = np.zeros(EVICTED_BYTES, np.uint8)
    with default_float_environment():
        fixed = fixed_seconds(backend)
        results = []
        for case in cases:
            subject = Subject(case, backend)
            results.append(Measured(case, subject.cost, _times(subject, evicted, fixed)))
    return results


def _times(subject: Subject, evicted: Array, fixed: float) -> dict[str, float]:
    """Return the least time on each kind of data, and of ordinary data that is in no cache."""
    seconds: dict[str, float] = {}
    for _ in range(ROUNDS):
        for kind, plan, arrays in subject.kinds():
            plan.run(arrays)
            took = seconds_of_calls(plan)
            if took < SHORT_S:
                took = min(took, seconds_of_calls(plan, REPEATS))
            _keep(seconds, kind, fixed + took)
        _keep(seconds, "cold", fixed + subject.cold_seconds(evicted))
    return seconds


def _keep(seconds: dict[str, float], kind: str, took: float) -> None:
    """Keep the least time of a kind."""
    seconds[kind] = min(took, seconds.get(kind, took))


def charged_seconds(cost: Cost) -> float:
    """Return the time that the compute gas of a cost stands for."""
    return compute_gas(cost) * NS_PER_GAS * 1e-9
