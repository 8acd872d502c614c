"""Which precompiled contracts a fork has, by address."""

from collections.abc import Mapping
from types import MappingProxyType

from cvm.evm.forks import Fork
from cvm.evm.precompiles.blake2f import BLAKE2F
from cvm.evm.precompiles.bls12_g1_add import BLS12_G1_ADD
from cvm.evm.precompiles.bls12_g1_msm import BLS12_G1_MSM
from cvm.evm.precompiles.bls12_g2_add import BLS12_G2_ADD
from cvm.evm.precompiles.bls12_g2_msm import BLS12_G2_MSM
from cvm.evm.precompiles.bls12_map_fp2_to_g2 import BLS12_MAP_FP2_TO_G2
from cvm.evm.precompiles.bls12_map_fp_to_g1 import BLS12_MAP_FP_TO_G1
from cvm.evm.precompiles.bls12_pairing_check import BLS12_PAIRING_CHECK
from cvm.evm.precompiles.bn254_add import BN254_ADD
from cvm.evm.precompiles.bn254_mul import BN254_MUL
from cvm.evm.precompiles.bn254_pairing import BN254_PAIRING
from cvm.evm.precompiles.ecrecover import ECRECOVER
from cvm.evm.precompiles.identity import IDENTITY
from cvm.evm.precompiles.modexp import MODEXP_BERLIN, MODEXP_OSAKA
from cvm.evm.precompiles.p256verify import P256VERIFY
from cvm.evm.precompiles.point_evaluation import POINT_EVALUATION
from cvm.evm.precompiles.precompile import Precompile
from cvm.evm.precompiles.ripemd160 import RIPEMD160
from cvm.evm.precompiles.sha256 import SHA256

Numbered = dict[int, Precompile]
Table = Mapping[bytes, Precompile]

PARIS: Numbered = {
    0x01: ECRECOVER,
    0x02: SHA256,
    0x03: RIPEMD160,
    0x04: IDENTITY,
    0x05: MODEXP_BERLIN,
    0x06: BN254_ADD,
    0x07: BN254_MUL,
    0x08: BN254_PAIRING,
    0x09: BLAKE2F,
}
CANCUN: Numbered = {**PARIS, 0x0A: POINT_EVALUATION}
PRAGUE: Numbered = {
    **CANCUN,
    0x0B: BLS12_G1_ADD,
    0x0C: BLS12_G1_MSM,
    0x0D: BLS12_G2_ADD,
    0x0E: BLS12_G2_MSM,
    0x0F: BLS12_PAIRING_CHECK,
    0x10: BLS12_MAP_FP_TO_G1,
    0x11: BLS12_MAP_FP2_TO_G2,
}
OSAKA: Numbered = {**PRAGUE, 0x05: MODEXP_OSAKA, 0x100: P256VERIFY}


def by_address(numbered: Numbered) -> Table:
    """Return a table that cannot be written to, by 20-byte address."""
    return MappingProxyType({number.to_bytes(20, "big"): code for number, code in numbered.items()})


PARIS_TABLE, CANCUN_TABLE, PRAGUE_TABLE, OSAKA_TABLE = map(
    by_address, (PARIS, CANCUN, PRAGUE, OSAKA)
)


def precompiles(fork: Fork) -> Table:
    """Return the precompiled contracts of a fork by 20-byte address."""
    if fork.is_osaka:
        return OSAKA_TABLE
    if fork.is_prague:
        return PRAGUE_TABLE
    return CANCUN_TABLE if fork.is_cancun else PARIS_TABLE
