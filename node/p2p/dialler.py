"""Decides whom to dial and when: static peers always, others while there is room."""

import asyncio
from collections.abc import Awaitable, Callable, Container
from dataclasses import dataclass

from node.p2p.enode import Enode
from node.p2p.peer_book import PeerBook

FIRST_PAUSE_S = 0.25
MAX_DIALS = 8
"""Dials of candidates whose handshake is not over."""
LOOK_AROUND_S = 1.0
"""How often candidates are looked at when nothing happens."""

Dial = Callable[[Enode], Awaitable[bool]]
"""Dials, talks until the session is over, and tells whether there was one for a while."""


@dataclass(slots=True)
class StaticPeer:
    """A node that this one keeps a session with."""

    enode: Enode
    failures: int = 0
    due_s: float = 0.0


class Dialler:
    """Starts dials; `wake` when a session has ended or a node has become known."""

    def __init__(
        self,
        dial: Dial,
        connected: Container[bytes],
        has_room: Callable[[], bool],
        book: PeerBook,
        longest_pause_s: float,
    ) -> None:
        self._dial = dial
        self._connected = connected
        self._has_room = has_room
        self._book = book
        self._longest_pause_s = longest_pause_s
        self._static: dict[bytes, StaticPeer] = {}
        self._dialling: set[bytes] = set()
        self._changed = asyncio.Event()

    @property
    def static_ids(self) -> frozenset[bytes]:
        """Return the ids of the static peers."""
        return frozenset(self._static)

    def add_static(self, enode: Enode) -> None:
        """Keep a session with a node from now on."""
        self._static[enode.node_id] = StaticPeer(enode)
        self.wake()

    def remove_static(self, node_id: bytes) -> None:
        """Keep no session with a node any more; one that is open goes on."""
        self._static.pop(node_id, None)

    def wake(self) -> None:
        """Look again whom to dial."""
        self._changed.set()

    def opened(self, node_id: bytes) -> None:
        """Note that the handshake of a dial is over."""
        self._dialling.discard(node_id)

    async def run(self) -> None:
        """Dial until cancelled."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._changed.clear()
                now_s = loop.time()
                for enode in [*self._due_static(now_s), *self._due_candidates()]:
                    self._dialling.add(enode.node_id)
                    tasks.create_task(self._dial_once(enode))
                try:
                    async with asyncio.timeout(self._next_look_s(now_s)):
                        await self._changed.wait()
                except TimeoutError:
                    continue

    def _is_free(self, node_id: bytes) -> bool:
        return not (
            node_id in self._connected or node_id in self._dialling or self._book.is_banned(node_id)
        )

    def _due_static(self, now_s: float) -> list[Enode]:
        return [
            peer.enode
            for node_id, peer in self._static.items()
            if peer.due_s <= now_s and self._is_free(node_id)
        ]

    def _due_candidates(self) -> list[Enode]:
        found: list[Enode] = []
        room = MAX_DIALS - len(self._dialling)
        if room <= 0 or not self._has_room():
            return found
        for enode in self._book.candidates():
            if enode.node_id not in self._static and self._is_free(enode.node_id):
                found.append(enode)
                if len(found) == room:
                    break
        return found

    def _next_look_s(self, now_s: float) -> float:
        """Return when something may be due: the next static peer, or candidates."""
        due = [peer.due_s - now_s for peer in self._static.values() if peer.due_s > now_s]
        return min([*due, LOOK_AROUND_S])

    async def _dial_once(self, enode: Enode) -> None:
        loop = asyncio.get_running_loop()
        try:
            has_talked = await self._dial(enode)
        finally:
            self._dialling.discard(enode.node_id)
        peer = self._static.get(enode.node_id)
        if peer is not None:
            pause_s = FIRST_PAUSE_S if has_talked else FIRST_PAUSE_S * 2 ** min(peer.failures, 16)
            peer.failures = 0 if has_talked else peer.failures + 1
            peer.due_s = loop.time() + min(pause_s, self._longest_pause_s)
        self.wake()
