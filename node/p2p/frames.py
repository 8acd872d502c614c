"""Frames of an RLPx session: encrypted, and each authenticated with all that went before.

A frame is a header (16 bytes: size, then header data that nobody reads) and its MAC (16), the
content padded to 16 and its MAC (16). The cipher is AES-256-CTR, the MAC a running keccak256
stirred with AES ("Framing" in the RLPx specification).
"""

import hmac

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR, ECB
from sha3 import keccak_256

from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.faults import PeerGone

BLOCK_BYTES = 16
MAC_BYTES = 16
HEADER_BYTES = BLOCK_BYTES + MAC_BYTES
MAX_FRAME_BYTES = 2**24 - 1
HEADER_DATA = b"\xc2\x80\x80" + bytes(10)


class RunningMac:
    """The keccak state of one direction."""

    def __init__(self, mac_secret: bytes, seed: bytes) -> None:
        self._hash = keccak_256(seed)
        # One AES block at a time, without a mode: the specification's own construction.
        self._aes = Cipher(AES(mac_secret), ECB()).encryptor()

    def of_header(self, ciphertext: bytes) -> bytes:
        """Return the MAC of a header."""
        return self._stir(self._hash.digest()[:MAC_BYTES], ciphertext)

    def of_body(self, ciphertext: bytes) -> bytes:
        """Return the MAC of a frame's content."""
        self._hash.update(ciphertext)
        seed = self._hash.digest()[:MAC_BYTES]
        return self._stir(seed, seed)

    def _stir(self, digest: bytes, seed: bytes) -> bytes:
        mixed = int.from_bytes(self._aes.update(digest), "big") ^ int.from_bytes(seed, "big")
        self._hash.update(mixed.to_bytes(BLOCK_BYTES, "big"))
        found: bytes = self._hash.digest()[:MAC_BYTES]
        return found


class FrameWriter:
    """Seals frames in the order in which they are sent."""

    def __init__(self, aes_secret: bytes, mac_secret: bytes, seed: bytes) -> None:
        self._cipher = Cipher(AES(aes_secret), CTR(bytes(BLOCK_BYTES))).encryptor()
        self._mac = RunningMac(mac_secret, seed)

    def seal(self, content: bytes) -> bytes:
        """Return the frame of at most `MAX_FRAME_BYTES`."""
        if len(content) > MAX_FRAME_BYTES:
            raise ValueError(f"a frame of {len(content)} bytes, at most {MAX_FRAME_BYTES}")
        header = self._cipher.update(len(content).to_bytes(3, "big") + HEADER_DATA)
        header_mac = self._mac.of_header(header)
        body = self._cipher.update(content + bytes(-len(content) % BLOCK_BYTES))
        return b"".join((header, header_mac, body, self._mac.of_body(body)))


class FrameReader:
    """Opens frames in the order in which they come.

    A wrong MAC ends the session without blame: whoever sits on the line can cause one.
    """

    def __init__(self, aes_secret: bytes, mac_secret: bytes, seed: bytes) -> None:
        self._cipher = Cipher(AES(aes_secret), CTR(bytes(BLOCK_BYTES))).decryptor()
        self._mac = RunningMac(mac_secret, seed)

    def open_header(self, header: bytes) -> int:
        """Return how many bytes the content has, from `HEADER_BYTES`; raises `PeerGone`."""
        ciphertext, mac = header[:BLOCK_BYTES], header[BLOCK_BYTES:]
        if not hmac.compare_digest(mac, self._mac.of_header(ciphertext)):
            raise PeerGone(DisconnectReason.NETWORK_ERROR, "wrong MAC of a frame's header")
        return int.from_bytes(self._cipher.update(ciphertext)[:3], "big")

    def open_body(self, body: bytes, size: int) -> bytes:
        """Return the content, from `body_bytes(size)` bytes; raises `PeerGone`."""
        ciphertext, mac = body[:-MAC_BYTES], body[-MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac.of_body(ciphertext)):
            raise PeerGone(DisconnectReason.NETWORK_ERROR, "wrong MAC of a frame's content")
        return self._cipher.update(ciphertext)[:size]


def body_bytes(size: int) -> int:
    """Return how many bytes follow the header of a frame whose content has `size`."""
    return size + -size % BLOCK_BYTES + MAC_BYTES
