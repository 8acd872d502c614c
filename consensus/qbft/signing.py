"""What a validator signs, and who signed it (PROTOCOL section 5).

The domain is in every digest, so that no message is evidence, or a vote, on another chain.
"""

from dataclasses import dataclass, field
from typing import Protocol

from consensus.qbft.faults import BadMessage
from consensus.qbft.messages import Payload
from cvm.evm.keccak import keccak256
from cvm.evm.signatures import HALF_CURVE_ORDER, address_of_key, recover_address, sign_hash

PREFIX = b"\x19cvm-qbft"
SIGNATURE_BYTES = 65


@dataclass(frozen=True, slots=True)
class SigningDomain:
    """Which chain a message speaks of."""

    chain_id: int
    genesis_hash: bytes

    def digest(self, code: int, payload: bytes) -> bytes:
        """Return what is signed of a payload's RLP."""
        chain = self.chain_id.to_bytes(32, "big") + self.genesis_hash
        return keccak256(PREFIX + chain + bytes((code,)) + payload)


class Signer(Protocol):
    """The key of this validator; a call may go to another process, and never asks what it is."""

    @property
    def address(self) -> bytes:
        """Return the address that stands in the set of validators."""
        ...

    def sign(self, digest: bytes) -> bytes:
        """Return 65 bytes r || s || v of a hash, with a low s."""
        ...


class Recover(Protocol):
    """Who signed a hash."""

    def __call__(self, digest: bytes, signature: bytes) -> bytes | None:
        """Return the address, None where the signature has no signer or may not be taken."""
        ...


@dataclass(frozen=True, slots=True)
class KeySigner:
    """Signs with a private key in memory; `address` is what the key signs for."""

    key: bytes = field(repr=False)
    address: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "address", address_of_key(self.key))

    def sign(self, digest: bytes) -> bytes:
        """Return 65 bytes r || s || v of a hash."""
        parity, r, s = sign_hash(digest, self.key)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((parity,))


def recover_signer(digest: bytes, signature: bytes) -> bytes | None:
    """Return who signed: secp256k1, r || s || v with v 0 or 1; None also for a high s."""
    if len(signature) != SIGNATURE_BYTES:
        return None
    r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
    if s > HALF_CURVE_ORDER:
        return None
    return recover_address(digest, signature[64], r, s)


def signer_of(recover: Recover, domain: SigningDomain, payload: Payload, signature: bytes) -> bytes:
    """Return who signed a payload; raises `BadMessage`."""
    signer = recover(domain.digest(payload.CODE, payload.encode()), signature)
    if signer is None:
        raise BadMessage("the signature does not recover, or has a high s")
    return signer
