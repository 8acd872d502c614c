"""Byzantine validators: a correct one whose packets pass through behaviours on their way out."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from consensus.certificate import CommitCertificate, SealDomain
from consensus.qbft.messages import (
    Commit,
    CommitPayload,
    Payload,
    Prepare,
    PreparedClaim,
    PreparePayload,
    Proposal,
    ProposalPayload,
    RoundChange,
    RoundChangePayload,
    SignedRoundChange,
)
from consensus.qbft.signing import Signer, SigningDomain
from tests.simulation.chain_store import ChainStore
from tests.simulation.cheap_signatures import CheapSigner
from tests.simulation.packets import Packet, QbftPacket
from tests.simulation.scheduler import Scheduler

PACKETS_HEARD = 300
ABSURD_ROUND = 2**31
"""What is added to a round must stay below 2**32: no larger one can be encoded."""

Outgoing = tuple[int, Packet]
"""A receiver and what it is sent."""


class Forger:
    """Signs whatever a byzantine validator likes, with its own key."""

    def __init__(self, signer: Signer, domain: SigningDomain, seals: SealDomain) -> None:
        self.signer = signer
        self._domain = domain
        self._seals = seals

    def _sign(self, payload: Payload) -> bytes:
        return self.signer.sign(self._domain.digest(payload.CODE, payload.encode()))

    def again(self, payload: Payload, way: int) -> bytes:
        """Return another signature of a payload, where the kind of signature has several."""
        digest = self._domain.digest(payload.CODE, payload.encode())
        if isinstance(self.signer, CheapSigner):
            return self.signer.sign_again(digest, bytes((way,)))
        return self.signer.sign(digest)

    def seal(self, height: int, round_number: int, digest: bytes) -> bytes:
        """Return a commit seal."""
        return self.signer.sign(self._seals.digest(height, round_number, digest))

    def prepare(self, height: int, round_number: int, digest: bytes) -> Prepare:
        """Return a signed prepare."""
        payload = PreparePayload(height, round_number, digest)
        return Prepare(payload, self._sign(payload))

    def commit(
        self, height: int, round_number: int, digest: bytes, seal: bytes | None = None
    ) -> Commit:
        """Return a signed commit, with its own seal or another."""
        own = self.seal(height, round_number, digest) if seal is None else seal
        payload = CommitPayload(height, round_number, digest, own)
        return Commit(payload, self._sign(payload))

    def round_change(
        self,
        height: int,
        round_number: int,
        claim: PreparedClaim | None = None,
        block: bytes | None = None,
        prepares: Sequence[Prepare] = (),
    ) -> RoundChange:
        """Return a signed round change with any claim."""
        payload = RoundChangePayload(height, round_number, claim)
        signed = SignedRoundChange(payload, self._sign(payload))
        return RoundChange(signed, block, tuple(prepares))

    def proposal(
        self,
        height: int,
        round_number: int,
        block: bytes,
        round_changes: Sequence[SignedRoundChange] = (),
        prepares: Sequence[Prepare] = (),
    ) -> Proposal:
        """Return a signed proposal with any justification."""
        payload = ProposalPayload(height, round_number, block)
        return Proposal(payload, self._sign(payload), tuple(round_changes), tuple(prepares))


@dataclass(slots=True)
class View:
    """What a behaviour knows and may use."""

    index: int
    count: int
    others: list[int]
    """Whom it has links to."""

    random: Random
    scheduler: Scheduler
    store: ChainStore
    forger: Forger
    heard: deque[Packet]
    """The last packets of others, and its own."""

    height: int = 0
    round: int = 0
    """The last height and round of which anybody spoke."""

    def note(self, packet: Packet) -> None:
        """Remember a packet, and how far the others are."""
        self.heard.append(packet)
        if isinstance(packet, QbftPacket):
            payload = packet.message.payload
            place = (payload.height, payload.round)
            if payload.height == self.store.height + 1 and payload.round < ABSURD_ROUND:
                self.height, self.round = max((self.height, self.round), place)

    def parent_certificate(self) -> CommitCertificate | None:
        """Return the tip's certificate."""
        return self.store.certificates[-1]


class Behaviour(Protocol):
    """One way not to follow the rules; several are applied one after another."""

    def alter(self, view: View, receivers: Sequence[int], packet: Packet) -> list[Outgoing]:
        """Return what goes out in place of a packet to some receivers."""
        ...

    def inject(self, view: View) -> list[Outgoing]:
        """Return what goes out unasked, every `TICK_MS`."""
        ...


class ByzantineOutlet:
    """Sends packets through behaviours, the last one's output to the network."""

    def __init__(
        self,
        view: View,
        behaviours: Sequence[Behaviour],
        send: Callable[[int, int, Packet], None],
    ) -> None:
        self.view = view
        self._behaviours = list(behaviours)
        self._send = send

    def broadcast(self, packet: Packet) -> None:
        """Send to every other validator."""
        self._pass(self.view.others, packet)

    def send(self, receiver: int, packet: Packet) -> None:
        """Send to one validator."""
        self._pass([receiver], packet)

    def _pass(self, receivers: Sequence[int], packet: Packet) -> None:
        self.view.note(packet)
        groups: list[tuple[Sequence[int], Packet]] = [(receivers, packet)]
        for behaviour in self._behaviours:
            altered = [behaviour.alter(self.view, *group) for group in groups]
            groups = [((to,), changed) for group in altered for to, changed in group]
        for to, changed in groups:
            for receiver in to:
                self._send(self.view.index, receiver, changed)

    def tick(self) -> None:
        """Send what the behaviours add on their own."""
        for behaviour in self._behaviours:
            for receiver, packet in behaviour.inject(self.view):
                self._send(self.view.index, receiver, packet)


def unchanged(receivers: Sequence[int], packet: Packet) -> list[Outgoing]:
    """Return a packet as it is, once for each receiver."""
    return [(receiver, packet) for receiver in receivers]
