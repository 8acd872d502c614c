"""Blocks from several peers, some of which lie: the chain is the same, and the liars are banned."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from consensus.block import Block, decode_block
from consensus.certificate import CommitCertificate, certify, seal
from node.p2p import block_ranges
from node.p2p.block_sync import BlockSync
from node.p2p.cvm_messages import Blocks
from node.quorum_disagrees import QuorumDisagrees
from tests.chain_world import (
    STRANGER,
    USER,
    VALIDATOR,
    ChainWorld,
    genesis_document,
    signed,
)
from tests.unit.node.p2p.sync_world import (
    Distort,
    Killed,
    ServingPeer,
    SilentPeer,
    StuckPeer,
    WorldImporter,
    sync_parts,
)

GENESIS = json.dumps(genesis_document()).encode()
HEIGHT = 40
RANGE = 8


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainWorld]:
    """Make a chain of 40 blocks, each with a transfer."""
    world = ChainWorld(tmp_path_factory.mktemp("full"), GENESIS)
    for nonce in range(HEIGHT):
        world.propose([signed(USER, nonce, to=b"\xee" * 20, value=1, gas=21_000)])
    yield world
    world.close()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path / "empty", GENESIS)
    yield world
    world.close()


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_ranges, "RANGE_BLOCKS", RANGE)


def sync(empty: ChainWorld, *peers: ServingPeer) -> WorldImporter:
    importer = WorldImporter(empty)
    asyncio.run(catch_up(empty, importer, *peers))
    return importer


async def catch_up(world: ChainWorld, importer: WorldImporter, *peers: ServingPeer) -> None:
    await BlockSync(sync_parts(world, peers, importer)).catch_up()


def head(world: ChainWorld) -> bytes:
    return world.chain.head.hash


def test_blocks_of_many_peers_are_imported_in_order(full: ChainWorld, empty: ChainWorld) -> None:
    peers = [ServingPeer(bytes([name]), full) for name in range(3)]
    importer = sync(empty, *peers)
    assert importer.imported == list(range(1, HEIGHT + 1))
    assert head(empty) == head(full)
    assert all(peer.asked and not peer.penalties for peer in peers)


def test_nothing_is_asked_of_peers_that_are_not_ahead(full: ChainWorld, empty: ChainWorld) -> None:
    peer = ServingPeer(b"a", full, height=0)
    assert sync(empty, peer).imported == []
    assert peer.asked == []


def test_a_peer_with_the_newest_blocks_only_serves_those(
    full: ChainWorld, empty: ChainWorld
) -> None:
    late, whole = ServingPeer(b"a", full, earliest_height=20), ServingPeer(b"b", full)
    sync(empty, late, whole)
    assert head(empty) == head(full)
    assert min(start for start, _count in late.asked) >= 20


def sealed_by(full: ChainWorld, block: Block, stranger: bool = True) -> CommitCertificate:
    key = STRANGER if stranger else VALIDATOR
    sealed = seal(full.chain.domain, key, block.number, 0, block.hash)
    return certify(block.number, 0, block.hash, [(0, sealed)])


def each(change: Distort) -> Distort:
    return lambda answer: change(answer) if answer.blocks else answer


def no_bodies(answer: Blocks) -> Blocks:
    bare = [
        (Block(decode_block(data).header, ()).encode(), sealed) for data, sealed in answer.blocks
    ]
    return replace(answer, blocks=tuple(bare))


def other_certificates(answer: Blocks) -> Blocks:
    seals = [replace(sealed, seals=(bytes(65),)) for _block, sealed in answer.blocks]
    blocks = [data for data, _sealed in answer.blocks]
    return replace(answer, blocks=tuple(zip(blocks, seals, strict=True)))


def last_seal_wrong(answer: Blocks) -> Blocks:
    block, sealed = answer.blocks[-1]
    wrong = replace(sealed, seals=(b"\x01" * 65,))
    return replace(answer, blocks=(*answer.blocks[:-1], (block, wrong)))


def one_block_later(answer: Blocks) -> Blocks:
    return replace(answer, blocks=answer.blocks[1:], parent_certificate=answer.blocks[0][1])


def garbage(answer: Blocks) -> Blocks:
    return replace(answer, blocks=tuple((b"\xc3\x01\x02\x03", c) for _b, c in answer.blocks))


def twice(answer: Blocks) -> Blocks:
    return replace(answer, blocks=answer.blocks + answer.blocks)


def hole(answer: Blocks) -> Blocks:
    return replace(answer, blocks=answer.blocks[:1] + answer.blocks[2:])


def other_parent(answer: Blocks) -> Blocks:
    return replace(answer, parent_certificate=answer.blocks[-1][1])


def other_time(answer: Blocks) -> Blocks:
    """Change the first header and leave the certificate as it is."""
    block = decode_block(answer.blocks[0][0])
    changed = Block(replace(block.header, extra_data=b"lie"), block.transactions)
    return replace(answer, blocks=((changed.encode(), answer.blocks[0][1]), *answer.blocks[1:]))


LIES = [
    pytest.param(no_bodies, "root of the body", id="blocks without their transactions"),
    pytest.param(other_certificates, "another certificate|does not recover", id="wrong seals"),
    pytest.param(last_seal_wrong, "recover|is by", id="the last certificate wrong"),
    pytest.param(one_block_later, "in the place of", id="other heights"),
    pytest.param(garbage, "not a block", id="garbage"),
    pytest.param(twice, "asked for", id="more than asked"),
    pytest.param(hole, "in the place of", id="a block left out"),
    pytest.param(other_parent, "names another certificate", id="wrong certificate of the parent"),
    pytest.param(other_time, "for another block", id="a changed header"),
]


@pytest.mark.parametrize(("lie", "reason"), LIES)
def test_a_liar_is_banned_and_its_blocks_come_from_others(
    full: ChainWorld, empty: ChainWorld, lie: Distort, reason: str
) -> None:
    liar = ServingPeer(b"a", full, distort=each(lie))
    others = [ServingPeer(b"b", full), ServingPeer(b"c", full)]
    importer = sync(empty, liar, *others)
    assert head(empty) == head(full)
    assert importer.imported == list(range(1, HEIGHT + 1))
    assert liar.points >= 100
    assert re.search(reason, liar.penalties[-1][1])
    assert not any(peer.penalties for peer in others)


@pytest.mark.parametrize(("lie", "reason"), LIES)
def test_a_liar_alone_ends_the_sync_and_nothing_of_a_lie_is_written(
    full: ChainWorld, empty: ChainWorld, lie: Distort, reason: str
) -> None:
    liar = ServingPeer(b"a", full, distort=each(lie))
    importer = sync(empty, liar)
    assert liar.points >= 100
    assert empty.chain.head.block_number == len(importer.imported) < HEIGHT
    assert head(empty) == full.database.hash_at(len(importer.imported))


def test_a_chain_that_strangers_sealed_is_refused(full: ChainWorld, empty: ChainWorld) -> None:
    def forge(answer: Blocks) -> Blocks:
        forged: list[tuple[bytes, CommitCertificate]] = []
        parent, named = answer.parent_certificate, b""
        for data, _sealed in answer.blocks:
            block = decode_block(data)
            header = replace(block.header, extra_data=b"forged")
            if forged:
                header = replace(
                    header, parent_hash=named, parent_beacon_block_root=forged[-1][1].hash
                )
            made = Block(header, block.transactions)
            named = made.hash
            forged.append((made.encode(), sealed_by(full, made)))
        return replace(answer, blocks=tuple(forged), parent_certificate=parent)

    liar = ServingPeer(b"a", full, distort=forge)
    sync(empty, liar)
    assert empty.chain.head.block_number == 0
    assert "is by 0x" in liar.penalties[-1][1]


def test_a_final_block_that_is_wrong_here_stops_the_node_and_blames_nobody(
    full: ChainWorld, empty: ChainWorld
) -> None:
    def wrong_root(answer: Blocks) -> Blocks:
        block = decode_block(answer.blocks[0][0])
        made = Block(replace(block.header, state_root=b"\x77" * 32), block.transactions)
        return replace(answer, blocks=((made.encode(), sealed_by(full, made, stranger=False)),))

    peer = ServingPeer(b"a", full, distort=wrong_root, height=1)
    with pytest.raises(QuorumDisagrees, match="stateRoot"):
        sync(empty, peer)
    assert peer.penalties == []


def test_a_peer_that_claims_more_than_it_has_loses_points_and_the_sync_ends(
    full: ChainWorld, empty: ChainWorld
) -> None:
    boaster = ServingPeer(b"a", full, height=10**9)
    sync(empty, boaster)
    assert head(empty) == head(full)
    assert boaster.height == HEIGHT
    assert 0 < boaster.points < 100


def test_a_silent_peer_is_given_up_and_the_others_do_its_work(
    full: ChainWorld, empty: ChainWorld
) -> None:
    silent = SilentPeer(b"a", full)
    sync(empty, silent, ServingPeer(b"b", full))
    assert head(empty) == head(full)
    assert 0 < silent.points < 100


def test_a_silent_peer_alone_ends_the_sync(full: ChainWorld, empty: ChainWorld) -> None:
    silent = SilentPeer(b"a", full)
    sync(empty, silent)
    assert len(silent.asked) == 3


def test_what_a_stuck_peer_holds_is_asked_of_an_idle_one(
    full: ChainWorld, empty: ChainWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_ranges, "SLOW_AFTER_S", 0.02)

    async def scenario() -> None:
        stuck, quick = StuckPeer(b"a", full), ServingPeer(b"b", full)
        importer = WorldImporter(empty)
        async with asyncio.timeout(60):
            await catch_up(empty, importer, stuck, quick)
        assert importer.imported == list(range(1, HEIGHT + 1))
        assert stuck.asked == [(1, RANGE)]
        assert quick.asked[-1] == (1, RANGE)

    asyncio.run(scenario())
    assert head(empty) == head(full)


def test_what_two_stuck_peers_hold_is_asked_of_a_third_one(
    full: ChainWorld, empty: ChainWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_ranges, "SLOW_AFTER_S", 0.02)

    async def scenario() -> None:
        stuck = [StuckPeer(bytes([number]), full, height=1) for number in range(2)]
        quick = ServingPeer(b"c", full, height=1)
        async with asyncio.timeout(60):
            await catch_up(empty, WorldImporter(empty), *stuck, quick)
        assert [peer.asked for peer in (*stuck, quick)] == [[(1, 1)]] * 3

    asyncio.run(scenario())
    assert empty.chain.head.block_number == 1


def test_a_sync_goes_on_where_it_was_killed(full: ChainWorld, tmp_path: Path) -> None:
    for stop_at in range(1, HEIGHT + 1, 3):
        world = ChainWorld(tmp_path / "killed", GENESIS)
        with pytest.raises(Killed):
            asyncio.run(catch_up(world, WorldImporter(world, stop_at), ServingPeer(b"a", full)))
        world.close()
    world = ChainWorld(tmp_path / "killed", GENESIS)
    importer = sync(world, ServingPeer(b"a", full))
    assert importer.imported == list(range(40, HEIGHT + 1))
    assert head(world) == head(full)
    world.close()
