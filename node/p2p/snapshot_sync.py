"""From a trusted block to a chain that goes on: follow validators, fetch a state, start there.

The block whose state is fetched is a little behind the tip, so that all peers have it. It stands on
disk with what is still missing: after a kill the same state goes on, or a newer one where no peer
serves it any more.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from consensus.certificate import SealDomain
from consensus.light_client import TrustedPoint, TrustedPointTooOld, validate_age
from cvm.evm.header import BlockHeader
from node.checkpoint import Checkpoint
from node.p2p.light_follow import LightFollower, LightPeer, NoTrustedWay
from node.p2p.snapshot_download import SnapshotDownload, SnapshotGone, StatePeer
from node.storage.snapshot_store import Pivot, SnapshotStore

log = structlog.get_logger(__name__)

PIVOT_LAG_BLOCKS = 16
"""So far behind the highest block that a peer claims the state is taken."""
AGAIN_AFTER_S = 5.0
"""Where no peer helps, how long to wait for another one before asking again."""


class SnapshotPeer(LightPeer, StatePeer, Protocol):
    """A peer that is asked for proofs and for parts of a state."""


@dataclass(frozen=True, slots=True)
class SnapshotStart:
    """What is trusted: a block, genesis where no checkpoint is given; and a clock in seconds."""

    checkpoint: Checkpoint | None
    genesis: TrustedPoint
    domain: SealDomain
    period_s: int
    clock: Callable[[], int]


class SnapshotSync:
    """Runs until the chain here stands at a recent block; `writing` is the thread that writes."""

    def __init__(
        self,
        store: SnapshotStore,
        start: SnapshotStart,
        peers: Callable[[], Sequence[SnapshotPeer]],
        writing: Executor,
    ) -> None:
        self._store = store
        self._start = start
        self._peers = peers
        self._writing = writing
        self._follower = LightFollower(start.domain, peers)
        self._joined = asyncio.Event()
        self._download: SnapshotDownload | None = None

    def wake(self) -> None:
        """Look again at who is there."""
        self._joined.set()
        if self._download is not None:
            self._download.wake()

    async def run(self) -> BlockHeader:
        """Return the header of the block at which the chain here stands in the end.

        Raises `TrustedPointTooOld`, `WrongNumber`, or a `LocalFault`.
        """
        loop = asyncio.get_running_loop()
        while True:
            self._joined.clear()
            try:
                if not self._can_go_on():
                    pivot = await self._find_pivot()
                    await loop.run_in_executor(self._writing, self._store.begin, pivot)
                await self._fetch()
            except NoTrustedWay as fault:
                log.warning("no state yet", reason=str(fault))
                await self._wait_for_peers()
            except SnapshotGone as fault:
                log.warning("state not served", reason=str(fault))
                await self._wait_for_peers()
                await self._take_newer()
            else:
                return await loop.run_in_executor(self._writing, self._store.finish)

    async def _fetch(self) -> None:
        self._download = SnapshotDownload(self._store, self._peers, self._writing)
        try:
            await self._download.run()
        finally:
            self._download = None

    async def _find_pivot(self) -> Pivot:
        """Return a block near the tip, proven from the trusted one; raises `NoTrustedWay`."""
        trusted = await self._trusted()
        number = trusted.header.block_number
        highest = max((peer.height for peer in self._peers()), default=0)
        height = highest - PIVOT_LAG_BLOCKS
        if height <= number:
            raise NoTrustedWay(
                f"a state newer than the trusted block {number}: the tip is {highest}, and one is "
                f"taken once it is {number + PIVOT_LAG_BLOCKS + 1}"
            )
        trusted = await self._follower.advance(trusted, height)
        if height <= trusted.header.block_number:
            height = min(trusted.header.block_number + 1, highest)
        pivot = await self._follower.pivot(trusted, height)
        log.info("fetching a state", height=height, block=f"0x{pivot.block.hash.hex()}")
        return pivot

    async def _trusted(self) -> TrustedPoint:
        """Return the trust in the checkpoint; raises `TrustedPointTooOld`."""
        checkpoint = self._start.checkpoint
        trusted = self._start.genesis
        if checkpoint is not None:
            trusted = await self._follower.start(checkpoint.block_hash, checkpoint.number)
        validate_age(trusted, self._start.clock(), self._start.period_s)
        return trusted

    def _can_go_on(self) -> bool:
        """Tell whether a state is under way from a block that may still be trusted."""
        pivot = self._store.pivot
        if pivot is None:
            return False
        proven = replace(self._start.genesis, header=pivot.header)
        try:
            validate_age(proven, self._start.clock(), self._start.period_s)
        except TrustedPointTooOld as fault:
            log.warning("state too old", reason=str(fault))
            return False
        return True

    async def _take_newer(self) -> None:
        """Begin again with a newer state, if there is one and somebody may serve it."""
        old = self._store.pivot
        try:
            pivot = await self._find_pivot()
        except NoTrustedWay as fault:
            log.warning("no state yet", reason=str(fault))
            return
        if old is None or pivot.block.number > old.block.number + PIVOT_LAG_BLOCKS:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._writing, self._store.begin, pivot)

    async def _wait_for_peers(self) -> None:
        """Wait until a peer joins, or a while."""
        try:
            async with asyncio.timeout(AGAIN_AFTER_S):
                await self._joined.wait()
        except TimeoutError:
            return
