"""How much work a chain holds up to a block: what ends proof of work (EIP-3675)."""

from collections import OrderedDict
from collections.abc import Callable

from cvm.evm.header import BlockHeader

KEPT_TOTALS = 1_024
"""Sums in memory; a block that stands on none of them costs a walk to block 0."""


class TotalDifficulties:
    """Sums of difficulties from block 0 on; `header_of` reads headers by their hash."""

    def __init__(self, header_of: Callable[[bytes], BlockHeader | None]) -> None:
        self._header_of = header_of
        self._totals: OrderedDict[bytes, int] = OrderedDict()

    def of(self, header: BlockHeader) -> int:
        """Return the sum of the difficulties of a block and of all its ancestors."""
        total = 0
        later: BlockHeader | None = header
        while later is not None:
            known = self._totals.get(later.hash)
            if known is not None:
                total += known
                break
            total += later.difficulty
            later = self._header_of(later.parent_hash) if later.block_number else None
        self._totals[header.hash] = total
        if len(self._totals) > KEPT_TOTALS:
            self._totals.popitem(last=False)
        return total
