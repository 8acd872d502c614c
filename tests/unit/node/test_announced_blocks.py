"""Blocks that peers announce: what belongs to one is the same on every node, and little is read."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consensus.block import Block
from consensus.block_execution import Proposal
from consensus.certificate import CommitCertificate, certify, seal
from consensus.qbft.events import Started
from consensus.qbft.messages import Proposal as ProposalMessage
from consensus.qbft.messages import ProposalPayload
from node import consensus_driver, cvm_network
from node.cvm_network import BLOCK_AGAIN_S, LIE_POINTS, wire
from node.p2p.cvm_messages import Blocks, GetBlocks, NewBlock
from tests.chain_world import (
    GENESIS_TIME,
    ChainWorld,
    address_of,
    final_block,
    genesis_document,
)
from tests.four_validators import KEYS, FourWorld
from tests.four_validators import genesis_json as four_genesis
from tests.unit.node.test_cvm_network import (
    FakePeer,
    Node,
    announced,
    signed_by_validator,
    with_node,
)

GENESIS = json.dumps(genesis_document()).encode()
FOUR_GENESIS = four_genesis()


@pytest.fixture
def ahead(tmp_path: Path) -> Iterator[ChainWorld]:
    """Make a chain of three blocks."""
    world = ChainWorld(tmp_path / "ahead", GENESIS)
    for _ in range(3):
        world.propose()
    yield world
    world.close()


@pytest.fixture
def ours(tmp_path: Path, ahead: ChainWorld) -> Iterator[ChainWorld]:
    """Make a chain that has the first of them."""
    world = ChainWorld(tmp_path / "ours", GENESIS)
    world.chain.import_block(*final_block(ahead, 1))
    yield world
    world.close()


def test_a_block_without_its_parents_certificate_is_for_nobody_to_pass_on(
    ahead: ChainWorld, ours: ChainWorld, tmp_path: Path
) -> None:
    """A node that holds the certificate could take it; others would ban that node for the rest."""

    async def scenario(node: Node) -> None:
        stripped = replace(announced(ahead, 2), parent_certificate=None)
        assert await node.network.new_block(node.peer, stripped) is False
        assert node.peer.points == [LIE_POINTS]
        assert ours.chain.head.block_number == 1

    with_node(ours, tmp_path, scenario)


@pytest.mark.parametrize(
    "number",
    [pytest.param(1, id="over already"), pytest.param(3, id="later than the next")],
)
def test_of_a_block_that_is_not_the_next_only_the_header_is_read(
    ahead: ChainWorld,
    ours: ChainWorld,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    read: list[bytes] = []
    monkeypatch.setattr(cvm_network, "decode_block", read.append)

    async def scenario(node: Node) -> None:
        assert await node.network.new_block(node.peer, announced(ahead, number)) is False
        assert (read, node.peer.points) == ([], [])

    with_node(ours, tmp_path, scenario)


def other_certificate(world: FourWorld, block: Block) -> CommitCertificate:
    """Return the certificate that the last three validators give a block."""
    seals = [
        (at, seal(world.chain.domain, KEYS[at], block.number, 0, block.hash)) for at in (1, 2, 3)
    ]
    return certify(block.number, 0, block.hash, seals)


def test_a_final_block_without_its_parents_certificate_cannot_cut_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proposer of block 2 saw other seals of block 1 than this node, which checked block 2."""
    world = FourWorld(tmp_path / "four", FOUR_GENESIS)
    monkeypatch.setattr(consensus_driver, "now_ms", lambda: (GENESIS_TIME + 10) * 1_000)
    world.propose()
    first, ours = final_block(world, 1)
    named = other_certificate(world, first)
    theirs = FourWorld(tmp_path / "theirs", FOUR_GENESIS)
    theirs.chain.import_block(first, named)
    next_proposer = KEYS[1]
    block = theirs.chain.build(Proposal(address_of(next_proposer), 0), [])[0].block
    theirs.close()
    certificate = world.certificate_of(2, block.hash)
    payload = ProposalPayload(2, 0, block.encode())
    signature = signed_by_validator(world, payload, next_proposer)
    checks = asyncio.Event()

    async def scenario(node: Node) -> None:
        loop, check = asyncio.get_running_loop(), world.chain.check

        def told(*arguments: Any) -> Any:
            try:
                return check(*arguments)
            finally:
                loop.call_soon_threadsafe(checks.set)

        monkeypatch.setattr(world.chain, "check", told)
        await node.started.wait()
        proposal = ProposalMessage(payload, signature, (), ())
        await node.network.qbft(node.peer, wire(proposal, named))
        await checks.wait()
        stripped = NewBlock(block.encode(), certificate, None)
        assert await node.network.new_block(node.peer, stripped) is False
        assert node.peer.points == [LIE_POINTS]
        whole: Any = FakePeer(b"\x22" * 64)
        announced = NewBlock(block.encode(), certificate, named)
        assert await node.network.new_block(whole, announced) is True
        served = node.network.protocol._serving.answer(GetBlocks(1, 1, 2))
        assert isinstance(served, Blocks)
        assert [sealed_by for _block, sealed_by in served.blocks] == [named, certificate]

    assert ours != named
    with_node(world, tmp_path, scenario, key=KEYS[3])
    world.close()


def test_a_peer_that_votes_on_many_old_heights_gets_one_block_at_a_time(
    ahead: ChainWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody signed those votes, and each block may have eight MiB."""

    async def scenario(node: Node) -> None:
        node.network.protocol.peers = lambda: (node.peer,)  # type: ignore[method-assign]
        for height in (1, 2, 3, 2, 1):
            node.network.send_block(height, node.peer.node_id)
        assert [message.certificate.height for message in node.peer.sent] == [1]
        loop = asyncio.get_running_loop()
        later_s = loop.time() + BLOCK_AGAIN_S
        with monkeypatch.context() as patch:
            patch.setattr(loop, "time", lambda: later_s)
            node.network.send_block(2, node.peer.node_id)
        assert [message.certificate.height for message in node.peer.sent] == [1, 2]

    with_node(ahead, tmp_path, scenario, runs=False)


def test_a_block_that_became_final_while_another_was_built_does_not_stop_the_builder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It brings another certificate of the parent than the one that was built on.

    Both were done on the writer's thread before the event loop came to either.
    """
    world = FourWorld(tmp_path / "four", FOUR_GENESIS)
    monkeypatch.setattr(consensus_driver, "now_ms", lambda: (GENESIS_TIME + 10) * 1_000)
    world.propose()
    first = final_block(world, 1)[0]
    named = other_certificate(world, first)
    theirs = FourWorld(tmp_path / "theirs", FOUR_GENESIS)
    theirs.chain.import_block(first, named)
    second = theirs.chain.build(Proposal(address_of(KEYS[2]), 0), [])[0].block
    theirs.close()
    certificate = world.certificate_of(2, second.hash)

    async def scenario(node: Node) -> None:
        build = node.driver._writer.build

        async def overtaken(*arguments: Any) -> Any:
            made = await build(*arguments)
            if world.chain.head.block_number == 1:
                world.chain.import_block(second, certificate, named)
            return made

        node.driver._writer.build = overtaken  # type: ignore[method-assign, assignment]
        began, take = asyncio.Event(), node.driver._take

        async def taken(event: Any) -> None:
            await take(event)
            if isinstance(event, Started) and event.context.height == 3:
                began.set()

        node.driver._take = taken  # type: ignore[method-assign]
        await began.wait()

    with_node(world, tmp_path, scenario, key=KEYS[1])
    assert world.chain.head.hash == second.hash
    world.close()
