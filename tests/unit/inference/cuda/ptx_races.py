"""Notes which threads touched each byte, and finds accesses that nothing orders.

Two accesses to a byte, one of them a store, are ordered if one thread makes both, or two threads of
one block with a barrier in between; threads of different blocks never are within a launch. A thread
is noted as one number: block, interval between barriers, thread in the block.
"""

import numpy as np

from cvm.inference.tensor_type import Array

THREAD_BITS, INTERVAL_BITS = 12, 28
_BLOCK_SHIFT = THREAD_BITS + INTERVAL_BITS
_SEVERAL_THREADS = (1 << THREAD_BITS) - 1
_SEVERAL_BLOCKS = ((1 << 23) - 1) << _BLOCK_SHIFT
_NOBODY = -1


def visitor_codes(block: int, interval: int, threads: Array) -> Array:
    """Return the notes of threads of one block that are past `interval` barriers."""
    return (block << _BLOCK_SHIFT) + (interval << THREAD_BITS) + threads.astype(np.int64)


def describe(code: int) -> str:
    """Return a note in words."""
    block, thread = code >> _BLOCK_SHIFT, code & _SEVERAL_THREADS
    if code >= _SEVERAL_BLOCKS:
        return "threads of several blocks"
    if thread == _SEVERAL_THREADS:
        return f"several threads of block {block}"
    return f"thread {thread} of block {block}"


class AccessLog:
    """Who loaded and who stored each part of a stretch of memory since it was begun.

    A part is `unit` bytes; no access may be narrower.
    """

    def __init__(self, size_bytes: int, unit: int = 1) -> None:
        self._unit = unit
        self._readers = np.full(size_bytes // unit, _NOBODY, np.int64)
        self._writers = np.full(size_bytes // unit, _NOBODY, np.int64)

    def read(self, rows: Array, width: int, codes: Array) -> tuple[int, int] | None:
        """Note loads of `width` bytes each at multiples `rows` of the width.

        Returns the first row and the note that it conflicts with, or None.
        """
        visitors = codes.reshape(-1, *(1,) * rows.ndim)
        writers = self._writers.reshape(-1, width // self._unit)
        if found := _first(_unordered(writers[rows], visitors), rows):
            return found[0], int(writers[found[0]].max())
        _note(self._readers.reshape(-1, width // self._unit), rows, visitors)
        return None

    def write(
        self, rows: Array, width: int, codes: Array, is_same: Array
    ) -> tuple[int, int] | None:
        """Note stores, as `read`; a store of the bytes that another left conflicts with no store.

        `is_same` has the shape of `rows`.
        """
        visitors = codes.reshape(-1, *(1,) * rows.ndim)
        readers = self._readers.reshape(-1, width // self._unit)
        if found := _first(_unordered(readers[rows], visitors), rows):
            return found[0], int(readers[found[0]].max())
        writers = self._writers.reshape(-1, width // self._unit)
        clashes = _unordered(writers[rows], visitors) & ~is_same[..., None]
        if found := _first(clashes, rows):
            return found[0], int(writers[found[0]].max())
        _note(writers, rows, visitors)
        return None


def _unordered(noted: Array, codes: Array) -> Array:
    """Return where a note is of a thread that nothing orders before the visitor."""
    difference = noted ^ codes
    together = (difference >> THREAD_BITS == 0) | (difference >> _BLOCK_SHIFT != 0)
    found: Array = (noted != _NOBODY) & (difference != 0) & together
    return found


def _first(found: Array, rows: Array) -> tuple[int] | None:
    """Return the first row where something was found; `found` has one axis more."""
    where = found.any(axis=-1)
    return (int(rows[where][0]),) if where.any() else None


def _note(noted: Array, rows: Array, codes: Array) -> None:
    """Add visitors to the notes; several of one block, or of several blocks, become one note."""
    old = noted[rows]
    meets = _unordered(old, codes)
    if meets.any():
        other_block = (old ^ codes) >> _BLOCK_SHIFT != 0
        shared = np.where(other_block, _SEVERAL_BLOCKS, codes | _SEVERAL_THREADS)
        codes = np.where(meets, shared, codes)
    codes = np.broadcast_to(codes, old.shape)
    noted[rows] = codes
    lost = noted[rows] != codes
    if lost.any():
        places = np.broadcast_to(rows[..., None], lost.shape)[lost]
        noted[places] |= _SEVERAL_THREADS
