"""A peer that speaks cvm/1 on our chain: what it says of itself, and what can be asked of it."""

from collections.abc import Iterable

from node.p2p.cvm_messages import (
    MAX_MODELS,
    Blocks,
    Certificates,
    Chunk,
    GetBlocks,
    GetCertificates,
    GetChunk,
    Status,
)
from node.p2p.cvm_state_messages import (
    Codes,
    GetCodes,
    GetProof,
    GetStateChunk,
    Proof,
    StateChunk,
)
from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.protocol import Channel
from node.p2p.seen_cache import SeenCache
from node.p2p.wire_fields import WireMessage

KNOWN_MESSAGES = 8192
KNOWN_FOR_S = 4.0
"""What comes again later than this is passed on again: the first time may have been in vain."""
REQUEST_TIMEOUT_S = 10.0


class CvmPeer:
    """One open channel after its handshake. Requests raise `RequestTimedOut` or `PeerGone`.

    `height` is the highest that it claims or has shown, `models` those that it serves, `wanted`
    those that it lacks; `known` are messages that it has sent or been sent.
    """

    def __init__(self, channel: Channel, status: Status) -> None:
        self._channel = channel
        self.status = status
        self.height = status.height
        self.earliest_height = status.earliest_height
        self.models: set[bytes] = set()
        self.wanted: set[bytes] = set()
        self.known = SeenCache(KNOWN_MESSAGES, KNOWN_FOR_S)

    @property
    def node_id(self) -> bytes:
        """Return its public key."""
        return self._channel.peer.node_id

    @property
    def is_open(self) -> bool:
        """Tell whether the session goes on."""
        return self._channel.is_open

    def penalise(self, points: int, reason: str) -> None:
        """Score it down."""
        self._channel.peer.penalise(points, reason)

    def disconnect(self, reason: DisconnectReason) -> None:
        """End the session."""
        self._channel.peer.disconnect(reason)

    def reached(self, height: int) -> None:
        """Note a height that it says it has."""
        self.height = max(self.height, height)

    def lacks_block(self, height: int) -> None:
        """Note that it could not give a block that it claimed."""
        self.height = min(self.height, height - 1)

    def has_models(self, model_ids: Iterable[bytes]) -> None:
        """Note models that it serves; of more than `MAX_MODELS`, the first ones."""
        self.models.update(model_ids)
        while len(self.models) > MAX_MODELS:
            self.models.pop()

    def try_send(self, message: WireMessage) -> bool:
        """Send without waiting; tell whether there was room."""
        return self._channel.try_send(message)

    async def send(self, message: WireMessage) -> None:
        """Send; raises `PeerGone`."""
        await self._channel.send(message)

    async def blocks(self, start: int, count: int) -> Blocks:
        """Ask for blocks from a height upwards."""
        request = GetBlocks(self._channel.next_request_id(), start, count)
        return await self._channel.request(request, Blocks, REQUEST_TIMEOUT_S)

    async def certificates(self, start: int, count: int) -> Certificates:
        """Ask for certificates from a height upwards."""
        request = GetCertificates(self._channel.next_request_id(), start, count)
        return await self._channel.request(request, Certificates, REQUEST_TIMEOUT_S)

    async def chunk(self, model_id: bytes, index: int) -> Chunk:
        """Ask for a chunk of a model."""
        request = GetChunk(self._channel.next_request_id(), model_id, index)
        return await self._channel.request(request, Chunk, REQUEST_TIMEOUT_S)

    async def state_chunk(self, state_root: bytes, account: bytes, prefix: bytes) -> StateChunk:
        """Ask for the leaves of a state, or of an account's storage, below a prefix."""
        request_id = self._channel.next_request_id()
        request = GetStateChunk(request_id, state_root, account, prefix)
        return await self._channel.request(request, StateChunk, REQUEST_TIMEOUT_S)

    async def codes(self, code_hashes: tuple[bytes, ...]) -> Codes:
        """Ask for codes."""
        request = GetCodes(self._channel.next_request_id(), code_hashes)
        return await self._channel.request(request, Codes, REQUEST_TIMEOUT_S)

    async def proof(self, block_hash: bytes, address: bytes, slots: tuple[int, ...]) -> Proof:
        """Ask for a header and a proof of an account and slots in its state."""
        request = GetProof(self._channel.next_request_id(), block_hash, address, slots)
        return await self._channel.request(request, Proof, REQUEST_TIMEOUT_S)
