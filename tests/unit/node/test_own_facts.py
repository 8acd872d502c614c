"""What a node of our own chain tells of itself: rules, reach, refused blocks, backends, peers."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import pytest

from consensus.block import Block
from consensus.faults import InvalidBlock
from node.block_writer import KEPT_BAD_BLOCKS, BlockWriter
from node.network_admin import NetworkAdmin
from node.own_facts import OwnFacts
from node.rpc.node_facts import NoNetwork, Retention
from tests.chain_world import ChainWorld, final_block, genesis_document

GENESIS = json.dumps(genesis_document()).encode()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path / "ours", GENESIS)
    yield world
    world.close()


async def facts_of(world: ChainWorld) -> OwnFacts:
    writer = BlockWriter(world.chain)
    writer.close()
    return OwnFacts(world.chain, writer, b"\xaa" * 20)


def test_the_rules_are_those_of_osaka_since_genesis(world: ChainWorld) -> None:
    settings = asyncio.run(facts_of(world)).fork_plan().current
    assert (settings.activation_time, settings.chain_id) == (0, world.chain.parameters.chain_id)
    assert settings.fork_id == crc32(world.chain.domain.genesis_hash).to_bytes(4, "big")
    blobs = (settings.target_blobs, settings.max_blobs, settings.blob_base_fee_fraction)
    assert blobs == (6, 9, 5_007_716)
    assert len(settings.precompiles) == 18
    assert settings.precompiles["P256VERIFY"] == (0x100).to_bytes(20, "big")
    assert settings.precompiles["KZG_POINT_EVALUATION"] == (0x0A).to_bytes(20, "big")


def test_an_archive_keeps_everything_and_a_window_its_last_states(world: ChainWorld) -> None:
    for _ in range(5):
        world.propose()
    facts = asyncio.run(facts_of(world))
    assert facts.retention() == Retention(0, 0, None)
    world.database.prune(2)
    assert facts.retention() == Retention(0, 4, 2)


def test_refused_blocks_are_kept_once_and_only_the_last(world: ChainWorld, tmp_path: Path) -> None:
    theirs = ChainWorld(tmp_path / "theirs", GENESIS)
    theirs.propose()
    good, _certificate = final_block(theirs, 1)
    theirs.close()

    async def run() -> None:
        writer = BlockWriter(world.chain)
        facts = OwnFacts(world.chain, writer, None)
        try:
            for gas in [1, 1, *range(2, KEPT_BAD_BLOCKS + 3)]:
                block = Block(replace(good.header, gas_used=gas), good.transactions)
                with pytest.raises(InvalidBlock):
                    await writer.check(block, None)
        finally:
            writer.close()
        found = facts.bad_blocks()
        assert [bad.block.header.gas_used for bad in found] == list(range(3, KEPT_BAD_BLOCKS + 3))
        assert found[0].block.size_bytes == len(found[0].rlp)

    asyncio.run(run())


def test_the_backend_in_use_is_named(world: ChainWorld) -> None:
    found = asyncio.run(facts_of(world)).backends()
    assert [fact.name for fact in found] == ["reference", "cpu", "cuda"]
    assert [fact.name for fact in found if fact.is_active] == [world.chain.host.backend_name]


def test_a_node_without_peers_says_so(world: ChainWorld, tmp_path: Path) -> None:
    admin = NetworkAdmin(world.chain, None, "cvm/v1", tmp_path)
    fact = admin.self_fact()
    assert (fact.enode, fact.genesis_hash) == (None, world.chain.domain.genesis_hash)
    assert (admin.peers(), admin.datadir()) == ((), tmp_path)
    with pytest.raises(NoNetwork, match="runs without peers"):
        admin.add_peer("enode://x")
    with pytest.raises(NoNetwork, match="runs without peers"):
        admin.remove_peer("enode://x")
