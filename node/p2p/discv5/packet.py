"""Packets of discv5.1: the masked header in its three forms, to and from datagrams.

Format: devp2p, discv5/discv5-wire.md, "Packet Encoding".
"""

from dataclasses import dataclass
from typing import TypeAlias

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from node.p2p.discv5.identity import NODE_ID_BYTES, PUBLIC_KEY_BYTES, SIGNATURE_BYTES
from node.p2p.faults import BadMessage

PROTOCOL = b"discv5\x00\x01"
"""Protocol id and version."""

IV_BYTES = 16
NONCE_BYTES = 12
ID_NONCE_BYTES = 16
SEQ_BYTES = 8
MASKING_KEY_BYTES = 16
STATIC_HEADER_BYTES = len(PROTOCOL) + 1 + NONCE_BYTES + 2
MIN_PACKET_BYTES = IV_BYTES + STATIC_HEADER_BYTES + ID_NONCE_BYTES + SEQ_BYTES
"""63: no packet is shorter than a WHOAREYOU, so that answering one with it amplifies nothing."""
MAX_PACKET_BYTES = 1280
HANDSHAKE_SIZES = bytes((SIGNATURE_BYTES, PUBLIC_KEY_BYTES))
HANDSHAKE_BYTES = NODE_ID_BYTES + len(HANDSHAKE_SIZES) + SIGNATURE_BYTES + PUBLIC_KEY_BYTES
ORDINARY, WHO_ARE_YOU, HANDSHAKE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Ordinary:
    """The header of a message under keys that both sides have."""

    source: bytes

    def encode(self) -> bytes:
        """Return the authdata."""
        return self.source


@dataclass(frozen=True, slots=True)
class WhoAreYou:
    """The header that asks the sender of a packet to prove its identity."""

    id_nonce: bytes
    record_seq: int

    def encode(self) -> bytes:
        """Return the authdata."""
        return self.id_nonce + self.record_seq.to_bytes(SEQ_BYTES, "big")


@dataclass(frozen=True, slots=True)
class Handshake:
    """The header that answers a WHOAREYOU; `record` is RLP, empty where the other has it."""

    source: bytes
    id_signature: bytes
    ephemeral_key: bytes
    record: bytes

    def encode(self) -> bytes:
        """Return the authdata."""
        proof = self.id_signature + self.ephemeral_key
        return self.source + HANDSHAKE_SIZES + proof + self.record


Header: TypeAlias = Ordinary | WhoAreYou | Handshake
FLAGS: dict[type[Header], int] = {Ordinary: ORDINARY, WhoAreYou: WHO_ARE_YOU, Handshake: HANDSHAKE}


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet with its mask taken off; `authenticated` is what the message's MAC covers too."""

    header: Header
    nonce: bytes
    message: bytes
    authenticated: bytes


def authenticated_bytes(iv: bytes, nonce: bytes, header: Header) -> bytes:
    """Return IV and plain header: the additional data of the message, or the challenge data."""
    authdata = header.encode()
    static = PROTOCOL + bytes((FLAGS[type(header)],)) + nonce + len(authdata).to_bytes(2, "big")
    return iv + static + authdata


def encode_packet(destination: bytes, authenticated: bytes, message: bytes = b"") -> bytes:
    """Return the datagram for a node: the header masked with its id, and the sealed message."""
    iv, header = authenticated[:IV_BYTES], authenticated[IV_BYTES:]
    return iv + _mask(destination, iv, header) + message


def decode_packet(own_id: bytes, datagram: bytes) -> Packet:
    """Take the mask off a datagram from outside; raises `BadMessage`."""
    if not MIN_PACKET_BYTES <= len(datagram) <= MAX_PACKET_BYTES:
        raise BadMessage(
            f"a packet of {len(datagram)} bytes, not {MIN_PACKET_BYTES} to {MAX_PACKET_BYTES}"
        )
    iv = datagram[:IV_BYTES]
    plain = _mask(own_id, iv, datagram[IV_BYTES:])  # CTR: what follows the header is unused
    if plain[: len(PROTOCOL)] != PROTOCOL:
        raise BadMessage("not a packet of discv5.1 for this node")
    flag = plain[len(PROTOCOL)]
    nonce = plain[len(PROTOCOL) + 1 : STATIC_HEADER_BYTES - 2]
    end = STATIC_HEADER_BYTES + int.from_bytes(
        plain[STATIC_HEADER_BYTES - 2 : STATIC_HEADER_BYTES], "big"
    )
    if IV_BYTES + end > len(datagram):
        raise BadMessage("the header ends after the packet")
    header = _decode_header(flag, plain[STATIC_HEADER_BYTES:end])
    message = datagram[IV_BYTES + end :]
    if isinstance(header, WhoAreYou) and message:
        raise BadMessage("a WHOAREYOU packet carries no message")
    return Packet(header, nonce, message, iv + plain[:end])


def _decode_header(flag: int, authdata: bytes) -> Header:
    """Return the header of a flag; raises `BadMessage`."""
    if flag == ORDINARY:
        if len(authdata) != NODE_ID_BYTES:
            raise BadMessage(f"an ordinary header with {len(authdata)} bytes of authdata")
        return Ordinary(authdata)
    if flag == WHO_ARE_YOU:
        if len(authdata) != ID_NONCE_BYTES + SEQ_BYTES:
            raise BadMessage(f"a WHOAREYOU header with {len(authdata)} bytes of authdata")
        return WhoAreYou(
            authdata[:ID_NONCE_BYTES], int.from_bytes(authdata[ID_NONCE_BYTES:], "big")
        )
    if flag == HANDSHAKE:
        return _decode_handshake(authdata)
    raise BadMessage(f"no packet has flag {flag}")


def _decode_handshake(authdata: bytes) -> Handshake:
    """Return the header of a handshake packet; raises `BadMessage`."""
    start = NODE_ID_BYTES + len(HANDSHAKE_SIZES)
    if len(authdata) < HANDSHAKE_BYTES or authdata[NODE_ID_BYTES:start] != HANDSHAKE_SIZES:
        raise BadMessage("a handshake header has a signature of 64 bytes and a key of 33")
    middle = start + SIGNATURE_BYTES
    return Handshake(
        source=authdata[:NODE_ID_BYTES],
        id_signature=authdata[start:middle],
        ephemeral_key=authdata[middle:HANDSHAKE_BYTES],
        record=authdata[HANDSHAKE_BYTES:],
    )


def _mask(node_id: bytes, iv: bytes, data: bytes) -> bytes:
    """Return bytes xored with the key stream of a node id; the same call takes it off again."""
    return Cipher(AES(node_id[:MASKING_KEY_BYTES]), CTR(iv)).encryptor().update(data)
