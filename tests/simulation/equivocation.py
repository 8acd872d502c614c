"""Behaviours that say different things to different validators, or nothing to some."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from consensus.qbft.messages import (
    Commit,
    Message,
    Prepare,
    PreparedClaim,
    Proposal,
    RoundChange,
)
from tests.simulation.byzantine import Outgoing, View, unchanged
from tests.simulation.fake_blocks import hash_of, twin_of
from tests.simulation.packets import Packet, QbftPacket

BOTH = 8
"""One in so many receivers gets both messages, so that it can prove the fault."""

TWINS_REMEMBERED = 64


@dataclass(slots=True)
class Equivocate:
    """Says one thing to some validators and another to the rest, chosen anew at each height."""

    height: int = -1
    sides: int = 0
    twins: dict[bytes, bytes] = field(default_factory=dict)

    def alter(self, view: View, receivers: Sequence[int], packet: Packet) -> list[Outgoing]:
        """Send the twin of a message to one side."""
        if not isinstance(packet, QbftPacket):
            return unchanged(receivers, packet)
        if packet.message.payload.height != self.height:
            self.height = packet.message.payload.height
            self.sides = view.random.getrandbits(view.count)
        other = QbftPacket(self._twin(view, packet.message), packet.parent_certificate)
        outgoing: list[Outgoing] = []
        for receiver in receivers:
            pair = (packet, other) if self.sides >> receiver & 1 else (other, packet)
            sent = pair if view.random.randrange(BOTH) == 0 else pair[:1]
            outgoing += [(receiver, each) for each in sent]
        return outgoing

    def inject(self, view: View) -> list[Outgoing]:
        """Add nothing."""
        return []

    def _twin(self, view: View, message: Message) -> Message:
        height, round_number = message.payload.height, message.payload.round
        match message:
            case Proposal():
                return self._twin_proposal(view, message)
            case Prepare():
                return view.forger.prepare(
                    height, round_number, self._other(message.payload.digest)
                )
            case Commit():
                return view.forger.commit(height, round_number, self._other(message.payload.digest))
            case RoundChange(block=None):
                claim = PreparedClaim(0, hash_of(b"never prepared"))
                return view.forger.round_change(height, round_number, claim)
            case RoundChange():
                return view.forger.round_change(height, round_number)

    def _twin_proposal(self, view: View, message: Proposal) -> Proposal:
        block = view.store.decoded(message.payload.block)
        if block is None:
            return message
        twin = twin_of(block, b"twin" + block.salt, view.store.tip)
        if len(self.twins) > TWINS_REMEMBERED:
            self.twins.clear()
        self.twins[block.hash] = twin.hash
        payload = message.payload
        return view.forger.proposal(
            payload.height, payload.round, twin.rlp, message.round_changes, message.prepares
        )

    def _other(self, digest: bytes) -> bytes:
        return self.twins.get(digest) or hash_of(digest)


WITHHELD = ("everything", "proposals", "prepares", "commits", "round changes", "some", "nothing")


@dataclass(slots=True)
class Withhold:
    """Keeps back one kind of message, or sends only to some; chosen anew in each round."""

    place: tuple[int, int] = (-1, -1)
    withheld: str = "nothing"
    told: int = 0

    def alter(self, view: View, receivers: Sequence[int], packet: Packet) -> list[Outgoing]:
        """Send to nobody, or to those that are told in this round."""
        if not isinstance(packet, QbftPacket):
            return []
        payload = packet.message.payload
        if (payload.height, payload.round) != self.place:
            self.place = (payload.height, payload.round)
            self.withheld = view.random.choice(WITHHELD)
            self.told = view.random.getrandbits(view.count)
        if not self._is_withheld(packet.message):
            return unchanged(receivers, packet)
        if self.withheld == "everything":
            return []
        return unchanged([to for to in receivers if self.told >> to & 1], packet)

    def inject(self, view: View) -> list[Outgoing]:
        """Add nothing."""
        return []

    def _is_withheld(self, message: Message) -> bool:
        match self.withheld:
            case "proposals":
                return isinstance(message, Proposal)
            case "prepares":
                return isinstance(message, Prepare)
            case "commits":
                return isinstance(message, Commit)
            case "round changes":
                return isinstance(message, RoundChange)
            case withheld:
                return withheld != "nothing"


class Silent:
    """Sends nothing at all."""

    def alter(self, view: View, receivers: Sequence[int], packet: Packet) -> list[Outgoing]:
        """Send nothing."""
        return []

    def inject(self, view: View) -> list[Outgoing]:
        """Add nothing."""
        return []


class VoteForAll:
    """Prepares and commits to every block it hears of, in every round, and forgets its locks."""

    def alter(self, view: View, receivers: Sequence[int], packet: Packet) -> list[Outgoing]:
        """Send round changes without what was prepared; beside a vote, votes for all blocks."""
        match packet:
            case QbftPacket(message=RoundChange(block=bytes()) as message):
                payload = message.payload
                bare = view.forger.round_change(payload.height, payload.round)
                return unchanged(receivers, QbftPacket(bare, None))
            case QbftPacket(message=Prepare() | Commit()):
                return unchanged(receivers, packet) + self._votes(view, receivers)
            case _:
                return unchanged(receivers, packet)

    def inject(self, view: View) -> list[Outgoing]:
        """Vote for all blocks of the height once more."""
        return self._votes(view, view.others)

    def _votes(self, view: View, receivers: Sequence[int]) -> list[Outgoing]:
        """Return votes for all blocks, in the round heard and in the last one."""
        height = view.store.height + 1
        outgoing: list[Outgoing] = []
        for digest, round_number in sorted(self._spoken_of(view, height)):
            votes: tuple[Message, ...] = (
                view.forger.prepare(height, round_number, digest),
                view.forger.commit(height, round_number, digest),
            )
            for vote in votes:
                outgoing += unchanged(receivers, QbftPacket(vote, None))
        return outgoing

    def _spoken_of(self, view: View, height: int) -> set[tuple[bytes, int]]:
        places: set[tuple[bytes, int]] = set()
        for packet in view.heard:
            match packet:
                case QbftPacket(message=Prepare() | Commit() as message) if (
                    message.payload.height == height
                ):
                    places |= {
                        (message.payload.digest, message.payload.round),
                        (message.payload.digest, view.round),
                    }
                case _:
                    pass
        return places
