"""What the transaction pool costs: `python -m bench.pool_time`.

Processor time for each of 5,000 transactions, in five parts one after the other, so that growth
with the pool's size would show; for following a block, by the number of accounts that it touched;
and for the order of a block. Recovering the sender is timed apart: whoever decodes pays it once.
"""

import sys
from collections.abc import Sequence
from time import process_time

from cvm.evm.faults import InvalidTransaction
from cvm.evm.state_reader import Account
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_decoding import decode_transaction
from cvm.evm.transaction_signing import UnsignedTransaction
from node.pool.limits import DEFAULT_LIMITS, PoolHead
from node.transaction_pool import TransactionPool

COUNT, PARTS, ROUNDS = 5_000, 5, 3
RECIPIENT = b"\x11" * 20


class RichState:
    """Every account has sent nothing and can pay for everything."""

    def account(self, _address: bytes) -> Account:
        """Return a rich account."""
        return Account(balance=10**30)

    def storage(self, _address: bytes, _slot: int) -> int:
        """Return 0."""
        return 0

    def code(self, _code_hash: bytes) -> bytes:
        """Return no code."""
        return b""


def encoded(senders: int, each: int, price: int = 10**9, first_key: int = 1) -> list[bytes]:
    """Return the transfers of so many senders, each sender's in nonce order."""
    return [
        UnsignedTransaction(
            chain_id=1,
            nonce=nonce,
            max_fee_per_gas=price + sender,
            max_priority_fee_per_gas=price // 10 + sender,
            to=RECIPIENT,
        )
        .sign((first_key + sender).to_bytes(32, "big"))
        .raw
        for sender in range(senders)
        for nonce in range(each)
    ]


def decoded(raws: Sequence[bytes]) -> list[Transaction]:
    """Return new transactions whose senders are known."""
    transactions = [decode_transaction(raw) for raw in raws]
    for tx in transactions:
        tx.sender  # noqa: B018
    return transactions


def add_all(pool: TransactionPool, transactions: Sequence[Transaction]) -> int:
    """Add what the pool takes; return how many that were."""
    state, taken = RichState(), 0
    for tx in transactions:
        try:
            pool.add(tx, state)
        except InvalidTransaction:
            continue
        taken += 1
    return taken


def time_adds(name: str, raws: Sequence[bytes], full_of: Sequence[bytes] = ()) -> None:
    """Print microseconds for each transaction, in parts, the least of several rounds."""
    size = len(raws) // PARTS
    least = [float("inf")] * PARTS
    taken = 0
    for _ in range(ROUNDS):
        pool = TransactionPool(1)
        add_all(pool, decoded(full_of))
        transactions = decoded(raws)
        taken = 0
        for part in range(PARTS):
            began = process_time()
            taken += add_all(pool, transactions[part * size : (part + 1) * size])
            least[part] = min(least[part], (process_time() - began) / size * 1e6)
    shown = " ".join(f"{each:6.1f}" for each in least)
    sys.stdout.write(f"{name:34} {shown} us each, {taken} taken\n")


def time_blocks() -> None:
    """Print what following a block costs, and the order of the next one."""
    pool, state = TransactionPool(1), RichState()
    transactions = decoded(encoded(COUNT, 1))
    add_all(pool, transactions)
    for touched in (0, 10, 100, 1_000):
        changed = [tx.sender for tx in transactions[:touched]]
        least = float("inf")
        for _ in range(ROUNDS):
            began = process_time()
            pool.settle(state, PoolHead(7, 30_000_000), changed)
            least = min(least, process_time() - began)
        sys.stdout.write(f"a block that touched {touched:5} senders {least * 1e6:8.0f} us\n")
    began = process_time()
    count = len(list(pool.best_first(7)))
    sys.stdout.write(f"the order of {count} {(process_time() - began) * 1e3:.1f} ms\n")


def main() -> None:
    """Print the table."""
    one_by_one = encoded(COUNT, 1)
    began = process_time()
    decoded(one_by_one)
    cost = (process_time() - began) / COUNT * 1e6
    sys.stdout.write(f"decoding and recovering {cost:.1f} us each\n")
    time_adds("5,000 senders", one_by_one)
    time_adds("80 senders, 62 each", encoded(80, 62))
    time_adds("5 senders, 1,000 each", encoded(5, 1_000))
    backwards = encoded(80, 62)
    for start in range(0, len(backwards), 62):
        backwards[start : start + 62] = reversed(backwards[start : start + 62])
    time_adds("80 senders, from the last nonce", backwards)
    full = encoded(DEFAULT_LIMITS.all_slots, 1)
    time_adds("better ones into a full pool", encoded(COUNT, 1, 10**10, 100_000), full)
    time_adds("worse ones into a full pool", encoded(COUNT, 1, 10**8, 200_000), full)
    time_blocks()


if __name__ == "__main__":
    main()
