"""0x02: SHA-256 (Yellow Paper, appendix E.1)."""

import hashlib

from cvm.evm.precompiles.precompile import Precompile, words_gas


def run(data: bytes) -> bytes:
    """Return the 32 bytes of the hash."""
    return hashlib.sha256(data).digest()


SHA256 = Precompile("SHA256", words_gas(60, 12), run)
