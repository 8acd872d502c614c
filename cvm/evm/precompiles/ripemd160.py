"""0x03: RIPEMD-160 (Yellow Paper, appendix E.1)."""

from cvm.evm.precompiles.precompile import Precompile, words_gas


def run(data: bytes) -> bytes:
    """Return the 20 bytes of the hash, at the right of a word.

    Not by hashlib: OpenSSL 3 keeps RIPEMD-160 in a provider that is not always there.
    """
    # Imported by the first call: pycryptodome parses C declarations, which every start would pay.
    from Crypto.Hash import RIPEMD160 as RIPEMD160_HASH

    return bytes(12) + RIPEMD160_HASH.new(data).digest()


RIPEMD160 = Precompile("RIPEMD160", words_gas(600, 120), run)
