"""Encrypts one message to a public key: ECIES as the RLPx handshake has it.

Packet: ephemeral public key (65 bytes) || IV (16) || AES-128-CTR(message) || HMAC-SHA256 (32).
Key derivation is NIST SP 800-56's concatenation with SHA-256; "ECIES Encryption" in the RLPx
specification (ethereum/devp2p, rlpx.md).
"""

import hmac
from collections.abc import Callable
from hashlib import sha256

from coincurve import PrivateKey, PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from node.p2p.faults import BadMessage

Draw = Callable[[int], bytes]
"""Gives so many random bytes."""

UNCOMPRESSED = b"\x04"
POINT_BYTES = 65
NODE_ID_BYTES = 64
IV_BYTES = 16
TAG_BYTES = 32
OVERHEAD_BYTES = POINT_BYTES + IV_BYTES + TAG_BYTES


def node_id_of(key: PrivateKey) -> bytes:
    """Return the 64 bytes of a key's public point, by which the network knows a node."""
    return node_id_of_point(key.public_key)


def node_id_of_point(point: PublicKey) -> bytes:
    """Return the 64 bytes of a public point."""
    encoded: bytes = point.format(compressed=False)
    return encoded[1:]


def point_of(node_id: bytes) -> PublicKey:
    """Return the public point of a node; raises `BadMessage` where it is not on the curve."""
    if len(node_id) != NODE_ID_BYTES:
        raise BadMessage(f"a public key of {len(node_id)} bytes, must be {NODE_ID_BYTES}")
    try:
        return PublicKey(UNCOMPRESSED + node_id)
    except ValueError as error:
        raise BadMessage("a public key that is not on the curve") from error


def agree(key: PrivateKey, point: PublicKey) -> bytes:
    """Return the x coordinate (32 bytes) of the shared point: Diffie and Hellman's secret."""
    shared: bytes = point.multiply(key.secret).format(compressed=True)
    return shared[1:]


def encrypt(node_id: bytes, message: bytes, shared_data: bytes, draw: Draw) -> bytes:
    """Return the packet that only the node can open; `shared_data` is authenticated with it."""
    key = draw_key(draw)
    cipher_key, mac_key = _derive(agree(key, point_of(node_id)))
    iv = draw(IV_BYTES)
    sealed = iv + _stream(cipher_key, iv).update(message)
    tag = _tag(mac_key, sealed + shared_data)
    return UNCOMPRESSED + node_id_of(key) + sealed + tag


def decrypt(key: PrivateKey, packet: bytes, shared_data: bytes) -> bytes:
    """Return the message in a packet; raises `BadMessage`."""
    if len(packet) < OVERHEAD_BYTES or packet[:1] != UNCOMPRESSED:
        raise BadMessage("not an ECIES packet")
    point = point_of(packet[1:POINT_BYTES])
    cipher_key, mac_key = _derive(agree(key, point))
    sealed, tag = packet[POINT_BYTES:-TAG_BYTES], packet[-TAG_BYTES:]
    if not hmac.compare_digest(tag, _tag(mac_key, sealed + shared_data)):
        raise BadMessage("the tag of an ECIES packet is wrong")
    return _stream(cipher_key, sealed[:IV_BYTES]).update(sealed[IV_BYTES:])


def draw_key(draw: Draw) -> PrivateKey:
    """Return a new key."""
    while True:
        try:
            return PrivateKey(draw(32))
        except ValueError:  # zero, or not below the order: as likely as never
            continue


def _derive(secret: bytes) -> tuple[bytes, bytes]:
    """Return the keys for the cipher (16 bytes) and for the tag (32)."""
    material = sha256(b"\0\0\0\1" + secret).digest()
    return material[:16], sha256(material[16:]).digest()


def _tag(mac_key: bytes, data: bytes) -> bytes:
    return hmac.digest(mac_key, data, "sha256")


def _stream(cipher_key: bytes, iv: bytes) -> CipherContext:
    return Cipher(AES(cipher_key), CTR(iv)).encryptor()
