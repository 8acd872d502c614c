"""The ONNX broadcasting rules: multidirectional (NumPy's) and unidirectional."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import zip_longest

from cvm.inference.graph import NodeView
from cvm.inference.operators.operands import operand_type, require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Shape


def broadcast_shape(view: NodeView, a: Shape, b: Shape) -> Shape:
    """Return the shape to which both operands stretch, aligned at the last axis."""
    lengths = []
    for left, right in zip_longest(reversed(a), reversed(b), fillvalue=1):
        if left != right and 1 not in (left, right):
            raise refusal(
                view, "operand shape", f"{list(a)} and {list(b)} do not broadcast to one shape"
            )
        lengths.append(right if left == 1 else left)
    return tuple(reversed(lengths))


def require_stretches_to(view: NodeView, source: Shape, target: Shape) -> None:
    """Refuse `source` unless it broadcasts to `target` without changing `target`."""
    if len(source) > len(target) or broadcast_shape(view, source, target) != target:
        raise refusal(view, "operand shape", f"{list(source)} does not stretch to {list(target)}")


@dataclass(frozen=True, slots=True)
class BroadcastParameters:
    """The common dtype of two operands and the shape to which both stretch."""

    dtype: str
    output_shape: Shape


def resolve_broadcast(view: NodeView, dtypes: Collection[str]) -> BroadcastParameters:
    """Check two operands of one dtype out of `dtypes` whose shapes broadcast."""
    require_operand_count(view, 2)
    a = operand_type(view, 0, dtypes)
    b = operand_type(view, 1, (a.dtype,))
    return BroadcastParameters(a.dtype, broadcast_shape(view, a.shape, b.shape))
