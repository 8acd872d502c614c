"""Whom a node finds: what bootnodes lead to, and after a restart what it knew before."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from node.config import NodeConfig
from node.p2p.discv5.chain_entries import ChainIdentity
from node.p2p.discv5.config import DiscoveryConfig
from node.p2p.discv5.discovery import Discovery
from node.p2p.p2p_config import P2pConfig
from node.peering import Peering, open_peering
from tests.p2p_servers import until
from tests.unit.node.p2p.eth_world import MemoryChain, made_blocks

pytestmark = pytest.mark.network
CHAIN = MemoryChain(made_blocks(3))
LOOPBACK = P2pConfig(host="127.0.0.1", port=0)
TIMEOUT_S = 30


def config(folder: Path, *bootnodes: str) -> NodeConfig:
    return NodeConfig(
        datadir=folder,
        http=None,
        backend="reference",
        validator_key=None,
        instant=False,
        idle_blocks=True,
        bootnodes=bootnodes,
        discovers=True,
    )


@asynccontextmanager
async def met(folder: Path, *bootnodes: str) -> AsyncIterator[Discovery]:
    """Run how a node meets others, until the block ends."""
    peering = open_peering(config(folder, *bootnodes), LOOPBACK, (), CHAIN)
    assert peering.discovery is not None
    async with running(peering):
        yield peering.discovery


@asynccontextmanager
async def running(service: Peering | Discovery) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(service.run())
        yield
        task.cancel()


def other_node() -> Discovery:
    """Return a service of the same chain."""
    fork = CHAIN.identity.fork_id(CHAIN.head)
    chain = ChainIdentity(CHAIN.identity.genesis_hash, fork.hash, fork.next)
    config = DiscoveryConfig(chain, bind_host="127.0.0.1", udp_port=0, tcp_port=9)
    return Discovery(b"\x07" * 32, config, lambda _candidate: None)  # TEST key


def test_nodes_that_discovery_met_are_asked_first_after_a_restart(tmp_path: Path) -> None:
    async def scenario() -> None:
        other = other_node()
        async with running(other):
            await other.started.wait()
            async with met(tmp_path, other.record.text()) as before:
                await until(lambda: before.nodes() == [other.record])
            async with met(tmp_path) as after:
                assert after.nodes() == []
                await until(lambda: after.nodes() == [other.record])

    asyncio.run(asyncio.wait_for(scenario(), TIMEOUT_S))
