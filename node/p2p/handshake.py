"""The two messages that open an RLPx session, and the secrets that follow from them (EIP-8).

The initiator sends `auth`, the responder answers `ack`; each proves its static key and brings an
ephemeral one, so that recorded sessions stay closed when a static key is lost. Both messages may
carry more fields than are known here, and random bytes after their list. The older form without a
length prefix, which no node has sent for years, is not taken.
"""

from dataclasses import dataclass
from itertools import chain

from coincurve import PrivateKey, PublicKey

from cvm.evm.keccak import keccak256
from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from cvm.evm.strict_rlp import BadRlp, Item, decode_rlp, read_header
from node.p2p.ecies import (
    NODE_ID_BYTES,
    OVERHEAD_BYTES,
    Draw,
    agree,
    decrypt,
    draw_key,
    encrypt,
    node_id_of,
    point_of,
)
from node.p2p.faults import BadMessage
from node.p2p.frames import FrameReader, FrameWriter

VERSION = 4
NONCE_BYTES = 32
SIGNATURE_BYTES = 65
SIZE_BYTES = 2
MAX_PACKET_BYTES = 2048
"""EIP-8 leaves room for growth; no implementation sends or takes more."""
MIN_PADDING_BYTES = 100
"""EIP-8: random padding of 100 to 300 bytes, so that packets have no telling size."""


@dataclass(frozen=True, slots=True)
class Hand:
    """What one side brings to a handshake: its static key, and a key and a nonce for this once."""

    static: PrivateKey
    ephemeral: PrivateKey
    nonce: bytes

    @classmethod
    def draw(cls, static: PrivateKey, draw: Draw) -> "Hand":
        """Draw what is needed once."""
        return cls(static, draw_key(draw), draw(NONCE_BYTES))


@dataclass(frozen=True, slots=True)
class Greeting:
    """What one side learns of the other: who it is, its ephemeral key and its nonce."""

    node_id: bytes
    ephemeral: PublicKey
    nonce: bytes


@dataclass(frozen=True, slots=True)
class Secrets:
    """The keys of both ciphers, and what the running hash of each direction starts with."""

    aes: bytes
    mac: bytes
    egress_seed: bytes
    ingress_seed: bytes

    def frames(self) -> tuple[FrameReader, FrameWriter]:
        """Return what opens and what seals the frames of a session that starts now."""
        return (
            FrameReader(self.aes, self.mac, self.ingress_seed),
            FrameWriter(self.aes, self.mac, self.egress_seed),
        )


def make_auth(hand: Hand, remote_id: bytes, draw: Draw) -> bytes:
    """Return the initiator's packet; raises `BadMessage` where `remote_id` is no public key."""
    token = agree(hand.static, point_of(remote_id))
    signature = hand.ephemeral.sign_recoverable(_xor(token, hand.nonce), hasher=None)
    fields = (signature, node_id_of(hand.static), hand.nonce)
    return _seal(fields, remote_id, draw)


def read_auth(static: PrivateKey, packet: bytes) -> Greeting:
    """Open the initiator's packet; raises `BadMessage` unless its sender has the key it names."""
    signature, node_id, nonce = _open(static, packet, (SIGNATURE_BYTES, NODE_ID_BYTES, NONCE_BYTES))
    token = agree(static, point_of(node_id))
    try:
        ephemeral = PublicKey.from_signature_and_message(signature, _xor(token, nonce), hasher=None)
    except ValueError as error:
        raise BadMessage("auth has a signature of nobody") from error
    return Greeting(node_id, ephemeral, nonce)


def make_ack(hand: Hand, remote_id: bytes, draw: Draw) -> bytes:
    """Return the responder's packet."""
    return _seal((node_id_of(hand.ephemeral), hand.nonce), remote_id, draw)


def read_ack(static: PrivateKey, remote_id: bytes, packet: bytes) -> Greeting:
    """Open the responder's packet; raises `BadMessage`.

    That the responder is `remote_id` shows in the first frame: it could open `auth`.
    """
    ephemeral, nonce = _open(static, packet, (NODE_ID_BYTES, NONCE_BYTES))
    return Greeting(remote_id, point_of(ephemeral), nonce)


def packet_rest(size: bytes) -> int:
    """Return how many bytes follow the two of a packet's size; raises `BadMessage`."""
    rest = int.from_bytes(size, "big")
    if not OVERHEAD_BYTES < rest <= MAX_PACKET_BYTES:
        raise BadMessage(f"a handshake packet of {rest} bytes, at most {MAX_PACKET_BYTES}")
    return rest


def derive_secrets(
    hand: Hand, remote: Greeting, auth: bytes, ack: bytes, *, is_initiator: bool
) -> Secrets:
    """Return the secrets of a session from both packets and what they held."""
    ephemeral_secret = agree(hand.ephemeral, remote.ephemeral)
    nonces = (remote.nonce, hand.nonce) if is_initiator else (hand.nonce, remote.nonce)
    shared = keccak256(ephemeral_secret + keccak256(b"".join(nonces)))
    aes = keccak256(ephemeral_secret + shared)
    mac = keccak256(ephemeral_secret + aes)
    sent, received = (auth, ack) if is_initiator else (ack, auth)
    return Secrets(aes, mac, _xor(mac, remote.nonce) + sent, _xor(mac, hand.nonce) + received)


def _seal(fields: tuple[bytes, ...], remote_id: bytes, draw: Draw) -> bytes:
    """Return a packet of these fields and the version, padded to a size that says nothing."""
    items = chain(map(encode_bytes, fields), (encode_integer(VERSION),))
    body = encode_list(b"".join(items))
    body += draw(MIN_PADDING_BYTES + draw(1)[0] % 200)
    size = (len(body) + OVERHEAD_BYTES).to_bytes(SIZE_BYTES, "big")
    return size + encrypt(remote_id, body, size, draw)


def _open(static: PrivateKey, packet: bytes, sizes: tuple[int, ...]) -> list[bytes]:
    """Return the first fields of a packet, which have these sizes; raises `BadMessage`."""
    body = decrypt(static, packet[SIZE_BYTES:], packet[:SIZE_BYTES])
    try:
        is_list, _, end = read_header(body, 0, len(body)) if body else (False, 0, 0)
        items: Item = decode_rlp(body[:end]) if is_list else b""
    except (BadRlp, IndexError) as error:
        raise BadMessage(f"a handshake packet that is not RLP: {error}") from error
    if not isinstance(items, list) or len(items) < len(sizes):
        raise BadMessage("a handshake packet with too few fields")
    fields = [item for item in items[: len(sizes)] if isinstance(item, bytes)]
    if tuple(map(len, fields)) != sizes:
        raise BadMessage(f"a handshake packet whose fields have not the sizes {sizes}")
    return fields


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(32, "big")
