"""Brings the chain to the height of its peers: blocks from many of them, imported in order.

Every block is executed again. The certificate of a block below the tip is the one that the next
header names; of the tip any valid one will do until then. A peer whose blocks are refused is banned
and its blocks are asked of others; a machine that cannot execute a final block stops instead.
"""

import asyncio
from dataclasses import dataclass

import structlog

from node.p2p.catch_up import CatchUp
from node.p2p.first_fault import first_fault
from node.p2p.prepared_blocks import BlockPreparation
from node.p2p.sync_parts import SyncParts

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """Where a sync began, where it is, and how far its peers are."""

    start: int
    current: int
    highest: int


class BlockSync:
    """Downloads and imports until no peer is known to be ahead.

    `wake` is to be called when a peer joins, leaves or announces a block.
    """

    def __init__(self, parts: SyncParts) -> None:
        self._parts = parts
        self._preparation = BlockPreparation(parts.preparing, parts.recovery)
        self._changed = asyncio.Event()
        self._start: int | None = None

    @property
    def status(self) -> SyncStatus | None:
        """Return how far the running sync is, None where none runs."""
        if self._start is None:
            return None
        return SyncStatus(self._start, self._parts.chain.head.block_number, self.highest())

    def highest(self) -> int:
        """Return the highest block that a peer claims."""
        return max((peer.height for peer in self._parts.peers()), default=0)

    def is_behind(self) -> bool:
        """Tell whether a peer claims more blocks than are here."""
        return self.highest() > self._parts.chain.head.block_number

    def wake(self) -> None:
        """Look again at who has what."""
        self._changed.set()

    async def catch_up(self) -> None:
        """Import until no peer that answers is ahead.

        Raises `QuorumDisagrees` or another `LocalFault` where this node must stop.
        """
        if self._start is not None or not self.is_behind():
            return
        self._start = self._parts.chain.head.block_number
        log.info("syncing", head=self._start, highest=self.highest())
        try:
            with first_fault():
                await CatchUp(self._parts, self._preparation, self._changed).run()
        finally:
            self._start = None
        log.info("synced", head=self._parts.chain.head.block_number, highest=self.highest())

    async def run(self) -> None:
        """Catch up whenever a peer is ahead, until cancelled; raises as `catch_up`."""
        while True:
            self._changed.clear()
            await self.catch_up()
            await self._changed.wait()
