"""0x01: the address that signed a hash (Yellow Paper, appendix E.1)."""

from coincurve import PublicKey

from cvm.evm.keccak import keccak256
from cvm.evm.precompiles.precompile import Precompile, constant_gas

GAS = 3000
INPUT_BYTES = 128


def run(data: bytes) -> bytes:
    """Read hash || v || r || s and return the signer's address in a word; nothing if there is none.

    A high s counts: EIP-2 binds transactions only.
    """
    data = data[:INPUT_BYTES].ljust(INPUT_BYTES, b"\0")
    recovery = int.from_bytes(data[32:64], "big") - 27
    if recovery not in (0, 1):
        return b""
    signature = data[64:] + bytes([recovery])
    try:
        key = PublicKey.from_signature_and_message(signature, data[:32], hasher=None)
    except ValueError:
        return b""
    return bytes(12) + keccak256(key.format(compressed=False)[1:])[12:]


ECRECOVER = Precompile("ECREC", constant_gas(GAS), run, INPUT_BYTES)
