"""Brings the bytes of models here: chunks from several peers at once, each proven before a write.

Wanted is what the registry lists as PENDING or ACTIVE, and whatever a block needs on the way. What
is missing is told to every peer by WantModels; those that have it say so by HaveModels. After a
crash the chunks on disk stay, and the others are asked for.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

import structlog

from models_registry.chunks import BadChunk
from node.p2p.chunk_plan import ChunkPlan, WantedChunk
from node.p2p.cvm_messages import Chunk
from node.p2p.faults import PeerGone, RequestTimedOut
from node.p2p.first_fault import first_fault
from node.storage.model_store import ModelStore

log = structlog.get_logger(__name__)

LIE_POINTS = 100
SILENCE_POINTS = 10
ABSENT_POINTS = 5
"""For a chunk of a model that the peer said it serves."""
TELL_AGAIN_S = 15.0
"""Where nothing is under way, peers are told so often what is missing."""


class ModelPeer(Protocol):
    """A peer as a download of models sees it."""

    models: set[bytes]
    """Those that it says it serves."""

    @property
    def node_id(self) -> bytes:
        """Return its public key."""

    @property
    def is_open(self) -> bool:
        """Tell whether the session goes on."""

    async def chunk(self, model_id: bytes, index: int) -> Chunk:
        """Ask for a chunk; raises `RequestTimedOut` or `PeerGone`."""

    def penalise(self, points: int, reason: str) -> None:
        """Score it down."""


class ModelList(Protocol):
    """What the registry says at the head; any thread may ask."""

    def wanted(self) -> Mapping[bytes, int]:
        """Return the sizes of the models whose bytes every node keeps, the most urgent first."""

    def size_of(self, model_id: bytes) -> int | None:
        """Return the size of a registered model."""


class ModelFetch:
    """Fetches until nothing is missing, and again whenever `wake` is called.

    `tell` sends WantModels to every peer; `arrived` hears of each model that is whole.
    """

    def __init__(
        self,
        store: ModelStore,
        listed: ModelList,
        peers: Callable[[], Sequence[ModelPeer]],
        tell: Callable[[tuple[bytes, ...]], None],
        arrived: Callable[[bytes], None],
    ) -> None:
        self._store = store
        self._listed = listed
        self._peers = peers
        self._tell = tell
        self._arrived = arrived
        self._plan = ChunkPlan()
        self._needed: dict[bytes, asyncio.Event] = {}
        self._changed = asyncio.Event()
        self._is_stale = True

    @property
    def missing(self) -> tuple[bytes, ...]:
        """Return the models that are wanted and not here, the most urgent first."""
        return self._plan.models

    @property
    def awaited(self) -> tuple[bytes, ...]:
        """Return the models that blocks wait for."""
        return tuple(self._needed)

    def held(self, model_ids: Collection[bytes]) -> tuple[bytes, ...]:
        """Return which of some models are served here: one look at the folder, however many."""
        here = frozenset(self._store.list_models())
        return tuple(model_id for model_id in model_ids if model_id in here)

    def wake(self) -> None:
        """Look again at who has what."""
        self._changed.set()

    def refresh(self) -> None:
        """Look again at what is wanted: the registry may have changed, or chunks have come."""
        self._is_stale = True
        self._changed.set()

    async def obtain(self, model_id: bytes) -> None:
        """Wait until a model is here, asking for it before all others."""
        arrival = self._needed.setdefault(model_id, asyncio.Event())
        self.refresh()
        await arrival.wait()

    async def run(self) -> None:
        """Fetch until cancelled; raises a `LocalFault` when this machine's disk fails."""
        with first_fault():
            async with asyncio.TaskGroup() as tasks:
                await self._run(tasks)

    async def _run(self, tasks: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            if self._is_stale:
                await self._look()
            self._hand_out(tasks, loop.time())
            wait_until = self._plan.slow_after(loop.time())
            if self._plan.models and not self._plan.asked:
                wait_until = loop.time() + TELL_AGAIN_S
            try:
                async with asyncio.timeout_at(wait_until):
                    await self._changed.wait()
            except TimeoutError:
                if self._plan.models and not self._plan.asked:
                    self._tell(self._plan.models)

    async def _look(self) -> None:
        """Bring the plan to what is wanted now."""
        self._is_stale = False
        before = self._plan.models
        wanted = await asyncio.to_thread(self._missing, tuple(self._needed))
        self._plan.want(wanted)
        for model_id in [known for known in self._needed if self._store.has(known)]:
            self._needed.pop(model_id).set()
        if set(self._plan.models) - set(before):
            log.info("fetching models", missing=[f"0x{m.hex()}" for m in self._plan.models[:8]])
            self._tell(self._plan.models)

    def _missing(self, needed: Sequence[bytes]) -> dict[bytes, tuple[int, tuple[int, ...]]]:
        """Return size and missing chunks of what is wanted and not here."""
        sizes: dict[bytes, int] = {}
        for model_id in needed:
            size_bytes = self._listed.size_of(model_id)
            if size_bytes is not None:
                sizes[model_id] = size_bytes
        for model_id, size_bytes in self._listed.wanted().items():
            sizes.setdefault(model_id, size_bytes)
        return {
            model_id: (size_bytes, self._store.missing_chunks(model_id, size_bytes))
            for model_id, size_bytes in sizes.items()
            if not self._store.has(model_id)
        }

    def _hand_out(self, tasks: asyncio.TaskGroup, now_s: float) -> None:
        """Ask every peer for as many chunks as it may be asked for."""
        waiting = [peer for peer in self._peers() if peer.is_open]
        while waiting:
            for peer in tuple(waiting):
                chunk = self._plan.take(peer.node_id, peer.models, now_s)
                if chunk is None:
                    waiting.remove(peer)
                else:
                    tasks.create_task(self._fetch(peer, chunk))

    async def _fetch(self, peer: ModelPeer, wanted: WantedChunk) -> None:
        try:
            await self._ask(peer, wanted)
        except RequestTimedOut as fault:
            peer.models.discard(wanted.model_id)
            peer.penalise(SILENCE_POINTS, str(fault))
        except BadChunk as fault:
            log.warning("peer lied", node_id=peer.node_id.hex()[:16], reason=str(fault))
            peer.models.clear()
            peer.penalise(LIE_POINTS, str(fault))
        except PeerGone:
            peer.models.clear()
        finally:
            self._plan.give_back(wanted, peer.node_id)
            self._changed.set()

    async def _ask(self, peer: ModelPeer, wanted: WantedChunk) -> None:
        answer = await peer.chunk(wanted.model_id, wanted.index)
        if answer.size_bytes == 0:
            peer.models.discard(wanted.model_id)
            peer.penalise(ABSENT_POINTS, "a chunk of a model that it does not serve")
            return
        await asyncio.to_thread(
            self._store.put_chunk,
            wanted.model_id,
            wanted.size_bytes,
            wanted.index,
            answer.chunk,
            answer.proof,
        )
        if self._plan.got(wanted):
            self._is_stale = True
            if self._store.has(wanted.model_id):
                log.info("model fetched", model_id=f"0x{wanted.model_id.hex()}")
                self._arrived(wanted.model_id)
