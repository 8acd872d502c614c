"""One simulated run: validators, network, faults and checker, all from one seed."""

from collections import deque
from collections.abc import Sequence
from functools import partial
from random import Random

from consensus.certificate import CommitCertificate, SealDomain
from consensus.qbft.signing import KeySigner, Recover, Signer, SigningDomain, recover_signer
from tests.simulation.behaviours import TWO_FACED, make_behaviours
from tests.simulation.byzantine import PACKETS_HEARD, ByzantineOutlet, Forger, View
from tests.simulation.chain_store import CertificateRule, ChainStore
from tests.simulation.cheap_signatures import CheapSignatures, cheap_address
from tests.simulation.collusion import AMONG_COLLUDERS_MS, FACES, FaceOutlet, Sides
from tests.simulation.fake_blocks import FakeBlock, genesis_block, hash_of
from tests.simulation.held import held_bytes
from tests.simulation.members import Members, peers_of
from tests.simulation.network import Network
from tests.simulation.outcome import Outcome, Progress
from tests.simulation.packets import BytesPacket, Packet, QbftPacket
from tests.simulation.safety import Broken, SafetyChecker
from tests.simulation.scheduler import Scheduler
from tests.simulation.settings import Partition, Settings
from tests.simulation.validator import Surroundings, Validator

CHAIN_ID = 6_283
TICK_MS = 1_000
WEIGHED_EVERY_MS = 61_700
"""No multiple of a period, so that every phase of a height is met."""

ROUND_MS = 6_000
CRASH_LATEST_MS = 500
MOST_VIOLATIONS = 20
FINAL = (Broken.FORK, Broken.CERTIFICATE, Broken.BLOCK)
"""Once one of these is seen, a run ends: the validators are on different chains."""


class HonestOutlet:
    """Sends what an honest validator says as it is."""

    def __init__(self, index: int, peers: Sequence[int], network: Network[Packet]) -> None:
        self._index = index
        self._others = peers
        self._send = network.send

    def broadcast(self, packet: Packet) -> None:
        """Send to every other validator."""
        for receiver in self._others:
            self._send(self._index, receiver, packet)

    def send(self, receiver: int, packet: Packet) -> None:
        """Send to one validator."""
        self._send(self._index, receiver, packet)


class WatchedStore(ChainStore):
    """A chain that tells when a block becomes final."""

    def watch(self, progress: Progress, scheduler: Scheduler) -> None:
        """Tell of every block from now on."""
        self._progress = progress
        self._scheduler = scheduler

    def append(
        self,
        block: FakeBlock,
        certificate: CommitCertificate,
        parent_certificate: CommitCertificate | None,
    ) -> None:
        """Add a final block, and tell of it."""
        super().append(block, certificate, parent_certificate)
        self._progress.finalised(block.number, certificate.round, self._scheduler.now_ms)


def height_bound_ms(settings: Settings) -> int:
    """Return how long a height may take where the rules hold: a period and f + 1 whole rounds.

    Of f + 1 proposers in turn one is honest.
    """
    faulty = (settings.validators - 1) // 3
    return settings.period_s * 1000 + ROUND_MS * ((1 << faulty + 1) - 1)


class World:
    """Runs one seed of some settings."""

    def __init__(self, settings: Settings, seed: int) -> None:
        self.settings = settings
        self.seed = seed
        self.random = Random(f"cvm simulation {seed}")
        self.scheduler = Scheduler()
        self.honest = [i for i in range(settings.validators) if i not in settings.byzantine]
        self.genesis = genesis_block()
        self.scheduler.now_ms = self.start_ms = self.genesis.timestamp * 1000
        self.progress = Progress(len(self.honest), self.start_ms)
        self._make_keys()
        self.rule = CertificateRule(self.members, self.seals, self.recover)
        self.network = Network[Packet](self.scheduler, self.random, settings.links, self._deliver)
        self.checker = SafetyChecker(
            self.members,
            self.honest,
            self.domain,
            self.seals,
            self.recover,
            self.genesis,
            settings.period_s,
        )
        self.around = Surroundings(
            self.scheduler,
            self.random,
            self.members,
            self.domain,
            self.seals,
            self.recover,
            settings.work,
            settings.period_s,
            settings.reach,
        )
        self.crashes = 0
        self.most_violations = MOST_VIOLATIONS
        self.most_held_bytes = 0
        self.validators: dict[int, Validator] = {}
        self.faces: dict[int, list[Validator]] = {}
        self.outlets: dict[int, ByzantineOutlet] = {}
        self.sides = Sides(self.scheduler, self.random, self.honest)
        self._populate()

    # Making

    def _make_keys(self) -> None:
        count = self.settings.validators
        self.signers: list[Signer]
        self.recover: Recover
        if self.settings.real_signatures:
            self.signers = [KeySigner(hash_of(b"key %d" % index)) for index in range(count)]
            self.recover = recover_signer
        else:
            cheap = CheapSignatures([cheap_address(index) for index in range(count)])
            self.signers = [cheap.signer(cheap_address(index)) for index in range(count)]
            self.recover = cheap.recover
        addresses = [signer.address for signer in self.signers]
        self.members = Members(addresses, self.settings.epoch_heights)
        genesis_hash = hash_of(self.genesis.rlp + str(self.seed).encode())
        self.domain = SigningDomain(CHAIN_ID, genesis_hash)
        self.seals = SealDomain(CHAIN_ID, genesis_hash)

    def _peers_of(self, index: int) -> tuple[int, ...]:
        return peers_of(index, self.settings.validators, self.settings.reach)

    def _populate(self) -> None:
        for index in self.honest:
            outlet = HonestOutlet(index, self._peers_of(index), self.network)
            store = WatchedStore(self.genesis, self.rule, self.settings.period_s)
            store.watch(self.progress, self.scheduler)
            skew = self.settings.most_skew_ms
            skew_ms = self.random.randint(-skew, skew)
            self.validators[index] = Validator(
                index, self.around, self.signers[index], store, outlet, self.checker, skew_ms
            )
        for index in self.settings.byzantine:
            if TWO_FACED in self.settings.behaviours:
                self.faces[index] = [self._face(index, face) for face in range(FACES)]
            else:
                self.validators[index] = self._byzantine(index)

    def _byzantine(self, index: int) -> Validator:
        store = ChainStore(self.genesis, self.rule, self.settings.period_s)
        view = View(
            index,
            self.settings.validators,
            list(self._peers_of(index)),
            self.random,
            self.scheduler,
            store,
            Forger(self.signers[index], self.domain, self.seals),
            deque(maxlen=PACKETS_HEARD),
        )
        behaviours = make_behaviours(self.settings.behaviours)
        outlet = self.outlets[index] = ByzantineOutlet(view, behaviours, self.network.send)
        return Validator(index, self.around, self.signers[index], store, outlet, None)

    def _face(self, index: int, face: int) -> Validator:
        store = ChainStore(self.genesis, self.rule, self.settings.period_s)
        outlet = FaceOutlet(
            index, face, self.honest, self.sides, self.network.send, self._tell_colluders
        )
        validator = Validator(index, self.around, self.signers[index], store, outlet, None)
        validator.salt = b"face %d" % face
        return validator

    # Packets

    def _deliver(self, sender: int, receiver: int, packet: Packet) -> None:
        if self.settings.real_signatures and isinstance(packet, QbftPacket):
            message = packet.message
            packet = BytesPacket(message.payload.CODE, message.encode(), packet.parent_certificate)
        if receiver in self.faces:
            for face in self.faces[receiver]:
                face.receive(sender, packet)
            return
        outlet = self.outlets.get(receiver)
        if outlet is not None:
            outlet.view.note(packet)
        self.validators[receiver].receive(sender, packet)

    def _tell_colluders(self, sender: int, face: int, packet: Packet) -> None:
        for index, faces in self.faces.items():
            if index != sender:
                self.scheduler.after(
                    AMONG_COLLUDERS_MS, partial(faces[face].receive, sender, packet)
                )

    # Faults

    def _weigh(self) -> None:
        """Note how much the states of honest validators hold."""
        states = [self.validators[index].state for index in self.honest]
        self.most_held_bytes = max(self.most_held_bytes, *map(held_bytes, states))
        self.scheduler.after(WEIGHED_EVERY_MS, self._weigh)

    def _tick(self, outlet: ByzantineOutlet) -> None:
        outlet.tick()
        self.scheduler.after(TICK_MS, partial(self._tick, outlet))

    def _crash_somebody(self) -> None:
        crashes, random = self.settings.crashes, self.random
        victim = self.validators[random.choice(self.honest)]
        if victim.is_up:
            self.crashes += 1
            victim.crash_soon(random.randrange(8))
            down_ms = random.randint(crashes.least_down_ms, crashes.most_down_ms)
            self.scheduler.after(CRASH_LATEST_MS, victim.crash)
            self.scheduler.after(CRASH_LATEST_MS + down_ms, victim.start)
        self.scheduler.after(
            1 + int(random.expovariate(1 / crashes.every_ms)), self._crash_somebody
        )

    def _schedule_partition(self, partition: Partition) -> None:
        start_ms = self.start_ms
        self.scheduler.at(
            start_ms + partition.from_ms, partial(self.network.split, partition.sides)
        )
        self.scheduler.at(start_ms + partition.to_ms, self._heal)

    def _heal(self) -> None:
        self.network.heal()
        highest = max(self.validators[index].store.height for index in self.honest)
        self.progress.await_height(highest + 1, self.scheduler.now_ms)

    # Running

    def run(self) -> Outcome:
        """Run until every honest validator has all heights, time is up or safety is broken."""
        settings = self.settings
        for index in range(settings.validators):
            for validator in self.faces.get(index) or [self.validators[index]]:
                validator.start()
        for outlet in self.outlets.values():
            self._tick(outlet)
        for partition in settings.partitions:
            self._schedule_partition(partition)
        if settings.crashes.every_ms:
            self._crash_somebody()
        self._weigh()
        until_ms = self.start_ms + settings.heights * height_bound_ms(settings)
        self.scheduler.run(until_ms, self._is_over)
        return self._outcome()

    def _is_over(self) -> bool:
        violations = self.checker.violations
        if violations and (len(violations) >= self.most_violations or violations[-1].rule in FINAL):
            return True
        progress = self.progress
        return progress.decided >= self.settings.heights and not progress.never_healed()

    def _outcome(self) -> Outcome:
        progress, settings = self.progress, self.settings
        waits_ms, bound_ms = progress.waits_ms(settings.heights), height_bound_ms(settings)
        return Outcome(
            seed=self.seed,
            heights=settings.heights,
            decided=min(progress.decided, settings.heights),
            in_time=sum(wait <= bound_ms for wait in waits_ms),
            rounds=dict(sorted(progress.rounds.items())),
            longest_ms=max(waits_ms, default=0),
            healing_ms=tuple(progress.healing_ms),
            never_healed=progress.never_healed(),
            virtual_ms=self.scheduler.now_ms - self.start_ms,
            tasks=self.scheduler.tasks_run,
            packets=self.network.sent,
            refused=sum(self.validators[index].refused.total() for index in self.honest),
            accusations=self.checker.accusations,
            crashes=self.crashes,
            most_held_bytes=self.most_held_bytes,
            violations=tuple(self.checker.violations),
        )
