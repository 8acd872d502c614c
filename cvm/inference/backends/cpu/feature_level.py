"""The CPU feature levels that kernels are made for, and which of them this machine has."""

from dataclasses import dataclass
from functools import cache

from llvmlite import binding

QUADS = 4
"""Bytes in an int32 word of the VNNI layout: four uint8 beside four int8."""

PAIRS = 2
"""Values in an int32 word of the widened layout: two int16."""


@dataclass(frozen=True, slots=True)
class FeatureLevel:
    """How wide the register tiles are; every level gives the same bytes.

    A tile is `rows` x (`vectors` x `lanes`) accumulators of 32 bits. `word_depth` is how many
    8-bit values one int32 word of a packed integer panel carries (`QUADS` or `PAIRS`).
    A blocked convolution has tiles of one of `pixel_counts` pixels by `tile_blocks` blocks of
    channels. `features` are LLVM's names of what the machine must have.
    """

    name: str
    lanes: int
    vectors: int
    rows: int
    word_depth: int
    pixel_counts: tuple[int, ...]
    tile_blocks: int
    features: frozenset[str]

    @property
    def width(self) -> int:
        """Return the columns of a tile."""
        return self.lanes * self.vectors


AVX512 = FeatureLevel(
    *("avx512", 16, 2, 8, QUADS, (7, 4, 1), 2),
    frozenset({"avx512f", "avx512bw", "avx512vl", "avx512vnni"}),
)
AVX2 = FeatureLevel("avx2", 8, 3, 4, PAIRS, (5, 4, 1), 1, frozenset({"avx2", "fma"}))
GENERIC = FeatureLevel("generic", 4, 3, 4, PAIRS, (2, 1), 1, frozenset())

LEVELS = (AVX512, AVX2, GENERIC)
"""Best first."""


@cache
def available_levels() -> tuple[FeatureLevel, ...]:
    """Return the levels that this machine can run, best first; the last is always `GENERIC`."""
    features = binding.get_host_cpu_features()
    present = {name for name, is_present in features.items() if is_present}
    return tuple(level for level in LEVELS if level.features <= present)


def find_level(name: str | None) -> FeatureLevel:
    """Return the level called `name`, or the best one for None.

    Raises ValueError when there is no such level or when this machine lacks it.
    """
    levels = available_levels()
    if name is None:
        return levels[0]
    for level in levels:
        if level.name == name:
            return level
    names = ", ".join(level.name for level in levels)
    raise ValueError(f"CPU feature level {name!r} is not available here; choose one of: {names}")
