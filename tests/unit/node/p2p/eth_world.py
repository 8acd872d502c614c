"""A plain chain in memory, and what the eth protocol needs beside it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from consensus.ethereum.ethereum_block import EthereumBlock
from consensus.withdrawal import Withdrawal
from cvm.evm.faults import InvalidTransaction
from cvm.evm.header import BlockHeader
from cvm.evm.list_root import list_root
from cvm.evm.log import Log
from cvm.evm.receipt import Receipt
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_decoding import decode_transaction
from node.p2p.eth_chain import EthIdentity
from node.p2p.eth_fork_id import ForkSchedule
from tests.chain_world import USER, signed
from tests.unit.consensus.ethereum.ethereum_world import child_of

NETWORK_ID = 1_907
GENESIS = BlockHeader(
    block_number=0,
    gas_limit=30_000_000,
    timestamp=1_000,
    difficulty=131_072,
    base_fee_per_gas=1_000,
    withdrawals_root=list_root([]),
    blob_gas_used=0,
    excess_blob_gas=0,
    parent_beacon_block_root=bytes(32),
)


def transaction(nonce: int, data: bytes = b"") -> Transaction:
    """Return a transaction of USER."""
    return decode_transaction(signed(USER, nonce, to=b"\x11" * 20, data=data))


def made_blocks(count: int, extra: bytes = b"") -> list[EthereumBlock]:
    """Return block 0 and blocks on it; each third has a transaction, each fifth a withdrawal."""
    chain = [EthereumBlock(GENESIS, (), (), ())]
    for number in range(1, count + 1):
        transactions = (transaction(number),) if number % 3 == 0 else ()
        paid = (Withdrawal(number, 7, b"\x22" * 20, 9),) if number % 5 == 0 else ()
        header = child_of(
            chain[-1].header,
            extra_data=extra,
            transaction_root=list_root([tx.raw for tx in transactions]),
            withdrawals_root=list_root([entry.encode() for entry in paid]),
        )
        chain.append(EthereumBlock(header, transactions, (), paid))
    return chain


RECEIPT = Receipt(2, 1, 21_000, (Log(b"\x33" * 20, (b"\x44" * 32,), b"data"),))


class MemoryChain:
    """An `EthChainView` of a list of blocks, which a test may change."""

    def __init__(
        self,
        blocks: Sequence[EthereumBlock],
        network_id: int = NETWORK_ID,
        forks: ForkSchedule | None = None,
    ) -> None:
        self.blocks = list(blocks)
        self.by_hash = {block.hash: block for block in blocks}
        self.identity = EthIdentity(network_id, forks or ForkSchedule(blocks[0].hash))
        self.earliest = 0

    @property
    def head(self) -> BlockHeader:
        return self.blocks[-1].header

    def total_difficulty(self) -> int:
        return 131_072

    def hash_at(self, number: int) -> bytes | None:
        return self.blocks[number].hash if number < len(self.blocks) else None

    def header(self, block_hash: bytes) -> BlockHeader | None:
        block = self.by_hash.get(block_hash)
        return None if block is None else block.header

    def block_bytes(self, block_hash: bytes) -> bytes | None:
        block = self.by_hash.get(block_hash)
        return None if block is None else block.encode()

    def receipts(self, block_hash: bytes) -> tuple[Receipt, ...]:
        return (RECEIPT,) * len(self.by_hash[block_hash].transactions)


class Refused(InvalidTransaction):
    """A pool does not want a transaction."""


@dataclass
class MemoryPool:
    """A `TransactionSource` that keeps all but what it is told to refuse or to queue."""

    waiting: dict[bytes, Transaction] = field(default_factory=dict)
    refused: dict[bytes, InvalidTransaction] = field(default_factory=dict)
    is_open: bool = True
    queued: set[bytes] = field(default_factory=set)
    listeners: list[Callable[[Transaction], None]] = field(default_factory=list)
    added: asyncio.Event = field(default_factory=asyncio.Event)

    def get(self, tx_hash: bytes) -> Transaction | None:
        return self.waiting.get(tx_hash)

    def pending(self) -> Sequence[Transaction]:
        return tuple(tx for tx in self.waiting.values() if tx.hash not in self.queued)

    def on_pending(self, listener: Callable[[Transaction], None]) -> None:
        self.listeners.append(listener)

    async def add(self, tx: Transaction) -> None:
        if tx.hash in self.refused:
            raise self.refused[tx.hash]
        self.waiting[tx.hash] = tx
        self.added.set()
        if tx.hash not in self.queued:
            self.tell(tx)

    def promote(self, tx: Transaction) -> None:
        """Make a queued transaction pending."""
        self.queued.remove(tx.hash)
        self.tell(tx)

    def tell(self, tx: Transaction) -> None:
        for listener in self.listeners:
            listener(tx)

    async def holds(self, count: int) -> None:
        """Wait until so many transactions are here."""
        while len(self.waiting) < count:
            self.added.clear()
            await self.added.wait()
