"""The routing table: who enters, who leaves, and how many one owner may have."""

import pytest

from node.p2p.discv5.enr import NodeRecord
from node.p2p.discv5.identity import node_id_of, public_key_of
from node.p2p.discv5.routing_table import (
    BUCKET_SIZE,
    MAX_PER_SUBNET,
    MAX_PER_SUBNET_IN_BUCKET,
    REPLACEMENTS,
    RoutingTable,
    distance,
)
from tests.unit.node.p2p.discv5.discv5_world import key_of, record_at

OWN_ID = node_id_of(public_key_of(key_of(1_000)))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param(0, 0, 0, id="itself"),
        pytest.param(0, 1, 1, id="last bit"),
        pytest.param(5, 4, 1, id="neighbours"),
        pytest.param(0, 2**255, 256, id="first bit"),
        pytest.param(2**255 - 1, 2**255, 256, id="all bits"),
    ],
)
def test_distance_is_the_length_of_the_difference(first: int, second: int, expected: int) -> None:
    assert distance(first.to_bytes(32, "big"), second.to_bytes(32, "big")) == expected


def numbers_at(wanted: int, count: int) -> list[int]:
    """Return numbers of nodes at a distance from us."""
    found: list[int] = []
    number = 1
    while len(found) < count:
        if distance(OWN_ID, node_id_of(public_key_of(key_of(number)))) == wanted:
            found.append(number)
        number += 1
    return found


FAR = numbers_at(256, BUCKET_SIZE + REPLACEMENTS + 2)


def full_table() -> tuple[RoutingTable, list[NodeRecord]]:
    table = RoutingTable(OWN_ID)
    records = [record_at(number) for number in FAR]
    for at_s, record in enumerate(records[:BUCKET_SIZE]):
        assert table.add(record, at_s)
    return table, records


def test_a_full_bucket_keeps_its_nodes_and_remembers_the_newest_others() -> None:
    table, records = full_table()
    for record in records[BUCKET_SIZE:]:
        assert not table.add(record, 100)
    assert table.at_distance(256) == records[:BUCKET_SIZE]
    remembered = [r for r in records[BUCKET_SIZE:] if table.get(r.node_id) is not None]
    assert remembered == records[-REPLACEMENTS:]


def test_the_newest_replacement_follows_a_node_that_fails() -> None:
    table, records = full_table()
    table.add(records[16], 100)
    table.add(records[17], 101)
    table.failed(records[0].node_id)
    assert table.get(records[0].node_id) is None
    assert table.at_distance(256) == [*records[1:16], records[17]]


def test_the_node_with_the_oldest_pong_is_checked_first() -> None:
    table, records = full_table()
    table.checked(records[0].node_id, 50)
    table.add(records[1], 60)  # heard of, but not asked
    table.checked(record_at(500).node_id, 50)  # never seen
    entry = table.longest_unchecked()
    assert entry is not None
    assert (entry.record, entry.checked_s) == (records[1], 1)


def test_nobody_waits_for_a_check_in_an_empty_table() -> None:
    assert RoutingTable(OWN_ID).longest_unchecked() is None


def test_our_own_record_and_one_without_address_stay_out() -> None:
    table = RoutingTable(OWN_ID)
    assert not table.add(record_at(1_000), 0)
    assert not table.add(record_at(1, port=0), 0)
    assert len(table) == 0


def test_a_newer_record_replaces_an_older_one_only() -> None:
    table = RoutingTable(OWN_ID)
    old, new = record_at(1, seq=1), record_at(1, port=30304, seq=2)
    table.add(new, 0)
    table.add(old, 1)
    assert table.records() == [new]
    newest = record_at(1, port=30305, seq=3)
    table.add(newest, 2)
    assert table.records() == [newest]


def test_the_closest_come_in_order() -> None:
    table = RoutingTable(OWN_ID)
    for number in range(1, 30):
        table.add(record_at(number), 0)
    target = record_at(5).node_id
    closest = table.closest(target, 4)
    aim = int.from_bytes(target, "big")
    gaps = [int.from_bytes(record.node_id, "big") ^ aim for record in closest]
    every = sorted(int.from_bytes(r.node_id, "big") ^ aim for r in table.records())
    assert closest[0].node_id == target
    assert gaps == every[:4]


def test_one_public_network_has_two_nodes_in_a_bucket() -> None:
    table = RoutingTable(OWN_ID)
    added = [table.add(record_at(n, f"8.8.8.{n % 250}"), 0) for n in FAR[:4]]
    assert added == [True] * MAX_PER_SUBNET_IN_BUCKET + [False] * 2
    assert table.add(record_at(FAR[5], "8.8.9.1"), 0)
    table.failed(table.at_distance(256)[0].node_id)
    assert table.add(record_at(FAR[3], "8.8.8.7"), 0)


def test_one_public_network_has_ten_nodes_in_the_table() -> None:
    table = RoutingTable(OWN_ID)
    for wanted in range(256, 248, -1):
        for number in numbers_at(wanted, 2):
            table.add(record_at(number, f"8.8.8.{number % 250}"), 0)
    assert len(table) == MAX_PER_SUBNET
    for record in table.records():
        table.failed(record.node_id)
    assert table._subnets == {}


def test_replacements_count_too() -> None:
    table, _ = full_table()
    waiting = [record_at(n, f"8.8.8.{n % 250}") for n in FAR[BUCKET_SIZE : BUCKET_SIZE + 3]]
    for record in waiting:
        table.add(record, 0)
    assert [table.get(r.node_id) is not None for r in waiting] == [True, True, False]


def test_a_failed_node_is_no_replacement_either() -> None:
    table, records = full_table()
    table.add(records[16], 0)
    table.failed(records[16].node_id)
    table.failed(records[0].node_id)
    assert len(table) == BUCKET_SIZE - 1
    table.failed(record_at(500).node_id)  # never seen
