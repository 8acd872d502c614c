"""Two nodes of eth over a pipe: handshake, what is served, and what ends a session."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import cast

import pytest

from node.p2p import eth_answers
from node.p2p.channel import PeerChannel
from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.eth_answers import bodies_for, body_of, headers_for, receipts_for
from node.p2p.eth_block_messages import GetReceipts, HeaderQuery, Receipts, receipts_of_69
from node.p2p.eth_fork_id import ForkSchedule
from node.p2p.eth_handler import EthHandler, EthService
from node.p2p.eth_handshake import own_status
from node.p2p.eth_limits import MAX_HEADERS
from node.p2p.eth_peer import EthPeer
from node.p2p.eth_status import BlockRangeUpdate, Status69
from node.p2p.eth_transaction_messages import NewTransactions
from node.p2p.faults import PeerGone
from node.p2p.protocol import Message
from tests.p2p_pipe import channel_pipe, handler_pipe
from tests.unit.node.p2p.eth_world import NETWORK_ID, RECEIPT, MemoryChain, made_blocks

BLOCKS = made_blocks(40)
CHAIN = MemoryChain(BLOCKS)


class Joined:
    """A `PeerWatcher` that lets a test wait for the peer."""

    def __init__(self) -> None:
        self.peer: asyncio.Future[EthPeer] = asyncio.get_running_loop().create_future()

    def joined(self, peer: EthPeer) -> None:
        self.peer.set_result(peer)

    def left(self, peer: EthPeer) -> None:
        pass

    def turned_away(self, node_id: bytes, reason: str) -> None:
        pass


def run(scene: Callable[[], Coroutine[None, None, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await scene()

    asyncio.run(bounded())


def numbers_of(query: HeaderQuery) -> list[int]:
    return [header.block_number for header in headers_for(CHAIN, query)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(HeaderQuery(3, 3), [3, 4, 5], id="up-from-a-height"),
        pytest.param(HeaderQuery(BLOCKS[3].hash, 3), [3, 4, 5], id="up-from-a-hash"),
        pytest.param(HeaderQuery(3, 9, 0, is_reverse=True), [3, 2, 1, 0], id="down-to-block-0"),
        pytest.param(
            HeaderQuery(BLOCKS[9].hash, 3, 3, is_reverse=True), [9, 5, 1], id="down-skips"
        ),
        pytest.param(HeaderQuery(30, 9, 4), [30, 35, 40], id="up-skips-to-the-head"),
        pytest.param(HeaderQuery(41, 3), [], id="above-the-head"),
        pytest.param(HeaderQuery(41, 3, 0, is_reverse=True), [], id="down-from-above-the-head"),
        pytest.param(HeaderQuery(b"\7" * 32, 3), [], id="an-unknown-hash"),
        pytest.param(HeaderQuery(0, 5, 2**64 - 1), [0], id="a-skip-that-overflows"),
        pytest.param(HeaderQuery(0, 2**64 - 1), list(range(41)), id="a-boundless-limit"),
        pytest.param(HeaderQuery(0, 0), [], id="none"),
    ],
)
def test_headers_are_given_in_all_forms(query: HeaderQuery, expected: list[int]) -> None:
    assert numbers_of(query) == expected


def test_an_answer_has_no_more_items_than_go_ethereum_gives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashes = (BLOCKS[3].hash,) * (MAX_HEADERS + 1)
    assert len(bodies_for(CHAIN, hashes)) == MAX_HEADERS
    assert len(receipts_for(CHAIN, hashes, 68)) == MAX_HEADERS
    monkeypatch.setattr(eth_answers, "SOFT_RESPONSE_BYTES", 1)
    assert len(bodies_for(CHAIN, hashes)) == 1
    assert len(receipts_for(CHAIN, hashes, 68)) == 1
    assert numbers_of(HeaderQuery(3, 9)) == [3]


def test_what_is_not_here_is_left_out() -> None:
    hashes = (b"\7" * 32, BLOCKS[15].hash, b"\x08" * 32, BLOCKS[1].hash)
    assert bodies_for(CHAIN, hashes) == tuple(body_of(BLOCKS[n].encode()) for n in (15, 1))
    assert receipts_for(CHAIN, hashes, 69) == (receipts_of_69((RECEIPT,)), b"")


@pytest.mark.parametrize("version", [68, 69], ids=["eth/68", "eth/69"])
def test_two_nodes_of_one_chain_give_each_other_blocks(version: int) -> None:
    async def scene() -> None:
        watcher = Joined()
        asking = EthService(MemoryChain(BLOCKS[:5]), watcher=watcher)
        serving = EthService(CHAIN)
        async with handler_pipe(EthHandler(asking, version), EthHandler(serving, version)) as pipe:
            peer = await watcher.peer
            assert peer.head_hash == CHAIN.head.hash
            assert peer.head_number == (None if version == 68 else 40)
            headers = await peer.headers(HeaderQuery(1, 40))
            assert [header.hash for header in headers] == [block.hash for block in BLOCKS[1:]]
            bodies = await peer.bodies((BLOCKS[15].hash, BLOCKS[2].hash))
            assert bodies == (body_of(BLOCKS[15].encode()), body_of(BLOCKS[2].encode()))
            request = GetReceipts(pipe.left.next_request_id(), (BLOCKS[3].hash,))
            reply = await pipe.left.request(request, Receipts, 5)
            assert reply.blocks == receipts_for(CHAIN, (BLOCKS[3].hash,), version)
            assert pipe.left_peer.penalties == pipe.right_peer.penalties == []
        assert asking.peers() == ()

    run(scene)


OTHER_GENESIS = made_blocks(1)[1:]
FORKED = ForkSchedule(BLOCKS[0].hash, (3,))


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        pytest.param(MemoryChain(BLOCKS, NETWORK_ID + 1), "network id 1908", id="network"),
        pytest.param(MemoryChain(OTHER_GENESIS), "genesis 0x", id="genesis"),
        pytest.param(MemoryChain(BLOCKS, forks=FORKED), "fork id 0x", id="forks"),
    ],
)
def test_a_peer_on_another_chain_is_useless(chain: MemoryChain, words: str) -> None:
    async def scene() -> None:
        handler = EthHandler(EthService(CHAIN), 69)
        async with channel_pipe(handler, handler) as pipe:
            await pipe.right.send(own_status(chain, 69, 0))
            with pytest.raises(PeerGone, match=words) as gone:
                await handler.run(pipe.left)
            assert gone.value.reason is DisconnectReason.USELESS_PEER
            assert pipe.left_peer.disconnected is DisconnectReason.USELESS_PEER

    run(scene)


IDENTITY = CHAIN.identity
STATUS = Status69(
    69,
    NETWORK_ID,
    IDENTITY.genesis_hash,
    IDENTITY.fork_id(CHAIN.head),
    0,
    40,
    CHAIN.head.hash,
)


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        pytest.param([NewTransactions(())], "NewTransactions before Status", id="no-status"),
        pytest.param([STATUS, STATUS], "a second Status69", id="two-statuses"),
        pytest.param(
            [STATUS, BlockRangeUpdate(9, 8, CHAIN.head.hash)], "blocks from 9 to 8", id="range"
        ),
    ],
)
def test_what_breaks_the_protocol_ends_the_session(messages: list[Message], words: str) -> None:
    async def scene() -> None:
        handler = EthHandler(EthService(CHAIN), 69)
        async with channel_pipe(handler, handler) as pipe:
            for message in messages:
                await pipe.right.send(message)
            with pytest.raises(Exception, match=words) as refused:
                await handler.run(pipe.left)
            assert type(refused.value).__name__ == "BadMessage"
            pipe.left_peer.disconnect(DisconnectReason.BREACH_OF_PROTOCOL)

    run(scene)


@pytest.mark.parametrize("version", [68, 69], ids=["eth/68", "eth/69"])
@pytest.mark.parametrize("code", [0x01, 0x07], ids=["NewBlockHashes", "NewBlock"])
def test_gossip_of_blocks_ends_a_session_unread_and_bans_nobody(version: int, code: int) -> None:
    async def scene() -> None:
        handler = EthHandler(EthService(CHAIN), version)
        async with channel_pipe(handler, handler) as pipe:
            left = cast(PeerChannel, pipe.left)
            await left.deliver(0, own_status(CHAIN, version, 0).encode())
            assert left.is_wanted(code)
            await left.deliver(code, b"whatever it holds")
            with pytest.raises(PeerGone, match="which EIP-3675 took out") as gone:
                await handler.run(pipe.left)
            assert gone.value.reason is DisconnectReason.SUBPROTOCOL_ERROR
            assert pipe.left_peer.penalties == []

    run(scene)


def test_peers_of_69_hear_how_far_the_chain_goes_once_in_32_blocks() -> None:
    async def scene() -> None:
        watcher = Joined()
        chain = MemoryChain(BLOCKS[:2])
        growing = EthService(chain)
        listening = EthService(CHAIN, watcher=watcher)
        async with handler_pipe(EthHandler(growing, 69), EthHandler(listening, 69)):
            peer = await watcher.peer
            for block in BLOCKS[2:]:
                chain.blocks.append(block)
                growing.head_changed()
            await peer.headers(HeaderQuery(0, 1))
            assert (peer.head_number, peer.head_hash) == (33, BLOCKS[33].hash)

    run(scene)
