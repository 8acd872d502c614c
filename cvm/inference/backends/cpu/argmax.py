"""ArgMax and ArgMin along one axis."""

from math import prod

from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.operators.argmax import ArgMaxParameters
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel


@kernel
def argmax(x: Array, outer: int, length: int, inner: int, last: bool, y: Array) -> None:
    """Equal `operators.argmax` along the middle axis of (outer, length, inner).

    NaN stands above all; of equals the first wins, or the last under `last`.
    """
    for slice_number in range(outer * inner):
        first = slice_number // inner * length * inner + slice_number % inner
        best, index = x[first], 0
        for i in range(1, length):
            value = x[first + i * inner]
            wins = value > best or (value != value and best == best)
            if last:
                wins = wins or value == best or (value != value and best != best)
            if wins:
                best, index = value, i
        y[slice_number] = index


@kernel
def argmin(x: Array, outer: int, length: int, inner: int, last: bool, y: Array) -> None:
    """Equal `operators.argmin` along the middle axis of (outer, length, inner).

    NaN stands above all; of equals the first wins, or the last under `last`.
    """
    for slice_number in range(outer * inner):
        first = slice_number // inner * length * inner + slice_number % inner
        best, index = x[first], 0
        for i in range(1, length):
            value = x[first + i * inner]
            wins = value < best or (best != best and value == value)
            if last:
                wins = wins or value == best or (value != value and best != best)
            if wins:
                best, index = value, i
        y[slice_number] = index


def build(builder: StepBuilder) -> None:
    """Plan an ArgMax or ArgMin."""
    parameters: ArgMaxParameters = builder.node.parameters
    shape, axis = parameters.input_shape, parameters.axis
    extents = (prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :]))
    x, y = flat(builder.operand(0)), flat(builder.results[0])
    find = argmax if builder.node.spec.name == "ArgMax" else argmin
    builder.add(find, x, *extents, parameters.select_last, y)
