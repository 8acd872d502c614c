"""Blocks from peers over pipes: in order, from several at once, and never from who lies."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from consensus.ethereum.ethereum_block import EthereumBlock
from node.p2p import eth_answers, eth_download
from node.p2p.eth_answers import body_of
from node.p2p.eth_block_parts import empty_body, join
from node.p2p.eth_download import EthDownload, NobodyToAsk
from node.p2p.eth_handler import EthHandler, EthService
from node.p2p.faults import BadMessage
from tests.p2p_pipe import Pipe, handler_pipe
from tests.unit.node.p2p.eth_world import MemoryChain, made_blocks

BLOCKS = made_blocks(300)
RAWS = [block.encode() for block in BLOCKS]
BESIDE = made_blocks(300, extra=b"beside")
"""Another chain on the same block 0."""


def run(scene: Callable[[], Coroutine[None, None, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await scene()

    asyncio.run(bounded())


@asynccontextmanager
async def downloading(
    chains: Sequence[MemoryChain], here: int = 0, version: int = 69
) -> AsyncIterator[tuple[EthDownload, list[Pipe]]]:
    """Run a download from block `here` on, with a peer for each chain."""
    download = EthDownload(BLOCKS[here].header, expected=len(chains))
    async with AsyncExitStack() as stack:
        pipes = []
        for number, chain in enumerate(chains):
            asking = EthService(MemoryChain(BLOCKS[: here + 1]), watcher=download)
            pipe = await stack.enter_async_context(
                handler_pipe(EthHandler(asking, version), EthHandler(EthService(chain), version))
            )
            pipe.left_peer.node_id = bytes([number + 1]) * 64
            pipes.append(pipe)
        running = asyncio.ensure_future(download.run())
        try:
            yield download, pipes
        finally:
            await download.end()
            await running


async def all_blocks(download: EthDownload) -> list[bytes]:
    found: list[bytes] = []
    while raws := await download.next_blocks():
        found.extend(raws)
    return found


@pytest.mark.parametrize("version", [68, 69], ids=["eth/68", "eth/69"])
@pytest.mark.parametrize("peers", [1, 3], ids=["one-peer", "three-peers"])
@pytest.mark.parametrize("here", [0, 130], ids=["from-block-0", "from-block-130"])
def test_every_block_comes_in_order(version: int, peers: int, here: int) -> None:
    async def scene() -> None:
        chains = [MemoryChain(BLOCKS) for _ in range(peers)]
        async with downloading(chains, here, version) as (download, pipes):
            assert await all_blocks(download) == RAWS[here + 1 :]
            assert download.target == 300
            assert all(pipe.left_peer.penalties == [] for pipe in pipes)

    run(scene)


def test_short_answers_are_asked_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eth_answers, "SOFT_RESPONSE_BYTES", 3_000)

    async def scene() -> None:
        async with downloading([MemoryChain(BLOCKS[:100])]) as (download, _pipes):
            assert await all_blocks(download) == RAWS[1:100]

    run(scene)


def test_who_has_nothing_new_gives_nothing() -> None:
    async def scene() -> None:
        async with downloading([MemoryChain(BLOCKS[:10])], 20) as (download, _pipes):
            assert await all_blocks(download) == []

    run(scene)


class Liar(MemoryChain):
    """A chain that serves another body for a block."""

    def block_bytes(self, block_hash: bytes) -> bytes | None:
        if block_hash == BLOCKS[30].hash:
            return BLOCKS[33].encode()
        return super().block_bytes(block_hash)


class Miser(MemoryChain):
    """A chain that gives no bodies."""

    def block_bytes(self, block_hash: bytes) -> bytes | None:
        return None


class Gap(MemoryChain):
    """A chain whose headers do not stand on each other."""

    def hash_at(self, number: int) -> bytes | None:
        return super().hash_at(number if number != 40 else 41)


LIES = [
    pytest.param(Liar(BLOCKS), "the body of block 30: transactionsRoot is 0x", id="wrong-body"),
    pytest.param(Miser(BLOCKS), "it gives no body of block 3", id="no-body"),
    pytest.param(Gap(BLOCKS), "header 41 in place of 40", id="a-gap"),
    pytest.param(MemoryChain(BESIDE), "block 1 stands on 0x", id="another-chain"),
]


@pytest.mark.parametrize(("chain", "words"), LIES)
def test_a_liar_alone_ends_the_download_with_its_lie(chain: MemoryChain, words: str) -> None:
    if words.startswith("block 1 "):
        chain = MemoryChain([BLOCKS[0], *BESIDE[2:]])

    async def scene() -> None:
        async with downloading([chain]) as (download, pipes):
            with pytest.raises(NobodyToAsk, match="no peer to ask for block"):
                await all_blocks(download)
            assert [points for points, _reason in pipes[0].left_peer.penalties] == [100]

    run(scene)


@pytest.mark.parametrize(
    "chain",
    [pytest.param(Liar(BLOCKS), id="wrong-body"), pytest.param(Gap(BLOCKS), id="a-gap")],
)
def test_what_a_liar_does_not_give_is_asked_of_others(chain: MemoryChain) -> None:
    async def scene() -> None:
        async with downloading([chain, MemoryChain(BLOCKS)]) as (download, _pipes):
            assert await all_blocks(download) == RAWS[1:]

    run(scene)


def test_who_gave_a_block_that_an_import_refuses_is_left() -> None:
    async def scene() -> None:
        beside = MemoryChain(BESIDE)
        async with downloading([beside, MemoryChain(BLOCKS)]) as (download, pipes):
            first = await download.next_blocks()
            gave = 1 if first[0] == RAWS[1] else 0
            assert download.blame(1, "block 1: stateRoot", BLOCKS[0].header)
            assert pipes[gave].left_peer.penalties == [(100, "block 1: stateRoot")]
            rest = await all_blocks(download)
            assert rest == ([block.encode() for block in BESIDE[1:]] if gave else RAWS[1:])
            assert not download.blame(300, "block 300: stateRoot", BLOCKS[299].header)

    run(scene)


def test_a_download_without_peers_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eth_download, "PEERLESS_TIMEOUT_S", 0.01)

    async def scene() -> None:
        async with downloading([]) as (download, _pipes):
            with pytest.raises(NobodyToAsk, match="block 1: no session was opened"):
                await download.next_blocks()

    run(scene)


def test_peers_on_another_network_end_it_with_the_difference() -> None:
    async def scene() -> None:
        async with downloading([MemoryChain(BLOCKS, 7)]) as (download, _pipes):
            with pytest.raises(NobodyToAsk, match="network id"):
                await download.next_blocks()

    run(scene)


def test_an_empty_body_needs_no_question() -> None:
    full, empty = BLOCKS[15], BLOCKS[1]
    assert empty_body(full.header) is None
    assert join(empty.header, empty_body(empty.header) or b"").raw == empty.encode()
    assert join(full.header, body_of(full.encode())).raw == full.encode()


def changed(block: EthereumBlock, **parts: object) -> bytes:
    return body_of(replace(block, **parts).encode())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(changed(BLOCKS[15], transactions=()), "transactionsRoot", id="transactions"),
        pytest.param(
            changed(BLOCKS[15], ommers=(BLOCKS[1].header,)), "sha3Uncles is 0x", id="ommers"
        ),
        pytest.param(changed(BLOCKS[15], withdrawals=()), "withdrawalsRoot is 0x", id="paid"),
        pytest.param(changed(BLOCKS[15], withdrawals=None), "too few elements", id="old-form"),
        pytest.param(b"\xc1\x80\xc0\xc0", "an empty transaction", id="empty-transaction"),
        pytest.param(b"\xff", "", id="no-rlp"),
    ],
)
def test_a_body_must_be_that_of_its_header(body: bytes, words: str) -> None:
    with pytest.raises(BadMessage) as refused:
        join(BLOCKS[15].header, body)
    assert "the body of block 15: " in str(refused.value)
    assert words in str(refused.value)
