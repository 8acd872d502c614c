"""What peers send over cvm/1: lies are scored, a block is executed once, spam finds bounds."""

import asyncio
import json
import threading
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from consensus.block_execution import Proposal
from consensus.certificate import CommitCertificate, certify, seal
from consensus.qbft.messages import Prepare, PreparePayload, ProposalPayload
from consensus.qbft.messages import Proposal as ProposalMessage
from consensus.qbft.signing import KeySigner, SigningDomain
from cvm.evm.private_key import PrivateKey
from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from node import consensus_driver
from node.block_writer import BlockWriter
from node.consensus_driver import ConsensusDriver
from node.cvm_network import BLAME_POINTS, LIE_POINTS, CvmNetwork, wire
from node.event_queue import MAX_EVENTS_OF_PEER
from node.evidence_pool import EvidencePool
from node.p2p.cvm_messages import Evidence, NewBlock, Qbft
from node.service import consensus_rules
from node.transaction_pool import TransactionPool
from node.validator_key import LocalKey
from node.vote_log import VoteLog
from tests.chain_world import (
    CHAIN_ID,
    GENESIS_TIME,
    STRANGER,
    VALIDATOR,
    ChainWorld,
    address_of,
    final_block,
    genesis_document,
)
from tests.four_validators import KEYS, FourWorld
from tests.four_validators import genesis_json as four_genesis
from tests.integration.test_disagreement import digit

GENESIS = json.dumps(genesis_document()).encode()
FOUR_GENESIS = four_genesis()
TIMEOUT_S = 60


@dataclass
class FakePeer:
    """Keeps what it is blamed for and sent."""

    node_id: bytes = b"\x11" * 64
    height: int = 0
    earliest_height: int = 0
    points: list[int] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)
    blamed: asyncio.Event = field(default_factory=asyncio.Event)

    def penalise(self, points: int, _reason: str) -> None:
        self.points.append(points)
        self.blamed.set()

    def reached(self, height: int) -> None:
        self.height = max(self.height, height)

    def try_send(self, message: Any) -> bool:
        self.sent.append(message)
        return True


class NoForks:
    """A chain that never forks."""

    def fork_id_at(self, _height: int) -> tuple[bytes, int]:
        return bytes(4), 0

    def fits(self, _theirs: tuple[bytes, int], _height: int) -> bool:
        return True


@dataclass
class Node:
    """A node that follows: its network, its driver, and one peer."""

    network: CvmNetwork
    driver: ConsensusDriver
    peer: Any
    started: asyncio.Event


@pytest.fixture
def ahead(tmp_path: Path) -> Iterator[ChainWorld]:
    """Make a chain that is some blocks ahead."""
    world = ChainWorld(tmp_path / "ahead", GENESIS)
    world.send(STRANGER.address, b"", value=1)
    world.propose()
    yield world
    world.close()


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path / "ours", GENESIS)
    yield world
    world.close()


def with_node(
    world: ChainWorld,
    folder: Path,
    scenario: Callable[[Node], Awaitable[None]],
    *,
    runs: bool = True,
    key: PrivateKey | None = None,
) -> None:
    """Run a scenario beside a node; without `runs` its driver takes no events."""

    async def drive() -> None:
        chain, writer = world.chain, BlockWriter(world.chain)
        network = CvmNetwork(
            chain, world.store, writer, NoForks(), EvidencePool(chain, folder / "evidence")
        )
        votes = VoteLog(folder / "votes", chain.domain.genesis_hash)
        pool, rules = (
            TransactionPool(CHAIN_ID),
            consensus_rules(chain, None if key is None else LocalKey(key)),
        )
        driver = ConsensusDriver(chain, writer, pool, rules, votes, network, asyncio.Event())
        unused: Any = None
        started, take = asyncio.Event(), driver._take

        async def taken(event: Any) -> None:
            await take(event)
            started.set()

        driver._take = taken  # type: ignore[method-assign]
        network.attach(driver, unused, unused, lambda: None)
        try:
            async with asyncio.timeout(TIMEOUT_S), asyncio.TaskGroup() as tasks:
                running = tasks.create_task(driver.run()) if runs else None
                await scenario(Node(network, driver, FakePeer(), started))
                if running is not None:
                    running.cancel()
        finally:
            network.close()
            writer.close()
            votes.close()

    asyncio.run(drive())


def announced(world: ChainWorld, number: int) -> NewBlock:
    """Return a block as a peer announces it."""
    block, certificate = final_block(world, number)
    return NewBlock(block.encode(), certificate, world.chain.certificate_at(number - 1))


def test_the_next_block_is_taken_once(ahead: ChainWorld, ours: ChainWorld, tmp_path: Path) -> None:
    async def scenario(node: Node) -> None:
        first = announced(ahead, 1)
        assert await node.network.new_block(node.peer, first) is True
        assert await node.network.new_block(node.peer, first) is False
        assert node.peer.points == []

    with_node(ours, tmp_path, scenario)
    assert ours.chain.head.hash == ahead.database.hash_at(1)


def forged(world: ChainWorld) -> CommitCertificate:
    """Return a certificate of block 1 that a stranger sealed."""
    block = final_block(world, 1)[0]
    return certify(1, 0, block.hash, [(0, seal(world.chain.domain, STRANGER, 1, 0, block.hash))])


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(
            lambda world, said: replace(said, certificate=forged(world)), id="a stranger's seal"
        ),
        pytest.param(
            lambda world, said: replace(said, certificate=final_block(world, 2)[1]),
            id="another block's certificate",
        ),
        pytest.param(
            lambda world, said: replace(said, certificate=replace(said.certificate, seals=())),
            id="no seals",
        ),
        pytest.param(
            lambda world, said: replace(said, parent_certificate=said.certificate),
            id="a parent certificate at height 1",
        ),
        pytest.param(lambda world, said: replace(said, block=b"\xc0"), id="no block"),
        pytest.param(
            lambda world, said: replace(said, block=said.block[:-1] + b"\x00"), id="a damaged block"
        ),
    ],
)
def test_a_lie_is_scored_and_changes_nothing(
    ahead: ChainWorld,
    ours: ChainWorld,
    tmp_path: Path,
    lie: Callable[[ChainWorld, NewBlock], NewBlock],
) -> None:
    async def scenario(node: Node) -> None:
        assert await node.network.new_block(node.peer, lie(ahead, announced(ahead, 1))) is False
        assert node.peer.points == [LIE_POINTS]
        assert ours.chain.head.block_number == 0
        assert await node.network.new_block(FakePeer(), announced(ahead, 1)) is True  # type: ignore[arg-type]

    with_node(ours, tmp_path, scenario)


def test_a_later_block_is_no_lie(ahead: ChainWorld, ours: ChainWorld, tmp_path: Path) -> None:
    async def scenario(node: Node) -> None:
        assert await node.network.new_block(node.peer, announced(ahead, 2)) is False
        assert (node.peer.points, node.peer.height) == ([], 2)

    with_node(ours, tmp_path, scenario)
    assert ours.chain.head.block_number == 0


def test_a_block_whose_model_is_missing_stops_nobody(
    ahead: ChainWorld, ours: ChainWorld, tmp_path: Path
) -> None:
    contract = ahead.deploy_classifier(ahead.register_model())
    ahead.classify(contract, digit(0))
    last = ahead.chain.head.block_number
    for number in range(1, last):
        ours.chain.import_block(*final_block(ahead, number))

    async def scenario(node: Node) -> None:
        assert await node.network.new_block(node.peer, announced(ahead, last)) is False
        assert (node.peer.points, node.peer.height) == ([], last)

    with_node(ours, tmp_path, scenario)
    assert ours.chain.head.block_number == last - 1


def signed_by_validator(world: ChainWorld, payload: Any, key: PrivateKey = VALIDATOR) -> bytes:
    domain = SigningDomain(world.chain.domain.chain_id, world.chain.domain.genesis_hash)
    digest = domain.digest(payload.CODE, payload.encode())
    return KeySigner(key.to_bytes()).sign(digest)


def test_a_block_announced_while_it_is_checked_is_executed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node is one of four validators; the proposal comes first, then the final block."""
    world = FourWorld(tmp_path / "four", FOUR_GENESIS)
    monkeypatch.setattr(consensus_driver, "now_ms", lambda: (GENESIS_TIME + 10) * 1_000)
    checked, _left_out = world.chain.build(Proposal(address_of(KEYS[0]), 0), [])
    block = checked.block
    certificate = world.certificate_of(block.number, block.hash)
    payload = ProposalPayload(block.number, 0, block.encode())
    proposal = ProposalMessage(payload, signed_by_validator(world, payload), (), ())
    began, may_go_on, checks = asyncio.Event(), threading.Event(), []
    check = world.chain.check

    async def scenario(node: Node) -> None:
        loop = asyncio.get_running_loop()

        def slow(*arguments: Any) -> Any:
            checks.append(arguments[0].hash)
            loop.call_soon_threadsafe(began.set)
            assert may_go_on.wait(TIMEOUT_S)
            return check(*arguments)

        monkeypatch.setattr(world.chain, "check", slow)
        await node.started.wait()
        await node.network.qbft(node.peer, wire(proposal, None))
        await began.wait()
        announced = NewBlock(block.encode(), certificate, None)
        taking = asyncio.create_task(node.network.new_block(node.peer, announced))
        may_go_on.set()
        assert await taking is True
        assert node.peer.points == []

    with_node(world, tmp_path, scenario, key=KEYS[3])
    head = world.chain.head.hash
    world.close()
    assert (head, checks) == (block.hash, [block.hash])


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(Qbft(0x13, b"", None), id="nothing"),
        pytest.param(Qbft(0x13, b"\xc2\xc0\x80", None), id="no payload"),
        pytest.param(Qbft(0x12, b"\xff" * 300, None), id="noise"),
    ],
)
def test_what_is_no_message_is_scored(ours: ChainWorld, tmp_path: Path, message: Qbft) -> None:
    async def scenario(node: Node) -> None:
        assert await node.network.qbft(node.peer, message) is False
        assert node.peer.points == [BLAME_POINTS]

    with_node(ours, tmp_path, scenario)


def test_spam_waits_in_a_bounded_queue(ours: ChainWorld, tmp_path: Path) -> None:
    async def scenario(node: Node) -> None:
        for number in range(2 * MAX_EVENTS_OF_PEER):
            payload = PreparePayload(1, number, bytes(32))
            await node.network.qbft(node.peer, wire(Prepare(payload, bytes(65)), None))
        assert len(node.driver._events) == MAX_EVENTS_OF_PEER

    with_node(ours, tmp_path, scenario, runs=False)


def test_large_messages_that_wait_cost_little_memory(ours: ChainWorld, tmp_path: Path) -> None:
    """Nobody signed them, and they arrive faster than their signatures can be looked at."""

    async def scenario(node: Node) -> None:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(40):
            block = encode_list(encode_list(encode_integer(number)) + encode_bytes(bytes(1 << 20)))
            unsigned = ProposalMessage(ProposalPayload(1, 0, block), bytes(65), (), ())
            await node.network.qbft(node.peer, wire(unsigned, None))
        assert tracemalloc.get_traced_memory()[0] - before < 8 << 20

    tracemalloc.start()
    try:
        with_node(ours, tmp_path, scenario, runs=False)
    finally:
        tracemalloc.stop()


def test_a_signature_of_nobody_is_blamed_by_consensus(ours: ChainWorld, tmp_path: Path) -> None:
    async def scenario(node: Node) -> None:
        node.network.protocol.peers = lambda: (node.peer,)  # type: ignore[method-assign]
        await node.started.wait()
        for code_round in range(3):
            payload = PreparePayload(1, code_round, bytes(32))
            await node.network.qbft(node.peer, wire(Prepare(payload, bytes(65)), None))
        await node.peer.blamed.wait()
        assert set(node.peer.points) == {BLAME_POINTS}

    with_node(ours, tmp_path, scenario)


def test_false_evidence_is_scored(ours: ChainWorld, tmp_path: Path) -> None:
    async def scenario(node: Node) -> None:
        payload = PreparePayload(1, 0, bytes(32)).encode()
        false = Evidence(0x13, payload, bytes(65), payload, bytes(65))
        assert await node.network.evidence(node.peer, false) is False
        assert node.peer.points == [BLAME_POINTS]

    with_node(ours, tmp_path, scenario)
