"""Signatures for simulations of millions of messages: keyed hashes that a witness can check.

A signature is the signer's address, a byte at will, and a keyed BLAKE2b of that byte and the
digest: 65 bytes as on secp256k1, and as there one key can sign a digest in several ways. The keys
lie in one table of the simulation. That nobody forges is a rule of the game: a byzantine validator
is code of ours, and signs with its own key only.
"""

from collections.abc import Sequence
from hashlib import blake2b

ADDRESS_BYTES = 20
SEAL_BYTES = 65
MAC_BYTES = SEAL_BYTES - ADDRESS_BYTES - 1


def cheap_address(index: int) -> bytes:
    """Return the address of the validator of an index; they are in no order of bytes."""
    return blake2b(index.to_bytes(8, "big"), digest_size=ADDRESS_BYTES).digest()


class CheapSigner:
    """Signs for one address."""

    def __init__(self, address: bytes) -> None:
        self.address = address
        self._key = b"key of " + address

    def sign(self, digest: bytes) -> bytes:
        """Return the signature of a digest."""
        return self.sign_again(digest, b"\x00")

    def sign_again(self, digest: bytes, way: bytes) -> bytes:
        """Return another signature of a digest for each byte."""
        signed = blake2b(way + digest, key=self._key, digest_size=MAC_BYTES).digest()
        return self.address + way + signed


class CheapSignatures:
    """Makes signers and recovers them."""

    def __init__(self, addresses: Sequence[bytes]) -> None:
        self._signers = {address: CheapSigner(address) for address in addresses}

    def signer(self, address: bytes) -> CheapSigner:
        """Return who signs for an address."""
        return self._signers[address]

    def recover(self, digest: bytes, signature: bytes) -> bytes | None:
        """Return the address that signed a digest, None where no known one did."""
        address = signature[:ADDRESS_BYTES]
        signer = self._signers.get(address)
        if signer is None:
            return None
        way = signature[ADDRESS_BYTES : ADDRESS_BYTES + 1]
        if signer.sign_again(digest, way) != signature:
            return None
        return address
