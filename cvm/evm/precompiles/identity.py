"""0x04: the input itself (Yellow Paper, appendix E.1)."""

from cvm.evm.precompiles.precompile import Precompile, words_gas


def run(data: bytes) -> bytes:
    """Return the input."""
    return data


IDENTITY = Precompile("ID", words_gas(15, 3), run)
