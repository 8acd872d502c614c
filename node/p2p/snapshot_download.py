"""Fetches the state of one block in parts from several peers; each part is proven before a write.

The root of the state is trusted, a peer is not: a part whose leaves do not make the part of the
trie that they claim bans its sender. What is still to come stands on disk, so that a download goes
on after a kill where it was.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Protocol, TypeVar

import structlog

from cvm.evm.keccak import keccak256
from cvm.evm.trie_subtree import WrongSubtree, longer_prefixes, verified_nodes
from node.p2p.cvm_state_messages import Codes, StateChunk
from node.p2p.faults import PeerGone, RequestTimedOut
from node.p2p.first_fault import first_fault
from node.storage.snapshot_store import (
    ACCOUNTS,
    ADDRESS_BYTES,
    CODE,
    SnapshotStore,
    SnapshotTask,
)

log = structlog.get_logger(__name__)

LIE_POINTS = 100
SILENCE_POINTS = 20
MAX_SILENCES = 3
MAX_ASKED_OF_PEER = 4
TASKS_AT_ONCE = 64
CODES_AT_ONCE = 32
SLOT_KEY_BYTES = 32

T = TypeVar("T")
Work = tuple[SnapshotTask, ...]
"""One part of a trie, or several codes: what one request asks for."""


class SnapshotGone(Exception):
    """No peer serves this state any more, or none is there: take a newer one."""

    def __init__(self, number: int, parts: int) -> None:
        super().__init__(f"no peer serves the state of block {number}; {parts} parts are missing")


class StatePeer(Protocol):
    """A peer as the download of a state sees it; requests raise `RequestTimedOut`, `PeerGone`."""

    @property
    def node_id(self) -> bytes:
        """Return its public key."""

    @property
    def is_open(self) -> bool:
        """Tell whether the session goes on."""

    async def state_chunk(self, state_root: bytes, account: bytes, prefix: bytes) -> StateChunk:
        """Ask for the leaves of a state, or of an account's storage, below a prefix."""

    async def codes(self, code_hashes: tuple[bytes, ...]) -> Codes:
        """Ask for codes."""

    def penalise(self, points: int, reason: str) -> None:
        """Score it down."""


class SnapshotDownload:
    """One run over what is missing; `writing` is the one thread that writes the database."""

    def __init__(
        self, store: SnapshotStore, peers: Callable[[], Sequence[StatePeer]], writing: Executor
    ) -> None:
        self._store = store
        self._peers = peers
        self._writing = writing
        self._pivot = store.pivot
        self._asked: dict[bytes, int] = {}
        self._under_way: set[bytes] = set()
        self._useless: set[bytes] = set()
        self._silences: dict[bytes, int] = {}
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Look again at who is there."""
        self._changed.set()

    async def run(self) -> None:
        """Fetch until the state is whole; raises `SnapshotGone`, or a `LocalFault`."""
        if self._pivot is None:
            return
        number = self._pivot.block.number
        with first_fault():
            async with asyncio.TaskGroup() as tasks:
                while True:
                    self._changed.clear()
                    work = await self._in_thread(self._next_work)
                    self._hand_out(tasks, work)
                    if not self._under_way:
                        break
                    await self._changed.wait()
        parts = self._store.count()
        if parts:
            raise SnapshotGone(number, parts)

    def _next_work(self) -> list[Work]:
        """Return requests for what is missing and not asked for, codes several at once."""
        most = TASKS_AT_ONCE + len(self._under_way)
        free = [t for t in self._store.tasks(most) if t.key not in self._under_way]
        codes = [task for task in free if task.kind == CODE]
        work: list[Work] = [(task,) for task in free if task.kind != CODE]
        return work + [
            tuple(codes[start : start + CODES_AT_ONCE])
            for start in range(0, len(codes), CODES_AT_ONCE)
        ]

    def _hand_out(self, tasks: asyncio.TaskGroup, work: list[Work]) -> None:
        """Give every peer something to do, the least busy ones first."""
        peers = [p for p in self._peers() if p.is_open and p.node_id not in self._useless]
        for item in work:
            peers.sort(key=lambda peer: self._asked.get(peer.node_id, 0))
            if not peers or self._asked.get(peers[0].node_id, 0) >= MAX_ASKED_OF_PEER:
                return
            peer = peers[0]
            self._asked[peer.node_id] = self._asked.get(peer.node_id, 0) + 1
            self._under_way.update(task.key for task in item)
            tasks.create_task(self._fetch(peer, item))

    async def _fetch(self, peer: StatePeer, work: Work) -> None:
        try:
            if work[0].kind == CODE:
                await self._fetch_codes(peer, work)
            else:
                await self._fetch_part(peer, work[0])
        except RequestTimedOut as fault:
            peer.penalise(SILENCE_POINTS, str(fault))
            self._silences[peer.node_id] = self._silences.get(peer.node_id, 0) + 1
            if self._silences[peer.node_id] >= MAX_SILENCES:
                self._useless.add(peer.node_id)
        except WrongSubtree as fault:
            log.warning("peer lied", node_id=peer.node_id.hex()[:16], reason=str(fault))
            self._useless.add(peer.node_id)
            peer.penalise(LIE_POINTS, str(fault))
        except PeerGone:
            self._useless.add(peer.node_id)
        finally:
            self._asked[peer.node_id] -= 1
            self._under_way.difference_update(task.key for task in work)
            self._changed.set()

    async def _fetch_codes(self, peer: StatePeer, work: Work) -> None:
        wanted = frozenset(task.root for task in work)
        answer = await peer.codes(tuple(task.root for task in work))
        codes = {keccak256(code): code for code in answer.codes}
        if not codes.keys() <= wanted:
            raise WrongSubtree("a code that was not asked for")
        if not codes:
            self._useless.add(peer.node_id)
            return
        await self._in_thread(lambda: self._store.put_codes(codes))

    async def _fetch_part(self, peer: StatePeer, task: SnapshotTask) -> None:
        account = keccak256(task.address) if task.address else b""
        root = self._pivot.header.state_root if self._pivot is not None else b""
        answer = await peer.state_chunk(root, account, task.prefix)
        if not answer.nodes and not answer.leaves:
            self._useless.add(peer.node_id)
            return
        await self._in_thread(lambda: write_part(self._store, task, answer))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writing, work)


def write_part(store: SnapshotStore, task: SnapshotTask, answer: StateChunk) -> None:
    """Write a part that its root proves, or note the smaller parts of it; raises `WrongSubtree`."""
    if answer.leaves is None:
        store.split(task, longer_prefixes(task.root, task.prefix, answer.nodes))
        return
    size_bytes = ADDRESS_BYTES if task.kind == ACCOUNTS else SLOT_KEY_BYTES
    for key, _value in answer.leaves:
        if len(key) != size_bytes:
            raise WrongSubtree(f"a key of {len(key)} bytes, must be {size_bytes}")
    hashed = [(keccak256(key), value) for key, value in answer.leaves]
    nodes = verified_nodes(task.root, task.prefix, answer.nodes, hashed)
    if task.kind == ACCOUNTS:
        store.put_accounts(task, nodes, answer.leaves)
    else:
        store.put_slots(task, nodes, answer.leaves)
