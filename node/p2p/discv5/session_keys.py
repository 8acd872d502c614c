"""Key agreement and encryption of discv5.1: from a challenge to two keys, and messages under them.

Rules: devp2p, discv5/discv5-theory.md, "Sessions".
"""

from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from node.p2p.discv5.identity import is_signed, shared_secret, sign

KEY_BYTES = 16
MAC_BYTES = 16
AGREEMENT_TEXT = b"discovery v5 key agreement"
PROOF_TEXT = b"discovery v5 identity proof"


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """The keys of a session: who started it writes with the first and reads with the second."""

    initiator: bytes
    recipient: bytes


def derive_keys(
    public_key: bytes, key: bytes, initiator_id: bytes, recipient_id: bytes, challenge: bytes
) -> SessionKeys:
    """Return the keys that both sides find; one has the ephemeral key, the other its static one.

    Raises `BadMessage` where `public_key` is no point.
    """
    agreement = HKDF(
        algorithm=SHA256(),
        length=2 * KEY_BYTES,
        salt=challenge,
        info=AGREEMENT_TEXT + initiator_id + recipient_id,
    ).derive(shared_secret(public_key, key))
    return SessionKeys(agreement[:KEY_BYTES], agreement[KEY_BYTES:])


def proof_hash(challenge: bytes, ephemeral_key: bytes, recipient_id: bytes) -> bytes:
    """Return what an id signature signs."""
    return sha256(PROOF_TEXT + challenge + ephemeral_key + recipient_id).digest()


def sign_proof(key: bytes, challenge: bytes, ephemeral_key: bytes, recipient_id: bytes) -> bytes:
    """Return the id signature of the side that was challenged."""
    return sign(proof_hash(challenge, ephemeral_key, recipient_id), key)


def is_proof(
    signature: bytes, public_key: bytes, challenge: bytes, ephemeral_key: bytes, own_id: bytes
) -> bool:
    """Tell whether an id signature answers our challenge."""
    return is_signed(proof_hash(challenge, ephemeral_key, own_id), signature, public_key)


def seal(key: bytes, nonce: bytes, plain: bytes, authenticated: bytes) -> bytes:
    """Encrypt a message with AES-128-GCM; the MAC follows it."""
    return AESGCM(key).encrypt(nonce, plain, authenticated)


def unseal(key: bytes, nonce: bytes, sealed: bytes, authenticated: bytes) -> bytes | None:
    """Decrypt a message; None where it was not sealed with this key."""
    if len(sealed) < MAC_BYTES:
        return None
    try:
        return AESGCM(key).decrypt(nonce, sealed, authenticated)
    except InvalidTag:
        return None
