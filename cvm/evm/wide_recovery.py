"""Recovers signers eight at a time where the processor can: a quarter of libsecp256k1's time."""

from functools import cache

import numpy as np
from coincurve import PublicKey

from cvm.evm.native.curve_lanes import COMB_BYTES, COMB_ENTRIES, DIGITS_BYTES, GROUP_BYTES
from cvm.evm.native.field_lanes import ALIGNMENT, FIELD_PRIME, LANES, has_lanes
from cvm.evm.native.machine_memory import Array, address_of, new_scratch
from cvm.evm.native.signature_lanes import (
    COMB,
    COMPACT,
    COMPACT_BYTES,
    COUNT,
    FOUND,
    G_DIGITS,
    GROUP,
    HASHES,
    KEYS,
    PARITIES,
    PRODUCTS,
    R_DIGITS,
    SCRATCH,
    SIGNERS,
    WORD_BYTES,
    WORK_WORDS,
    recover_in_lanes,
)

FEWEST = LANES // 2
"""For fewer signatures a group of eight takes longer than each by itself."""

HAS_LANES = has_lanes()


def recover_wide(
    hashes: Array, compact: Array, parities: Array, signers: Array, found: Array
) -> None:
    """Find the signers that can be found eight at a time, and note which in `found`.

    Arrays of bytes, as `signature_batch.SignatureBatch` has them.
    """
    count = parities.size
    if not HAS_LANES or count < FEWEST:
        return
    parts: dict[int, Array] = {
        HASHES: hashes,
        COMPACT: compact,
        PARITIES: parities,
        SIGNERS: signers,
        FOUND: found,
        SCRATCH: new_scratch(),
        PRODUCTS: np.empty(count * WORD_BYTES, np.uint8),
        R_DIGITS: np.empty(count * DIGITS_BYTES, np.uint8),
        G_DIGITS: np.empty(count * DIGITS_BYTES, np.uint8),
        GROUP: aligned(GROUP_BYTES),
        COMB: comb(),
        KEYS: np.empty(COMPACT_BYTES, np.uint8),
    }
    work = np.zeros(WORK_WORDS, np.int64)
    work[COUNT] = count
    for place, part in parts.items():
        work[place] = address_of(part)
    recover_in_lanes(address_of(work))


def aligned(size_bytes: int) -> Array:
    """Return bytes at an address that the width of a register divides."""
    room = np.zeros(size_bytes + ALIGNMENT, np.uint8)
    start = -address_of(room) % ALIGNMENT
    return room[start : start + size_bytes]


@cache
def comb() -> Array:
    """Return the multiples of G that `curve_lanes` adds up, made by libsecp256k1."""
    entries = aligned(COMB_BYTES)
    place = 0
    for number in range(DIGITS_BYTES):
        points = []
        for odd in range(1, COMB_ENTRIES, 2):
            secret = odd << 8 * number
            points.append(PublicKey.from_valid_secret(secret.to_bytes(32, "big")).point())
        negative = [(x, FIELD_PRIME - y) for x, y in reversed(points)]
        row = [c.to_bytes(32, "little") for point in negative + points for c in point]
        size = len(row) * 32
        entries[place : place + size] = np.frombuffer(b"".join(row), np.uint8)
        place += size
    return entries
