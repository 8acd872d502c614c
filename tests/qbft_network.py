"""Validators of one height on a network that an adversary rules: any order, loss, copies, crashes.

Timers fire whenever the adversary likes. Byzantine validators sign what they like, and know every
message that was ever sent. `calm` then delivers everything in time, to see whether all decide.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from random import Random

from consensus.certificate import CommitCertificate, quorum
from consensus.qbft.events import (
    Action,
    BlockBuilt,
    BlockChecked,
    BuildBlock,
    CheckBlock,
    Decide,
    Event,
    Persist,
    Received,
    Record,
    Refused,
    Send,
    SetTimer,
    Started,
    Timer,
    TimerFired,
    TimerKind,
)
from consensus.qbft.messages import Message, Prepare, RoundChange
from consensus.qbft.state import State
from consensus.qbft.step import step
from consensus.qbft.validator_order import proposer
from tests.qbft_world import (
    DUE_MS,
    HEIGHT,
    PARENT_CERTIFICATE,
    SIGNERS,
    commit_by,
    context_of,
    hash_of,
    prepare_by,
    proposal_by,
    round_change_by,
    rules_of,
    tiny_block,
)


class Unsafe(AssertionError):
    """Two honest validators disagree, or one of them signed two things."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A message on its way."""

    sender: int
    receiver: int
    message: Message
    parent_certificate: CommitCertificate | None


@dataclass
class Life:
    """A validator: what it remembers, what is on its disk, what it waits for."""

    index: int
    state: State | None = None
    disk: list[Record] = field(default_factory=list)
    unsaved: list[Record] = field(default_factory=list)
    timers: dict[Timer, int] = field(default_factory=dict)
    work: list[Event] = field(default_factory=list)
    decided: Decide | None = None


class Network:
    """All validators of one height; `byzantine` ones have no `Life`."""

    def __init__(self, count: int, byzantine: Iterable[int], random: Random) -> None:
        self.count = count
        self.random = random
        self.now_ms = DUE_MS
        self.context = context_of(count)
        self.byzantine = sorted(byzantine)
        self.lives = {at: Life(at) for at in range(count) if at not in self.byzantine}
        self.packets: list[Packet] = []
        self.said: list[tuple[Message, CommitCertificate | None]] = []
        self.signed: dict[tuple[int, int, int], bytes] = {}
        self.faults: list[str] = []
        self.blocks = [
            tiny_block(SIGNERS[at].address, salt) for at in range(count) for salt in (1, 2)
        ]
        for life in self.lives.values():
            self.begin(life)

    # Honest validators

    def begin(self, life: Life) -> None:
        """Start, or start again with what is on disk."""
        self.handle(life, Started(0, self.context, tuple(life.disk)))

    def handle(self, life: Life, event: Event, crash_after: int | None = None) -> None:
        """Take a step; with `crash_after`, only so many of its actions happen."""
        event = replace(event, now_ms=self.now_ms)
        life.state, actions = step(rules_of(life.index), life.state, event)
        for action in actions[:crash_after]:
            self.carry_out(life, action)
        if crash_after is not None:
            kept = self.random.randint(0, len(life.unsaved))
            disk = life.disk + life.unsaved[:kept]
            self.lives[life.index] = Life(life.index, disk=disk, decided=life.decided)
            self.begin(self.lives[life.index])

    def carry_out(self, life: Life, action: Action) -> None:
        match action:
            case Persist():
                life.unsaved.append(action.record)
            case Send():
                self.save(life)
                self.broadcast(life.index, action.message, action.parent_certificate)
            case Decide():
                self.save(life)
                self.decide(life, action)
            case SetTimer():
                life.timers[action.timer] = action.at_ms
            case BuildBlock():
                salt = self.random.randint(3, 2**32)
                block = tiny_block(SIGNERS[life.index].address, salt)
                self.blocks.append(block)
                life.work.append(BlockBuilt(0, HEIGHT, action.round, block, PARENT_CERTIFICATE))
            case CheckBlock():
                life.work.append(BlockChecked(0, HEIGHT, action.digest, valid=True))
            case Refused(is_fault=True):
                self.faults.append(action.reason)

    def save(self, life: Life) -> None:
        life.disk += life.unsaved
        life.unsaved = []

    def broadcast(
        self, sender: int, message: Message, parent_certificate: CommitCertificate | None
    ) -> None:
        payload = message.payload
        place = (sender, payload.CODE, payload.round)
        if self.signed.setdefault(place, payload.encode()) != payload.encode():
            raise Unsafe(f"validator {sender} signed two messages {payload.CODE:#x}")
        self.said.append((message, parent_certificate))
        for receiver in self.lives:
            if receiver != sender:
                self.packets.append(Packet(sender, receiver, message, parent_certificate))

    def decide(self, life: Life, decision: Decide) -> None:
        life.decided = decision
        if decision.certificate.signers.bit_count() != quorum(self.count):
            raise Unsafe("a certificate without a quorum")
        for other in self.lives.values():
            if other.decided is not None and other.decided.block != decision.block:
                raise Unsafe(f"validators {other.index} and {life.index} decide differently")

    # The adversary

    def storm(self, steps: int) -> None:
        """Let the adversary have so many moves."""
        for _ in range(steps):
            life = self.lives[self.random.choice(list(self.lives))]
            roll = self.random.random()
            if roll < 0.15 and life.work:
                self.handle(life, life.work.pop(self.random.randrange(len(life.work))))
            elif roll < 0.155:
                self.fire_any(life)
            elif roll < 0.22 and self.byzantine:
                self.misbehave(self.random.choice(self.byzantine))
            else:
                self.deliver_any(crash=roll > 0.99)

    def fire_any(self, life: Life) -> None:
        """Fire some timer, were it before its time."""
        if life.timers:
            self.fire(life, self.random.choice(list(life.timers)))

    def deliver_any(self, *, crash: bool = False) -> None:
        """Deliver some packet; some are lost, some come again."""
        if not self.packets:
            return
        at = self.random.randrange(len(self.packets))
        packet = self.packets[at]
        fate = self.random.random()
        if fate < 0.85:
            self.packets[at] = self.packets[-1]
            self.packets.pop()
        if fate > 0.1:
            self.deliver(packet, self.random.randint(0, 6) if crash else None)

    def deliver(self, packet: Packet, crash_after: int | None = None) -> None:
        sender = bytes([packet.sender])
        event = Received(0, packet.message, packet.parent_certificate, sender)
        self.handle(self.lives[packet.receiver], event, crash_after)

    def hear(
        self, life: Life, message: Message, parent_certificate: CommitCertificate | None
    ) -> None:
        """Hand a message straight to a validator."""
        self.handle(life, Received(0, message, parent_certificate, b"peer"))

    def finish_work(self, life: Life) -> None:
        """Finish what a validator builds and checks."""
        while life.work:
            self.handle(life, life.work.pop(0))

    def fire(self, life: Life, timer: Timer) -> None:
        del life.timers[timer]
        self.handle(life, TimerFired(0, timer))

    def misbehave(self, index: int) -> None:
        """Send something, sound or not, that this validator's key can sign, to some others."""
        kinds = [self.any_vote, self.any_proposal, self.any_round_change, self.any_replay]
        message = self.random.choice(kinds)(index)
        self.said.append((message, PARENT_CERTIFICATE))
        for receiver in self.lives:
            if self.random.random() < 0.6:
                self.packets.append(Packet(index, receiver, message, PARENT_CERTIFICATE))

    def any_round(self) -> int:
        rounds = [life.state.round for life in self.lives.values() if life.state is not None]
        return self.random.choice(rounds) + self.random.choice([0, 0, 0, 1])

    def any_vote(self, index: int) -> Message:
        digest = hash_of(self.random.choice(self.blocks))
        if self.random.random() < 0.5:
            return prepare_by(index, digest, self.any_round())
        return commit_by(index, digest, self.any_round())

    def any_replay(self, index: int) -> Message:
        return self.random.choice(self.said)[0] if self.said else self.any_vote(index)

    def any_proposal(self, index: int) -> Message:
        """Return a proposal with such a justification as the messages so far allow."""
        round_number = self.any_round()
        while proposer(self.context, round_number) != SIGNERS[index].address:
            round_number += 1
        changes = {
            message.signed
            for message, _ in self.said
            if isinstance(message, RoundChange) and message.payload.round == round_number
        }
        listed = sorted(changes, key=lambda each: each.signature)
        self.random.shuffle(listed)
        listed = listed[: quorum(self.count)] if round_number else []
        own = [tiny_block(SIGNERS[index].address, salt) for salt in (1, 2)]
        block = self.random.choice([*own, self.random.choice(self.blocks)])
        return proposal_by(index, block, round_number, listed, self.prepares_for(block))

    def any_round_change(self, index: int) -> Message:
        round_number = max(self.any_round(), 1)
        if self.random.random() < 0.5:
            return round_change_by(index, round_number)
        block = self.random.choice(self.blocks)
        prepares = self.prepares_for(block)
        prepared_round = prepares[0].payload.round if prepares else 0
        return round_change_by(index, round_number, block, prepares, prepared_round)

    def prepares_for(self, block: bytes) -> list[Prepare]:
        """Return prepares of some round for a block, with the byzantine validators' own."""
        digest = hash_of(block)
        said = [message for message, _ in self.said if isinstance(message, Prepare)]
        said = [message for message in said if message.payload.digest == digest]
        if not said:
            return []
        round_number = self.random.choice(said).payload.round
        said += [prepare_by(index, digest, round_number) for index in self.byzantine]
        found = {each.signature: each for each in said if each.payload.round == round_number}
        return list(found.values())[: quorum(self.count)]

    # The network at rest

    def calm(self, rounds: int) -> bool:
        """Deliver everything in time, byzantine validators silent; tell whether all decide.

        Everybody sends again before each time-out; a thousand times would do no more.
        """
        for _ in range(rounds):
            self.settle()
            self.send_again()
            self.settle()
            if all(life.decided for life in self.lives.values()):
                return True
            self.advance()
        return False

    def send_again(self) -> None:
        for life in self.lives.values():
            for timer in list(life.timers):
                if timer.kind is TimerKind.RESEND:
                    self.fire(life, timer)

    def settle(self) -> None:
        """Deliver what is on its way, and finish all work."""
        while self.packets or any(life.work for life in self.lives.values()):
            packets, self.packets = self.packets, []
            for packet in packets:
                self.deliver(packet)
                self.share(packet.sender, packet.receiver)
            for life in self.lives.values():
                self.finish_work(life)

    def share(self, sender: int, receiver: int) -> None:
        """Give the final block to who still votes, as a driver does."""
        behind, ahead = self.lives.get(sender), self.lives[receiver]
        if behind is not None and behind.decided is None and ahead.decided is not None:
            behind.decided = ahead.decided

    def advance(self) -> None:
        """Go to the next time-out of a round; of decided validators none matters."""
        waiting = [
            (at_ms, life.index, timer)
            for life in self.lives.values()
            if life.decided is None
            for timer, at_ms in life.timers.items()
            if timer.kind is TimerKind.ROUND
        ]
        at_ms, index, timer = min(waiting, key=lambda each: each[:2])
        self.now_ms = max(self.now_ms, at_ms)
        self.fire(self.lives[index], timer)
