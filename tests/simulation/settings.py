"""What a simulated world is told: sizes, times, links, faults. Times are in milliseconds."""

from dataclasses import dataclass, field

from tests.simulation.network import LinkRules


@dataclass(frozen=True, slots=True)
class Work:
    """How long building and checking a block take; some checks are slow."""

    least_ms: int = 2
    most_ms: int = 20
    slow: int = 0
    """Checks of a thousand that are slow."""

    slow_ms: int = 0
    unready: int = 0
    """Checks of a thousand that cannot be judged now, as where a model is missing."""


@dataclass(frozen=True, slots=True)
class Crashes:
    """Honest validators crash now and then, also between two actions of one step."""

    every_ms: int = 0
    """Mean time between two crashes of the whole set; 0: none."""

    least_down_ms: int = 100
    most_down_ms: int = 15_000


@dataclass(frozen=True, slots=True)
class Partition:
    """For a time, packets pass only within a side."""

    from_ms: int
    to_ms: int
    sides: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """One world, its seed aside."""

    validators: int = 4
    byzantine: tuple[int, ...] = ()
    """Indices of the validators that do not follow the rules."""

    behaviours: tuple[str, ...] = ()
    """What they do, in the order in which it is done to a message."""

    heights: int = 100
    links: LinkRules = field(default_factory=LinkRules)
    work: Work = field(default_factory=Work)
    crashes: Crashes = field(default_factory=Crashes)
    partitions: tuple[Partition, ...] = ()
    most_skew_ms: int = 0
    """Clocks are off by up to so much, either way."""

    period_s: int = 2
    epoch_heights: int = 0
    """Of all validators one sits out, another one after so many heights; 0: nobody does."""

    reach: int = 0
    """Links to so many neighbours to each side, and messages are relayed; 0: links to all."""

    real_signatures: bool = False
    """secp256k1, and every message encoded and decoded."""
