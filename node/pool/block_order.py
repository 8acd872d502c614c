"""The order in which a block takes what is pending."""

from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heapreplace

from cvm.evm.transaction import Transaction
from node.pool.account_lists import AccountLists
from node.pool.prices import tip


def best_first(accounts: Iterable[AccountLists], base_fee: int) -> Iterator[Transaction]:
    """Yield what can pay the base fee: highest tip first, each sender's in nonce order.

    Ties go to the lower sender address, so that the order depends on nothing else.
    """
    queues = {lists.address: iter(tuple(lists.pending.values())) for lists in accounts}
    heap: list[tuple[int, bytes, Transaction]] = []
    for sender, queue in queues.items():
        first = next(queue, None)
        if first is not None:
            heap.append((-tip(first, base_fee), sender, first))
    heapify(heap)
    while heap:
        _tip, sender, tx = heap[0]
        following = None
        if tx.max_fee_per_gas >= base_fee:
            yield tx
            following = next(queues[sender], None)
        if following is None:
            heappop(heap)
        else:
            heapreplace(heap, (-tip(following, base_fee), sender, following))
