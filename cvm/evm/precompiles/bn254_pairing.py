"""0x08: whether a product of pairings on BN254 is 1 (EIP-197), at EIP-1108's price."""

from cvm.evm.precompiles.bn254_ate_pairing import IS_INVALID, check_pairing
from cvm.evm.precompiles.bn254_field import words_of
from cvm.evm.precompiles.precompile import Precompile

BASE_GAS = 45_000
PAIR_GAS = 34_000
PAIR_BYTES = 192


def gas(data: bytes) -> int:
    """Return EIP-1108's price."""
    return BASE_GAS + PAIR_GAS * (len(data) // PAIR_BYTES)


def run(data: bytes) -> bytes | None:
    """Return a word, 1 or 0; fail on a broken pair, or a point outside its group."""
    if len(data) % PAIR_BYTES:
        return None
    verdict = check_pairing(words_of(data).reshape(-1, 6, 4))
    return None if verdict == IS_INVALID else int(verdict).to_bytes(32, "big")


BN254_PAIRING = Precompile("BN254_PAIRING", gas, run)
