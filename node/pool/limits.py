"""How much the pool holds and what the next block takes, in go-ethereum's names and numbers."""

from dataclasses import dataclass

from consensus.header_rules import next_base_fee
from cvm.evm.header import BlockHeader
from cvm.evm.machine_limits import MAX_GAS_LIMIT
from cvm.evm.transaction import Transaction

SLOT_BYTES = 32 << 10
"""What a transaction takes of the pool is counted in pieces of this size."""

MAX_TX_BYTES = 4 * SLOT_BYTES
"""A larger transaction is not looked at."""


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """The defaults of go-ethereum 1.16, core/txpool/legacypool/legacypool.go, `DefaultConfig`.

    `account_slots` of what is pending are safe for each sender while all together are over
    `global_slots`; both are slots. `account_queue` counts the queued transactions of one sender,
    `global_queue` the slots of all of them.
    """

    account_slots: int = 16
    global_slots: int = 5_120
    account_queue: int = 64
    global_queue: int = 1_024
    lifetime_s: int = 3 * 3_600
    price_bump_percent: int = 10

    @property
    def all_slots(self) -> int:
        """Return how many slots the whole pool has."""
        return self.global_slots + self.global_queue


DEFAULT_LIMITS = PoolLimits()


@dataclass(frozen=True, slots=True)
class PoolHead:
    """What the block after the head asks for: its base fee in wei, and its gas limit."""

    base_fee: int = 0
    gas_limit: int = MAX_GAS_LIMIT


def pool_head(header: BlockHeader) -> PoolHead:
    """Return what the block after a header asks for."""
    return PoolHead(next_base_fee(header), header.gas_limit)


def slots_of(tx: Transaction) -> int:
    """Return how many slots a transaction takes: 1 to 4."""
    return -(-len(tx.raw) // SLOT_BYTES)
