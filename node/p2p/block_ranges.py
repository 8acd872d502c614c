"""Which blocks to ask of whom: the bounded window of a download from many peers, without I/O.

Heights above the head are cut into ranges. A range is asked of one peer at a time; where that one
is slow, an idle one is asked too, and the first good answer counts. Ranges come out in order.
"""

from dataclasses import dataclass, field
from itertools import takewhile
from typing import Generic, TypeVar

RANGE_BLOCKS = 64
WINDOW_RANGES = 8
"""Ranges beyond the head that are asked for or wait for import: what bounds memory."""
SLOW_AFTER_S = 2.0
"""An answer that takes longer is asked of an idle peer as well, and then of a third one."""
MAX_ASKED = 3
"""Peers that are asked for one range at once."""
MAX_HELD_BYTES = 64 << 20
"""With more waiting for import, only the range that stands next is asked for."""

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class Range(Generic[T]):
    """Heights `start` to `start + count - 1`; `asked` says who works on it, and since when."""

    start: int
    count: int
    asked: dict[bytes, float] = field(default_factory=dict)
    content: T | None = None
    size_bytes: int = 0
    giver: bytes = b""

    @property
    def end(self) -> int:
        """Return the height behind the last one."""
        return self.start + self.count


class BlockRanges(Generic[T]):
    """The window over the heights from `next_height` up to a target; `T` is what a range gives."""

    def __init__(self, next_height: int) -> None:
        self.next_height = next_height
        self._planned = next_height
        self._ranges: list[Range[T]] = []

    def __len__(self) -> int:
        return len(self._ranges)

    def take(self, node_id: bytes, earliest: int, height: int, now_s: float) -> Range[T] | None:
        """Return what a peer that has blocks from `earliest` to `height` should be asked for."""
        self._plan(height)
        held = sum(r.size_bytes for r in self._ranges)
        near = self._ranges if held <= MAX_HELD_BYTES else self._ranges[:1]
        free = [r for r in near if self._may_ask(r, node_id, earliest, height)]
        for wanted in free:
            if not wanted.asked:
                wanted.asked[node_id] = now_s
                return wanted
        for wanted in free:
            if len(wanted.asked) < MAX_ASKED and max(wanted.asked.values()) <= now_s - SLOW_AFTER_S:
                wanted.asked[node_id] = now_s
                return wanted
        return None

    def slow_after(self, now_s: float) -> float | None:
        """Return when the next range that another peer may be asked for becomes slow."""
        times = [
            max(r.asked.values()) + SLOW_AFTER_S
            for r in self._ranges
            if r.content is None and 0 < len(r.asked) < MAX_ASKED
        ]
        return min((at_s for at_s in times if at_s > now_s), default=None)

    def _may_ask(self, wanted: Range[T], node_id: bytes, earliest: int, height: int) -> bool:
        return (
            wanted.content is None
            and earliest <= wanted.start <= height
            and node_id not in wanted.asked
        )

    def _plan(self, target: int) -> None:
        """Cut more of the heights up to a target, as far as the window allows."""
        while len(self._ranges) < WINDOW_RANGES and self._planned <= target:
            count = min(RANGE_BLOCKS, target - self._planned + 1)
            self._ranges.append(Range(self._planned, count))
            self._planned += count

    def deliver(
        self, wanted: Range[T], node_id: bytes, content: T, count: int, size_bytes: int
    ) -> bool:
        """Keep the first `count` blocks of a range; what is missing becomes a range of its own.

        Tells whether anything came of it: somebody else may have been faster.
        """
        wanted.asked.pop(node_id, None)
        if wanted.content is not None or wanted not in self._ranges:
            return False
        if count < wanted.count:
            rest: Range[T] = Range(wanted.start + count, wanted.count - count)
            self._ranges.insert(self._ranges.index(wanted) + 1, rest)
            wanted.count = count
        wanted.content, wanted.giver, wanted.size_bytes = content, node_id, size_bytes
        return True

    def give_back(self, wanted: Range[T], node_id: bytes) -> None:
        """Take a range back from a peer, whether it gave it or not."""
        wanted.asked.pop(node_id, None)

    def first(self) -> Range[T] | None:
        """Return the range at `next_height`, if it is here."""
        if self._ranges and self._ranges[0].content is not None:
            return self._ranges[0]
        return None

    def imported(self, head: int) -> None:
        """Move the window behind a new head."""
        self.next_height = head + 1
        while self._ranges and self._ranges[0].end <= self.next_height:
            self._ranges.pop(0)
        for first in self._ranges[:1]:
            if first.start < self.next_height and first.content is None:
                self._ranges[0] = Range(self.next_height, first.end - self.next_height)
        self._planned = max(self._planned, self.next_height)

    def drop_from(self, node_id: bytes) -> None:
        """Forget what a peer gave that turned out to lie, and ask others for it."""
        for index, given in enumerate(self._ranges):
            if given.content is not None and given.giver == node_id:
                self._ranges[index] = Range(given.start, given.count)

    def shrink(self, target: int) -> None:
        """Forget ranges above every height that a peer still has, but for those in a row here."""
        kept = takewhile(lambda r: r.start <= target or r.content is not None, self._ranges)
        self._ranges = list(kept)
        for last in self._ranges[-1:]:
            if last.content is None and last.end > target + 1 and not last.asked:
                last.count = target + 1 - last.start
        self._planned = self._ranges[-1].end if self._ranges else self.next_height
