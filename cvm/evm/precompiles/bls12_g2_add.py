"""0x0d: addition on BLS12-381's curve over Fp2 (EIP-2537)."""

from cvm.evm.precompiles.bls12_encoding import G2_BYTES, decode_g2, encode_g2
from cvm.evm.precompiles.precompile import Precompile, constant_gas

GAS = 600


def run(data: bytes) -> bytes | None:
    """Add two points; they need not be in the group."""
    if len(data) != 2 * G2_BYTES:
        return None
    try:
        return encode_g2(decode_g2(data[:G2_BYTES]) + decode_g2(data[G2_BYTES:]))
    except ValueError:
        return None


BLS12_G2_ADD = Precompile("BLS12_G2ADD", constant_gas(GAS), run, 2 * G2_BYTES + 1)
