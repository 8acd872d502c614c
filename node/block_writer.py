"""The one thread on which blocks of a chain are built, checked and written."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import perf_counter
from typing import TypeVar

from consensus.block import Block
from consensus.block_execution import CheckedBlock, LeftOut, Proposal
from consensus.certificate import CommitCertificate
from consensus.faults import InvalidBlock
from cvm.evm.transaction import Transaction
from node.chain import AppendListener, Chain

T = TypeVar("T")
KEPT_BAD_BLOCKS = 10
"""For debug_getBadBlocks, as many as geth keeps."""


class BlockWriter:
    """Owns the writing side of a `Chain`; the event loop only waits for it.

    Listeners are called on the loop, in the order in which they came, once a block is durable.
    Whoever else writes does so on `executor`.
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.executor = ThreadPoolExecutor(1, thread_name_prefix="cvm-write")
        self._listeners: list[AppendListener] = []
        self._execution = (b"", 0)
        self.bad_blocks: deque[Block] = deque(maxlen=KEPT_BAD_BLOCKS)
        loop = asyncio.get_running_loop()

        def tell(checked: CheckedBlock, certificate: CommitCertificate) -> None:
            loop.call_soon_threadsafe(self._tell, checked, certificate)

        chain.on_append(tell)

    def close(self) -> None:
        """Stop the thread, after what is under way."""
        self.executor.shutdown(cancel_futures=True)

    def on_head(self, listener: AppendListener) -> None:
        """Call `listener` for every block from now on."""
        self._listeners.append(listener)

    async def build(
        self, proposal: Proposal, candidates: Sequence[Transaction]
    ) -> tuple[CheckedBlock, LeftOut]:
        """Build the next block; see `Chain.build`."""
        return await self.run(lambda: self._timed_build(proposal, candidates))

    async def check(
        self, block: Block, parent_certificate: CommitCertificate | None
    ) -> CheckedBlock:
        """Check the next block; see `Chain.check`."""
        with self._noting(block):
            return await self.run(lambda: self._timed_check(block, parent_certificate))

    async def append(
        self,
        checked: CheckedBlock,
        certificate: CommitCertificate,
        parent_certificate: CommitCertificate | None,
    ) -> None:
        """Write a checked block as final; see `Chain.append`."""
        await self.run(lambda: self._chain.append(checked, certificate, parent_certificate))

    async def import_block(
        self,
        block: Block,
        certificate: CommitCertificate,
        parent_certificate: CommitCertificate | None = None,
    ) -> CheckedBlock | None:
        """Check and write a final block; see `Chain.import_block`."""
        with self._noting(block):
            return await self.run(
                lambda: self._chain.import_block(block, certificate, parent_certificate)
            )

    async def run(self, work: Callable[[], T]) -> T:
        """Run something else between two blocks."""
        return await asyncio.get_running_loop().run_in_executor(self.executor, work)

    def execution_ms(self, block_hash: bytes) -> int | None:
        """Return how long building or checking a block took, None unless it was the last one."""
        known, took_ms = self._execution
        return took_ms if known == block_hash else None

    def _timed_build(
        self, proposal: Proposal, candidates: Sequence[Transaction]
    ) -> tuple[CheckedBlock, LeftOut]:
        started_s = perf_counter()
        checked, left_out = self._chain.build(proposal, candidates)
        self._execution = checked.block.hash, round((perf_counter() - started_s) * 1_000)
        return checked, left_out

    def _timed_check(
        self, block: Block, parent_certificate: CommitCertificate | None
    ) -> CheckedBlock:
        started_s = perf_counter()
        checked = self._chain.check(block, parent_certificate)
        self._execution = block.hash, round((perf_counter() - started_s) * 1_000)
        return checked

    @contextmanager
    def _noting(self, block: Block) -> Iterator[None]:
        """Keep a block that turns out to break a rule."""
        try:
            yield
        except InvalidBlock:
            if block not in self.bad_blocks:
                self.bad_blocks.append(block)
            raise

    def _tell(self, checked: CheckedBlock, certificate: CommitCertificate) -> None:
        for listener in self._listeners:
            listener(checked, certificate)
