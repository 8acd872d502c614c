"""Virtual time runs tasks in order; links lose, double, delay and cut as they are told."""

from random import Random

import pytest

from tests.simulation.network import LinkRules, Network
from tests.simulation.scheduler import Scheduler

Arrival = tuple[int, int, int, str]


def arrivals(rules: LinkRules, packets: int, seed: int = 0) -> list[Arrival]:
    """Send numbered packets from 0 to 1, one a millisecond; return (time, from, to, packet)."""
    scheduler, seen = Scheduler(), []

    def deliver(sender: int, receiver: int, packet: str) -> None:
        seen.append((scheduler.now_ms, sender, receiver, packet))

    network = Network[str](scheduler, Random(seed), rules, deliver)
    for number in range(packets):
        scheduler.at(number, lambda n=number: network.send(0, 1, str(n)))  # type: ignore[misc]
    scheduler.run(10**6, lambda: False)
    return seen


def test_tasks_run_by_time_then_by_order_of_making() -> None:
    scheduler, seen = Scheduler(), []
    for name, time_ms in (("c", 5), ("a", 2), ("b", 2), ("d", 9)):
        scheduler.at(time_ms, lambda n=name: seen.append((n, scheduler.now_ms)))  # type: ignore[misc]
    scheduler.run(8, lambda: False)
    assert seen == [("a", 2), ("b", 2), ("c", 5)]
    assert scheduler.now_ms == 8


def test_a_task_in_the_past_runs_now() -> None:
    scheduler, seen = Scheduler(), []
    scheduler.at(7, lambda: scheduler.at(3, lambda: seen.append(scheduler.now_ms)))
    scheduler.run(100, lambda: False)
    assert seen == [7]


def test_a_run_ends_when_it_is_over() -> None:
    scheduler, seen = Scheduler(), []
    for time_ms in (1, 2, 3):
        scheduler.at(time_ms, lambda: seen.append(scheduler.now_ms))
    scheduler.run(100, lambda: len(seen) == 2)
    assert (seen, scheduler.now_ms) == ([1, 2], 2)


def test_every_packet_arrives_once_within_the_delay() -> None:
    seen = arrivals(LinkRules(least_delay_ms=10, most_delay_ms=30), 500)
    delays = [time_ms - int(packet) for time_ms, _from, _to, packet in seen]
    assert sorted(int(packet) for _time, _from, _to, packet in seen) == list(range(500))
    assert (min(delays), max(delays)) == (10, 30)


@pytest.mark.parametrize(
    ("rules", "least", "most"),
    [
        pytest.param(LinkRules(lost=200), 750, 850, id="a fifth is lost"),
        pytest.param(LinkRules(lost=1000), 0, 0, id="all are lost"),
        pytest.param(LinkRules(doubled=200), 1150, 1250, id="a fifth comes twice"),
        pytest.param(LinkRules(lost=500, doubled=1000), 900, 1100, id="lost, or twice"),
    ],
)
def test_share_that_arrives(rules: LinkRules, least: int, most: int) -> None:
    assert least <= len(arrivals(rules, 1000)) <= most


def is_sorted(rules: LinkRules) -> bool:
    numbers = [int(packet) for _time, _from, _to, packet in arrivals(rules, 300)]
    return numbers == sorted(numbers)


@pytest.mark.parametrize(
    ("rules", "ordered"),
    [
        pytest.param(LinkRules(5, 50), False, id="delays differ"),
        pytest.param(LinkRules(5, 5), True, id="one delay"),
        pytest.param(LinkRules(5, 5, late=100, late_ms=400), False, id="some are late"),
        pytest.param(LinkRules(5, 50, late=100, late_ms=400, in_order=True), True, id="in order"),
    ],
)
def test_order_of_arrival(rules: LinkRules, ordered: bool) -> None:
    assert is_sorted(rules) is ordered


def test_one_seed_gives_one_run() -> None:
    rules = LinkRules(5, 50, lost=100, doubled=100, late=100, late_ms=1000)
    assert arrivals(rules, 200, seed=3) == arrivals(rules, 200, seed=3)
    assert arrivals(rules, 200, seed=3) != arrivals(rules, 200, seed=4)


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        pytest.param([[0, 1], [2, 3]], {(0, 1), (1, 0), (2, 3), (3, 2)}, id="two halves"),
        pytest.param(
            [[0, 1, 2], [3]], {(a, b) for a in (0, 1, 2) for b in (0, 1, 2)}, id="one out"
        ),
        pytest.param([[0], [1]], set(), id="a node in no side reaches nobody"),
        pytest.param([], {(a, b) for a in range(4) for b in range(4)}, id="no partition"),
    ],
)
def test_a_partition_lets_pass_what_stays_on_a_side(
    sides: list[list[int]], expected: set[tuple[int, int]]
) -> None:
    scheduler, seen = Scheduler(), set()
    network = Network[str](
        scheduler, Random(0), LinkRules(), lambda a, b, _packet: seen.add((a, b))
    )
    network.split(sides)
    for sender, receiver in [(a, b) for a in range(4) for b in range(4) if a != b]:
        network.send(sender, receiver, "")
    scheduler.run(10**4, lambda: False)
    assert seen == {(a, b) for a, b in expected if a != b}


def test_a_cut_loses_what_is_under_way_and_healing_brings_nothing_back() -> None:
    scheduler, seen = Scheduler(), []
    network = Network[str](
        scheduler, Random(0), LinkRules(10, 10), lambda _a, _b, packet: seen.append(packet)
    )
    network.send(0, 1, "under way")
    scheduler.at(5, lambda: network.split([[0], [1]]))
    scheduler.at(20, network.heal)
    scheduler.at(21, lambda: network.send(0, 1, "after"))
    scheduler.run(100, lambda: False)
    assert seen == ["after"]
