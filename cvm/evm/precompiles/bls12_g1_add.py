"""0x0b: addition on BLS12-381's curve over Fp (EIP-2537)."""

from cvm.evm.precompiles.bls12_encoding import G1_BYTES, decode_g1, encode_g1
from cvm.evm.precompiles.precompile import Precompile, constant_gas

GAS = 375


def run(data: bytes) -> bytes | None:
    """Add two points; they need not be in the group."""
    if len(data) != 2 * G1_BYTES:
        return None
    try:
        return encode_g1(decode_g1(data[:G1_BYTES]) + decode_g1(data[G1_BYTES:]))
    except ValueError:
        return None


BLS12_G1_ADD = Precompile("BLS12_G1ADD", constant_gas(GAS), run, 2 * G1_BYTES + 1)
