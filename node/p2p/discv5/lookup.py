"""Finds the nodes nearest to an id: asks the nearest known, then whom they name, and so on."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from node.p2p.discv5.enr import NodeRecord
from node.p2p.discv5.messages import MAX_DISTANCE
from node.p2p.discv5.routing_table import BUCKET_SIZE, distance

PARALLEL = 3
DISTANCES_PER_QUERY = 3
MAX_QUERIES = 64
"""Bounds a lookup that hostile nodes feed with ever nearer ids."""

Query = Callable[[NodeRecord, tuple[int, ...]], Awaitable[list[NodeRecord] | None]]
"""Asks a node for records at some distances from it; None where it does not answer."""


def distances_to(target: bytes, node_id: bytes) -> tuple[int, ...]:
    """Return the distances to ask a node for: the target's from it, then those around it."""
    center = distance(target, node_id)
    around = [center]
    for step in range(1, MAX_DISTANCE):
        around += [d for d in (center + step, center - step) if 0 < d <= MAX_DISTANCE]
        if len(around) >= DISTANCES_PER_QUERY:
            break
    return tuple(around[:DISTANCES_PER_QUERY])


class Lookup:
    """One search: which nodes were heard of, asked, and found to answer."""

    def __init__(self, target: bytes, own_id: bytes, query: Query) -> None:
        self._target = target
        self._aim = int.from_bytes(target, "big")
        self._query = query
        self._known: dict[bytes, NodeRecord] = {}
        self._asked = {own_id}
        self._answered: set[bytes] = set()
        self._queries = 0

    async def run(self, start: Iterable[NodeRecord]) -> list[NodeRecord]:
        """Return the nearest nodes that answered, nearest first, at most 16."""
        self._learn(start)
        async with asyncio.TaskGroup() as tasks:
            running: set[asyncio.Task[None]] = set()
            while True:
                while len(running) < PARALLEL and (record := self._next()) is not None:
                    running.add(tasks.create_task(self._ask(record)))
                if not running:
                    break
                _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        return [record for record in self._nearest() if record.node_id in self._answered]

    async def _ask(self, record: NodeRecord) -> None:
        found = await self._query(record, distances_to(self._target, record.node_id))
        if found is None:
            self._known.pop(record.node_id, None)
            return
        self._answered.add(record.node_id)
        self._learn(found)

    def _learn(self, records: Iterable[NodeRecord]) -> None:
        """Keep the nearest of what is known now; a bound on what answers can make us keep."""
        for record in records:
            if record.node_id not in self._asked:
                self._known.setdefault(record.node_id, record)
        self._known = {record.node_id: record for record in self._nearest()}

    def _next(self) -> NodeRecord | None:
        """Return the nearest node that was not asked yet, and count it as asked."""
        if self._queries >= MAX_QUERIES:
            return None
        for record in self._nearest():
            if record.node_id not in self._asked:
                self._asked.add(record.node_id)
                self._queries += 1
                return record
        return None

    def _nearest(self) -> list[NodeRecord]:
        ordered = sorted(
            self._known.values(), key=lambda r: int.from_bytes(r.node_id, "big") ^ self._aim
        )
        return ordered[:BUCKET_SIZE]
