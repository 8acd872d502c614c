"""0x0f: whether a product of pairings on BLS12-381 is 1 (EIP-2537)."""

from py_arkworks_bls12381 import GT

from cvm.evm.precompiles.bls12_encoding import (
    G1_BYTES,
    G2_BYTES,
    decode_g1_member,
    decode_g2_member,
)
from cvm.evm.precompiles.precompile import Precompile

BASE_GAS = 37_700
PAIR_GAS = 32_600
PAIR_BYTES = G1_BYTES + G2_BYTES


def gas(data: bytes) -> int:
    """Return EIP-2537's price."""
    return BASE_GAS + PAIR_GAS * (len(data) // PAIR_BYTES)


def run(data: bytes) -> bytes | None:
    """Return a word, 1 or 0, for pairs of G1 || G2; a point outside its group fails."""
    if not data or len(data) % PAIR_BYTES:
        return None
    pairs = [data[start : start + PAIR_BYTES] for start in range(0, len(data), PAIR_BYTES)]
    try:
        left = [decode_g1_member(pair[:G1_BYTES]) for pair in pairs]
        right = [decode_g2_member(pair[G1_BYTES:]) for pair in pairs]
    except ValueError:
        return None
    return int(GT.pairing_check(left, right)).to_bytes(32, "big")


BLS12_PAIRING_CHECK = Precompile("BLS12_PAIRING_CHECK", gas, run)
