"""The 2,048-bit filter of what logs mention (Yellow Paper, section 4.3.1)."""

from functools import lru_cache

from cvm.evm.keccak import keccak256

BLOOM_BYTES = 256
CACHED_VALUES = 4_096
"""Contracts and event signatures return in block after block; each entry is about 400 bytes."""


@lru_cache(maxsize=CACHED_VALUES)
def bloom_bits(value: bytes) -> int:
    """Return the three bits of an address or a topic, as a number of 2,048 bits."""
    digest = keccak256(value)
    return (
        1 << (digest[0] << 8 & 0x700 | digest[1])
        | 1 << (digest[2] << 8 & 0x700 | digest[3])
        | 1 << (digest[4] << 8 & 0x700 | digest[5])
    )
