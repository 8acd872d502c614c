"""Signs hashes and recovers signers on secp256k1, through libsecp256k1 itself.

coincurve's own classes take the same three steps with a fourth more time; they are called here
without the objects in between. Many signatures at once: `signature_batch`.
"""

from coincurve import PrivateKey
from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import GLOBAL_CONTEXT

from cvm.evm.keccak import keccak256

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
HALF_CURVE_ORDER = CURVE_ORDER // 2
"""The greatest s of a signature that is taken (EIP-2)."""

PUBLIC_KEY_BYTES = 65
UNCOMPRESSED = 2  # SECP256K1_EC_UNCOMPRESSED

_CONTEXT = GLOBAL_CONTEXT.ctx
_SIGNATURE = ffi.typeof("secp256k1_ecdsa_recoverable_signature *")
_PUBLIC_KEY = ffi.typeof("secp256k1_pubkey *")
_OUTPUT = ffi.typeof("unsigned char[65]")
_LENGTH = ffi.typeof("size_t *")
_new = ffi.new
_buffer = ffi.buffer
_parse = lib.secp256k1_ecdsa_recoverable_signature_parse_compact
_recover = lib.secp256k1_ecdsa_recover
_serialize = lib.secp256k1_ec_pubkey_serialize


def recover_address(message_hash: bytes, y_parity: int, r: int, s: int) -> bytes | None:
    """Return the 20 bytes of who signed a hash, None where the signature has no signer.

    `y_parity` is 0 or 1 and r and s fit 256 bits. Yellow Paper, appendix F.
    """
    if len(message_hash) != 32 or y_parity not in (0, 1):
        return None
    signature, public_key = _new(_SIGNATURE), _new(_PUBLIC_KEY)
    compact = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    if not _parse(_CONTEXT, signature, compact, y_parity):
        return None
    if not _recover(_CONTEXT, public_key, signature, message_hash):
        return None
    output = _new(_OUTPUT)
    _serialize(_CONTEXT, output, _new(_LENGTH, PUBLIC_KEY_BYTES), public_key, UNCOMPRESSED)
    return keccak256(_buffer(output)[1:])[12:]


def sign_hash(message_hash: bytes, key: bytes) -> tuple[int, int, int]:
    """Return y parity, r and s (low, EIP-2) of a hash; the nonce is RFC 6979's."""
    signature = PrivateKey(key).sign_recoverable(message_hash, hasher=None)
    r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
    return signature[64], r, s


def address_of_key(key: bytes) -> bytes:
    """Return the address that a private key of 32 bytes signs for."""
    public_key: bytes = PrivateKey(key).public_key.format(compressed=False)
    return keccak256(public_key[1:])[12:]
