"""0x05: base ** exponent % modulus (EIP-198), at EIP-2565's price, or EIP-7823 and EIP-7883's."""

from gmpy2 import invert, powmod

from cvm.evm.precompiles.precompile import Precompile

WORD = 32
HEAD = 3 * WORD
MIN_GAS_BERLIN = 200
MIN_GAS_OSAKA = 500
MAX_LENGTH_OSAKA = 1024
"""EIP-7823: the longest base, exponent and modulus, in bytes."""


def read(data: bytes, offset: int, length: int) -> int:
    """Return a big-endian number; the input goes on with zeros for ever."""
    part = data[offset : offset + length]
    number = int.from_bytes(part, "big")
    missing = length - len(part)
    return number << (8 * missing) if missing and number else number


def read_lengths(data: bytes) -> tuple[int, int, int]:
    """Read how many bytes base, exponent and modulus have, each below 2**256."""
    head = bytes(data[:HEAD]).ljust(HEAD, b"\0")
    return (
        int.from_bytes(head[:32], "big"),
        int.from_bytes(head[32:64], "big"),
        int.from_bytes(head[64:], "big"),
    )


def iterations(data: bytes, start: int, length: int, per_byte: int) -> int:
    """Return the squarings that the exponent asks for, at least one.

    Only its first 32 bytes are looked at; every further one counts per_byte.
    """
    head_bytes = min(length, WORD)
    head = read(data, start, head_bytes)
    return max(head.bit_length() - 1, 0) + per_byte * (length - head_bytes) or 1


def gas_berlin(data: bytes) -> int:
    """Return EIP-2565's price."""
    base, exponent, modulus = read_lengths(data)
    complexity: int = ((max(base, modulus) + 7) // 8) ** 2
    return max(MIN_GAS_BERLIN, complexity * iterations(data, HEAD + base, exponent, 8) // 3)


def gas_osaka(data: bytes) -> int:
    """Return EIP-7883's price."""
    base, exponent, modulus = read_lengths(data)
    longest = max(base, modulus)
    complexity: int = 16 if longest <= WORD else 2 * ((longest + 7) // 8) ** 2
    return max(MIN_GAS_OSAKA, complexity * iterations(data, HEAD + base, exponent, 16))


def power(base: int, exponent: int, modulus: int) -> int:
    """Return base ** exponent % modulus, for a modulus above 0.

    GMP raises twice for an even modulus, odd * 2**k. Where the exponent is the longer one, its low
    k bits do for 2**k, because the order of every odd base divides 2**k; an even base gives 0.
    """
    twos = (modulus & -modulus).bit_length() - 1
    if twos == 0 or exponent.bit_length() <= modulus.bit_length():
        return int(powmod(base, exponent, modulus))
    odd, period = modulus >> twos, 1 << twos
    high = int(powmod(base, exponent, odd)) if odd > 1 else 0
    low = int(powmod(base, exponent % period, period)) if base & 1 else 0
    return high + odd * ((low - high) * int(invert(odd, period)) % period)


def run(data: bytes) -> bytes:
    """Return the power, as long as the modulus; zeros for a modulus of 0.

    The gas bounds the work: lengths that it allows are far below what memory holds, except the
    exponent's where base and modulus are empty, which is not read.
    """
    base_bytes, exponent_bytes, modulus_bytes = read_lengths(data)
    if modulus_bytes == 0:
        return b""
    exponent_start = HEAD + base_bytes
    modulus = read(data, exponent_start + exponent_bytes, modulus_bytes)
    if modulus == 0:
        return bytes(modulus_bytes)
    base = read(data, HEAD, base_bytes)
    exponent = read(data, exponent_start, exponent_bytes)
    return power(base, exponent, modulus).to_bytes(modulus_bytes, "big")


def run_osaka(data: bytes) -> bytes | None:
    """Return the power; fail where a length is above EIP-7823's bound."""
    if max(read_lengths(data)) > MAX_LENGTH_OSAKA:
        return None
    return run(data)


MODEXP_BERLIN = Precompile("MODEXP", gas_berlin, run)
MODEXP_OSAKA = Precompile("MODEXP", gas_osaka, run_osaka)
