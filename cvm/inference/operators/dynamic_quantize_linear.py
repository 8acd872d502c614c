"""DynamicQuantizeLinear: float32 values as uint8, the scale taken from the values themselves."""

from collections.abc import Callable

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.exact.ordering import larger, smaller
from cvm.inference.graph import NodeView
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.operators.unchanged_type import UnchangedType
from cvm.inference.tensor_type import Array, TensorType

STEPS = 20
"""Per element: two comparisons, a division, a rounding, an addition."""

HIGHEST = 255


def parse(view: NodeView) -> UnchangedType:
    """Check a float32 tensor."""
    require_operand_count(view, 1)
    x = operand_type(view, 0, ("float32",))
    require_elements(view, 0, x)
    return UnchangedType(x.dtype, x.shape)


def output_types(parameters: UnchangedType, _view: NodeView) -> tuple[TensorType, ...]:
    """Return y (uint8, the shape of x), y_scale (float32) and y_zero_point (uint8)."""
    return (
        TensorType("uint8", parameters.shape),
        TensorType("float32", ()),
        TensorType("uint8", ()),
    )


def cost(_parameters: UnchangedType, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count five steps for each element."""
    return Cost(elementwise=outputs[0].size * STEPS, nodes=1)


def dynamic_quantize_linear(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return DynamicQuantizeLinear-11, its ONNX function body, each step rounded to float32.

    1. low = Min(fold of Min over x, +0), high = Max(fold of Max over x, +0)
    2. scale = (high - low) / 255; where that is 0 (nothing but zeros, or values that vanish
       beside 255), scale = 1
    3. zero point = rint(clip(0 - low / scale, 0, 255)), ties to even; NaN gives 0
    4. y = clip(rint(x / scale), 0 - zero point, 255 - zero point) + zero point; NaN gives the
       zero point

    A NaN in x makes the scale NaN, so that every y is the zero point 0. An infinity makes the
    scale infinite: the zero point is 0 and so is every y.
    """
    zero_float = np.zeros((), np.float32)
    low = smaller(_folded(smaller, x.reshape(-1)), zero_float)
    high = larger(_folded(larger, x.reshape(-1)), zero_float)
    with np.errstate(all="ignore"):
        scale = np.asarray((high - low) / np.float32(HIGHEST))
        scale = np.where(scale == 0, np.float32(1), scale)
        offset = np.float32(0) - low / scale
        zero = _rounded(np.asarray(offset), np.float32(0), np.float32(HIGHEST))
        quotients = x / scale
    least, greatest = np.float32(0) - zero, np.float32(HIGHEST) - zero
    y = _rounded(quotients, least, greatest) + zero
    return (y.astype(np.uint8), scale, zero.astype(np.uint8))


def _folded(choose: Callable[[Array, Array], Array], values: Array) -> Array:
    """Fold Max or Min, whose result no order changes, half against half."""
    while values.size > 1:
        rest = values[(values.size + 1) // 2 :]
        alone = values[rest.size : values.size - rest.size]
        values = np.concatenate([choose(values[: rest.size], rest), alone])
    return values.reshape(())


def _rounded(values: Array, low: Array | np.float32, high: Array | np.float32) -> Array:
    """Return rint of values clipped to whole bounds; NaN gives 0."""
    whole = np.rint(np.where(values < low, low, np.where(values > high, high, values)))
    return np.where(np.isnan(values), np.float32(0), whole)


DYNAMIC_QUANTIZE_LINEAR = OpSpec(
    "DynamicQuantizeLinear",
    11,
    frozenset(),
    parse,
    output_types,
    cost,
    dynamic_quantize_linear,
)
