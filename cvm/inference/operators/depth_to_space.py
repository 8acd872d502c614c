"""DepthToSpace: blocks of channels laid out as pixels."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import RUN, Cost
from cvm.inference.graph import NodeView
from cvm.inference.limits import MAX_DIM
from cvm.inference.operators.attributes import int_attribute, string_attribute
from cvm.inference.operators.constant_lists import any_operand
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.result_type import CostRule, ResultType, result_type
from cvm.inference.tensor_type import Array, Shape, TensorType


@dataclass(frozen=True, slots=True)
class BlockParameters(ResultType):
    """The result's type, and the input's shape in `split_shape` whose axes go by `order`."""

    split_shape: Shape
    order: tuple[int, ...]


def block_size(view: NodeView) -> int:
    """Return the required attribute `blocksize`, which is 1 or more."""
    size = int_attribute(view, "blocksize", 0)
    if not 1 <= size <= MAX_DIM:
        raise refusal(view, "attribute value", f"blocksize must be 1 to {MAX_DIM}, found {size}")
    return size


def parse(view: NodeView) -> BlockParameters:
    """Check x (n, c, h, w) whose channels are a multiple of blocksize squared, and the mode."""
    require_operand_count(view, 1)
    x = any_operand(view, 0)
    size = block_size(view)
    mode = string_attribute(view, "mode", "DCR")
    if mode not in ("DCR", "CRD"):
        raise refusal(view, "attribute value", f"mode must be DCR or CRD, found {mode!r:.80}")
    if x.rank != 4 or x.shape[1] % (size * size):
        raise refusal(view, "operand shape", f"{x} needs channels by blocks of {size} x {size}")
    n, c, h, w = x.shape
    depth = c // (size * size)
    shape = (n, depth, h * size, w * size)
    if mode == "DCR":
        return BlockParameters(x.dtype, shape, (n, size, size, depth, h, w), (0, 3, 4, 1, 5, 2))
    return BlockParameters(x.dtype, shape, (n, depth, size, size, h, w), (0, 1, 4, 2, 5, 3))


def move_blocks(parameters: BlockParameters, x: Array) -> tuple[Array, ...]:
    """Return DepthToSpace-13 and SpaceToDepth-13: split axes, reorder them, join them.

    With b the block size: DCR reads channel (i * b + j) * (c / b**2) + d, CRD reads channel
    (d * b + i) * b + j, for pixel (y * b + i, x * b + j) of channel d.
    """
    moved = x.reshape(parameters.split_shape).transpose(parameters.order)
    return (np.ascontiguousarray(moved).reshape(parameters.output_shape),)


def steps_by_narrow_row(steps: int) -> CostRule:
    """Return the rule that counts these steps for each element, and half a run a narrow row."""

    def cost(_parameters: object, view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
        x = view.types[0]
        width = outputs[0].shape[-1] if x is None else min(x.shape[-1], outputs[0].shape[-1])
        return Cost(elementwise=steps * outputs[0].size + RUN // 2 * (outputs[0].size // width))

    return cost


DEPTH_TO_SPACE = OpSpec(
    "DepthToSpace",
    13,
    frozenset({"blocksize", "mode"}),
    parse,
    result_type,
    steps_by_narrow_row(10),
    move_blocks,
)
