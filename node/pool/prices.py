"""Which transactions of a full pool pay least at the next base fee."""

from collections.abc import Mapping
from heapq import heapify, heappop, heappush
from typing import TypeAlias

from cvm.evm.transaction import Transaction
from node.pool.limits import slots_of

Price: TypeAlias = tuple[int, int, int]
"""The tip that a block with the base fee gets, then fee cap and tip, all in wei per gas."""

SPARE_ENTRIES = 1_024
"""So many entries of transactions that are gone may lie in the heap beside as many as there are."""


def tip(tx: Transaction, base_fee: int) -> int:
    """Return the tip in wei per gas that a transaction pays at a base fee, below 0 if it cannot."""
    return min(tx.max_priority_fee_per_gas, tx.max_fee_per_gas - base_fee)


def price_of(tx: Transaction, base_fee: int) -> Price:
    """Return what a transaction is worth at a base fee, as go-ethereum's priced list compares."""
    return tip(tx, base_fee), tx.max_fee_per_gas, tx.max_priority_fee_per_gas


class PriceIndex:
    """The transactions of a pool, cheapest first; of equal ones the highest nonce.

    It is made when a full pool asks for the first time, and again when the base fee has changed;
    until then it costs nothing. Entries of what has left the pool are passed over.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[Price, int, bytes]] | None = None
        self._base_fee = 0

    def add(self, tx: Transaction, held: int) -> None:
        """Note a transaction of a pool that holds so many."""
        if self._heap is None:
            return
        if len(self._heap) > 2 * held + SPARE_ENTRIES:
            self._heap = None
        else:
            heappush(self._heap, self._entry(tx))

    def cheapest(
        self, held: Mapping[bytes, Transaction], base_fee: int, slots: int, below: Transaction
    ) -> list[Transaction] | None:
        """Return the cheapest transactions that fill so many slots, or None.

        None is returned where one of them would not pay less than `below`.
        """
        heap = self._made(held, base_fee)
        bound = price_of(below, base_fee)
        popped: list[tuple[Price, int, bytes]] = []
        chosen: list[Transaction] = []
        while slots > 0 and heap and heap[0][0] < bound:
            entry = heappop(heap)
            tx = held.get(entry[2])
            if tx is not None:
                popped.append(entry)
                chosen.append(tx)
                slots -= slots_of(tx)
        for entry in popped:
            heappush(heap, entry)
        return chosen if slots <= 0 else None

    def _made(
        self, held: Mapping[bytes, Transaction], base_fee: int
    ) -> list[tuple[Price, int, bytes]]:
        if self._heap is None or self._base_fee != base_fee:
            self._base_fee = base_fee
            self._heap = [self._entry(tx) for tx in held.values()]
            heapify(self._heap)
        return self._heap

    def _entry(self, tx: Transaction) -> tuple[Price, int, bytes]:
        return price_of(tx, self._base_fee), -tx.nonce, tx.hash
