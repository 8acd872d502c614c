"""Asks every node of a testnet for its head, again and again, and sees forks as they happen."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from node.local_network import LocalNetwork
from node.network_process import NoAnswer

POLL_S = 0.2


class NotInTime(Exception):
    """Something that was waited for did not happen."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest block that a node has shown, and when."""

    height: int
    block_hash: str
    seen_s: float


@dataclass(slots=True)
class Watch:
    """The heads of a network's nodes; `run` keeps them fresh until it is cancelled."""

    network: LocalNetwork
    heads: dict[str, Head] = field(default_factory=dict)
    hashes: dict[int, dict[str, str]] = field(default_factory=dict)
    """By height, each hash with the first node that showed it."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Ask every node, each on its own: a halted one must not hold up the others."""
        async with asyncio.TaskGroup() as tasks:
            for name in self.network.nodes:
                tasks.create_task(self._follow(name))

    async def _follow(self, name: str) -> None:
        node = self.network.nodes[name]
        while True:
            if node.is_running:
                try:
                    block = await node.call("eth_getBlockByNumber", "latest", False)
                except NoAnswer:
                    self.heads.pop(name, None)
                else:
                    self._note(name, int(block["number"], 16), block["hash"])
            else:
                self.heads.pop(name, None)
            await asyncio.sleep(POLL_S)

    def _note(self, name: str, height: int, block_hash: str) -> None:
        self.heads[name] = Head(height, block_hash, now_s())
        self.hashes.setdefault(height, {}).setdefault(block_hash, name)
        self._changed.set()

    def forks(self) -> list[int]:
        """Return the heights at which two hashes were shown."""
        return [height for height, found in sorted(self.hashes.items()) if len(found) > 1]

    def tip(self, names: Collection[str]) -> int:
        """Return the highest block that any of these nodes shows; 0 where none answers."""
        return max((head.height for name, head in self.heads.items() if name in names), default=0)

    def at_tip(self, names: Collection[str], since_s: float) -> set[str]:
        """Return which of these nodes have shown, since a moment, the highest block of all."""
        tip = self.tip(names)
        return {
            name
            for name in names
            if (head := self.heads.get(name)) and head.height == tip and head.seen_s >= since_s
        }

    async def until(self, is_so: Callable[[], bool], timeout_s: float, what: str) -> float:
        """Wait until something is so, looked at whenever a head came; return the seconds.

        Raises `NotInTime`.
        """
        started_s = now_s()
        try:
            async with asyncio.timeout(timeout_s):
                while not is_so():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            heights = {name: head.height for name, head in sorted(self.heads.items())}
            raise NotInTime(f"{what}: not within {timeout_s:.0f} s; heights {heights}") from None
        return now_s() - started_s


def now_s() -> float:
    """Return the loop's time."""
    return asyncio.get_running_loop().time()
