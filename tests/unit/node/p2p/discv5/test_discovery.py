"""Whole services over loopback sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import uvloop

from node.p2p.discv5.chain_entries import Candidate, ChainIdentity, Target, target_of
from node.p2p.discv5.config import DiscoveryConfig, Timing
from node.p2p.discv5.discovery import Discovery
from node.p2p.discv5.endpoint import Endpoint
from node.p2p.discv5.enr import NodeRecord
from tests.unit.node.p2p.discv5.discv5_world import CHAIN, key_of

pytestmark = pytest.mark.network
LIMIT_S = 30
QUICK = Timing(
    request_timeout_s=0.5,
    lookup_interval_s=0.05,
    hungry_lookup_interval_s=0.05,
    check_interval_s=0.05,
    fresh_s=0.1,
)


class Node:
    """A service, and what it found by enode."""

    def __init__(self, number: int, *bootnodes: Target, **changes: object) -> None:
        config = DiscoveryConfig(
            CHAIN, bind_host="127.0.0.1", udp_port=0, bootnodes=bootnodes, timing=QUICK
        )
        self.found: dict[str, Candidate] = {}
        self.changed = asyncio.Event()
        config = replace(config, **changes)  # type: ignore[arg-type]
        self.discovery = Discovery(key_of(number), config, self._note)

    def _note(self, candidate: Candidate) -> None:
        self.found[candidate.record.node_id.hex()] = candidate
        self.changed.set()

    @property
    def record(self) -> NodeRecord:
        return self.discovery.record

    @property
    def target(self) -> Target:
        target = target_of(self.record)
        assert target is not None
        return target

    async def until_found(self, ids: set[str]) -> None:
        while not ids <= self.found.keys():
            self.changed.clear()
            await self.changed.wait()


@asynccontextmanager
async def running(*nodes: Node) -> AsyncIterator[None]:
    """Run services, and stop them at the end; one that fails ends the test."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(node.discovery.run()) for node in nodes]
        for node in nodes:
            await node.discovery.started.wait()
        yield
        for task in tasks:
            task.cancel()


def drive(story: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(LIMIT_S):
            await story()

    asyncio.run(bounded())


def test_twenty_nodes_that_know_one_all_find_each_other() -> None:
    async def story() -> None:
        first = Node(1)
        async with running(first):
            others = [Node(number, first.target) for number in range(2, 21)]
            async with running(*others):
                everybody = [first, *others]
                ids = {node.record.node_id.hex() for node in everybody}
                for node in everybody:
                    await node.until_found(ids - {node.record.node_id.hex()})
                assert all(len(node.found) == 19 for node in everybody)

    drive(story)


def test_a_node_of_another_chain_is_known_but_no_candidate() -> None:
    async def story() -> None:
        first, ours = Node(1), Node(2)
        async with running(first, ours):
            stranger = Node(
                3, first.target, ours.target, chain=ChainIdentity(bytes(32), bytes(4), 0)
            )
            late = Node(4, first.target, ours.target)
            async with running(stranger):
                while len(stranger.discovery.nodes()) < 2:
                    await stranger.discovery.ping(first.target)
                async with running(late):
                    await late.until_found({n.record.node_id.hex() for n in (first, ours)})
                    while len(late.discovery.nodes()) < 3:
                        await late.discovery.ping(first.target)
                    assert len(late.found) == 2
                    assert stranger.found == {}

    drive(story)


def test_a_node_that_stops_leaves_the_table() -> None:
    async def story() -> None:
        first = Node(1)
        async with running(first):
            second = Node(2, first.target)
            async with running(second):
                await first.until_found({second.record.node_id.hex()})
            while first.discovery.nodes():
                assert await first.discovery.ping(second.target) is None
        assert first.discovery.nodes() == []

    drive(story)


def test_a_node_learns_its_address_from_others_and_they_learn_its_record() -> None:
    async def story() -> None:
        others = [Node(number) for number in (1, 2, 3)]
        async with running(*others):
            shy = Node(4, *(node.target for node in others), bind_host="0.0.0.0")
            assert shy.record.udp() is None
            async with running(shy):
                for node in others:
                    await node.until_found({shy.record.node_id.hex()})
                udp = shy.record.udp()
                assert udp is not None
                assert (udp.ip, shy.record.tcp()) == ("127.0.0.1", Endpoint("127.0.0.1", 30303))
                assert all(shy.record in node.discovery.nodes() for node in others)

    drive(story)


def test_a_silent_node_is_asked_twice_and_given_up() -> None:
    async def story() -> None:
        first = Node(1)
        async with running(first):
            silent = replace(first.target, endpoint=Endpoint("127.0.0.1", 9))
            assert await first.discovery.ping(silent) is None
            assert await first.discovery.find(silent, (0,)) is None

    drive(story)


def test_a_node_is_no_candidate_of_its_own() -> None:
    async def story() -> None:
        first = Node(1)
        async with running(first):
            target = first.target
        again, other = Node(1, target, udp_port=target.endpoint.port), Node(2, target)
        async with running(again, other):
            await other.until_found({again.record.node_id.hex()})
            await again.until_found({other.record.node_id.hex()})
            assert len(again.found) == len(other.found) == 1

    drive(story)


def test_the_loop_of_the_node_serves_too() -> None:
    async def story() -> None:
        first = Node(1)
        async with running(first):
            second = Node(2, first.target)
            async with running(second):
                await second.until_found({first.record.node_id.hex()})
                silent = replace(first.target, endpoint=Endpoint("127.0.0.1", 9))
                assert await second.discovery.ping(silent) is None

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(story(), LIMIT_S))


def test_a_taken_port_is_an_error() -> None:
    async def story() -> None:
        first = Node(1)
        async with running(first):
            second = Node(2, udp_port=first.target.endpoint.port)
            with pytest.raises(OSError, match="in use"):
                await second.discovery.run()

    drive(story)


def test_nodes_speak_over_ipv6() -> None:
    async def story() -> None:
        first = Node(1, bind_host="::1")
        async with running(first):
            second = Node(2, first.target, bind_host="::1")
            async with running(second):
                await second.until_found({first.record.node_id.hex()})
                assert "@[::1]:30303?discport=" in str(second.found.popitem()[1].enode)

    drive(story)
