"""Stacks of matrices and the tiles that their products are cut into."""

from dataclasses import dataclass
from math import prod

from cvm.inference.backends.cuda.elementwise import merged_axes, stretching_steps
from cvm.inference.backends.cuda.launch_builder import Word
from cvm.inference.operators.matrix_product import MatrixProductShape

MAX_BATCH_RANK = 4
"""As in `kernels/matrices.cuh`: the largest rank of a tensor less the two axes of a matrix."""

SIDE = 16
"""Threads along either side of a block, as in `kernels/dot_tile.cuh`."""


@dataclass(frozen=True, slots=True)
class TileSize:
    """The sums of one thread along either side; `suffix` ends the kernel's name."""

    suffix: str
    sums: int

    def blocks(self, rows: int, columns: int) -> int:
        """Return how many blocks cover a matrix."""
        edge = SIDE * self.sums
        return -(-rows // edge) * -(-columns // edge)


WIDE = TileSize("wide", 8)
SMALL = TileSize("small", 2)


def tile_size(rows: int, columns: int) -> TileSize:
    """Return the tile for a product of this size; the choice changes no bit of it."""
    return WIDE if min(rows, columns) > SIDE * SMALL.sums else SMALL


def stack_words(shape: MatrixProductShape) -> tuple[Word, ...]:
    """Return the fields of `Stack` in `kernels/matrices.cuh`; steps count matrices."""
    axes = merged_axes(
        shape.batch_shape,
        stretching_steps(shape.a_shape[:-2], shape.batch_shape),
        stretching_steps(shape.b_shape[:-2], shape.batch_shape),
    )
    axes += [(1, 0, 0)] * (MAX_BATCH_RANK - len(axes))
    columns = zip(*axes, strict=True)
    return (MAX_BATCH_RANK, *(word for column in columns for word in column))


def matrix_count(shape: MatrixProductShape) -> int:
    """Return how many products a stack makes."""
    return prod(shape.batch_shape)
