"""Colluding validators with two faces: each face is a correct validator that knows one side only.

All colluders show face 0 to one part of the honest validators and face 1 to the others, and the
faces of one kind work together. It is the attack that the bound of a third is about.
"""

from collections.abc import Callable, Sequence
from random import Random

from tests.simulation.packets import Packet, QbftPacket
from tests.simulation.scheduler import Scheduler

FACES = 2
AMONG_COLLUDERS_MS = 1
SIDES_LAST_MS = 60_000
"""After so long the honest validators are divided anew."""


class Sides:
    """Which face each honest validator is shown."""

    def __init__(self, scheduler: Scheduler, random: Random, honest: Sequence[int]) -> None:
        self._scheduler = scheduler
        self._random = random
        self._honest = list(honest)
        self._second: frozenset[int] = frozenset()
        self._divide()

    def face_for(self, index: int) -> int:
        """Return the face that an honest validator sees."""
        return int(index in self._second)

    def _divide(self) -> None:
        count = self._random.randint(1, max(1, len(self._honest) - 1))
        self._second = frozenset(self._random.sample(self._honest, count))
        self._scheduler.after(SIDES_LAST_MS, self._divide)


class FaceOutlet:
    """Sends what one face says to its side, and to the same face of the other colluders."""

    def __init__(
        self,
        index: int,
        face: int,
        honest: Sequence[int],
        sides: Sides,
        send: Callable[[int, int, Packet], None],
        tell: Callable[[int, int, Packet], None],
    ) -> None:
        self._index = index
        self._face = face
        self._honest = list(honest)
        self._sides = sides
        self._send = send
        self._tell = tell

    def broadcast(self, packet: Packet) -> None:
        """Send to the side that sees this face, and to the colluders."""
        for receiver in self._honest:
            self.send(receiver, packet)
        self._tell(self._index, self._face, packet)

    def send(self, receiver: int, packet: Packet) -> None:
        """Send to one validator, a vote only if it sees this face."""
        if not isinstance(packet, QbftPacket) or self._sides.face_for(receiver) == self._face:
            self._send(self._index, receiver, packet)
