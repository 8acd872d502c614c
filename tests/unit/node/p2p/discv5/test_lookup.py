"""Lookups in a simulated network of tables."""

import asyncio

from node.p2p.discv5.enr import NodeRecord
from node.p2p.discv5.lookup import MAX_QUERIES, PARALLEL, Lookup, distances_to
from node.p2p.discv5.routing_table import BUCKET_SIZE, RoutingTable, distance
from tests.unit.node.p2p.discv5.discv5_world import record_at

RECORDS = [record_at(number) for number in range(1, 121)]
OWN_ID = RECORDS[0].node_id


def nearest(target: bytes, count: int, silent: frozenset[bytes] = frozenset()) -> list[bytes]:
    aim = int.from_bytes(target, "big")
    ids = [r.node_id for r in RECORDS[1:] if r.node_id not in silent]
    return sorted(ids, key=lambda node_id: int.from_bytes(node_id, "big") ^ aim)[:count]


class Network:
    """Every node knows the nodes whose numbers are near its own; some are silent."""

    def __init__(self, silent: frozenset[bytes] = frozenset()) -> None:
        self.silent = silent
        self.asked: list[bytes] = []
        self.running = self.most_running = 0
        self.tables: dict[bytes, RoutingTable] = {}
        for place, record in enumerate(RECORDS):
            table = RoutingTable(record.node_id)
            for step in range(1, 30):
                table.add(RECORDS[(place + step) % len(RECORDS)], 0)
            self.tables[record.node_id] = table

    async def query(
        self, record: NodeRecord, distances: tuple[int, ...]
    ) -> list[NodeRecord] | None:
        self.asked.append(record.node_id)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        if record.node_id in self.silent:
            return None
        table = self.tables[record.node_id]
        return [found for wanted in distances for found in table.at_distance(wanted)][:16]


def look_up(network: Network, target: bytes) -> list[bytes]:
    start = network.tables[OWN_ID].closest(target, BUCKET_SIZE)
    found = asyncio.run(Lookup(target, OWN_ID, network.query).run(start))
    return [record.node_id for record in found]


def test_a_lookup_finds_the_node_with_that_id() -> None:
    network = Network()
    target = RECORDS[90].node_id
    assert look_up(network, target)[0] == target


def test_a_lookup_asks_each_node_once_and_three_at_a_time() -> None:
    network = Network()
    look_up(network, bytes(32))
    assert len(network.asked) == len(set(network.asked)) <= MAX_QUERIES
    assert network.most_running == PARALLEL
    assert OWN_ID not in network.asked


def test_silent_nodes_are_left_out() -> None:
    target = RECORDS[60].node_id
    silent = frozenset(nearest(target, 5))
    found = look_up(Network(silent), target)
    assert found
    assert silent.isdisjoint(found)


def test_a_hostile_network_cannot_keep_a_lookup_going() -> None:
    asked = []

    async def ever_nearer(
        record: NodeRecord, distances: tuple[int, ...]
    ) -> list[NodeRecord] | None:
        asked.append(record.node_id)
        return [record_at(1_000 + 16 * len(asked) + step) for step in range(16)]

    found = asyncio.run(Lookup(bytes(32), OWN_ID, ever_nearer).run(RECORDS[1:4]))
    assert len(asked) <= MAX_QUERIES
    assert len(found) <= BUCKET_SIZE


def test_a_lookup_that_knows_nobody_ends() -> None:
    assert asyncio.run(Lookup(bytes(32), OWN_ID, Network().query).run([])) == []


def test_distances_start_with_the_targets() -> None:
    target, node = bytes(32), (2**200).to_bytes(32, "big")
    assert distance(target, node) == 201
    assert distances_to(target, node) == (201, 202, 200)
    assert distances_to(target, b"\x80" + bytes(31)) == (256, 255, 254)
    assert distances_to(target, target) == (0, 1, 2)  # 0: its own record
