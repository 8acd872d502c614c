"""The BLAKE2b compression precompile at 0x09 (EIP-152), compiled: it costs 1 gas a round."""

import numpy as np
from eth.abc import ComputationAPI
from eth.exceptions import VMError
from numba import njit
from numpy.typing import NDArray

from cvm.numba_cache import is_cache_configured

INPUT_BYTES = 213
Words = NDArray[np.uint64]

IV = np.array(
    [
        0x6A09E667F3BCC908,
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
        0x9B05688C2B3E6C1F,
        0x1F83D9ABFB41BD6B,
        0x5BE0CD19137E2179,
    ],
    np.uint64,
)
"""RFC 7693, section 2.6."""

SIGMA = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    ],
    np.uint8,
)
"""RFC 7693, section 2.7; round i takes row i mod 10."""

LANES = np.array(
    [
        [0, 4, 8, 12],
        [1, 5, 9, 13],
        [2, 6, 10, 14],
        [3, 7, 11, 15],
        [0, 5, 10, 15],
        [1, 6, 11, 12],
        [2, 7, 8, 13],
        [3, 4, 9, 14],
    ],
    np.uint8,
)
"""The columns and then the diagonals that one round mixes (RFC 7693, section 3.2)."""


def blake2f(computation: ComputationAPI) -> ComputationAPI:
    """Compress: rounds (4 bytes, big-endian) || h (64) || m (128) || t (16) || final flag (1).

    py-evm does it in Python: six minutes for the rounds that a transaction can pay.
    """
    data = computation.msg.data_as_bytes
    if len(data) != INPUT_BYTES or data[-1] > 1:
        raise VMError(f"blake2f: {len(data)} bytes and flag {data[-1:].hex()}, must be 213 and 0/1")
    rounds = int.from_bytes(data[:4], "big")
    computation.consume_gas(rounds, reason="blake2f: rounds")
    words = np.frombuffer(data, "<u8", 26, 4).astype(np.uint64)
    state, message, counters = words[:8], words[8:24], words[24:]
    work = np.concatenate([state, IV])
    work[12:14] ^= counters
    if data[-1]:
        work[14] = ~work[14]
    mix_rounds(work, message, SIGMA, LANES, rounds)
    computation.output = (state ^ work[:8] ^ work[8:]).astype("<u8").tobytes()
    return computation


@njit(nogil=True, cache=is_cache_configured())
def mix_rounds(
    v: Words, m: Words, sigma: NDArray[np.uint8], lanes: NDArray[np.uint8], rounds: int
) -> None:
    """Run the rounds of F on the work vector, in place; additions wrap at 2**64."""
    for index in range(rounds):
        order = sigma[index % 10]
        for lane in range(8):
            a, b, c, d = lanes[lane]
            v[a] = v[a] + v[b] + m[order[2 * lane]]
            v[d] = rotate_right(v[d] ^ v[a], np.uint64(32))
            v[c] = v[c] + v[d]
            v[b] = rotate_right(v[b] ^ v[c], np.uint64(24))
            v[a] = v[a] + v[b] + m[order[2 * lane + 1]]
            v[d] = rotate_right(v[d] ^ v[a], np.uint64(16))
            v[c] = v[c] + v[d]
            v[b] = rotate_right(v[b] ^ v[c], np.uint64(63))


@njit(nogil=True, inline="always")
def rotate_right(word: np.uint64, bits: np.uint64) -> np.uint64:
    """Rotate a 64-bit word."""
    return (word >> bits) | (word << (np.uint64(64) - bits))
