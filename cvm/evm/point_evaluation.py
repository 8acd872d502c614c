"""The point evaluation precompile at 0x0a (EIP-4844)."""

from functools import cache
from hashlib import sha256
from typing import Any

from ckzg import load_trusted_setup, verify_kzg_proof
from eth.abc import ComputationAPI
from eth.exceptions import VMError
from eth.precompiles.point_evaluation import TRUSTED_SETUP_PATH
from eth.vm.forks.cancun.constants import (
    BLS_MODULUS,
    FIELD_ELEMENTS_PER_BLOB,
    POINT_EVALUATION_PRECOMPILE_GAS,
    VERSIONED_HASH_VERSION_KZG,
)

INPUT_BYTES = 192
OUTPUT = FIELD_ELEMENTS_PER_BLOB.to_bytes(32, "big") + BLS_MODULUS.to_bytes(32, "big")


def point_evaluation(computation: ComputationAPI) -> ComputationAPI:
    """Verify p(z) = y: calldata is versioned hash || z || y || commitment (48) || proof (48).

    py-evm loads the trusted setup for every proof (7 s for 50,000 gas), and leaves its checks to
    `assert`, which `python -O` removes.
    """
    computation.consume_gas(POINT_EVALUATION_PRECOMPILE_GAS, reason="point evaluation")
    data = computation.msg.data_as_bytes
    if len(data) != INPUT_BYTES:
        raise VMError(f"point evaluation: {len(data)} bytes, must be {INPUT_BYTES}")
    versioned_hash, z, y = data[:32], data[32:64], data[64:96]
    commitment, proof = data[96:144], data[144:]
    if versioned_hash != VERSIONED_HASH_VERSION_KZG + sha256(commitment).digest()[1:]:
        raise VMError("point evaluation: the versioned hash is not the commitment's")
    if not is_proven(commitment, z, y, proof):
        raise VMError("point evaluation: the proof is wrong")
    computation.output = OUTPUT
    return computation


def is_proven(commitment: bytes, z: bytes, y: bytes, proof: bytes) -> bool:
    """Tell whether the proof holds; bytes that are no point or no field element prove nothing."""
    try:
        return bool(verify_kzg_proof(commitment, z, y, proof, trusted_setup()))
    except RuntimeError:
        return False


@cache
def trusted_setup() -> Any:
    """Return the setup of the KZG ceremony, loaded from py-evm's package on first use."""
    return load_trusted_setup(TRUSTED_SETUP_PATH, 0)
