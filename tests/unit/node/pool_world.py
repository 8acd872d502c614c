"""A pool on accounts in memory, filled with signed transactions; every key is a TEST key."""

from collections.abc import Sequence
from typing import Any

from cvm.evm.private_key import PrivateKey
from cvm.evm.state_reader import Account
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_decoding import decode_transaction
from node.pool.content import BySender
from node.pool.limits import DEFAULT_LIMITS, PoolLimits
from node.transaction_pool import TransactionPool
from tests.evm_world import CHAIN_ID
from tests.memory_state import MemoryState
from tests.unit.evm.signing import SENDER_KEY, address_of, raw

ETHER = 10**18
KEYS = sorted((PrivateKey(bytes([0x61 + n]) * 32) for n in range(6)), key=address_of)
"""Six keys by address; `SENDER_KEY` and `OTHER_KEY` are among them."""


class Accounts(MemoryState):
    """An account that is not listed has one ether."""

    def account(self, address: bytes) -> Account:
        return super().account(address) or Account(balance=ETHER)

    def put(self, address: bytes, **fields: Any) -> None:
        super().put(address, **({"balance": self.account(address).balance} | fields))


class Clock:
    """A clock in seconds that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1_000

    def __call__(self) -> int:
        return self.now


class PoolWorld:
    """A pool, the accounts that it looks at, its clock, and what it told of."""

    def __init__(self, limits: PoolLimits = DEFAULT_LIMITS) -> None:
        self.accounts = Accounts()
        self.clock = Clock()
        self.pool = TransactionPool(CHAIN_ID, limits, self.clock)
        self.told: list[Transaction] = []
        self.pool.on_pending(self.told.append)

    def add(self, key: PrivateKey = SENDER_KEY, **fields: Any) -> Transaction:
        """Add a transaction whose nonce, fee_cap, tip ... are given; return it."""
        tx = signed(key, **fields)
        self.pool.add(tx, self.accounts)
        return tx

    def settle(self, *changed: bytes) -> None:
        """Follow a block that touched these accounts."""
        self.pool.settle(self.accounts, None, changed)

    def pending(self, key: PrivateKey = SENDER_KEY) -> list[int]:
        """Return the nonces that are pending of a sender."""
        return nonces(self.pool.content_from(address_of(key)).pending)

    def queued(self, key: PrivateKey = SENDER_KEY) -> list[int]:
        """Return the nonces that are queued of a sender."""
        return nonces(self.pool.content_from(address_of(key)).queued)


def signed(key: PrivateKey = SENDER_KEY, type_id: int = 2, **fields: Any) -> Transaction:
    """Return a transaction of a key."""
    return decode_transaction(raw(type_id, key=key, **fields))


def nonces(senders: BySender) -> list[int]:
    """Return the nonces of the one sender that there is."""
    lists: Sequence[Sequence[Transaction]] = list(senders.values())
    return [tx.nonce for transactions in lists for tx in transactions]
