"""0x10: the map from a field element to BLS12-381's group G1 (EIP-2537)."""

from py_arkworks_bls12381 import G1Point

from cvm.evm.precompiles.bls12_encoding import ELEMENT_BYTES, encode_g1, strip_elements
from cvm.evm.precompiles.precompile import Precompile, constant_gas

GAS = 5_500


def run(data: bytes) -> bytes | None:
    """Map by simplified SWU, the isogeny and the cofactor (RFC 9380, section 8.8)."""
    if len(data) != ELEMENT_BYTES:
        return None
    try:
        return encode_g1(G1Point.map_from_fp_be(strip_elements(data)))
    except ValueError:
        return None


BLS12_MAP_FP_TO_G1 = Precompile("BLS12_MAP_FP_TO_G1", constant_gas(GAS), run, ELEMENT_BYTES + 1)
