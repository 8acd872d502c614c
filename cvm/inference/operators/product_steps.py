"""What a product of matrices costs beside its terms: the one place where few outputs cost more.

A product is worked on in tiles of `TILE_ROWS` x `TILE_COLUMNS` outputs, each a chain of dependent
additions. However few outputs a tile has, a term of its chains takes as long as `LEAST` or all of
its multiply-accumulates, and a matrix that is no constant is put in the order of the tiles first.
"""

from dataclasses import dataclass
from math import prod

from cvm.inference.cost import RUN, SERIAL, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.matrix_product import MatrixProductShape

TILE_ROWS, TILE_COLUMNS = 4, 24
NARROW = 8
"""Columns up to which a tile is one vector wide."""

LEAST = 48
"""Multiply-accumulates that a term takes as long as, in a tile of one row or one vector."""

WORD = 4
"""8-bit numbers that are multiplied together."""


@dataclass(frozen=True, slots=True)
class Extents:
    """A stack of `count` products (rows, depth) by (depth, columns).

    `left` and `right` are how many matrices of each operand are put in order in every run.
    """

    count: int
    rows: int
    depth: int
    columns: int
    left: int
    right: int

    @property
    def terms(self) -> int:
        """Return the multiply-accumulates."""
        return self.count * self.rows * self.depth * self.columns


def dynamic_count(view: NodeView, index: int, size: int) -> int:
    """Return how many matrices of an operand are put in order in every run: none of a constant."""
    found = view.types[index]
    return 0 if found is None or view.constant_at(index) is not None else found.size // size


def extents_of(shape: MatrixProductShape, view: NodeView, left: int, right: int) -> Extents:
    """Return the extents of two stacks; a single right matrix takes the left stack as rows."""
    rows, depth, columns = shape.rows, shape.depth, shape.columns
    count, right_size = prod(shape.batch_shape), depth * columns
    if prod(shape.b_shape) == right_size and prod(shape.a_shape) == count * rows * depth:
        count, rows = 1, rows * count
    lefts = dynamic_count(view, left, rows * depth)
    return Extents(count, rows, depth, columns, lefts, dynamic_count(view, right, right_size))


def product_cost(extents: Extents) -> Cost:
    """Return the cost of a stack of float32 products."""
    lines = extents.left * extents.rows + extents.right * extents.columns
    steps = 3 * idle_terms(extents, extents.depth) // 2 + tile_steps(extents)
    packed = lines * (SERIAL * extents.depth + RUN // 16)
    return Cost(float32_macs=extents.terms, elementwise=steps + packed)


def integer_product_cost(extents: Extents) -> Cost:
    """Return the cost of a stack of 8-bit products, whose terms go word by word.

    Below `NARROW` columns a term may be added by itself; each row and column is also summed.
    """
    depth = -(-extents.depth // WORD) * WORD
    lines = extents.left * extents.rows + extents.right * extents.columns
    single = 2 * SERIAL * extents.terms if extents.columns < NARROW else 0
    steps = idle_terms(extents, depth) + tile_steps(extents) + single
    packed = lines * (2 * SERIAL * depth + RUN // 2)
    return Cost(int8_macs=extents.terms, elementwise=steps + packed)


def idle_terms(extents: Extents, depth: int) -> int:
    """Return the multiply-accumulates that the tiles take the time of and do not make."""
    rows, columns = extents.rows, extents.columns
    tall = 1 if rows == 1 else -(-rows // TILE_ROWS)
    whole, rest = columns // TILE_COLUMNS, columns % TILE_COLUMNS
    full = LEAST if rows == 1 else TILE_ROWS * TILE_COLUMNS
    last = 0 if rest == 0 else LEAST if rest <= NARROW else full
    return max(0, tall * (whole * full + last) - rows * columns) * extents.count * depth


def tile_steps(extents: Extents) -> int:
    """Return what the tiles start with."""
    rows, wide = extents.rows, -(-extents.columns // TILE_COLUMNS)
    if rows == 1:
        return RUN * wide * extents.count
    return 2 * RUN * -(-rows // TILE_ROWS) * wide * extents.count
