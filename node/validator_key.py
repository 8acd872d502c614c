"""The key with which this node votes and attests: in this process, or with an external signer."""

from dataclasses import dataclass, field
from typing import Protocol

from consensus.certificate import SealDomain
from consensus.qbft.signing import KeySigner, Signer, SigningDomain
from cvm.evm.private_key import PrivateKey
from models_registry.attestation import attestation_digest, sign_attestation
from node.keys import address_of


@dataclass(frozen=True, slots=True)
class Voting:
    """What consensus signs with, and the two domains that make the digests which it signs."""

    signer: Signer
    messages: SigningDomain
    seals: SealDomain


class ValidatorKey(Protocol):
    """A validator's key; its calls raise a `LocalFault` where it cannot or will not sign."""

    @property
    def address(self) -> bytes:
        """Return the validator's address."""
        ...

    def voting(self, chain: SealDomain) -> Voting:
        """Return what signs the votes of a chain."""
        ...

    def sign_attestation(
        self, chain: SealDomain, model_id: bytes, nonce: int, record_hash: bytes
    ) -> bytes:
        """Return r || s || v, v 27 or 28, of a model's record."""
        ...


@dataclass(frozen=True, slots=True)
class LocalKey:
    """A `ValidatorKey` in the memory of this process."""

    key: PrivateKey = field(repr=False)

    @property
    def address(self) -> bytes:
        """Return the validator's address."""
        return address_of(self.key)

    def voting(self, chain: SealDomain) -> Voting:
        """Return what signs the votes of a chain."""
        return Voting(KeySigner(self.key.to_bytes()), signing_domain(chain), chain)

    def sign_attestation(
        self, chain: SealDomain, model_id: bytes, nonce: int, record_hash: bytes
    ) -> bytes:
        """Return r || s || v, v 27 or 28, of a model's record."""
        digest = attestation_digest(chain.chain_id, model_id, nonce, record_hash)
        return sign_attestation(self.key, digest)


def signing_domain(chain: SealDomain) -> SigningDomain:
    """Return the domain of a chain's messages."""
    return SigningDomain(chain.chain_id, chain.genesis_hash)
