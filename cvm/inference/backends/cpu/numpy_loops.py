"""Operators that are one IEEE or integer operation: NumPy's own loop writes into the result.

NumPy broadcasts, makes whole vectors of same-shape and scalar operands, and rounds each of
these operations once, as the definition does that is written with the same functions.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from cvm.inference.backends.cpu import definition
from cvm.inference.backends.cpu.step_builder import StepBuilder
from cvm.inference.tensor_type import Array

Loop = Callable[..., Any]
Builder = Callable[[StepBuilder], None]


def run_loop(loop: Loop, *arrays: Array) -> None:
    """Apply a NumPy function to all arrays but the last, and write the result there."""
    with np.errstate(all="ignore"):
        loop(*arrays[:-1], out=arrays[-1])


def run_copy(target: Array, source: Array) -> None:
    """Copy into another dtype: integers keep their low bits, float32 rounds once."""
    np.copyto(target, source, casting="unsafe")


def one_operation(loop: Loop, operands: int) -> Builder:
    """Return the builder of an operator that is one NumPy function of its operands."""

    def build(builder: StepBuilder) -> None:
        arrays = (builder.operand(index) for index in range(operands))
        builder.add(run_loop, loop, *arrays, builder.results[0])

    return build


build_abs = one_operation(np.abs, 1)
build_and = one_operation(np.bitwise_and, 2)
build_ceil = one_operation(np.ceil, 1)
build_equal = one_operation(np.equal, 2)
build_floor = one_operation(np.floor, 1)
build_greater = one_operation(np.greater, 2)
build_greater_or_equal = one_operation(np.greater_equal, 2)
build_is_nan = one_operation(np.isnan, 1)
build_less = one_operation(np.less, 2)
build_less_or_equal = one_operation(np.less_equal, 2)
build_neg = one_operation(np.negative, 1)
build_not = one_operation(np.invert, 1)
build_or = one_operation(np.bitwise_or, 2)
build_round = one_operation(np.rint, 1)
build_sqrt = one_operation(np.sqrt, 1)
build_sub = one_operation(np.subtract, 2)
build_xor = one_operation(np.bitwise_xor, 2)


def build_div(builder: StepBuilder) -> None:
    """Plan a Div; integers, which have cases of their own, run by their definition."""
    if builder.node.parameters.dtype == "float32":
        one_operation(np.divide, 2)(builder)
    else:
        definition.build(builder)


def build_reciprocal(builder: StepBuilder) -> None:
    """Plan a Reciprocal, which is a division."""
    one = np.ones((), np.float32)
    builder.add(run_loop, np.divide, one, builder.operand(0), builder.results[0])


def build_is_inf(builder: StepBuilder) -> None:
    """Plan an IsInf of both infinities; of one or of none it runs by its definition."""
    parameters = builder.node.parameters
    if parameters.detect_negative and parameters.detect_positive:
        one_operation(np.isinf, 1)(builder)
    else:
        definition.build(builder)


def build_sum(builder: StepBuilder) -> None:
    """Plan a Sum: the inputs are added to the result one after the other."""
    y = builder.results[0]
    operands = [builder.operand(index) for index in range(len(builder.node.inputs))]
    if len(operands) == 1:
        builder.add(run_copy, y, operands[0])
        return
    builder.add(run_loop, np.add, operands[0], operands[1], y)
    for operand in operands[2:]:
        builder.add(run_loop, np.add, y, operand, y)


def build_mean(builder: StepBuilder) -> None:
    """Plan a Mean: the Sum, divided by the number of inputs."""
    build_sum(builder)
    y = builder.results[0]
    builder.add(run_loop, np.divide, y, np.array(len(builder.node.inputs), np.float32), y)
