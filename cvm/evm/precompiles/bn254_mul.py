"""0x07: multiplication of a point of BN254 by a scalar (EIP-196), at EIP-1108's price."""

from cvm.evm.precompiles.bn254_curve import multiply_in_place
from cvm.evm.precompiles.bn254_field import bytes_of, words_of
from cvm.evm.precompiles.precompile import Precompile, constant_gas

GAS = 6000
INPUT_BYTES = 96


def run(data: bytes) -> bytes | None:
    """Multiply x || y by a scalar of 32 bytes; fail where the point is not on the curve."""
    words = words_of(data[:INPUT_BYTES].ljust(INPUT_BYTES, b"\0"))
    return bytes_of(words[:2]) if multiply_in_place(words) else None


BN254_MUL = Precompile("BN254_MUL", constant_gas(GAS), run, INPUT_BYTES)
