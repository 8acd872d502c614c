"""What a validator signs of a model, and who signed it (EIP-712, PROTOCOL section 3)."""

from collections.abc import Iterable

from cvm.evm.keccak import keccak256
from cvm.evm.private_key import PrivateKey
from cvm.evm.signatures import HALF_CURVE_ORDER, recover_address
from models_registry.addresses import MODEL_REGISTRY

SIGNATURE_BYTES = 65
DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
ATTESTATION_TYPE = "Attestation(bytes32 modelId,uint64 nonce,bytes32 recordHash)"


class BadAttestation(Exception):
    """Bytes that are not a signature the registry would take."""

    def __init__(self, signature: bytes, rule: str) -> None:
        super().__init__(f"attestation signature 0x{signature.hex()}: {rule}")
        self.signature = signature
        self.rule = rule


def attestation_digest(chain_id: int, model_id: bytes, nonce: int, record_hash: bytes) -> bytes:
    """Return what is signed: one record of one registration of a model on one chain."""
    names = [keccak256(text) for text in (DOMAIN_TYPE.encode(), b"ModelRegistry", b"1")]
    domain = keccak256(b"".join(names) + chain_id.to_bytes(32, "big") + bytes(12) + MODEL_REGISTRY)
    words = (keccak256(ATTESTATION_TYPE.encode()), model_id, nonce.to_bytes(32, "big"), record_hash)
    message = keccak256(b"".join(words))
    return keccak256(b"\x19\x01" + domain + message)


def sign_attestation(private_key: PrivateKey, digest: bytes) -> bytes:
    """Return the 65-byte signature r || s || v with v 27 or 28 (deterministic, RFC 6979)."""
    signature = private_key.sign(digest)
    return signature[:64] + bytes([signature[64] + 27])


def recover_attester(digest: bytes, signature: bytes) -> bytes:
    """Return the address that signed; raises `BadAttestation` where the registry would refuse."""
    if len(signature) != SIGNATURE_BYTES:
        raise BadAttestation(signature, f"{len(signature)} bytes, expected {SIGNATURE_BYTES}")
    s = int.from_bytes(signature[32:64], "big")
    if s > HALF_CURVE_ORDER:
        raise BadAttestation(signature, "s is in the upper half of the order (EIP-2)")
    if signature[64] not in (27, 28):
        raise BadAttestation(signature, f"v is {signature[64]}, expected 27 or 28")
    r = int.from_bytes(signature[:32], "big")
    signer = recover_address(digest, signature[64] - 27, r, s)
    if signer is None:
        raise BadAttestation(signature, "no key can have made it")
    return signer


def order_signatures(
    digest: bytes, signatures: Iterable[bytes], validators: Iterable[bytes]
) -> tuple[bytes, ...]:
    """Return signatures as `activate` wants them: one per validator, in the order of turns.

    Those of others are left out. Raises `BadAttestation`.
    """
    by_signer = {recover_attester(digest, signature): signature for signature in signatures}
    return tuple(by_signer[validator] for validator in validators if validator in by_signer)
