"""Discovery beside @chainsafe/discv5, the client of Lodestar and ethereumjs, over loopback.

`CVM_NODE_MODULES` names folders of npm packages, separated by colons.
"""

import asyncio
import json
import os
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from coincurve import PublicKey

from node.p2p.discv5.chain_entries import Candidate, ChainIdentity, Target, target_of
from node.p2p.discv5.config import DiscoveryConfig, Timing, parse_bootnode
from node.p2p.discv5.discovery import Discovery
from node.p2p.discv5.enr import NodeRecord, parse_record
from node.p2p.discv5.routing_table import distance
from tests.documents import ROOT

pytestmark = pytest.mark.network
LIMIT_S = 60
PACKAGES = ("@chainsafe/discv5", "@libp2p/crypto", "@multiformats/multiaddr")
PROGRAM = ROOT / "tests" / "integration" / "discv5_peer.mjs"
CHAIN = ChainIdentity(bytes.fromhex("22" * 32), b"\x01\x02\x03\x04", 0)
QUICK = Timing(lookup_interval_s=0.1, hungry_lookup_interval_s=0.1, check_interval_s=0.2)


def modules_folder() -> Path:
    """Return the folder with the client; skips the test where there is none."""
    named = os.environ.get("CVM_NODE_MODULES", "")
    folders = [Path(part) for part in named.split(":") if part] + [ROOT / "node_modules"]
    found = next((f for f in folders if all((f / p).is_dir() for p in PACKAGES)), None)
    if found is None or shutil.which("node") is None:
        pytest.skip("no Node.js with @chainsafe/discv5@10: npm installs it; set CVM_NODE_MODULES")
    return found


def free_port() -> int:
    """Return a UDP port that nobody has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Client:
    """A running node of @chainsafe/discv5."""

    def __init__(self, process: asyncio.subprocess.Process, record: NodeRecord) -> None:
        self._process = process
        self.record = record

    @property
    def target(self) -> Target:
        target = target_of(self.record)
        assert target is not None
        return target

    async def do(self, *command: object) -> Any:  # JSON of the client's answer
        """Give one command; return what it gave."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        answer = json.loads(await self._process.stdout.readline())
        assert "error" not in answer, answer
        return answer["result"]


@asynccontextmanager
async def client() -> AsyncIterator[Client]:
    """Run a node of the client."""
    process = await asyncio.create_subprocess_exec(
        "node", str(PROGRAM), str(modules_folder()), "127.0.0.1", str(free_port()),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield Client(process, parse_record(json.loads(await process.stdout.readline())))
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def ours(number: int, *bootnodes: Target) -> AsyncIterator[tuple[Discovery, list[str]]]:
    """Run a service of ours; with it, the ids of the candidates that it found."""
    found: list[str] = []

    def note(candidate: Candidate) -> None:
        found.append(candidate.record.node_id.hex())

    config = DiscoveryConfig(
        CHAIN, bind_host="127.0.0.1", udp_port=0, bootnodes=bootnodes, timing=QUICK
    )
    discovery = Discovery(number.to_bytes(32, "big"), config, note)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(discovery.run())
        await discovery.started.wait()
        yield discovery, found
        running.cancel()


def target(discovery: Discovery) -> Target:
    found = target_of(discovery.record)
    assert found is not None
    return found


def drive(story: Callable[[], Awaitable[None]]) -> None:
    modules_folder()

    async def bounded() -> None:
        async with asyncio.timeout(LIMIT_S):
            await story()

    asyncio.run(bounded())


def test_it_pings_us() -> None:
    async def story() -> None:
        async with client() as peer, ours(1) as (node, _):
            pong = await peer.do("ping", node.record.text())
            endpoint = peer.target.endpoint
            assert pong == {"seq": node.record.seq, "ip": endpoint.ip, "port": endpoint.port}

    drive(story)


def test_we_ping_it() -> None:
    async def story() -> None:
        async with client() as peer, ours(1) as (node, _):
            pong = await node.ping(peer.target)
            assert pong is not None
            assert pong.record_seq == peer.record.seq
            assert pong.recipient == target(node).endpoint

    drive(story)


def test_it_reads_our_record_and_we_read_its_own() -> None:
    async def story() -> None:
        async with client() as peer, ours(1) as (node, _):
            assert await peer.do("ask", node.record.text(), [0]) == [node.record.text()]
            assert await node.find(peer.target, (0,)) == [peer.record]

    drive(story)


def test_its_talk_request_gets_an_empty_answer() -> None:
    async def story() -> None:
        async with client() as peer, ours(1) as (node, _):
            assert await peer.do("talk", node.record.text()) == []

    drive(story)


def test_it_finds_a_node_through_us() -> None:
    async def story() -> None:
        async with (
            ours(1) as (node, _),
            client() as peer,
            ours(2, target(node)) as (other, other_found),
        ):
            while not other_found:
                await other.ping(target(node))
            await peer.do("add", node.record.text())
            wanted = other.record.node_id.hex()
            assert wanted in await peer.do("lookup", wanted)

    drive(story)


def test_it_reads_sixteen_records_of_ours_in_several_packets() -> None:
    async def story() -> None:
        async with ours(1) as (node, _), client() as peer, asyncio.TaskGroup() as tasks:
            others = [
                Discovery(
                    n.to_bytes(32, "big"),
                    DiscoveryConfig(CHAIN, "127.0.0.1", 0, bootnodes=(target(node),)),
                    lambda _: None,
                )
                for n in range(2, 24)
            ]
            running = [tasks.create_task(other.run()) for other in others]
            while len(node.nodes()) < len(others):
                await node.ping(peer.target)
            everything = await peer.do("ask", node.record.text(), [256, 255, 254, 253, 252])
            assert len(everything) == 16
            assert {parse_record(text) for text in everything} <= set(node.nodes())
            for task in running:
                task.cancel()

    drive(story)


def test_we_find_a_node_through_it() -> None:
    async def story() -> None:
        async with client() as peer, ours(1) as (node, _):
            await peer.do("ping", node.record.text())
            async with ours(2, peer.target) as (other, found):
                while node.record.node_id.hex() not in found:
                    await other.ping(peer.target)
                assert peer.record.node_id.hex() not in found  # it is of no chain
                assert peer.record in other.nodes()

    drive(story)


def test_it_is_in_our_table_where_it_pinged_us_and_we_in_its() -> None:
    async def story() -> None:
        async with client() as peer, ours(1) as (node, _):
            await peer.do("ping", node.record.text())
            assert node.nodes() == [peer.record]
            assert await peer.do("known") == [node.record.node_id.hex()]
            gap = distance(node.record.node_id, peer.record.node_id)
            assert await node.find(peer.target, (gap,)) == [node.record]

    drive(story)


def test_its_node_is_met_by_enode_too() -> None:
    async def story() -> None:
        async with client() as peer:
            point, endpoint = peer.target.public_key, peer.target.endpoint
            key = PublicKey(point).format(compressed=False)[1:].hex()
            enode = parse_bootnode(f"enode://{key}@{endpoint.ip}:{endpoint.port}")
            async with ours(1, enode) as (node, _):
                while node.nodes() != [peer.record]:
                    await node.ping(enode)

    drive(story)
