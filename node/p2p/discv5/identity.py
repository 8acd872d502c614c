"""Keys of the "v4" identity scheme (EIP-778): node ids, signatures of 64 bytes, key agreement."""

from coincurve import PrivateKey, PublicKey
from coincurve.ecdsa import cdata_to_der, deserialize_compact

from cvm.evm.keccak import keccak256
from node.p2p.faults import BadMessage

NODE_ID_BYTES = 32
PUBLIC_KEY_BYTES = 33
SIGNATURE_BYTES = 64


def public_key_of(key: bytes) -> bytes:
    """Return the compressed public key of a private key of 32 bytes."""
    public_key: bytes = PrivateKey(key).public_key.format(compressed=True)
    return public_key


def parse_public_key(data: bytes) -> PublicKey:
    """Return the point that compressed or uncompressed bytes name; raises `BadMessage`."""
    try:
        return PublicKey(data)
    except ValueError as error:
        raise BadMessage(f"{data.hex()} is not a point of secp256k1") from error


def node_id_of(public_key: bytes) -> bytes:
    """Return keccak256 of the point's two coordinates; raises `BadMessage`."""
    return keccak256(parse_public_key(public_key).format(compressed=False)[1:])


def sign(message_hash: bytes, key: bytes) -> bytes:
    """Return r and s of a hash, with a low s and RFC 6979's nonce."""
    signature: bytes = PrivateKey(key).sign_recoverable(message_hash, hasher=None)
    return signature[:SIGNATURE_BYTES]


def is_signed(message_hash: bytes, signature: bytes, public_key: bytes) -> bool:
    """Tell whether r and s sign a hash; a high s does not (one signature has one form)."""
    point = parse_public_key(public_key)
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        encoded = cdata_to_der(deserialize_compact(signature))
    except ValueError:
        return False
    verified: bool = point.verify(encoded, message_hash, hasher=None)
    return verified


def shared_secret(public_key: bytes, key: bytes) -> bytes:
    """Return the compressed point of ECDH, which discv5 hashes whole; raises `BadMessage`."""
    point: bytes = parse_public_key(public_key).multiply(key).format(compressed=True)
    return point
