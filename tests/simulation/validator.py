"""A validator of the simulation: the step function, a disk, and what a node's driver does."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Protocol

from consensus.certificate import CommitCertificate, SealDomain
from consensus.qbft.events import (
    Action,
    Ahead,
    Behind,
    BlockBuilt,
    BlockChecked,
    BuildBlock,
    CheckBlock,
    Decide,
    Event,
    HeightContext,
    Persist,
    ProposedHeader,
    Received,
    Record,
    Refused,
    Relay,
    Report,
    Send,
    SetTimer,
    Started,
    Timer,
    TimerFired,
)
from consensus.qbft.faults import BadMessage
from consensus.qbft.message_decoding import decode_message
from consensus.qbft.records import decode_record, encode_record
from consensus.qbft.rules import Rules
from consensus.qbft.signing import Recover, Signer, SigningDomain
from consensus.qbft.step import State, step
from cvm.evm.strict_rlp import BadRlp
from tests.simulation.chain_store import NO_CERTIFICATE_HASH, ChainStore
from tests.simulation.fake_blocks import FakeBlock, build_on, decode_fake_block
from tests.simulation.members import Members, peers_of
from tests.simulation.packets import (
    Blocks,
    BytesPacket,
    FinalBlock,
    GetBlocks,
    Packet,
    QbftPacket,
)
from tests.simulation.safety import SafetyChecker
from tests.simulation.scheduler import Scheduler
from tests.simulation.settings import Work
from tests.simulation.votes import vote_of, vote_of_record

BLOCKS_A_PACKET = 64
ASK_AGAIN_MS = 500
"""A peer is not asked, nor sent the same block, more often."""


class Outlet(Protocol):
    """Where a validator's packets go: to the network, or through what a byzantine one does."""

    def broadcast(self, packet: Packet) -> None:
        """Send to every other validator."""
        ...

    def send(self, receiver: int, packet: Packet) -> None:
        """Send to one validator."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all validators of a world share."""

    scheduler: Scheduler
    random: Random
    members: Members
    domain: SigningDomain
    seals: SealDomain
    recover: Recover
    work: Work
    period_s: int
    reach: int


def read_fake_header(block: bytes) -> ProposedHeader | None:
    """Return what consensus reads in a block, None where the bytes are none."""
    try:
        fake = decode_fake_block(block)
    except BadRlp:
        return None
    return ProposedHeader(
        fake.number, fake.hash, fake.timestamp, fake.coinbase, fake.parent_certificate_hash
    )


class Validator:
    """Runs the step function on virtual time; crashes lose all but the disk."""

    def __init__(
        self,
        index: int,
        surroundings: Surroundings,
        signer: Signer,
        store: ChainStore,
        outlet: Outlet,
        checker: SafetyChecker | None,
        skew_ms: int = 0,
    ) -> None:
        self.index = index
        self.store = store
        self.refused: Counter[str] = Counter()
        self.is_up = False
        self.salt = b""
        self.state: State | None = None
        self._around = surroundings
        self._outlet = outlet
        self._checker = checker
        self._skew_ms = skew_ms
        self._life = 0
        self._actions_to_crash: int | None = None
        self._timers: dict[Timer, int] = {}
        self._waiting: deque[Event] = deque()
        self._is_stepping = False
        self._asked_ms: dict[tuple[int, int], int] = {}
        self._addresses = surroundings.members.addresses
        self._indices = {address: at for at, address in enumerate(self._addresses)}
        self._peers = peers_of(index, len(self._addresses), surroundings.reach)
        self._rules = Rules(
            signer, surroundings.domain, surroundings.seals, read_fake_header, surroundings.recover
        )

    # Life

    def start(self) -> None:
        """Begin, or begin again with what the disk has."""
        if self.is_up:
            return
        self.is_up = True
        self._begin_height(tuple(decode_record(encode_record(each)) for each in self.store.records))

    def crash_soon(self, actions: int) -> None:
        """Crash after so many more actions."""
        self._actions_to_crash = actions

    def crash(self) -> None:
        """Lose everything that is not on disk."""
        self.is_up = False
        self.state = None
        self._life += 1
        self._actions_to_crash = None
        self._timers.clear()
        self._waiting.clear()
        self._asked_ms.clear()

    @property
    def now_ms(self) -> int:
        """Return this validator's clock."""
        return self._around.scheduler.now_ms + self._skew_ms

    def _begin_height(self, records: tuple[Record, ...] = ()) -> None:
        tip = self.store.tip
        context = HeightContext(
            tip.number + 1,
            self._around.members.at(tip.number + 1),
            tip.coinbase,
            (tip.timestamp + self._around.period_s) * 1000,
        )
        self._timers.clear()
        self._asked_ms.clear()
        self.handle(Started(self.now_ms, context, records))

    # Steps

    def handle(self, event: Event) -> None:
        """Take a step, and do what it says; what comes of that waits its turn."""
        self._waiting.append(event)
        if self._is_stepping:
            return
        self._is_stepping = True
        while self._waiting:
            self.state, actions = step(self._rules, self.state, self._waiting.popleft())
            self._carry_out(actions)
        self._is_stepping = False

    def _carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            if self._actions_to_crash is not None:
                self._actions_to_crash -= 1
                if self._actions_to_crash < 0:
                    self.crash()
                    return
            CARRY_OUT[type(action)](self, action)

    def _later(self, work_ms: int, event: Event) -> None:
        life, around = self._life, self._around

        def done() -> None:
            if life == self._life:
                self.handle(replace(event, now_ms=self.now_ms))

        around.scheduler.after(work_ms, done)

    def _work_ms(self) -> int:
        work, random = self._around.work, self._around.random.random
        if work.slow and random() * 1000 < work.slow:
            return int(random() * work.slow_ms)
        return work.least_ms + int(random() * (work.most_ms - work.least_ms + 1))

    # Actions

    def _persist(self, action: Persist) -> None:
        self.store.records.append(action.record)
        vote = vote_of_record(action.record)
        if self._checker is not None and vote is not None:
            self._checker.saved(self.index, vote)

    def _send(self, action: Send) -> None:
        if self._checker is not None:
            self._checker.sent(self.index, vote_of(action.message))
        self._outlet.broadcast(QbftPacket(action.message, action.parent_certificate))

    def _relay(self, action: Relay) -> None:
        """Pass a message on where not every validator has a link to every other."""
        if self._around.reach:
            packet = QbftPacket(action.message, action.parent_certificate)
            for peer in self._peers:
                if self._addresses[peer] != action.sender:
                    self._outlet.send(peer, packet)

    def _build(self, action: BuildBlock) -> None:
        tip, certificate = self.store.tip, self.store.certificates[-1]
        named = NO_CERTIFICATE_HASH if certificate is None else certificate.hash
        timestamp = max(tip.timestamp + self._around.period_s, self.now_ms // 1000)
        salt = self.salt + action.round.to_bytes(4, "big")
        coinbase = self._addresses[self.index]
        block = build_on(tip, timestamp, coinbase, named, salt)
        built = BlockBuilt(0, action.height, action.round, block.rlp, certificate)
        self._later(self._work_ms(), built)

    def _check(self, action: CheckBlock) -> None:
        work, valid = self._around.work, None
        if not work.unready or self._around.random.random() * 1000 >= work.unready:
            valid = self.store.is_valid(action.block, action.parent_certificate)
        checked = BlockChecked(0, action.height, action.digest, valid)
        self._later(self._work_ms(), checked)

    def _set_timer(self, action: SetTimer) -> None:
        timer, at_ms, life = action.timer, action.at_ms, self._life

        def fire() -> None:
            if life == self._life and self._timers.get(timer) == at_ms:
                del self._timers[timer]
                self.handle(TimerFired(self.now_ms, timer))

        self._timers[timer] = at_ms
        self._around.scheduler.at(at_ms - self._skew_ms, fire)

    def _decide(self, action: Decide) -> None:
        block = decode_fake_block(action.block)
        self._finalise(block, action.certificate, action.parent_certificate)

    def _finalise(
        self,
        block: FakeBlock,
        certificate: CommitCertificate,
        parent_certificate: CommitCertificate | None,
    ) -> None:
        self.store.append(block, certificate, parent_certificate)
        if self._checker is not None:
            self._checker.finalised(self.index, block, certificate)
        self._begin_height()

    def _report(self, action: Report) -> None:
        if self._checker is not None:
            self._checker.accused(action.evidence)

    def _behind(self, action: Behind) -> None:
        self._ask(self._indices[action.sender])

    def _ahead(self, action: Ahead) -> None:
        receiver = self._indices[action.sender]
        if action.height <= self.store.height and self._may(receiver, action.height):
            self._outlet.send(receiver, self._final_block(action.height))

    def _refused(self, action: Refused) -> None:
        self.refused[action.reason] += 1

    # Packets

    def receive(self, sender: int, packet: Packet) -> None:
        """Take a packet from the network; one that crashed hears nothing."""
        if self.is_up:
            RECEIVE[type(packet)](self, sender, packet)

    def _hear(self, sender: int, packet: QbftPacket) -> None:
        address = self._addresses[sender]
        self.handle(Received(self.now_ms, packet.message, packet.parent_certificate, address))

    def _hear_bytes(self, sender: int, packet: BytesPacket) -> None:
        try:
            message = decode_message(packet.code, packet.data)
        except BadMessage:
            self.refused["bytes"] += 1
            return
        self._hear(sender, QbftPacket(message, packet.parent_certificate))

    def _take_pushed(self, sender: int, packet: FinalBlock) -> None:
        """Take a block that nobody asked for; its sender may have the next ones too."""
        height = self.store.height
        self._take_block(sender, packet)
        if self.store.height > height:
            self._ask(sender)

    def _take_block(self, sender: int, packet: FinalBlock) -> None:
        block = self.store.decoded(packet.rlp)
        if block is None or block.number <= self.store.height:
            return
        if block.number > self.store.height + 1:
            self._ask(sender)
        elif self.store.is_valid(packet.rlp, packet.parent_certificate) and self.store.is_certified(
            block, packet.certificate
        ):
            self._finalise(block, packet.certificate, packet.parent_certificate)

    def _take_blocks(self, sender: int, packet: Blocks) -> None:
        for block in packet.blocks[:BLOCKS_A_PACKET]:
            self._take_block(sender, block)
        if len(packet.blocks) == BLOCKS_A_PACKET:
            self._ask(sender)

    def _give_blocks(self, sender: int, packet: GetBlocks) -> None:
        last = min(self.store.height, packet.start + BLOCKS_A_PACKET - 1)
        if 0 < packet.start <= last:
            blocks = tuple(map(self._final_block, range(packet.start, last + 1)))
            self._outlet.send(sender, Blocks(blocks))

    def _final_block(self, height: int) -> FinalBlock:
        store = self.store
        certificate = store.certificates[height]
        if certificate is None:
            raise ValueError(f"block {height} has no certificate")
        return FinalBlock(store.blocks[height].rlp, certificate, store.certificates[height - 1])

    def _ask(self, peer: int) -> None:
        start = self.store.height + 1
        if self._may(peer, -start):
            self._outlet.send(peer, GetBlocks(start))

    def _may(self, peer: int, what: int) -> bool:
        """Tell whether this was not sent to this peer just now."""
        now_ms = self._around.scheduler.now_ms
        if now_ms - self._asked_ms.get((peer, what), -ASK_AGAIN_MS) < ASK_AGAIN_MS:
            return False
        self._asked_ms[peer, what] = now_ms
        return True


CARRY_OUT: dict[type[Action], Callable[[Validator, Any], None]] = {
    Persist: Validator._persist,
    Send: Validator._send,
    Relay: Validator._relay,
    BuildBlock: Validator._build,
    CheckBlock: Validator._check,
    SetTimer: Validator._set_timer,
    Decide: Validator._decide,
    Report: Validator._report,
    Behind: Validator._behind,
    Ahead: Validator._ahead,
    Refused: Validator._refused,
}

RECEIVE: dict[type[Packet], Callable[[Validator, int, Any], None]] = {
    QbftPacket: Validator._hear,
    BytesPacket: Validator._hear_bytes,
    FinalBlock: Validator._take_pushed,
    Blocks: Validator._take_blocks,
    GetBlocks: Validator._give_blocks,
}
