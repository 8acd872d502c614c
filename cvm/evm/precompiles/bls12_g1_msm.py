"""0x0c: a sum of multiples of points of BLS12-381's group G1 (EIP-2537)."""

from py_arkworks_bls12381 import G1Point, Scalar

from cvm.evm.precompiles.bls12_encoding import (
    G1_BYTES,
    SCALAR_BYTES,
    decode_g1_member,
    encode_g1,
)
from cvm.evm.precompiles.bls12_msm_price import G1_DISCOUNTS, msm_gas
from cvm.evm.precompiles.precompile import Precompile

PAIR_GAS = 12_000
PAIR_BYTES = G1_BYTES + SCALAR_BYTES


def run(data: bytes) -> bytes | None:
    """Sum scalar * point over pairs of point || scalar; a point outside the group fails."""
    if not data or len(data) % PAIR_BYTES:
        return None
    pairs = [data[start : start + PAIR_BYTES] for start in range(0, len(data), PAIR_BYTES)]
    try:
        points = [decode_g1_member(pair[:G1_BYTES]) for pair in pairs]
    except ValueError:
        return None
    scalars = [Scalar.from_be_bytes_mod_order(pair[G1_BYTES:]) for pair in pairs]
    return encode_g1(G1Point.multiexp_unchecked(points, scalars))


BLS12_G1_MSM = Precompile("BLS12_G1MSM", msm_gas(PAIR_BYTES, PAIR_GAS, G1_DISCOUNTS), run)
