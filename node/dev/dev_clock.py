"""The time of a development chain: the machine's, moved by what callers ask for."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What a clock showed at a moment, and what was set for the next block, in seconds."""

    now_s: int
    next_s: int | None
    step_s: int | None


class DevClock:
    """Seconds since 1970 as the chain sees them; `clock_s` is the machine's clock.

    `step_s` is the time between blocks, where that is fixed.
    """

    def __init__(self, clock_s: Callable[[], int]) -> None:
        self._clock_s = clock_s
        self.offset_s = 0
        self.next_s: int | None = None
        self.step_s: int | None = None

    def now_s(self) -> int:
        """Return the chain's time."""
        return self._clock_s() + self.offset_s

    def set_now(self, time_s: int) -> None:
        """Move the chain's time to a moment; it goes on from there."""
        self.offset_s = time_s - self._clock_s()

    def block_time(self, head_s: int) -> int:
        """Return the time that the next block is to have, after a head's."""
        if self.next_s is not None:
            return self.next_s
        if self.step_s is not None:
            return head_s + self.step_s
        return self.now_s()

    def block_made(self, block_s: int) -> None:
        """Go on from the time of a block where that was set."""
        if self.next_s is not None or self.step_s is not None:
            self.set_now(block_s)
        self.next_s = None

    def restart(self) -> None:
        """Show the machine's time again."""
        self.offset_s, self.next_s, self.step_s = 0, None, None

    def reading(self) -> ClockReading:
        """Return what the clock shows, to go back to it."""
        return ClockReading(self.now_s(), self.next_s, self.step_s)

    def go_back(self, reading: ClockReading) -> None:
        """Show again what the clock showed then, and go on from there."""
        self.set_now(reading.now_s)
        self.next_s, self.step_s = reading.next_s, reading.step_s
