"""cvm/1 over a pipe: the handshake, what is served, what is handed on, and to whom."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from consensus.block import decode_block
from cvm.evm.keccak import keccak256
from cvm.evm.rlp_encoding import encode_list
from cvm.evm.state_reader import Account
from cvm.evm.trie import proven_value
from models_registry.addresses import MODEL_REGISTRY, VALIDATOR_SET
from models_registry.chunks import validate_chunk
from node.p2p.cvm_messages import (
    Attestation,
    Evidence,
    HaveModels,
    NewBlock,
    Qbft,
    Status,
    WantModels,
)
from node.p2p.cvm_peer import CvmPeer
from node.p2p.cvm_protocol import CvmProtocol
from node.p2p.cvm_serving import ANSWER_BYTES
from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.faults import BadMessage, PeerGone
from node.p2p.protocol import Channel
from node.sample_models import sample_model_path
from tests.chain_world import CHAIN_ID, USER, ChainWorld, final_block, genesis_document, signed
from tests.p2p_pipe import RIGHT_ID, Pipe, channel_pipe, handler_pipe
from tests.unit.node.p2p.sync_world import source_of

GENESIS = json.dumps(genesis_document()).encode()
HEIGHT = 12
VOTE = Qbft(0x13, encode_list(b"\x01"), None)
SIGNATURE = b"\x33" * 65
SIGNED_RECORD = Attestation(b"\x11" * 32, 0, b"record", SIGNATURE)
DOUBLE_VOTE = Evidence(0x13, b"\xc1\x01", SIGNATURE, b"\xc1\x02", SIGNATURE)
TWO_BLOCKS = Evidence(0x12, b"\x01" * (3 << 20), SIGNATURE, b"\x02" * (3 << 20), SIGNATURE)


@dataclass
class Heard:
    """Notes what a protocol reports; `is_good` is its verdict."""

    is_good: bool = True
    models: tuple[bytes, ...] = ()
    joined: list[CvmPeer] = field(default_factory=list)
    left: list[CvmPeer] = field(default_factory=list)
    messages: list[object] = field(default_factory=list)
    offered: list[CvmPeer] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def peer_joined(self, peer: CvmPeer) -> None:
        self.joined.append(peer)
        self.changed.set()

    def peer_left(self, peer: CvmPeer) -> None:
        self.left.append(peer)
        self.changed.set()

    async def qbft(self, peer: CvmPeer, message: Qbft) -> bool:
        return self._note(message)

    async def new_block(self, peer: CvmPeer, message: NewBlock) -> bool:
        return self._note(message)

    async def attestation(self, peer: CvmPeer, message: Attestation) -> bool:
        return self._note(message)

    async def evidence(self, peer: CvmPeer, message: Evidence) -> bool:
        return self._note(message)

    def models_offered(self, peer: CvmPeer) -> None:
        self.offered.append(peer)
        self.changed.set()

    def models_wanted(self, peer: CvmPeer, model_ids: tuple[bytes, ...]) -> tuple[bytes, ...]:
        return tuple(model_id for model_id in model_ids if model_id in self.models)

    def _note(self, message: object) -> bool:
        self.messages.append(message)
        self.changed.set()
        return self.is_good

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


class NoForks:
    """The forks of a chain that has had none."""

    def __init__(self, fork_hash: bytes = b"\x01\x02\x03\x04") -> None:
        self._fork_hash = fork_hash

    def fork_id_at(self, height: int) -> tuple[bytes, int]:
        return self._fork_hash, 0

    def fits(self, theirs: tuple[bytes, int], height: int) -> bool:
        return theirs == (self._fork_hash, 0)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainWorld]:
    made = ChainWorld(tmp_path_factory.mktemp("served"), GENESIS)
    for nonce in range(HEIGHT):
        made.propose([signed(USER, nonce, to=b"\xee" * 20, value=1, gas=21_000)])
    yield made
    made.close()


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def protocol(
    world: ChainWorld,
    events: Heard,
    executor: ThreadPoolExecutor,
    genesis_hash: bytes | None = None,
    chain_id: int = CHAIN_ID,
    forks: NoForks | None = None,
) -> CvmProtocol:
    return CvmProtocol(
        source_of(world),
        chain_id,
        genesis_hash or world.chain.domain.genesis_hash,
        forks or NoForks(),
        events,
        executor,
    )


def on_loop(scenario: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 60))


def test_peers_of_one_chain_know_each_others_height(
    world: ChainWorld, executor: ThreadPoolExecutor
) -> None:
    async def scenario() -> None:
        left, right = Heard(), Heard()
        ours, theirs = protocol(world, left, executor), protocol(world, right, executor)
        async with handler_pipe(ours, theirs):
            await left.until(lambda: left.joined)
            assert [peer.node_id for peer in ours.peers()] == [RIGHT_ID]
            assert left.joined[0].height == HEIGHT
            assert left.joined[0].status.head_hash == world.chain.head.hash
        assert left.left == left.joined
        assert ours.peers() == ()

    on_loop(scenario)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"genesis_hash": b"\x09" * 32}, id="another genesis"),
        pytest.param({"chain_id": 5}, id="another chain id"),
        pytest.param({"forks": NoForks(b"\x09" * 4)}, id="another fork"),
    ],
)
def test_a_peer_of_another_chain_is_let_go_without_points(
    world: ChainWorld, executor: ThreadPoolExecutor, other: dict[str, object]
) -> None:
    async def scenario() -> None:
        left, right = Heard(), Heard()
        stranger = protocol(world, right, executor, **other)  # type: ignore[arg-type]
        async with handler_pipe(protocol(world, left, executor), stranger) as pipe:
            async with asyncio.timeout(10):
                await pipe.left_peer.ended.wait()
        assert left.joined == []
        assert pipe.left_peer.disconnected is DisconnectReason.USELESS_PEER
        assert pipe.left_peer.penalties == []

    on_loop(scenario)


def test_a_message_before_the_status_is_a_breach(
    world: ChainWorld, executor: ThreadPoolExecutor
) -> None:
    async def scenario() -> None:
        async with scripted(world, Heard(), executor) as (pipe, _ours):
            await pipe.right.send(WantModels(()))
            async with asyncio.timeout(10):
                await pipe.left_peer.ended.wait()
            assert pipe.left_peer.penalties == [(100, "WantModels before the status")]

    on_loop(scenario)


@asynccontextmanager
async def scripted(
    world: ChainWorld, events: Heard, executor: ThreadPoolExecutor, *, greets: bool = False
) -> AsyncIterator[tuple[Pipe, CvmProtocol]]:
    """Run our side; the test speaks for the other one, after the handshake if it greets."""
    ours = protocol(world, events, executor)
    async with channel_pipe(ours, protocol(world, Heard(), executor)) as pipe:
        running = asyncio.create_task(run_ours(ours, pipe))
        if greets:
            await pipe.right.send(ours.status())
            assert isinstance(await pipe.right.receive(), Status)
            await events.until(lambda: events.joined)
        yield pipe, ours
        running.cancel()


async def run_ours(ours: CvmProtocol, pipe: Pipe) -> None:
    try:
        await ours.run(pipe.left)
    except PeerGone:
        pass
    except BadMessage as fault:
        pipe.left_peer.penalise(100, str(fault))
        pipe.left_peer.disconnect(DisconnectReason.BREACH_OF_PROTOCOL)


def as_peer(channel: Channel, world: ChainWorld, ours: CvmProtocol) -> CvmPeer:
    return CvmPeer(channel, ours.status())


def test_blocks_come_with_their_certificates(
    world: ChainWorld, executor: ThreadPoolExecutor
) -> None:
    async def scenario() -> None:
        async with scripted(world, Heard(), executor, greets=True) as (pipe, ours):
            asked = as_peer(pipe.right, world, ours)
            answer = await asked.blocks(5, 100)
            numbers = [decode_block(data).number for data, _sealed in answer.blocks]
            assert numbers == list(range(5, HEIGHT + 1))
            assert answer.blocks[0][1] == final_block(world, 5)[1]
            assert answer.parent_certificate == final_block(world, 4)[1]
            first = await asked.blocks(1, 1)
            assert first.parent_certificate is None
            assert (await asked.blocks(HEIGHT + 1, 10)).blocks == ()
            assert (await asked.blocks(0, 10)).blocks == ()
            sealed = await asked.certificates(HEIGHT - 1, 10)
            assert sealed.certificates == (
                final_block(world, HEIGHT - 1)[1],
                final_block(world, HEIGHT)[1],
            )

    on_loop(scenario)


def test_an_answer_stops_at_its_bound_but_holds_one_block(
    world: ChainWorld, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.p2p.cvm_serving.ANSWER_BYTES", 2000)

    async def scenario() -> None:
        async with scripted(world, Heard(), executor, greets=True) as (pipe, ours):
            answer = await as_peer(pipe.right, world, ours).blocks(1, 100)
            assert 1 <= len(answer.blocks) < HEIGHT

    on_loop(scenario)
    assert ANSWER_BYTES == 2 << 20


def test_codes_and_proofs_are_served(world: ChainWorld, executor: ThreadPoolExecutor) -> None:
    with world.chain.state_at(world.chain.head) as state:
        account = state.account(MODEL_REGISTRY) or Account()
        code = state.code(account.code_hash)
        length = state.storage(VALIDATOR_SET, 0)

    async def scenario() -> None:
        async with scripted(world, Heard(), executor, greets=True) as (pipe, ours):
            asked = as_peer(pipe.right, world, ours)
            assert (await asked.codes((b"\x01" * 32, account.code_hash))).codes == (code,)
            head = world.chain.head
            proof = await asked.proof(head.hash, VALIDATOR_SET, (0, 12345))
            assert proof.header == head.encode()
            key = keccak256(VALIDATOR_SET)
            assert proven_value(head.state_root, key, proof.account_nodes) is not None
            assert length == 1
            assert proof.storage_nodes
            missing = await asked.proof(b"\x01" * 32, VALIDATOR_SET, ())
            assert missing.header == b""

    on_loop(scenario)


def test_chunks_are_served_with_proofs(world: ChainWorld, executor: ThreadPoolExecutor) -> None:
    model = world.store.add_file(sample_model_path("digits_int8.onnx").read_bytes())

    async def scenario() -> None:
        async with scripted(world, Heard(), executor, greets=True) as (pipe, ours):
            asked = as_peer(pipe.right, world, ours)
            chunk = await asked.chunk(model, 0)
            validate_chunk(model, chunk.size_bytes, 0, chunk.chunk, chunk.proof)
            assert (await asked.chunk(model, 200)).size_bytes == 0
            assert (await asked.chunk(b"\x01" * 32, 0)).size_bytes == 0

    on_loop(scenario)


def test_models_are_offered_to_those_that_want_them(
    world: ChainWorld, executor: ThreadPoolExecutor
) -> None:
    async def scenario() -> None:
        here, later, never = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32
        events = Heard(models=(here,))
        async with scripted(world, events, executor, greets=True) as (pipe, ours):
            await pipe.right.send(WantModels((here, later)))
            assert await pipe.right.receive() == HaveModels((here,))
            ours.announce_model(never)
            ours.announce_model(later)
            assert await pipe.right.receive() == HaveModels((later,))
            await pipe.right.send(HaveModels((never,)))
            await events.until(lambda: events.offered)
            assert events.joined[0].models == {never}

    on_loop(scenario)


GOSSIP = [
    pytest.param(VOTE, id="vote"),
    pytest.param(SIGNED_RECORD, id="attestation"),
    pytest.param(DOUBLE_VOTE, id="evidence"),
    pytest.param(TWO_BLOCKS, id="evidence with the largest blocks that gas pays for"),
]


@asynccontextmanager
async def three(
    world: ChainWorld, events: Heard, executor: ThreadPoolExecutor
) -> AsyncIterator[tuple[Channel, Channel, CvmProtocol]]:
    """Give two scripted peers of one node."""
    ours = protocol(world, events, executor)
    far = protocol(world, Heard(), executor)
    async with channel_pipe(ours, far) as one, channel_pipe(ours, far) as two:
        two.left_peer.node_id = b"\x07" * 64
        runs = [asyncio.create_task(run_ours(ours, pipe)) for pipe in (one, two)]
        for pipe in (one, two):
            await pipe.right.send(ours.status())
            await pipe.right.receive()
        await events.until(lambda: len(events.joined) == 2)
        yield one.right, two.right, ours
        for run in runs:
            run.cancel()


@pytest.mark.parametrize("message", GOSSIP)
def test_a_good_message_goes_to_every_other_peer_and_not_back(
    world: ChainWorld, executor: ThreadPoolExecutor, message: Qbft
) -> None:
    async def scenario() -> None:
        events = Heard()
        async with three(world, events, executor) as (one, two, _ours):
            await one.send(message)
            assert await two.receive() == message
            await two.send(message)
            await one.send(WantModels(()))
            await one.send(VOTE if message != VOTE else DOUBLE_VOTE)
            await events.until(lambda: len(events.messages) == 2)
            assert await two.receive() != message

    on_loop(scenario)


def test_a_bad_message_goes_to_nobody(world: ChainWorld, executor: ThreadPoolExecutor) -> None:
    async def scenario() -> None:
        events = Heard(is_good=False)
        async with three(world, events, executor) as (one, two, _ours):
            await one.send(VOTE)
            await events.until(lambda: events.messages)
            events.is_good = True
            await one.send(DOUBLE_VOTE)
            assert await two.receive() == DOUBLE_VOTE

    on_loop(scenario)


def test_what_two_peers_bring_at_once_is_heard_once(
    world: ChainWorld, executor: ThreadPoolExecutor
) -> None:
    async def scenario() -> None:
        events = Heard()
        async with three(world, events, executor) as (one, two, _ours):
            await one.send(VOTE)
            await two.send(VOTE)
            await one.send(DOUBLE_VOTE)
            await two.send(SIGNED_RECORD)
            await events.until(lambda: len(events.messages) == 3)
            assert events.messages.count(VOTE) == 1

    on_loop(scenario)


def test_our_own_message_is_sent_again_and_again(
    world: ChainWorld, executor: ThreadPoolExecutor
) -> None:
    async def scenario() -> None:
        async with three(world, Heard(), executor) as (one, two, ours):
            assert [ours.broadcast(VOTE), ours.broadcast(VOTE)] == [2, 2]
            for channel in (one, one, two, two):
                assert await channel.receive() == VOTE

    on_loop(scenario)


def test_a_block_is_not_sent_to_whoever_sent_it(
    world: ChainWorld, executor: ThreadPoolExecutor
) -> None:
    block, sealed = final_block(world, 3)
    announced = NewBlock(block.encode(), sealed, final_block(world, 2)[1])

    async def scenario() -> None:
        events = Heard(is_good=False)
        async with three(world, events, executor) as (one, two, ours):
            await one.send(replace(announced, parent_certificate=None))
            await events.until(lambda: events.messages)
            assert ours.broadcast(announced) == 1
            assert await two.receive() == announced

    on_loop(scenario)


def test_an_announced_block_raises_the_height_of_its_peer(
    world: ChainWorld, executor: ThreadPoolExecutor, tmp_path: Path
) -> None:
    block, sealed = final_block(world, 3)
    higher = replace(block.header, block_number=99)
    announced = NewBlock(replace(block, header=higher).encode(), sealed, None)

    async def scenario() -> None:
        events = Heard()
        async with scripted(world, events, executor, greets=True) as (pipe, _ours):
            await pipe.right.send(announced)
            await events.until(lambda: events.messages)
            assert events.joined[0].height == 99

    on_loop(scenario)


def test_a_block_without_a_header_is_a_breach(
    world: ChainWorld, executor: ThreadPoolExecutor
) -> None:
    _block, sealed = final_block(world, 3)

    async def scenario() -> None:
        async with scripted(world, Heard(), executor, greets=True) as (pipe, _ours):
            await pipe.right.send(NewBlock(b"\xc0", sealed, None))
            async with asyncio.timeout(10):
                await pipe.left_peer.ended.wait()
            assert pipe.left_peer.penalties[0][0] == 100

    on_loop(scenario)
