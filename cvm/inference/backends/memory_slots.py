"""Shares one stretch of memory among values that do not live together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(slots=True)
class Slot:
    """A stretch of memory and the nodes (first, last) between which it is taken."""

    size_bytes: int
    first: int
    last: int
    offset: int = 0


def place(slots: Sequence[Slot]) -> int:
    """Give every slot an offset so that slots alive together do not overlap; return the size.

    Larger slots are placed first, each at the lowest offset that is free while it lives.
    """
    begins, ends, firsts, lasts = placed = np.zeros((4, 0), np.int64)
    for slot in sorted(slots, key=lambda entry: (-entry.size_bytes, entry.first)):
        alive = (firsts <= slot.last) & (slot.first <= lasts)
        free = np.maximum.accumulate(np.concatenate(([0], ends[alive])))
        fits = np.flatnonzero(free[:-1] + slot.size_bytes <= begins[alive])
        slot.offset = int(free[fits[0] if fits.size else -1])
        row = (slot.offset, slot.offset + slot.size_bytes, slot.first, slot.last)
        at = np.searchsorted(begins, slot.offset, side="right")
        begins, ends, firsts, lasts = placed = np.insert(placed, at, row, axis=1)
    return int(ends.max(initial=0))
