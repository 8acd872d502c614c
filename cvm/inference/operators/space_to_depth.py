"""SpaceToDepth: blocks of pixels laid out as channels."""

from cvm.inference.graph import NodeView
from cvm.inference.operators.constant_lists import any_operand
from cvm.inference.operators.depth_to_space import (
    BlockParameters,
    block_size,
    move_blocks,
    steps_by_narrow_row,
)
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.result_type import result_type


def parse(view: NodeView) -> BlockParameters:
    """Check x (n, c, h, w) whose height and width are multiples of blocksize.

    Pixel (y * b + i, x * b + j) of channel d becomes channel (i * b + j) * c + d.
    """
    require_operand_count(view, 1)
    x = any_operand(view, 0)
    size = block_size(view)
    if x.rank != 4 or x.shape[2] % size or x.shape[3] % size:
        raise refusal(view, "operand shape", f"{x} is not made of blocks of {size} x {size}")
    n, c, h, w = x.shape
    shape = (n, c * size * size, h // size, w // size)
    split = (n, c, h // size, size, w // size, size)
    return BlockParameters(x.dtype, shape, split, (0, 3, 5, 1, 2, 4))


SPACE_TO_DEPTH = OpSpec(
    "SpaceToDepth",
    13,
    frozenset({"blocksize"}),
    parse,
    result_type,
    steps_by_narrow_row(28),
    move_blocks,
)
