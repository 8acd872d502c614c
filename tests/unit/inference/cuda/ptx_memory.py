"""Memory of an interpreted GPU, every access to which is checked."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cvm.inference.tensor_type import Array
from tests.unit.inference.cuda.ptx_faults import (
    Misaligned,
    OutOfBounds,
    Race,
    Uninitialised,
    WroteConstant,
)
from tests.unit.inference.cuda.ptx_kinds import DTYPES
from tests.unit.inference.cuda.ptx_races import AccessLog, describe

ALIGNMENT = 256
WRITTEN = 0xFF
POISON = 0xA5
"""What memory holds that nothing has written; a load of it is a fault all the same."""


class MemoryBlock:
    """Bytes from one address on, and which of them have been written."""

    def __init__(self, address: int, size_bytes: int) -> None:
        padded = -(-size_bytes // ALIGNMENT) * ALIGNMENT
        self.address = address
        self.data = np.full(padded, POISON, np.uint8)
        self.written = np.zeros(padded, np.uint8)

    def fill(self, address: int, data: Array) -> None:
        """Copy bytes in from outside."""
        start = address - self.address
        self.data[start : start + data.size] = data
        self.written[start : start + data.size] = WRITTEN

    def forget(self, address: int, size_bytes: int) -> None:
        """Make bytes as if nothing had written them."""
        start = address - self.address
        self.data[start : start + size_bytes] = POISON
        self.written[start : start + size_bytes] = 0

    def is_written(self, address: int, size_bytes: int) -> bool:
        """Return whether every byte has been written."""
        start = address - self.address
        return bool((self.written[start : start + size_bytes] == WRITTEN).all())


@dataclass(frozen=True, slots=True, order=True)
class Extent:
    """A stretch of memory that a launch may touch."""

    address: int
    size_bytes: int
    is_constant: bool = False


@dataclass(slots=True)
class CheckedMemory:
    """What one launch, or one block of shared memory, may touch of a block of memory.

    `extents` are sorted and do not overlap; no access is narrower than `unit` bytes.
    """

    kernel: str
    block: MemoryBlock
    extents: Sequence[Extent]
    unit: int = 1
    _starts: list[int] = field(init=False)
    _ends: Array = field(init=False)
    _log: AccessLog = field(init=False)

    def __post_init__(self) -> None:
        self._starts = [extent.address for extent in self.extents]
        self._ends = np.array([e.address + e.size_bytes for e in self.extents], np.int64)
        self._log = AccessLog(self.block.data.size, self.unit)

    def load(self, addresses: Array, kind: str, count: int, codes: Array) -> Array:
        """Return what threads load: one number each or, of a vector, a row of `count`."""
        dtype = DTYPES[kind]
        width = dtype.itemsize
        are_constant = self._check(addresses, width, count, codes)
        rows = self._rows(addresses, width, count)
        unsigned = f"u{width}"
        written = self.block.written.view(unsigned)[rows] == np.iinfo(unsigned).max
        if not written.all():
            bad = np.flatnonzero(~written.reshape(len(addresses), -1).all(axis=-1))[0]
            raise Uninitialised(self.kernel, self._place(addresses, codes, int(bad)))
        if are_constant != {True} and (conflict := self._log.read(rows, width, codes)):
            self._race("loads", "stored", width, conflict, codes)
        return self.block.data.view(dtype)[rows]

    def store(self, addresses: Array, kind: str, values: Array, codes: Array) -> None:
        """Store a number, or a row of a vector, of every thread."""
        width, count = values.dtype.itemsize, values.shape[1] if values.ndim > 1 else 1
        if True in self._check(addresses, width, count, codes):
            places = np.searchsorted(np.array(self._starts, np.int64), addresses, "right") - 1
            bad = next(i for i, at in enumerate(places) if self.extents[int(at)].is_constant)
            raise WroteConstant(self.kernel, self._place(addresses, codes, bad))
        rows = self._rows(addresses, width, count)
        unsigned = f"u{width}"
        data, raw = self.block.data.view(unsigned), values.view(unsigned)
        if conflict := self._log.write(rows, width, codes, data[rows] == raw):
            self._race("stores", "touched", width, conflict, codes)
        data[rows] = raw
        differs = (data[rows] != raw).reshape(len(addresses), -1).any(axis=-1)
        if differs.any():
            bad = int(np.flatnonzero(differs)[0])
            place = self._place(addresses, codes, bad)
            raise Race(self.kernel, f"{place}, where another thread stores another value")
        self.block.written.view(unsigned)[rows] = np.iinfo(unsigned).max

    def _rows(self, addresses: Array, width: int, count: int) -> Array:
        """Return the places of elements in units of their width."""
        rows = (addresses - self.block.address) // width
        return rows if count == 1 else rows[:, None] + np.arange(count)

    def _check(self, addresses: Array, width: int, count: int, codes: Array) -> set[bool]:
        """Refuse what lies outside or unaligned; return whether the extents are constant."""
        size_bytes = width * count
        if width < self.unit:
            raise Misaligned(self.kernel, f"{self._place(addresses, codes, 0)}, {width} bytes")
        low, high = int(addresses.min()), int(addresses.max()) + size_bytes
        index = bisect_right(self._starts, low) - 1
        if index >= 0 and high <= self._ends[index]:
            are_constant = {self.extents[index].is_constant}
        else:
            are_constant = self._check_each(addresses, size_bytes, codes)
        odd = addresses % size_bytes != 0
        if odd.any():
            raise Misaligned(self.kernel, self._place(addresses, codes, int(odd.argmax())))
        return are_constant

    def _check_each(self, addresses: Array, size_bytes: int, codes: Array) -> set[bool]:
        if not self._starts:
            raise OutOfBounds(self.kernel, self._place(addresses, codes, 0))
        indices = np.searchsorted(np.array(self._starts, np.int64), addresses, "right") - 1
        outside = (indices < 0) | (addresses + size_bytes > self._ends[indices])
        if outside.any():
            place = self._place(addresses, codes, int(outside.argmax()))
            raise OutOfBounds(self.kernel, f"{place}, {size_bytes} bytes")
        return {self.extents[int(index)].is_constant for index in np.unique(indices)}

    def _place(self, addresses: Array, codes: Array, index: int) -> str:
        return f"{describe(int(codes[index]))} at address {int(addresses[index]):#x}"

    def _race(
        self, does: str, did: str, width: int, conflict: tuple[int, int], codes: Array
    ) -> None:
        row, other = conflict
        address = self.block.address + row * width
        others = describe(int(codes[0])) if len(codes) == 1 else "a thread"
        raise Race(
            self.kernel, f"{others} {does} at address {address:#x}, which {describe(other)} {did}"
        )
