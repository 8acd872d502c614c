"""Labelled rows as a Merkle tree: roots for the DatasetRegistry, and proofs for the Evaluator.

The tree is the one of `contracts/library/RowTree.sol`. A row's leaf is keccak256(keccak256(index ||
label || row)) with index and label in 32 bytes; a node is keccak256(left || right); the tree has
2^depth leaves, depth = ceil(log2(rows)), and places after the last row hold zero. A run of 2^height
rows that starts at a multiple of 2^height is a subtree: one path proves all of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from eth_abi.abi import encode

from cvm.evm.keccak import keccak256

LABEL_BYTES = 8
"""A label is an int64, big-endian."""

MAX_ROWS = 1 << 32
"""Most rows of a dataset, as in DatasetRegistry.sol."""

EMPTY_LEAF = bytes(32)
"""What stands after the last row."""


class LabelType(IntEnum):
    """What a label stands for; FLOAT32 has the IEEE-754 bits in the lower half."""

    CLASS = 0
    INTEGER = 1
    FLOAT32 = 2


class BadRows(Exception):
    """Rows or labels that are no dataset."""


class BadRun(Exception):
    """No run of 2^height rows starts at that row."""

    def __init__(self, first: int, height: int, rows: int) -> None:
        super().__init__(f"no run of 2^{height} rows starts at row {first} of {rows}")
        self.first = first
        self.height = height
        self.rows = rows


@dataclass(frozen=True, slots=True)
class Batch:
    """A run of rows with its proof: the `RowTree.Batch` of the contracts."""

    first: int
    height: int
    rows: bytes
    labels: bytes
    path: tuple[bytes, ...]

    def as_tuple(self) -> tuple[int, int, bytes, bytes, tuple[bytes, ...]]:
        """Return the fields in the order of the ABI type `BATCH_TYPE`."""
        return (self.first, self.height, self.rows, self.labels, self.path)


BATCH_TYPE = "(uint64,uint8,bytes,bytes,bytes32[])"
"""The ABI type of a `Batch`."""


class Dataset:
    """Rows of equal length with their labels, and every hash of their tree."""

    def __init__(self, rows: Sequence[bytes], labels: Sequence[int]) -> None:
        _check_rows(rows, labels)
        self.row_bytes = len(rows[0])
        self._rows = tuple(rows)
        self._labels = tuple(labels)
        self._levels = [[leaf(i, row, labels[i]) for i, row in enumerate(rows)]]
        self._levels[0] += [EMPTY_LEAF] * ((1 << depth_of(len(rows))) - len(rows))
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            self._levels.append(
                [keccak256(below[i] + below[i + 1]) for i in range(0, len(below), 2)]
            )

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def root(self) -> bytes:
        """Return the root of the tree."""
        return self._levels[-1][0]

    @property
    def depth(self) -> int:
        """Return the height of the tree, which is the length of a single row's path."""
        return len(self._levels) - 1

    def batch(self, first: int, height: int) -> Batch:
        """Return the run of 2^height rows from `first` on, with its path; raises `BadRun`.

        Only a run at the end of the dataset may hold fewer rows.
        """
        if not 0 <= height <= self.depth or first % (1 << height) or not 0 <= first < len(self):
            raise BadRun(first, height, len(self))
        part = slice(first, first + (1 << height))
        return Batch(
            first,
            height,
            b"".join(self._rows[part]),
            b"".join(
                label.to_bytes(LABEL_BYTES, "big", signed=True) for label in self._labels[part]
            ),
            tuple(self._levels[level][(first >> level) ^ 1] for level in range(height, self.depth)),
        )

    def batches(self, height: int) -> Iterator[Batch]:
        """Yield every run of 2^height rows, which together are the dataset; raises `BadRun`."""
        for first in range(0, len(self), 1 << height):
            yield self.batch(first, height)


def leaf(index: int, row: bytes, label: int) -> bytes:
    """Return the leaf of a row; hashed twice, so that no node can stand for it."""
    head = index.to_bytes(32, "big") + label.to_bytes(32, "big", signed=True)
    return keccak256(keccak256(head + row))


def depth_of(rows: int) -> int:
    """Return ceil(log2(rows))."""
    return (rows - 1).bit_length()


def verify_batch(root: bytes, rows: int, row_bytes: int, batch: Batch) -> bool:
    """Tell whether a run of rows belongs to the tree of that root, as the contracts do."""
    depth = depth_of(rows)
    size = 1 << batch.height if batch.height <= depth else 0
    if not size or batch.first % size or batch.first >= rows:
        return False
    count = min(size, rows - batch.first)
    if len(batch.rows) != count * row_bytes or len(batch.labels) != count * LABEL_BYTES:
        return False
    if len(batch.path) != depth - batch.height:
        return False
    nodes = [
        leaf(
            batch.first + i,
            batch.rows[i * row_bytes : (i + 1) * row_bytes],
            int.from_bytes(
                batch.labels[i * LABEL_BYTES : (i + 1) * LABEL_BYTES], "big", signed=True
            ),
        )
        for i in range(count)
    ] + [EMPTY_LEAF] * (size - count)
    while len(nodes) > 1:
        nodes = [keccak256(nodes[i] + nodes[i + 1]) for i in range(0, len(nodes), 2)]
    node, place = nodes[0], batch.first >> batch.height
    for sibling in batch.path:
        node = keccak256(sibling + node if place & 1 else node + sibling)
        place >>= 1
    return node == root


def dataset_id(
    publisher: bytes, root: bytes, rows: int, row_bytes: int, label_type: LabelType, uri: str
) -> bytes:
    """Return the id that the DatasetRegistry gives to a dataset."""
    types = ["address", "bytes32", "uint64", "uint32", "uint8", "string"]
    return keccak256(encode(types, [publisher, root, rows, row_bytes, label_type, uri]))


def _check_rows(rows: Sequence[bytes], labels: Sequence[int]) -> None:
    if not 1 <= len(rows) <= MAX_ROWS:
        raise BadRows(f"{len(rows)} rows; a dataset has 1 to {MAX_ROWS}")
    if len(labels) != len(rows):
        raise BadRows(f"{len(labels)} labels for {len(rows)} rows")
    lengths = sorted({len(row) for row in rows})
    if len(lengths) != 1 or not lengths[0]:
        raise BadRows(f"rows of {lengths} bytes; all have the same length, at least one byte")
    for index, label in enumerate(labels):
        if not -(1 << 63) <= label < 1 << 63:
            raise BadRows(f"label {label} of row {index} is no int64")
