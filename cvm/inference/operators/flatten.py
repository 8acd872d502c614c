"""Flatten: a tensor as a matrix, split at one axis."""

from dataclasses import dataclass
from math import prod

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import int_attribute
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, Shape, TensorType


@dataclass(frozen=True, slots=True)
class FlattenParameters:
    """The dtype and the shape of the matrix."""

    dtype: str
    output_shape: Shape


def parse(view: NodeView) -> FlattenParameters:
    """Check `axis`, in [-rank, rank], for a tensor of any dtype."""
    require_operand_count(view, 1)
    x = view.types[0]
    if x is None:
        raise refusal(view, "operand count", "input 0 is missing")
    axis = int_attribute(view, "axis", 1)
    if not -x.rank <= axis <= x.rank:
        raise refusal(
            view, "attribute value", f"axis must be in [{-x.rank}, {x.rank}], found {axis}"
        )
    split = axis + x.rank if axis < 0 else axis
    return FlattenParameters(x.dtype, (prod(x.shape[:split]), prod(x.shape[split:])))


def output_types(parameters: FlattenParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return the input's dtype, the axes before the split by the axes after it."""
    return (TensorType(parameters.dtype, parameters.output_shape),)


def cost(_parameters: FlattenParameters, _view: NodeView, _outputs: tuple[TensorType, ...]) -> Cost:
    """Count nothing: no element changes."""
    return Cost()


def flatten(parameters: FlattenParameters, x: Array) -> tuple[Array, ...]:
    """Return Flatten-21: the same elements, row-major, as a matrix (an empty product is 1)."""
    return (x.reshape(parameters.output_shape),)


FLATTEN = OpSpec(
    "Flatten", 21, frozenset({"axis"}), parse, output_types, cost, flatten, is_view=True
)
