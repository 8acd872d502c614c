"""0x0e: a sum of multiples of points of BLS12-381's group G2 (EIP-2537)."""

from py_arkworks_bls12381 import G2Point, Scalar

from cvm.evm.precompiles.bls12_encoding import (
    G2_BYTES,
    SCALAR_BYTES,
    decode_g2_member,
    encode_g2,
)
from cvm.evm.precompiles.bls12_msm_price import G2_DISCOUNTS, msm_gas
from cvm.evm.precompiles.precompile import Precompile

PAIR_GAS = 22_500
PAIR_BYTES = G2_BYTES + SCALAR_BYTES


def run(data: bytes) -> bytes | None:
    """Sum scalar * point over pairs of point || scalar; a point outside the group fails."""
    if not data or len(data) % PAIR_BYTES:
        return None
    pairs = [data[start : start + PAIR_BYTES] for start in range(0, len(data), PAIR_BYTES)]
    try:
        points = [decode_g2_member(pair[:G2_BYTES]) for pair in pairs]
    except ValueError:
        return None
    scalars = [Scalar.from_be_bytes_mod_order(pair[G2_BYTES:]) for pair in pairs]
    return encode_g2(G2Point.multiexp_unchecked(points, scalars))


BLS12_G2_MSM = Precompile("BLS12_G2MSM", msm_gas(PAIR_BYTES, PAIR_GAS, G2_DISCOUNTS), run)
