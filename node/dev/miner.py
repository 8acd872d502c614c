"""Makes the blocks of a development chain: when a transaction waits, in time, or when told to."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from consensus.block_execution import CheckedBlock, Proposal
from consensus.header_rules import next_base_fee
from cvm.evm.faults import InvalidTransaction
from cvm.evm.private_key import PrivateKey
from cvm.faults import LocalFault
from node.block_writer import BlockWriter
from node.consensus_driver import STAYS_IN_POOL
from node.dev.dev_chain import DevChain, NextBlock
from node.dev.dev_clock import DevClock
from node.pool.limits import pool_head
from node.rpc.faults import RpcError
from node.transaction_pool import TransactionPool

log = structlog.get_logger(__name__)
T = TypeVar("T")
MAX_ASKED = 1_024
CARRIED = (RpcError, InvalidTransaction, LocalFault)
"""Faults that a caller is told of; after any other the node cannot go on."""


@dataclass(frozen=True, slots=True)
class MiningMode:
    """When blocks are made without being asked for.

    As soon as a transaction waits if `is_instant`; and, where there is an interval, when so many
    seconds have passed without a block.
    """

    is_instant: bool = True
    interval_s: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Something to be done between two blocks, and who waits for it."""

    work: Callable[[], Awaitable[Any]]  # of whatever it gives
    result: asyncio.Future[Any]  # the same


class DevMiner:
    """The only validator of a chain: it builds, seals and writes blocks one after the other.

    Whatever changes the chain in between is done `alone`. `work` is set when a transaction comes,
    or a model.
    """

    def __init__(
        self,
        chain: DevChain,
        writer: BlockWriter,
        pool: TransactionPool,
        key: PrivateKey,
        clock: DevClock,
        work: asyncio.Event,
        mode: MiningMode,
    ) -> None:
        self.chain = chain
        self._writer = writer
        self._pool = pool
        self._key = key
        self._work = work
        self.first_mode = self._mode = mode
        self._due_at: float | None = None
        self.clock = clock
        self._asked: asyncio.Queue[Asked] = asyncio.Queue(MAX_ASKED)
        self.next_base_fee: int | None = None
        writer.on_head(lambda checked, _certificate: self._head_moved(checked))

    @property
    def mode(self) -> MiningMode:
        """Return when blocks are made without being asked for."""
        return self._mode

    def set_mode(self, mode: MiningMode) -> None:
        """Make blocks in another rhythm from now on."""
        self._mode = mode
        self._rest()
        self._work.set()

    def wake(self) -> None:
        """Look whether there is something to put into a block."""
        self._work.set()

    async def alone(self, work: Callable[[], Awaitable[T]]) -> T:
        """Have something done between two blocks, whole, even if its caller stops waiting.

        Returns what it gives and raises what it raises, if that is one of `CARRIED`.
        """
        asked = Asked(work, asyncio.get_running_loop().create_future())
        await self._asked.put(asked)
        self._work.set()
        result: T = await asked.result
        return result

    async def write(self, work: Callable[[], None]) -> None:
        """Run something on the thread that writes blocks; for what is done alone."""
        await self._writer.run(work)

    async def run(self) -> None:
        """Make blocks until cancelled; raises a `LocalFault` when this machine fails."""
        self._rest()
        while True:
            is_due = await self._waited()
            while not self._asked.empty():
                await do(self._asked.get_nowait())
            if is_due or (self._mode.is_instant and self._can_fill()):
                await self.mine_one()

    async def _waited(self) -> bool:
        """Wait for work, or until a block is due; tell whether it is."""
        try:
            async with asyncio.timeout_at(self._due_at):
                await self._work.wait()
        except TimeoutError:
            return True
        self._work.clear()
        return False

    def _rest(self) -> None:
        """Let the interval begin."""
        seconds = self._mode.interval_s
        loop = asyncio.get_running_loop()
        self._due_at = None if seconds is None else loop.time() + seconds

    def _can_fill(self) -> bool:
        return next(self._pool.best_first(self._base_fee()), None) is not None

    def _base_fee(self) -> int:
        if self.next_base_fee is not None:
            return self.next_base_fee
        return next_base_fee(self.chain.head)

    async def mine_one(self) -> None:
        """Make the next block of what waits; for what is done alone."""
        candidates = list(self._pool.best_first(self._base_fee()))
        time_s = self.clock.block_time(self.chain.head.timestamp)
        proposal = Proposal(self._key.address, time_s)
        wanted = NextBlock(base_fee=self.next_base_fee)
        checked, left_out = await self._writer.run(
            lambda: self.chain.build_next(proposal, wanted, candidates)
        )
        for tx, fault in left_out:
            if isinstance(fault, InvalidTransaction) and not isinstance(fault, STAYS_IN_POOL):
                self._pool.drop(tx)
                log.info("transaction dropped", tx=f"0x{tx.hash.hex()}", reason=str(fault))
        await self._writer.run(lambda: self.chain.make_final(checked, self._key))
        self.next_base_fee = None
        self.clock.block_made(checked.block.header.timestamp)
        self._rest()

    def _head_moved(self, checked: CheckedBlock) -> None:
        """Forget what the block included; what it left behind is work for the next one."""
        head = self.chain.head
        with self.chain.state_at(head) as state:
            self._pool.settle(state, pool_head(head), checked.executed.changes.accounts)
        block = checked.block
        if block.transactions and self._pool.pending_count:
            self._work.set()
        log.info(
            "block",
            number=block.number,
            hash=f"0x{block.hash.hex()}",
            transactions=len(block.transactions),
            gas=checked.executed.gas_used,
            inferences=len(checked.inferences),
        )


async def do(asked: Asked) -> None:
    """Do what was asked for, and tell whoever still waits."""
    if asked.result.done():
        return
    try:
        outcome = await asked.work()
    except CARRIED as fault:
        if not asked.result.done():
            asked.result.set_exception(fault)
        return
    if not asked.result.done():
        asked.result.set_result(outcome)
