"""The fork identifier of a chain, and whether a peer's fits ours (EIP-2124, EIP-6122)."""

import json
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from consensus.genesis import quantity
from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from cvm.evm.rlp_lists import UINT64_BYTES, expect_shape, fixed_bytes, integer, split_items

FORK_HASH_BYTES = 4
UINT64_BITS = 64


@dataclass(frozen=True, slots=True)
class ForkId:
    """`hash` is over genesis and the forks passed, `next` the coming one, 0 where none is known."""

    hash: bytes
    next: int

    def encode(self) -> bytes:
        """Return the RLP."""
        return encode_list(encode_bytes(self.hash) + encode_integer(self.next))


def decode_fork_id(payload: bytes) -> ForkId:
    """Read the payload of a fork identifier; raises `BadRlp`."""
    items, lists = split_items(payload, 0, len(payload))
    expect_shape("a fork id", items, lists, 2, [])
    return ForkId(
        fixed_bytes("a fork hash", items[0], FORK_HASH_BYTES),
        integer("the next fork", items[1], UINT64_BYTES),
    )


@dataclass(frozen=True, slots=True)
class ForkSchedule:
    """What a chain's identifiers are made of: genesis, and when its forks begin, in order.

    Forks that hold at block 0 are none. `by_number` are heights, `by_time` seconds.
    """

    genesis_hash: bytes
    by_number: tuple[int, ...] = ()
    by_time: tuple[int, ...] = ()

    def at(self, number: int, timestamp: int) -> ForkId:
        """Return the identifier that a chain shows whose head is such a block."""
        hashes = self._hashes()
        for place, (first, position) in enumerate(self._points(number, timestamp)):
            if position < first:
                return ForkId(hashes[place], first)
        return ForkId(hashes[-1], 0)

    def fits(self, theirs: ForkId, number: int, timestamp: int) -> bool:
        """Tell whether a peer may be on our chain, our head being such a block (EIP-2124).

        1 it has passed what we have, and announces no fork that we have passed without it;
        2 it is behind us, and knows the fork that comes next for it; 3 it is ahead of us.
        """
        hashes, points = self._hashes(), self._points(number, timestamp)
        passed = sum(position >= first for first, position in points)
        if theirs.hash == hashes[passed]:
            return not theirs.next or not is_passed(theirs.next, number, timestamp)
        for place in range(passed):
            if theirs.hash == hashes[place]:
                return theirs.next == points[place][0]
        return theirs.hash in hashes[passed + 1 :]

    def _points(self, number: int, timestamp: int) -> list[tuple[int, int]]:
        """Return each fork with where our head stands on its scale."""
        return [(first, number) for first in self.by_number] + [
            (first, timestamp) for first in self.by_time
        ]

    def _hashes(self) -> list[bytes]:
        """Return the fork hash before the first fork, then after each."""
        sums = [crc32(self.genesis_hash)]
        for first in (*self.by_number, *self.by_time):
            sums.append(crc32(first.to_bytes(UINT64_BYTES, "big"), sums[-1]))
        return [value.to_bytes(FORK_HASH_BYTES, "big") for value in sums]


TIMES_FROM = 1_438_269_973
"""Ethereum's first block, 2015-07-30: a fork with a larger number begins at a time, not a height.

Source: go-ethereum's core/forkid (timestampThreshold).
"""


def is_passed(fork: int, number: int, timestamp: int) -> bool:
    """Tell whether a fork of which only its start is known lies behind a head."""
    return (timestamp if fork > TIMES_FROM else number) >= fork


def schedule_of_genesis(
    genesis_json: bytes, genesis_hash: bytes, genesis_time: int
) -> ForkSchedule:
    """Read the forks of a plain chain's genesis file as go-ethereum gathers them.

    Every `...Block` and `...Time` of `config` counts once, those at block 0 or by its time do not.
    Raises `InvalidGenesis`.
    """
    config = json.loads(genesis_json)["config"]
    return ForkSchedule(
        genesis_hash,
        starts_after(config, "Block", 0),
        starts_after(config, "Time", genesis_time),
    )


def starts_after(config: dict[str, Any], suffix: str, begun: int) -> tuple[int, ...]:
    """Return the starts of the forks that come after a point, each once, in order."""
    present = [key for key, value in config.items() if key.endswith(suffix) and value is not None]
    starts = sorted({quantity(config, key, 0, UINT64_BITS) for key in present})
    return tuple(start for start in starts if start > begun)
