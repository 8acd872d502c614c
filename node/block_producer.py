"""Produces blocks on a chain with one validator: when a transaction waits, and every period."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import structlog
from eth_keys.datatypes import PrivateKey

from consensus.block_execution import CheckedBlock, LeftOut, Proposal
from consensus.header_rules import next_base_fee
from cvm.evm.faults import (
    BlockGasExceeded,
    FeeCapTooLow,
    InvalidTransaction,
    NonceTooHigh,
    NonceTooLow,
)
from node.attester import Attester
from node.chain import Chain
from node.clock import now_s
from node.transaction_pool import TransactionPool

log = structlog.get_logger(__name__)
STAYS_IN_POOL = (BlockGasExceeded, FeeCapTooLow, NonceTooHigh, NonceTooLow)
"""Faults that another block may not have; a used nonce is forgotten without what follows it."""


class BlockProducer:
    """Builds on the head in a thread of its own; the event loop only waits.

    `instant` makes a block as soon as a transaction waits; `idle_blocks` also makes empty ones
    every period.
    """

    def __init__(
        self,
        chain: Chain,
        pool: TransactionPool,
        attester: Attester,
        key: PrivateKey,
        *,
        instant: bool,
        idle_blocks: bool,
    ) -> None:
        self._chain = chain
        self._pool = pool
        self._attester = attester
        self._key = key
        self._instant = instant
        self._idle_blocks = idle_blocks
        self._took_some = False
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="cvm-produce")

    async def run(self, work: asyncio.Event) -> None:
        """Produce blocks until cancelled; raises a `LocalFault` when this machine fails.

        `work` is set when a transaction arrives.
        """
        try:
            while True:
                await self._wait(work)
                work.clear()
                if self._idle_blocks or len(self._pool):
                    await self._produce()
                    if self._took_some and len(self._pool):
                        work.set()
        finally:
            self._writer.shutdown()

    async def _wait(self, work: asyncio.Event) -> None:
        """Return when the next block is due: at once where work waits, else after a period."""
        period_s = self._chain.parameters.period_s
        due_in_s = max(self._chain.head.timestamp + period_s - now_s(), 0)
        if not self._instant:
            await asyncio.sleep(due_in_s)
        if not self._idle_blocks:
            await work.wait()
            return
        try:
            async with asyncio.timeout(max(due_in_s, period_s) if self._instant else 0):
                await work.wait()
        except TimeoutError:
            return

    async def _produce(self) -> None:
        base_fee = next_base_fee(self._chain.head)
        candidates = list(self._pool.best_first(base_fee))
        proposal = Proposal(bytes(self._key.public_key.to_canonical_address()), now_s())
        loop = asyncio.get_running_loop()
        checked, left_out = await loop.run_in_executor(
            self._writer, self._chain.propose, proposal, candidates, self._key
        )
        self._took_some = bool(checked.block.transactions)
        self._settle(checked, left_out)
        await loop.run_in_executor(self._writer, self._attester.judge_pending)

    def _settle(self, checked: CheckedBlock, left_out: LeftOut) -> None:
        for tx, fault in left_out:
            if isinstance(fault, InvalidTransaction) and not isinstance(fault, STAYS_IN_POOL):
                self._pool.drop(tx)
                log.info("transaction dropped", tx=f"0x{tx.hash.hex()}", reason=str(fault))
        with self._chain.state_at(self._chain.head) as state:
            self._pool.settle(state)
        log.info(
            "block produced",
            number=checked.block.number,
            hash=f"0x{checked.block.hash.hex()}",
            transactions=len(checked.block.transactions),
            gas=checked.executed.gas_used,
            inferences=len(checked.inferences),
        )
