"""A block that this node finds wrong: with a quorum's certificate nobody else is to blame."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consensus.block import Block, decode_block
from consensus.certificate import CommitCertificate, certify, seal
from node.cvm_network import LIE_POINTS
from node.p2p.cvm_messages import NewBlock
from node.quorum_disagrees import QuorumDisagrees
from tests.chain_world import STRANGER, USER, VALIDATOR, ChainWorld, genesis_document, signed
from tests.unit.node.test_cvm_network import Node, announced, with_node

GENESIS = json.dumps(genesis_document()).encode()
TRANSFER = signed(USER, 0, to=b"\xee" * 20, value=1, gas=21_000)


@pytest.fixture
def ahead(tmp_path: Path) -> Iterator[ChainWorld]:
    """Make a chain of two blocks; the second has a transfer."""
    world = ChainWorld(tmp_path / "ahead", GENESIS)
    world.propose()
    world.propose([TRANSFER])
    yield world
    world.close()


@pytest.fixture
def ours(tmp_path: Path, ahead: ChainWorld) -> Iterator[ChainWorld]:
    """Make a chain that has the first of them."""
    world = ChainWorld(tmp_path / "ours", GENESIS)
    first = announced(ahead, 1)
    world.chain.import_block(decode_block(first.block), first.certificate)
    yield world
    world.close()


def certified(world: ChainWorld, block: Block, *, stranger: bool = False) -> CommitCertificate:
    key = STRANGER if stranger else VALIDATOR
    sealed = seal(world.chain.domain, key, block.number, 0, block.hash)
    return certify(block.number, 0, block.hash, [(0, sealed)])


def with_header(world: ChainWorld, fields: Any, *, stranger: bool = False) -> NewBlock:
    """Return block 2 with other fields in its header, sealed."""
    said = announced(world, 2)
    block = decode_block(said.block)
    changed = Block(replace(block.header, **fields), block.transactions)
    certificate = certified(world, changed, stranger=stranger)
    return replace(said, block=changed.encode(), certificate=certificate)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"state_root": b"\x77" * 32}, "stateRoot", id="another state"),
        pytest.param({"gas_used": 20_999}, "gasUsed", id="other gas"),
        pytest.param({"mix_hash": bytes(32)}, "prevRandao", id="a field of the header"),
    ],
)
def test_a_wrong_block_that_a_quorum_sealed_stops_this_node_and_blames_nobody(
    ahead: ChainWorld, ours: ChainWorld, tmp_path: Path, fields: dict[str, object], reason: str
) -> None:
    async def scenario(node: Node) -> None:
        with pytest.raises(QuorumDisagrees, match=f"a quorum made block 2 final.*{reason}"):
            await node.network.new_block(node.peer, with_header(ahead, fields))
        assert node.peer.points == []

    with_node(ours, tmp_path, scenario)
    assert ours.chain.head.block_number == 1


def without_transactions(world: ChainWorld) -> NewBlock:
    said = announced(world, 2)
    return replace(said, block=Block(decode_block(said.block).header, ()).encode())


def with_other_parent_certificate(world: ChainWorld) -> NewBlock:
    said = announced(world, 2)
    parent = decode_block(announced(world, 1).block)
    sealed = seal(world.chain.domain, VALIDATOR, 1, 7, parent.hash)
    return replace(said, parent_certificate=certify(1, 7, parent.hash, [(0, sealed)]))


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(
            lambda world: with_header(world, {"state_root": b"\x77" * 32}, stranger=True),
            id="a wrong block that a stranger sealed",
        ),
        pytest.param(without_transactions, id="a sealed header over another body"),
        pytest.param(
            with_other_parent_certificate, id="a certificate that the header does not name"
        ),
    ],
)
def test_what_no_quorum_sealed_is_the_fault_of_who_sent_it(
    ahead: ChainWorld, ours: ChainWorld, tmp_path: Path, lie: Callable[[ChainWorld], NewBlock]
) -> None:
    async def scenario(node: Node) -> None:
        assert await node.network.new_block(node.peer, lie(ahead)) is False
        assert node.peer.points == [LIE_POINTS]
        assert await node.network.new_block(node.peer, announced(ahead, 2)) is True

    with_node(ours, tmp_path, scenario)
    assert ours.chain.head.hash == ahead.chain.head.hash
