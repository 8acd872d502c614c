"""One run of a sync: hands out ranges of blocks to peers, and imports what comes, in order."""

import asyncio

import structlog

from consensus.faults import InvalidBlock
from cvm.faults import ModelDataMissing
from node.p2p.block_ranges import BlockRanges, Range
from node.p2p.faults import PeerGone, RequestTimedOut
from node.p2p.prepared_blocks import BadRange, BlockPreparation, SealedBlock
from node.p2p.sync_parts import SyncParts, SyncPeer
from node.quorum_disagrees import blame_bringer

log = structlog.get_logger(__name__)

LIE_POINTS = 100
"""A peer that sends what no honest one can have found good is banned."""
SILENCE_POINTS = 20
EMPTY_POINTS = 20
"""For claiming a height and having no block of it."""
MAX_SILENCES = 3
"""A peer that so often did not answer in time is not asked again in this run."""

BlockRange = Range[tuple[SealedBlock, ...]]


class CatchUp:
    """Runs until nothing more can be had; `changed` is set whenever there may be more to do."""

    def __init__(
        self, parts: SyncParts, preparation: BlockPreparation, changed: asyncio.Event
    ) -> None:
        self._parts = parts
        self._preparation = preparation
        self._changed = changed
        self._ranges: BlockRanges[tuple[SealedBlock, ...]] = BlockRanges(self._head() + 1)
        self._busy: set[bytes] = set()
        self._fetches: set[asyncio.Task[None]] = set()
        self._silences: dict[bytes, int] = {}
        self._is_importing = False

    def _head(self) -> int:
        return self._parts.chain.head.block_number

    async def run(self) -> None:
        """Download and import; raises `QuorumDisagrees` or another `LocalFault`."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._changed.clear()
                self._hand_out(tasks, loop.time())
                self._begin_import(tasks)
                if self._is_done():
                    for fetch in self._fetches:
                        fetch.cancel()
                    return
                try:
                    async with asyncio.timeout_at(self._ranges.slow_after(loop.time())):
                        await self._changed.wait()
                except TimeoutError:
                    continue

    def _is_done(self) -> bool:
        """Tell whether nothing is under way that could bring the chain further."""
        return not self._is_importing and (not self._busy or not len(self._ranges))

    def _hand_out(self, tasks: asyncio.TaskGroup, now_s: float) -> None:
        """Ask every idle peer for something that it has and that is missing."""
        peers = self._parts.peers()
        if not self._is_importing:
            self._ranges.imported(self._head())
        self._ranges.shrink(max((peer.height for peer in peers), default=0))
        for peer in peers:
            if peer.node_id in self._busy or self._is_silent(peer):
                continue
            wanted = self._ranges.take(peer.node_id, peer.earliest_height, peer.height, now_s)
            if wanted is not None:
                self._busy.add(peer.node_id)
                fetch = tasks.create_task(self._fetch(peer, wanted))
                self._fetches.add(fetch)
                fetch.add_done_callback(self._fetches.discard)

    def _is_silent(self, peer: SyncPeer) -> bool:
        return self._silences.get(peer.node_id, 0) >= MAX_SILENCES

    async def _fetch(self, peer: SyncPeer, wanted: BlockRange) -> None:
        """Ask one peer for one range; a fault of the peer gives the range back."""
        try:
            await self._ask(peer, wanted)
        except RequestTimedOut as fault:
            self._silences[peer.node_id] = self._silences.get(peer.node_id, 0) + 1
            peer.penalise(SILENCE_POINTS, str(fault))
        except BadRange as fault:
            self._blame(peer.node_id, str(fault))
        except PeerGone:
            self._silences[peer.node_id] = MAX_SILENCES
        finally:
            self._ranges.give_back(wanted, peer.node_id)
            self._busy.discard(peer.node_id)
            self._changed.set()

    async def _ask(self, peer: SyncPeer, wanted: BlockRange) -> None:
        start, count = wanted.start, wanted.count
        answer = await peer.blocks(start, count)
        if not answer.blocks:
            peer.lacks_block(start)
            peer.penalise(EMPTY_POINTS, f"no block {start}, which it claimed to have")
            return
        sealed = await self._preparation.prepare(answer, start, count)
        size_bytes = sum(len(data) for data, _certificate in answer.blocks)
        self._ranges.deliver(wanted, peer.node_id, sealed, len(sealed), size_bytes)

    def _begin_import(self, tasks: asyncio.TaskGroup) -> None:
        ready = self._ranges.first()
        if ready is not None and not self._is_importing:
            self._is_importing = True
            tasks.create_task(self._import(ready))

    async def _import(self, ready: BlockRange) -> None:
        """Import a range; what is refused is asked of others."""
        try:
            for sealed in ready.content or ():
                if sealed.block.number > self._head():
                    await self._import_block(sealed)
        except InvalidBlock as fault:
            self._blame(ready.giver, str(fault))
        finally:
            self._ranges.imported(self._head())
            self._is_importing = False
            self._changed.set()

    async def _import_block(self, sealed: SealedBlock) -> None:
        """Import a block, once its models are here; raises `InvalidBlock` for a peer's fault."""
        importer = self._parts.importer
        final = sealed.block, sealed.certificate, sealed.parent_certificate
        while True:
            try:
                await importer.import_block(*final)
            except ModelDataMissing as missing:
                log.warning("not ready", height=sealed.block.number, reason=str(missing))
                await self._parts.obtain_model(missing.model_id)
            except InvalidBlock as fault:
                blame_bringer(self._parts.chain, *final, fault)
                raise
            else:
                return

    def _blame(self, node_id: bytes, reason: str) -> None:
        """Ban whoever lied, and ask others for all that it gave."""
        log.warning("peer lied", node_id=node_id.hex()[:16], reason=reason)
        self._silences[node_id] = MAX_SILENCES
        self._ranges.drop_from(node_id)
        for peer in self._parts.peers():
            if peer.node_id == node_id:
                peer.penalise(LIE_POINTS, reason)
