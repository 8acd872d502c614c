"""Behaviours that forge: certificates, prepared certificates, justifications, invalid blocks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from consensus.certificate import CommitCertificate
from consensus.qbft.messages import (
    Commit,
    Message,
    Prepare,
    PreparedClaim,
    Proposal,
    RoundChange,
    SignedRoundChange,
)
from tests.simulation.byzantine import Outgoing, View, unchanged
from tests.simulation.fake_blocks import (
    FakeBlock,
    build_on,
    hash_of,
    make_block,
    twin_of,
)
from tests.simulation.packets import Blocks, FinalBlock, Packet, QbftPacket
from tests.simulation.safety import quorum_of

HOUR_S = 3600
SELDOM = 4
"""One commit in so many comes with proposals for the next rounds."""


def own_block(view: View, salt: bytes) -> FakeBlock:
    """Return a valid block on the tip, by this validator and of this moment."""
    tip, certificate = view.store.tip, view.parent_certificate()
    named = bytes(32) if certificate is None else certificate.hash
    timestamp = max(tip.timestamp + 2, view.scheduler.now_ms // 1000)
    return build_on(tip, timestamp, view.forger.signer.address, named, salt)


class Forge:
    """Forges final blocks, prepared certificates and the justification of proposals."""

    def alter(self, view: View, receivers: Sequence[int], packet: Packet) -> list[Outgoing]:
        """Replace the block of a justified proposal, or what justifies it.

        Sometimes, once a block is about to be final, propose another one for the next rounds.
        """
        match packet:
            case QbftPacket(message=Proposal() as message) if message.payload.round:
                forged = self._unjustified(view, message)
                return unchanged(receivers, QbftPacket(forged, packet.parent_certificate))
            case QbftPacket(message=Commit()) if view.random.randrange(SELDOM) == 0:
                return unchanged(receivers, packet) + self._next_proposals(view)
            case _:
                return unchanged(receivers, packet)

    def inject(self, view: View) -> list[Outgoing]:
        """Add a forged final block, round change and proposal."""
        random, certificate = view.random, view.parent_certificate()
        block = own_block(view, random.randbytes(4))
        final = FinalBlock(block.rlp, self._certificate(view, block), certificate)
        forged: list[Packet] = [
            final,
            Blocks((final,)),
            QbftPacket(self._round_change(view, block), certificate),
            QbftPacket(self._proposal(view, block, view.round + random.randrange(3)), certificate),
        ]
        return unchanged(view.others, random.choice(forged))

    def _certificate(self, view: View, block: FakeBlock) -> CommitCertificate:
        """Return a certificate with seals that are no quorum's of this block."""
        random, round_number, quorum = view.random, view.round, quorum_of(view.count)
        mine = view.forger.seal(block.number, round_number, block.hash)
        signers = (1 << quorum) - 1
        kinds = (
            (signers, (mine,) * quorum),
            (1 << view.index, (mine,)),
            (0, ()),
            (signers, tuple(random.randbytes(65) for _ in range(quorum))),
            (signers, tuple(self._heard_seals(view)[:quorum])),
            (((1 << quorum) - 1) << view.count, (mine,) * quorum),
        )
        bits, seals = random.choice(kinds)
        return CommitCertificate(block.number, round_number, block.hash, bits, seals)

    def _heard_seals(self, view: View) -> list[bytes]:
        return [
            packet.message.payload.seal
            for packet in view.heard
            if isinstance(packet, QbftPacket) and isinstance(packet.message, Commit)
        ]

    def _heard_prepares(self, view: View) -> list[Prepare]:
        return [
            packet.message
            for packet in view.heard
            if isinstance(packet, QbftPacket) and isinstance(packet.message, Prepare)
        ]

    def _round_change(self, view: View, block: FakeBlock) -> RoundChange:
        """Return a round change with a prepared certificate that is none."""
        height, round_number = block.number, view.round
        mine = view.forger.prepare(height, round_number, block.hash)
        others = self._heard_prepares(view)
        quorum = quorum_of(view.count)
        choices: tuple[Sequence[Prepare], ...] = (
            [mine] * quorum,
            [replace(mine, signature=view.forger.again(mine.payload, n)) for n in range(quorum)],
            [mine],
            [],
            [mine, *others[-quorum:]],
            [replace(prepare, payload=mine.payload) for prepare in others[-quorum:]],
        )
        prepares, random = view.random.choice(choices), view.random
        claim = PreparedClaim(round_number, random.choice((block.hash, view.store.tip.hash)))
        going_to = random.choice((round_number + 1, round_number + 1, round_number, 0))
        return view.forger.round_change(height, going_to, claim, block.rlp, prepares)

    def _next_proposals(self, view: View) -> list[Outgoing]:
        block, certificate = own_block(view, b"instead"), view.parent_certificate()
        rounds = range(view.round + 1, view.round + 1 + view.count)
        packets = [QbftPacket(self._proposal(view, block, r), certificate) for r in rounds]
        return [(receiver, packet) for packet in packets for receiver in view.others]

    def _proposal(self, view: View, block: FakeBlock, round_number: int) -> Proposal:
        """Return a proposal of a later round that only this validator asked for."""
        height = block.number
        quorum, mine = quorum_of(view.count), view.forger.round_change(height, round_number).signed
        heard = self._heard_round_changes(view)
        choices: tuple[list[SignedRoundChange], ...]
        choices = ([mine] * quorum, alone(view, mine), [mine, *heard[1 - quorum :]], heard, [])
        round_changes = view.random.choice(choices)
        return view.forger.proposal(height, round_number, block.rlp, round_changes)

    def _heard_round_changes(self, view: View) -> list[SignedRoundChange]:
        return [
            packet.message.signed
            for packet in view.heard
            if isinstance(packet, QbftPacket) and isinstance(packet.message, RoundChange)
        ]

    def _unjustified(self, view: View, message: Proposal) -> Proposal:
        """Return this validator's proposal with another block, or with less to justify it."""
        payload, forger = message.payload, view.forger
        twin = own_block(view, b"unjustified").rlp
        free = [signed for signed in message.round_changes if signed.payload.prepared is None]
        mine = alone(view, forger.round_change(payload.height, payload.round).signed)
        changes, prepares = message.round_changes, message.prepares
        match view.random.randrange(5):
            case 0:
                return forger.proposal(payload.height, payload.round, twin, changes, prepares)
            case 1:
                return forger.proposal(payload.height, payload.round, twin, changes)
            case 2:
                return forger.proposal(payload.height, payload.round, twin, free)
            case 3:
                padded = (free + mine)[: len(changes)]
                return forger.proposal(payload.height, payload.round, twin, padded)
            case _:
                return forger.proposal(payload.height, payload.round, payload.block)


@dataclass(slots=True)
class BadBlocks:
    """Proposes blocks that break one rule each."""

    def alter(self, view: View, receivers: Sequence[int], packet: Packet) -> list[Outgoing]:
        """Replace the block of a fresh proposal."""
        match packet:
            case QbftPacket(message=Proposal(prepares=()) as message):
                return unchanged(receivers, self._broken(view, packet, message))
            case _:
                return unchanged(receivers, packet)

    def inject(self, view: View) -> list[Outgoing]:
        """Add nothing."""
        return []

    def _broken(self, view: View, packet: QbftPacket, message: Proposal) -> QbftPacket:
        block, tip = view.store.decoded(message.payload.block), view.store.tip
        if block is None:
            return packet
        certificate = packet.parent_certificate
        named, salt = block.parent_certificate_hash, block.salt
        time, coinbase = block.timestamp, block.coinbase
        other = replace_certificate(certificate)
        kinds: tuple[tuple[bytes, CommitCertificate | None], ...] = (
            (fields(block, state_root=hash_of(b"wrong")).rlp, certificate),
            (fields(block, parent_hash=hash_of(b"unknown")).rlp, certificate),
            (fields(block, number=block.number + 1).rlp, certificate),
            (build_on(tip, time + HOUR_S, coinbase, named, salt).rlp, certificate),
            (build_on(tip, tip.timestamp, coinbase, named, salt).rlp, certificate),
            (build_on(tip, time, view.forger.signer.address[::-1], named, salt).rlp, certificate),
            (build_on(tip, time, coinbase, hash_of(b"other"), salt).rlp, certificate),
            (block.rlp, None),
            (block.rlp, other),
            (twin_of(block, b"\x00" * 1000, tip).rlp + b"\x00", certificate),
            (b"\xc0", certificate),
        )
        rlp, shown = view.random.choice(kinds)
        payload = message.payload
        broken: Message = view.forger.proposal(
            payload.height, payload.round, rlp, message.round_changes
        )
        return QbftPacket(broken, shown)


def alone(view: View, signed: SignedRoundChange) -> list[SignedRoundChange]:
    """Return a quorum of round changes by one validator, their signatures different."""
    ways = range(quorum_of(view.count))
    return [replace(signed, signature=view.forger.again(signed.payload, way)) for way in ways]


def replace_certificate(certificate: CommitCertificate | None) -> CommitCertificate | None:
    """Return a certificate with its round changed."""
    return None if certificate is None else replace(certificate, round=certificate.round + 1)


def fields(
    block: FakeBlock,
    *,
    number: int | None = None,
    parent_hash: bytes | None = None,
    state_root: bytes | None = None,
) -> FakeBlock:
    """Return a block with one field changed."""
    return make_block(
        block.number if number is None else number,
        block.parent_hash if parent_hash is None else parent_hash,
        block.timestamp,
        block.coinbase,
        block.state_root if state_root is None else state_root,
        block.parent_certificate_hash,
        block.salt,
    )
