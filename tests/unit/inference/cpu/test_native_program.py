"""Kernels that run as one native call: bytes and exceptions of one call after the other."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, NamedTuple

import numpy as np
import pytest

from cvm.inference.backends.cpu import CpuBackend
from cvm.inference.backends.cpu.native_program import NativeGroup, native_program
from cvm.inference.float_environment import default_float_environment
from cvm.inference.operators.table import OPERATORS
from cvm.inference.tensor_bytes import encode_tensors
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel
from node.self_test_vectors import load_self_test_vectors
from tests.unit.inference.cpu.levels import LEVELS

MANY_TURNS = 2**33
"""Turns of a loop that take seconds."""

FEW_TURNS = 2**24
"""Turns of a loop that take milliseconds."""


class Pair(NamedTuple):
    """A tuple with names, of unlike types."""

    number: int
    is_set: bool


@kernel
def append(log: Array, value: int) -> None:
    """Write `value` after those that are there; log[0] counts them."""
    log[0] += 1
    log[log[0]] = value


@kernel
def refuse_three(log: Array, value: int) -> None:
    """Append `value`, unless it is 3."""
    if value == 3:
        raise ValueError("three")
    log[0] += 1
    log[log[0]] = value


@kernel
def write_scalar(value: Any, y: Array) -> None:
    """Write a number."""
    y[0] = value


@kernel
def write_tuple(value: Any, y: Array) -> None:
    """Write a pair."""
    y[0] = value[0]
    y[1] = np.int64(value[1])


@kernel
def write_nested(value: Any, y: Array) -> None:
    """Write a pair of pairs."""
    (y[0], y[1]), (y[2], y[3]) = value


@kernel
def write_array(x: Array, y: Array) -> None:
    """Write the elements of two axes, which need not lie side by side."""
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            y[i * x.shape[1] + j] = x[i, j]


@kernel
def sum_of_new(x: Array, y: Array) -> None:
    """Write x + 1 by way of an array of the kernel's own."""
    more = x + 1
    y[:] = more


@kernel
def count_up(counter: Array, stop: Array, turns: int) -> None:
    """Count until another thread sets `stop`."""
    while stop[0] == 0 and counter[0] < turns:
        counter[0] += 1


@kernel
def length(x: Array) -> int:
    """Return a number, which no step does."""
    return len(x)


def run(*steps: Any) -> tuple[Any, ...]:
    """Run steps as a program and return it."""
    program = native_program(steps)
    for call in program:
        call()
    return program


@pytest.mark.parametrize("level", LEVELS)
def test_golden_vectors_give_the_bytes_of_plain_calls(level: str) -> None:
    backend = CpuBackend(level)
    wrong = []
    for vector in load_self_test_vectors():
        plan = backend.plan(vector.graph(OPERATORS))
        with default_float_environment():
            together = plan.run(vector.input_arrays())
            apart = plan.run(vector.input_arrays(), lambda node, outputs: None)
        if encode_tensors(together) != encode_tensors(apart):
            wrong.append(vector.name)
    assert wrong == []


@pytest.mark.parametrize("level", LEVELS)
def test_every_kernel_of_the_golden_vectors_runs_in_a_group(level: str) -> None:
    called = 0
    for vector in load_self_test_vectors():
        calls = CpuBackend(level).plan(vector.graph(OPERATORS)).calls()
        kernels = [hasattr(function, "overloads") for function, _ in calls]
        groups = sum(is_first(kernels, i) for i in range(len(kernels)))
        program = native_program(calls)
        assert sum(isinstance(call, NativeGroup) for call in program) == groups
        assert len(program) == groups + kernels.count(False)
        called += kernels.count(True)
    assert called > 500


def is_first(kernels: list[bool], index: int) -> bool:
    """Say whether a kernel has none right before it."""
    return kernels[index] and not (index and kernels[index - 1])


def test_neighbours_are_one_group_and_run_in_order() -> None:
    log = np.zeros(8, np.int64)
    program = run(*((append, (log, value)) for value in (7, 5, 9)))
    assert len(program) == 1
    assert log.tolist() == [3, 7, 5, 9, 0, 0, 0, 0]


def test_a_plain_function_runs_between_two_groups() -> None:
    log, seen = np.zeros(4, np.int64), []
    steps = [(append, (log, 1)), (lambda: seen.append(log.tolist()), ()), (append, (log, 2))]
    assert len(run(*steps)) == 3
    assert seen == [[1, 1, 0, 0]]
    assert log.tolist() == [2, 1, 2, 0]


def test_a_program_runs_again_on_what_its_arrays_hold() -> None:
    x, y = np.zeros((1, 2), np.int64), np.zeros(2, np.int64)
    (call,) = native_program([(write_array, (x, y))])
    x[:] = [[3, 4]]
    call()
    x[:] = [[5, 6]]
    call()
    assert y.tolist() == [5, 6]


def test_an_exception_surfaces_after_the_calls_before_it() -> None:
    log = np.zeros(8, np.int64)
    steps = [(refuse_three, (log, value)) for value in (1, 2, 3, 4)]
    with pytest.raises(ValueError, match=r"^three$"):
        run(*steps)
    assert log.tolist() == [2, 1, 2, 0, 0, 0, 0, 0]


def test_a_failure_that_does_not_come_again_skips_no_call() -> None:
    log, value = np.zeros(8, np.int64), np.array([0], np.int64)
    run((append, (log, 1)), (fail_once, (log, value)), (append, (log, 3)), (append, (log, 4)))
    assert log.tolist() == [4, 1, 2, 3, 4, 0, 0, 0]


@kernel
def fail_once(log: Array, failed: Array) -> None:
    """Append 2, but raise the first time."""
    if failed[0] == 0:
        failed[0] = 1
        raise MemoryError
    log[0] += 1
    log[log[0]] = 2


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        pytest.param(2**63 - 1, "int64", id="an int"),
        pytest.param(-(2**63), "int64", id="the least int"),
        pytest.param(True, "uint8", id="true"),
        pytest.param(False, "uint8", id="false"),
        pytest.param(-0.1, "float64", id="a float"),
        pytest.param(np.float32(-0.1), "float32", id="a float32"),
        pytest.param(np.float32(1e-45), "float32", id="a subnormal"),
        pytest.param(np.float64(1e300), "float64", id="a float64"),
        pytest.param(np.int8(-128), "int8", id="an int8"),
        pytest.param(np.uint8(255), "uint8", id="a uint8"),
        pytest.param(np.int32(-(2**31)), "int32", id="an int32"),
        pytest.param(np.uint64(2**64 - 1), "uint64", id="a uint64"),
        pytest.param(np.True_, "uint8", id="a NumPy bool"),
    ],
)
def test_numbers_arrive(value: Any, dtype: str) -> None:
    y = np.full(1, 77, dtype)
    assert isinstance(run((write_scalar, (value, y)))[0], NativeGroup)
    assert y.tobytes() == np.array([value], dtype).tobytes()


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        pytest.param(write_tuple, (3, -4), [3, -4], id="equal types"),
        pytest.param(write_tuple, (3, np.float32(-4)), [3, -4], id="unlike types"),
        pytest.param(write_tuple, Pair(9, True), [9, 1], id="with names"),
        pytest.param(write_nested, ((1, 2), (3, 4)), [1, 2, 3, 4], id="of tuples"),
    ],
)
def test_tuples_arrive(function: Any, value: Any, expected: list[int]) -> None:
    y = np.zeros(len(expected), np.int64)
    assert isinstance(run((function, (value, y)))[0], NativeGroup)
    assert y.tolist() == expected


GRID = np.arange(24).reshape(4, 6)


@pytest.mark.parametrize(
    "x",
    [
        *(pytest.param(GRID.astype(t), id=t) for t in ("bool", "int8", "uint8", "int32", "uint32")),
        *(pytest.param(GRID.astype(t), id=t) for t in ("int64", "uint64", "float32", "float64")),
        pytest.param(GRID.T, id="transposed"),
        pytest.param(GRID[::-2, 1::3], id="with gaps and a negative stride"),
        pytest.param(GRID[:0], id="empty"),
        pytest.param(np.broadcast_to(np.arange(3), (2, 3)), id="repeated and read-only"),
    ],
)
def test_arrays_arrive(x: Array) -> None:
    y = np.zeros(x.size, x.dtype)
    assert isinstance(run((write_array, (x, y)))[0], NativeGroup)
    assert y.tobytes() == x.tobytes()


def test_arrays_that_only_the_program_knows_stay_alive() -> None:
    y = np.zeros(2**16)
    (call,) = native_program([(write_array, (np.full((1, 2**16), 0.5), y))])
    others = [np.full((1, 2**16), 7.0) for _ in range(4)]
    call()
    assert y.tolist() == [0.5] * 2**16
    assert len(others) == 4


def test_a_kernel_may_make_arrays_of_its_own() -> None:
    y = np.zeros(3)
    assert isinstance(run((sum_of_new, (np.arange(3.0), y)))[0], NativeGroup)
    assert y.tolist() == [1, 2, 3]


def test_a_kernel_that_returns_a_number_is_called_from_python() -> None:
    (call,) = run((length, (np.zeros(3),)))
    assert not isinstance(call, NativeGroup)
    assert call() == 3


def test_a_group_that_keeps_the_lock_lets_no_thread_run_meanwhile() -> None:
    counter, stop = np.zeros(1, np.int64), np.zeros(1, np.int64)
    (call,) = native_program([(count_up, (counter, stop, FEW_TURNS))], keeps_lock=True)
    begun, set_stop = Event(), Event()

    def interrupt() -> None:
        begun.set()
        set_stop.wait(timeout=60)
        stop[0] = 1

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(interrupt)
        begun.wait(timeout=60)
        set_stop.set()
        call()
        running.result(timeout=60)
    assert counter[0] in (0, FEW_TURNS)


def test_other_threads_run_meanwhile() -> None:
    counter, stop = np.zeros(1, np.int64), np.zeros(1, np.int64)
    (call,) = native_program([(count_up, (counter, stop, MANY_TURNS))])
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(call)
        while counter[0] == 0 and not running.done():
            pass
        stop[0] = 1
        running.result(timeout=60)
    assert 0 < counter[0] < MANY_TURNS
