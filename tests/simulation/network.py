"""A network in virtual time: delay, loss, duplication and reordering on every link; partitions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Generic, TypeVar

from tests.simulation.scheduler import Scheduler

Packet = TypeVar("Packet")


@dataclass(frozen=True, slots=True)
class LinkRules:
    """What happens to a packet; shares are in per mille, times in milliseconds."""

    least_delay_ms: int = 5
    most_delay_ms: int = 50
    lost: int = 0
    doubled: int = 0
    late: int = 0
    late_ms: int = 0
    """A late packet takes up to so much longer, so that later ones overtake it."""

    in_order: bool = False
    """As on one TCP connection: no packet overtakes another of its link."""


class Network(Generic[Packet]):
    """Carries packets between nodes that are numbered from 0."""

    def __init__(
        self,
        scheduler: Scheduler,
        random: Random,
        rules: LinkRules,
        deliver: Callable[[int, int, Packet], None],
    ) -> None:
        self.rules = rules
        self.sent = 0
        self._scheduler = scheduler
        self._random = random
        self._deliver = deliver
        self._side_of: dict[int, int] = {}
        self._arrivals: dict[tuple[int, int], int] = {}

    def split(self, sides: Sequence[Sequence[int]]) -> None:
        """Let packets pass only within a side; a node named in none reaches nobody."""
        self._side_of = {node: side for side, nodes in enumerate(sides) for node in nodes}

    def heal(self) -> None:
        """Let packets pass everywhere again; what was lost stays lost."""
        self._side_of = {}

    def connects(self, sender: int, receiver: int) -> bool:
        """Tell whether a packet would pass now."""
        sides = self._side_of
        return not sides or sides.get(sender, -1) == sides.get(receiver, -2)

    def send(self, sender: int, receiver: int, packet: Packet) -> None:
        """Send a packet; it arrives later, twice or never. Cut links lose what they carry."""
        self.sent += 1
        if not self.connects(sender, receiver):
            return
        rules, random = self.rules, self._random.random
        if rules.lost and random() * 1000 < rules.lost:
            return
        self._carry(sender, receiver, packet)
        if rules.doubled and random() * 1000 < rules.doubled:
            self._carry(sender, receiver, packet)

    def _carry(self, sender: int, receiver: int, packet: Packet) -> None:
        rules, random = self.rules, self._random.random
        spread = rules.most_delay_ms - rules.least_delay_ms + 1
        delay = rules.least_delay_ms + int(random() * spread)
        if rules.late and random() * 1000 < rules.late:
            delay += int(random() * rules.late_ms)
        arrival = self._scheduler.now_ms + delay
        if rules.in_order:
            link = (sender, receiver)
            arrival = max(arrival, self._arrivals.get(link, 0))
            self._arrivals[link] = arrival
        self._scheduler.at(arrival, lambda: self._arrive(sender, receiver, packet))

    def _arrive(self, sender: int, receiver: int, packet: Packet) -> None:
        if self.connects(sender, receiver):
            self._deliver(sender, receiver, packet)
