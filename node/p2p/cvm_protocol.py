"""The capability `cvm/1`: opens with a status, serves what is asked, routes and passes on the rest.

What a message means is decided by `CvmEvents`: the driver of consensus, the pool of attestations.
A message that they find good goes on to every peer that has not seen it of late.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Protocol, cast

from cvm.evm.rlp_encoding import encode_integer
from node.p2p.cvm_messages import (
    CVM_1,
    MAX_MODELS,
    VERSION,
    Attestation,
    Blocks,
    Certificates,
    Chunk,
    Evidence,
    GetBlocks,
    GetCertificates,
    GetChunk,
    HaveModels,
    NewBlock,
    Qbft,
    Status,
    WantModels,
)
from node.p2p.cvm_peer import CvmPeer
from node.p2p.cvm_serving import ChainSource, CvmServing
from node.p2p.cvm_state_messages import (
    Codes,
    GetCodes,
    GetProof,
    GetStateChunk,
    Proof,
    StateChunk,
)
from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.faults import BadMessage
from node.p2p.protocol import Capability, Channel, Message, Rate
from node.p2p.seen_cache import SeenCache, key_of
from node.p2p.wire_fields import WireMessage, read_block_header

REPLIES: frozenset[type[Message]] = frozenset(
    (Blocks, Certificates, Chunk, StateChunk, Codes, Proof)
)
MESSAGES: Mapping[int, type[WireMessage]] = {
    message.CODE: message
    for message in (
        Status,
        Qbft,
        NewBlock,
        GetBlocks,
        Blocks,
        GetCertificates,
        Certificates,
        HaveModels,
        WantModels,
        GetChunk,
        Chunk,
        Attestation,
        Evidence,
        GetStateChunk,
        StateChunk,
        GetCodes,
        Codes,
        GetProof,
        Proof,
    )
}
RATES: Mapping[type[Message], Rate] = {
    Status: Rate(per_second=0.1, burst=1),
    Qbft: Rate(per_second=1000, burst=10_000),
    NewBlock: Rate(per_second=100, burst=1000),
    GetBlocks: Rate(per_second=50, burst=200),
    GetCertificates: Rate(per_second=50, burst=200),
    HaveModels: Rate(per_second=5, burst=100),
    WantModels: Rate(per_second=5, burst=100),
    GetChunk: Rate(per_second=400, burst=1000),
    Attestation: Rate(per_second=100, burst=2000),
    Evidence: Rate(per_second=5, burst=50, bytes_per_message=1 << 20),
    GetStateChunk: Rate(per_second=200, burst=400),
    GetCodes: Rate(per_second=50, burst=100),
    GetProof: Rate(per_second=50, burst=200),
}
STATUS_TIMEOUT_S = 10.0
REPEATED_WITHIN_S = 0.5
"""What several peers bring within this time is handed on once; a sender's own repeats are a second
apart."""
SEEN_MESSAGES = 1 << 16

Gossip = Qbft | NewBlock | Attestation | Evidence


class Forks(Protocol):
    """Which forks a chain has passed at a height (EIP-2124)."""

    def fork_id_at(self, height: int) -> tuple[bytes, int]:
        """Return what a node with this head says of its forks."""

    def fits(self, theirs: tuple[bytes, int], height: int) -> bool:
        """Tell whether a peer may be on our chain, our head being at this height."""


class CvmEvents(Protocol):
    """What hears of peers and of what they send. True: the message is good, pass it on."""

    def peer_joined(self, peer: CvmPeer) -> None:
        """Hear of a peer that is on our chain."""

    def peer_left(self, peer: CvmPeer) -> None:
        """Hear that a peer is gone."""

    async def qbft(self, peer: CvmPeer, message: Qbft) -> bool:
        """Take a consensus message."""

    async def new_block(self, peer: CvmPeer, message: NewBlock) -> bool:
        """Take a final block."""

    async def attestation(self, peer: CvmPeer, message: Attestation) -> bool:
        """Take a validator's signature under a model's record."""

    async def evidence(self, peer: CvmPeer, message: Evidence) -> bool:
        """Take proof that a validator signed two things."""

    def models_offered(self, peer: CvmPeer) -> None:
        """Hear that a peer's `models` grew."""

    def models_wanted(self, peer: CvmPeer, model_ids: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Return which of the models that a peer lacks are served here."""


class OtherChain(Exception):
    """A peer is on another chain, or on another fork of ours."""


class CvmProtocol:
    """One `Handler` for all peers; `serving` answers on a thread of its own."""

    def __init__(
        self,
        source: ChainSource,
        chain_id: int,
        genesis_hash: bytes,
        forks: Forks,
        events: CvmEvents,
        executor: Executor,
        serving: CvmServing | None = None,
    ) -> None:
        self._source = source
        self._chain_id = chain_id
        self._genesis_hash = genesis_hash
        self._forks = forks
        self._events = events
        self._executor = executor
        self._serving = serving or CvmServing(source)
        self._peers: dict[bytes, CvmPeer] = {}
        self._heard = SeenCache(SEEN_MESSAGES, REPEATED_WITHIN_S)

    @property
    def capability(self) -> Capability:
        """Return cvm/1."""
        return CVM_1

    @property
    def messages(self) -> Mapping[int, type[Message]]:
        """Return the message classes by code."""
        return MESSAGES

    @property
    def replies(self) -> frozenset[type[Message]]:
        """Return the classes that only answer requests."""
        return REPLIES

    @property
    def rates(self) -> Mapping[type[Message], Rate]:
        """Return how often a peer may send what."""
        return RATES

    def peers(self) -> tuple[CvmPeer, ...]:
        """Return the peers on our chain, by node id."""
        return tuple(peer for _node_id, peer in sorted(self._peers.items()))

    async def run(self, channel: Channel) -> None:
        """Talk to one peer until it is gone."""
        status = await self._greet(channel)
        try:
            self._expect_our_chain(status)
        except OtherChain:
            channel.peer.disconnect(DisconnectReason.USELESS_PEER)
            return
        peer = CvmPeer(channel, status)
        self._peers[peer.node_id] = peer
        self._events.peer_joined(peer)
        try:
            while True:
                await self.take(peer, cast(WireMessage, await channel.receive()))
        finally:
            if self._peers.get(peer.node_id) is peer:
                del self._peers[peer.node_id]
            self._events.peer_left(peer)

    async def _greet(self, channel: Channel) -> Status:
        """Send our status and return the peer's, which must come first."""
        await channel.send(self.status())
        try:
            async with asyncio.timeout(STATUS_TIMEOUT_S):
                first = await channel.receive()
        except TimeoutError:
            raise BadMessage(f"no status within {STATUS_TIMEOUT_S} s") from None
        if not isinstance(first, Status):
            raise BadMessage(f"{type(first).__name__} before the status")
        return first

    def status(self) -> Status:
        """Return what this node says of itself."""
        head = self._source.head()
        height = head.block_number
        return Status(
            VERSION,
            self._chain_id,
            self._genesis_hash,
            self._forks.fork_id_at(height),
            height,
            head.hash,
            self._source.earliest_height(),
        )

    def _expect_our_chain(self, status: Status) -> None:
        ours = (VERSION, self._chain_id, self._genesis_hash)
        if (status.version, status.chain_id, status.genesis_hash) != ours:
            raise OtherChain
        if not self._forks.fits(status.fork_id, self._source.head().block_number):
            raise OtherChain

    async def take(self, peer: CvmPeer, message: WireMessage) -> None:
        """Serve, route or pass on one message of a peer; raises `BadMessage` or `PeerGone`."""
        match message:
            case Qbft() | NewBlock() | Attestation() | Evidence():
                await self._hear(peer, message)
            case HaveModels():
                peer.has_models(message.model_ids)
                self._events.models_offered(peer)
            case WantModels():
                await self._offer_models(peer, message)
            case Status():
                raise BadMessage("a second status")
            case _:
                loop = asyncio.get_running_loop()
                reply = await loop.run_in_executor(self._executor, self._serving.answer, message)
                if reply is not None:
                    await peer.send(reply)

    async def _hear(self, peer: CvmPeer, message: Gossip) -> None:
        """Hand a message on, once of those that come at the same time; then pass it on."""
        now_s = asyncio.get_running_loop().time()
        peer.known.add(gossip_key(message), now_s)
        if isinstance(message, NewBlock):
            peer.reached(height_of(message))
        if not self._heard.add(heard_key(message), now_s):
            return
        if await self._is_good(peer, message):
            self.spread(message)

    async def _is_good(self, peer: CvmPeer, message: Gossip) -> bool:
        match message:
            case Qbft():
                return await self._events.qbft(peer, message)
            case NewBlock():
                return await self._events.new_block(peer, message)
            case Attestation():
                return await self._events.attestation(peer, message)
            case Evidence():
                return await self._events.evidence(peer, message)

    async def _offer_models(self, peer: CvmPeer, message: WantModels) -> None:
        peer.wanted = set(message.model_ids)
        offered = self._events.models_wanted(peer, message.model_ids)
        if offered:
            await peer.send(HaveModels(offered[:MAX_MODELS]))

    def broadcast(self, message: Gossip) -> int:
        """Send a message of our own to every peer, also to those that had it; return how many."""
        key = gossip_key(message)
        now_s = asyncio.get_running_loop().time()
        self._heard.add(heard_key(message), now_s)
        sent = 0
        for peer in self.peers():
            if isinstance(message, NewBlock) and peer.known.has(key, now_s):
                continue
            peer.known.add(key, now_s)
            sent += peer.try_send(message)
        return sent

    def announce_model(self, model_id: bytes) -> None:
        """Tell the peers that lack a model that it is served here now."""
        for peer in self.peers():
            if model_id in peer.wanted and peer.try_send(HaveModels((model_id,))):
                peer.wanted.discard(model_id)

    def want_models(self, model_ids: tuple[bytes, ...]) -> None:
        """Tell every peer which models are missing here."""
        for peer in self.peers():
            peer.try_send(WantModels(model_ids[:MAX_MODELS]))

    def spread(self, message: Gossip) -> None:
        """Send a message to the peers that have not seen it of late."""
        key = gossip_key(message)
        now_s = asyncio.get_running_loop().time()
        for peer in self.peers():
            if peer.known.add(key, now_s) and not peer.try_send(message):
                peer.known.forget(key)


def gossip_key(message: Gossip) -> bytes:
    """Return what a peer knows a message by: a block by its bytes, whatever its certificate."""
    if isinstance(message, NewBlock):
        return key_of(b"block", message.block)
    if isinstance(message, Qbft):
        return key_of(b"qbft", encode_integer(message.code), message.message)
    return key_of(type(message).__name__.encode(), message.encode())


def heard_key(message: Gossip) -> bytes:
    """Return what a message is heard once by: all of it, lest a forged certificate hide a good one.

    That is why it is not the key of `gossip_key`.
    """
    return key_of(type(message).__name__.encode(), message.encode())


def height_of(message: NewBlock) -> int:
    """Return the height of an announced block; raises `BadMessage`."""
    return read_block_header(message.block).block_number
