"""What came of one simulated run."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from tests.simulation.safety import Violation


class Progress:
    """When blocks became final for all honest validators; times are virtual milliseconds."""

    def __init__(self, honest: int, start_ms: int) -> None:
        self.decided = 0
        """The height that every honest validator has."""

        self.rounds: Counter[int] = Counter()
        self.healing_ms: list[int] = []
        self._honest = honest
        self._had_ms = [start_ms]
        self._have: Counter[int] = Counter()
        self._awaited: list[tuple[int, int]] = []

    def finalised(self, height: int, round_number: int, now_ms: int) -> None:
        """Note that one more honest validator has a block."""
        if height not in self._have:
            self.rounds[round_number] += 1
        self._have[height] += 1
        while self._have[self.decided + 1] == self._honest:
            self.decided += 1
            del self._have[self.decided]
            self._had_ms.append(now_ms)
        while self._awaited and self._awaited[0][0] <= self.decided:
            _height, healed_ms = self._awaited.pop(0)
            self.healing_ms.append(now_ms - healed_ms)

    def await_height(self, height: int, healed_ms: int) -> None:
        """Note that a partition healed, and which height shows progress."""
        self._awaited.append((height, healed_ms))

    def never_healed(self) -> int:
        """Return how many partitions saw no progress after them."""
        return len(self._awaited)

    def waits_ms(self, heights: int) -> list[int]:
        """Return how long each height took, from when all had the one before it."""
        had = self._had_ms[: heights + 1]
        return [later - earlier for earlier, later in pairwise(had)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one seed."""

    seed: int
    heights: int
    decided: int
    """Heights that every honest validator has."""

    in_time: int
    """Those that took no longer than `world.height_bound_ms`."""

    rounds: dict[int, int]
    longest_ms: int
    healing_ms: tuple[int, ...]
    """How long after each healed partition all honest validators had a new block."""

    never_healed: int
    virtual_ms: int
    tasks: int
    packets: int
    refused: int
    accusations: int
    """How often an honest validator reported evidence."""

    crashes: int
    most_held_bytes: int
    """The most that any honest state held when it was weighed."""

    violations: tuple[Violation, ...]
