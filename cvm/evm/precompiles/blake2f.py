"""0x09: the BLAKE2b compression function (EIP-152), compiled: it costs 1 gas a round."""

import numpy as np
from numpy.typing import NDArray

from cvm.evm.precompiles.precompile import Precompile
from cvm.native_code import inlined, inner, kernel

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

Four = tuple[np.uint64, np.uint64, np.uint64, np.uint64]
Rows = tuple[Four, Four, Four, Four]


def gas(data: bytes) -> int:
    """Return the rounds; nothing for an input of a wrong length, which fails."""
    return int.from_bytes(data[:4], "big") if len(data) == INPUT_BYTES else 0


def run(data: bytes) -> bytes | None:
    """Compress: rounds (4 bytes, big-endian) || h (64) || m (128) || t (16) || final flag (1)."""
    if len(data) != INPUT_BYTES or data[-1] > 1:
        return None
    words = np.frombuffer(data[4:-1], np.uint64)  # a copy of the bytes is aligned
    output = np.empty(8, np.uint64)
    compress(words, int.from_bytes(data[:4], "big"), data[-1] == 1, output)
    return output.tobytes()


@inlined
def rotate_right(word: np.uint64, bits: np.uint64) -> np.uint64:
    """Rotate a 64-bit word."""
    return (word >> bits) | (word << (np.uint64(64) - bits))


@inlined
def mix(v: Four, x: np.uint64, y: np.uint64) -> Four:
    """Mix two words of the message into a lane (RFC 7693, section 3.1); additions wrap."""
    a, b, c, d = v
    a = a + b + x
    d = rotate_right(d ^ a, np.uint64(32))
    c = c + d
    b = rotate_right(b ^ c, np.uint64(24))
    a = a + b + y
    d = rotate_right(d ^ a, np.uint64(16))
    c = c + d
    b = rotate_right(b ^ c, np.uint64(63))
    return a, b, c, d


@inner
def mix_columns(rows: Rows, m: Words, order: NDArray[np.uint8], at: int) -> Rows:
    """Mix the four columns of the work vector with eight words of the message."""
    a, b, c, d = rows
    a0, b0, c0, d0 = mix((a[0], b[0], c[0], d[0]), m[order[at]], m[order[at + 1]])
    a1, b1, c1, d1 = mix((a[1], b[1], c[1], d[1]), m[order[at + 2]], m[order[at + 3]])
    a2, b2, c2, d2 = mix((a[2], b[2], c[2], d[2]), m[order[at + 4]], m[order[at + 5]])
    a3, b3, c3, d3 = mix((a[3], b[3], c[3], d[3]), m[order[at + 6]], m[order[at + 7]])
    return (a0, a1, a2, a3), (b0, b1, b2, b3), (c0, c1, c2, c3), (d0, d1, d2, d3)


@inner
def mix_rounds(rows: Rows, m: Words, rounds: int) -> Rows:
    """Return the work vector after the rounds of F.

    The diagonals are the columns after the rows have been turned by 0, 1, 2 and 3 words.
    """
    for index in range(rounds):
        order = SIGMA[index % 10]
        a, b, c, d = mix_columns(rows, m, order, 0)
        b, c = (b[1], b[2], b[3], b[0]), (c[2], c[3], c[0], c[1])
        a, b, c, d = mix_columns((a, b, c, (d[3], d[0], d[1], d[2])), m, order, 8)
        b, c = (b[3], b[0], b[1], b[2]), (c[2], c[3], c[0], c[1])
        rows = (a, b, c, (d[1], d[2], d[3], d[0]))
    return rows


@kernel
def compress(words: Words, rounds: int, is_last: bool, output: Words) -> None:
    """Write the new h; words: h (8), m (16), t (2), as a little-endian machine reads them."""
    low = (words[0], words[1], words[2], words[3])
    high = (words[4], words[5], words[6], words[7])
    mask = ~np.uint64(0) if is_last else np.uint64(0)
    mixed = (IV[4] ^ words[24], IV[5] ^ words[25], IV[6] ^ mask, IV[7])
    rows = mix_rounds((low, high, (IV[0], IV[1], IV[2], IV[3]), mixed), words[8:24], rounds)
    for index in range(4):
        output[index] = low[index] ^ rows[0][index] ^ rows[2][index]
        output[4 + index] = high[index] ^ rows[1][index] ^ rows[3][index]


BLAKE2F = Precompile("BLAKE2F", gas, run, INPUT_BYTES + 1)
