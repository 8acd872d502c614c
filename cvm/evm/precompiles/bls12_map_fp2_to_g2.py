"""0x11: the map from a field element to BLS12-381's group G2 (EIP-2537)."""

from py_arkworks_bls12381 import G2Point

from cvm.evm.precompiles.bls12_encoding import ELEMENT_BYTES, encode_g2, strip_elements
from cvm.evm.precompiles.precompile import Precompile, constant_gas

GAS = 23_800


def run(data: bytes) -> bytes | None:
    """Map by simplified SWU, the isogeny and the cofactor (RFC 9380, section 8.8)."""
    if len(data) != 2 * ELEMENT_BYTES:
        return None
    try:
        return encode_g2(G2Point.map_from_fp2_be(strip_elements(data)))
    except ValueError:
        return None


BLS12_MAP_FP2_TO_G2 = Precompile(
    "BLS12_MAP_FP2_TO_G2", constant_gas(GAS), run, 2 * ELEMENT_BYTES + 1
)
