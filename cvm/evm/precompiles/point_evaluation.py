"""0x0a: whether a blob's polynomial has a value at a point (EIP-4844)."""

from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ckzg import load_trusted_setup, verify_kzg_proof

from cvm.evm.precompiles.precompile import Precompile, constant_gas

GAS = 50_000
INPUT_BYTES = 192
HASH_VERSION = b"\x01"
FIELD_ELEMENTS_PER_BLOB = 4096
BLS_MODULUS = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
OUTPUT = FIELD_ELEMENTS_PER_BLOB.to_bytes(32, "big") + BLS_MODULUS.to_bytes(32, "big")

SETUP_PACKAGE = "eth_account"
SETUP_FILE = Path("typed_transactions", "blob_transactions", "kzg_trusted_setup.txt")
SETUP_SHA256 = "d39b9f2d047cc9dca2de58f264b6a09448ccd34db967881a6713eacacf0f26b7"
"""Of the KZG ceremony's result, as consensus-specs and eth-account publish it."""


class WrongTrustedSetup(Exception):
    """The installed eth-account has no trusted setup, or another one than the ceremony's."""


def run(data: bytes) -> bytes | None:
    """Verify p(z) = y: versioned hash || z || y || commitment (48) || proof (48)."""
    if len(data) != INPUT_BYTES:
        return None
    commitment = data[96:144]
    if data[:32] != HASH_VERSION + sha256(commitment).digest()[1:]:
        return None
    return OUTPUT if is_proven(commitment, data[32:64], data[64:96], data[144:]) else None


def is_proven(commitment: bytes, z: bytes, y: bytes, proof: bytes) -> bool:
    """Tell whether the proof holds; bytes that are no point or no field element prove nothing."""
    try:
        return bool(verify_kzg_proof(commitment, z, y, proof, trusted_setup()))
    except RuntimeError:
        return False


@cache
def trusted_setup() -> Any:
    """Return the setup of the KZG ceremony, loaded on first use; raise `WrongTrustedSetup`."""
    package = find_spec(SETUP_PACKAGE)
    if package is None or package.origin is None:
        raise WrongTrustedSetup(SETUP_PACKAGE)
    path = Path(package.origin).parent.joinpath(SETUP_FILE)
    if not path.is_file() or sha256(path.read_bytes()).hexdigest() != SETUP_SHA256:
        raise WrongTrustedSetup(str(path))
    return load_trusted_setup(str(path), 0)


POINT_EVALUATION = Precompile("KZG_POINT_EVALUATION", constant_gas(GAS), run, INPUT_BYTES + 1)
