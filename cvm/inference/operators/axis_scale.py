"""The scale and zero point that QuantizeLinear and DequantizeLinear share."""

from dataclasses import dataclass
from math import prod

from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import axis_attribute, int_attribute
from cvm.inference.operators.operands import operand_type
from cvm.inference.operators.quantisation import scales, zero_points
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, Shape, TensorType


@dataclass(frozen=True, slots=True)
class AxisScale:
    """A float32 scale and an int32 zero point for a whole tensor or for each index of an axis.

    Both are shaped to stretch over the tensor: rank 0, or length 1 but for the axis.
    """

    shape: Shape
    scale: Array
    zero: Array

    @property
    def runs(self) -> int:
        """Return how often another scale is taken."""
        count = self.scale.size
        if count == 1:
            return 1
        inner = prod(
            self.shape[len(self.shape) - len(self.scale.shape) :][
                self.scale.shape.index(count) + 1 :
            ]
        )
        return prod(self.shape) // inner


def resolve_axis_scale(view: NodeView, x: TensorType, zero_dtype: str) -> AxisScale:
    """Read constant inputs 1 (scale) and 2 (zero point, optional) and attribute `axis`."""
    if int_attribute(view, "block_size", 0) != 0:
        raise refusal(view, "attribute value", "blocked quantisation (block_size) is not offered")
    scale_type = operand_type(view, 1, ("float32",))
    zero_type = view.type_at(2)
    if zero_type is not None and zero_type.shape != scale_type.shape:
        raise refusal(
            view, "operand shape", f"zero point {zero_type} must be shaped like scale {scale_type}"
        )
    if scale_type.shape in ((), (1,)):
        whole: Shape = ()
        return AxisScale(
            x.shape,
            scales(view, 1, 1).reshape(whole),
            zero_points(view, 2, 1, zero_dtype).reshape(whole),
        )
    axis = axis_attribute(view, 1, x.rank)
    length = x.shape[axis]
    stretched = (-1, *(1,) * (x.rank - 1 - axis))
    return AxisScale(
        x.shape,
        scales(view, 1, length).reshape(stretched),
        zero_points(view, 2, length, zero_dtype).reshape(stretched),
    )
