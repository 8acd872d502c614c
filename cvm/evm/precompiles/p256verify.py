"""0x100: whether a signature on the curve secp256r1 is valid (EIP-7951)."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from cvm.evm.precompiles.precompile import Precompile, constant_gas

GAS = 6900
INPUT_BYTES = 160
FIELD = 2**256 - 2**224 + 2**192 + 2**96 - 1
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
VALID = (1).to_bytes(32, "big")
CURVE = SECP256R1()
ALGORITHM = ECDSA(Prehashed(SHA256()))


def run(data: bytes) -> bytes:
    """Read hash || r || s || x || y: the word 1 where the signature is valid, else nothing.

    A high s counts as much as a low one. The library takes coordinates modulo the field, so that
    those past it are refused here.
    """
    if len(data) != INPUT_BYTES:
        return b""
    r, s, x, y = (int.from_bytes(data[start : start + 32], "big") for start in (32, 64, 96, 128))
    if not (0 < r < ORDER and 0 < s < ORDER and x < FIELD and y < FIELD):
        return b""
    try:
        key = EllipticCurvePublicNumbers(x, y, CURVE).public_key()
        key.verify(encode_dss_signature(r, s), data[:32], ALGORITHM)
    except (ValueError, InvalidSignature):
        return b""
    return VALID


P256VERIFY = Precompile("P256VERIFY", constant_gas(GAS), run, INPUT_BYTES + 1)
