"""Behaviours that send what nobody should take: damaged, old, or far ahead."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from consensus.qbft.messages import (
    COMMIT,
    PREPARE,
    PROPOSAL,
    ROUND_CHANGE,
    Commit,
    Message,
    Prepare,
    Proposal,
    RoundChange,
)
from tests.simulation.byzantine import Outgoing, View, unchanged
from tests.simulation.packets import BytesPacket, FinalBlock, Packet, QbftPacket

CODES = (PROPOSAL, PREPARE, COMMIT, ROUND_CHANGE, 0, 0x16)
MOST_RANDOM_BYTES = 300
PACKETS_KEPT = 200
REPLAYED_A_TICK = 4
GREATEST_ROUND = 2**32 - 1
GREATEST_HEIGHT = 2**64 - 1


def damaged(data: bytes, random: Random) -> bytes:
    """Return bytes with one thing wrong: a bit, the length, a slice gone or twice."""
    if not data:
        return b"\x00"
    at, size = random.randrange(len(data)), random.randrange(1, 9)
    match random.randrange(5):
        case 0:
            return data[:at] + bytes((data[at] ^ 1 << random.randrange(8),)) + data[at + 1 :]
        case 1:
            return data[:at]
        case 2:
            return data + random.randbytes(size)
        case 3:
            return data[:at] + data[at + size :]
        case _:
            return data[: at + size] + data[at:]


class Garbage:
    """Sends random bytes, damaged messages, and signed messages of random content."""

    def alter(self, view: View, receivers: Sequence[int], packet: Packet) -> list[Outgoing]:
        """Send half of the messages as they are, and add garbage to half."""
        if not isinstance(packet, QbftPacket):
            return unchanged(receivers, packet)
        outgoing: list[Outgoing] = []
        for receiver in receivers:
            if view.random.random() < 0.5:
                outgoing.append((receiver, packet))
            if view.random.random() < 0.5:
                outgoing.append((receiver, self._garbage(view, packet)))
        return outgoing

    def inject(self, view: View) -> list[Outgoing]:
        """Add random bytes under a random code."""
        data = view.random.randbytes(view.random.randrange(MOST_RANDOM_BYTES))
        packet = BytesPacket(view.random.choice(CODES), data, view.parent_certificate())
        return unchanged(view.others, packet)

    def _garbage(self, view: View, packet: QbftPacket) -> Packet:
        random, message = view.random, packet.message
        certificate = packet.parent_certificate
        match random.randrange(4):
            case 0:
                data = damaged(message.encode(), random)
                return BytesPacket(message.payload.CODE, data, certificate)
            case 1:
                data = message.encode()
                return BytesPacket(random.choice(CODES), data, certificate)
            case 2:
                return QbftPacket(badly_signed(message, random.randbytes(65)), certificate)
            case _:
                return QbftPacket(self._absurd(view, message), certificate)

    def _absurd(self, view: View, message: Message) -> Message:
        """Return a well-signed message that says something random."""
        random, forger, payload = view.random, view.forger, message.payload
        height, round_number = payload.height, payload.round
        digest, seal = random.randbytes(32), random.randbytes(65)
        match message:
            case Prepare():
                return forger.prepare(height, round_number, digest)
            case Commit() if random.random() < 0.5:
                return forger.commit(height, round_number, message.payload.digest, seal)
            case Commit():
                stolen = forger.seal(height, round_number + 1, message.payload.digest)
                return forger.commit(height, round_number, message.payload.digest, stolen)
            case Proposal():
                block = damaged(message.payload.block, random)
                return forger.proposal(height, round_number, block, message.round_changes)
            case RoundChange():
                return forger.round_change(height, random.randrange(2**32), None, b"\xc0", ())


def badly_signed(message: Message, signature: bytes) -> Message:
    """Return a message with another signature."""
    if isinstance(message, RoundChange):
        return replace(message, signed=replace(message.signed, signature=signature))
    return replace(message, signature=signature)


@dataclass(slots=True)
class Replay:
    """Sends old messages again, its own and those of others, and old certificates."""

    kept: list[Packet] = field(default_factory=list)

    def alter(self, view: View, receivers: Sequence[int], packet: Packet) -> list[Outgoing]:
        """Send a message, half of the time after an old one; proposals with an old certificate."""
        outgoing = unchanged(receivers, packet)
        if self.kept and view.random.random() < 0.5:
            old = view.random.choice(self.kept)
            outgoing = unchanged(receivers, old) + outgoing
            if isinstance(packet, QbftPacket) and isinstance(old, FinalBlock):
                mixed = QbftPacket(packet.message, old.certificate)
                outgoing = unchanged(receivers, mixed) + outgoing
        return outgoing

    def inject(self, view: View) -> list[Outgoing]:
        """Send some of the last packets and some very old ones to anybody."""
        random, outgoing = view.random, []
        for packet in random.sample(list(view.heard), min(len(view.heard), REPLAYED_A_TICK)):
            if len(self.kept) < PACKETS_KEPT:
                self.kept.append(packet)
            else:
                self.kept[random.randrange(PACKETS_KEPT)] = packet
            outgoing.append((random.choice(view.others), packet))
        old = random.sample(self.kept, min(len(self.kept), REPLAYED_A_TICK))
        return outgoing + [(random.choice(view.others), packet) for packet in old]


class Future:
    """Votes for rounds and heights that nobody has reached."""

    def alter(self, view: View, receivers: Sequence[int], packet: Packet) -> list[Outgoing]:
        """Send everything as it is."""
        return unchanged(receivers, packet)

    def inject(self, view: View) -> list[Outgoing]:
        """Add a message of each kind, each of its own place ahead."""
        random, forger = view.random, view.forger
        tip = view.store.tip
        places = [self._place(view) for _kind in CODES]
        messages: list[Message] = [
            forger.prepare(*places[0], tip.hash),
            forger.commit(*places[1], random.randbytes(32)),
            forger.round_change(*places[2]),
            forger.round_change(*places[3]),
            forger.proposal(*places[4], tip.rlp),
        ]
        chosen = random.sample(messages, 3)
        return [
            (random.choice(view.others), QbftPacket(message, view.parent_certificate()))
            for message in chosen
        ]

    def _place(self, view: View) -> tuple[int, int]:
        random, height = view.random, view.store.height + 1
        rounds = (view.round + 1, view.round + 2, random.randrange(2**32), GREATEST_ROUND)
        heights = (height, height, height + 1, height + 2, height + 1000, GREATEST_HEIGHT)
        return random.choice(heights), random.choice(rounds)
