"""What a byzantine node tells others of consensus, and the driver that has it told."""

from dataclasses import replace
from random import Random

import structlog

from consensus.block import Block, decode_block
from consensus.certificate import CommitCertificate
from consensus.qbft.evidence import Evidence
from consensus.qbft.messages import (
    PROPOSAL,
    Commit,
    Message,
    Prepare,
    Proposal,
    RoundChange,
)
from consensus.qbft.rules import Rules
from cvm.evm.keccak import keccak256
from node.consensus_driver import ConsensusDriver
from node.cvm_network import CvmNetwork, wire
from node.p2p.cvm_messages import Qbft
from tests.simulation.byzantine import Forger

log = structlog.get_logger(__name__)
HEARD = 200
REPLAYED = 5
AHEAD = (1, 2, 10, 1_000, 2**40)
ROUNDS_AHEAD = (1, 7, 40, 2**31)


class ByzantineGossip:
    """The gossip of a node; its own messages are made worse on their way out."""

    def __init__(self, network: CvmNetwork, rules: Rules, behaviour: str) -> None:
        if rules.signer is None:
            raise SystemExit("a node without a key can break no rule of consensus")
        self._network = network
        self._forger = Forger(rules.signer, rules.domain, rules.seals)
        self._behave = getattr(self, f"_{behaviour}")
        self._random = Random(behaviour)
        self._heard: list[Qbft] = []
        self._twins: dict[bytes, bytes] = {}
        log.warning("this node breaks the rules", behaviour=behaviour)

    def send(self, message: Message, parent_certificate: CommitCertificate | None) -> None:
        """Send a message as the behaviour wants it."""
        self._note(wire(message, parent_certificate))
        self._behave(message, parent_certificate)

    def _note(self, packet: Qbft) -> None:
        self._heard.append(packet)
        del self._heard[:-HEARD]

    def _equivocate(self, message: Message, parent_certificate: CommitCertificate | None) -> None:
        """Say one thing to every other peer, and another to the rest."""
        pair = wire(message, parent_certificate), wire(self._twin(message), parent_certificate)
        for index, peer in enumerate(self._network.protocol.peers()):
            peer.try_send(pair[index % 2])

    def _twin(self, message: Message) -> Message:
        payload = message.payload
        match message:
            case Proposal():
                twin = twin_of(decode_block(message.payload.block))
                self._twins[decode_block(message.payload.block).hash] = twin.hash
                return self._forger.proposal(
                    payload.height,
                    payload.round,
                    twin.encode(),
                    message.round_changes,
                    message.prepares,
                )
            case Prepare():
                other = self._other(message.payload.digest)
                return self._forger.prepare(payload.height, payload.round, other)
            case Commit():
                other = self._other(message.payload.digest)
                return self._forger.commit(payload.height, payload.round, other)
            case RoundChange():
                return self._forger.round_change(payload.height, payload.round + 1)

    def _other(self, digest: bytes) -> bytes:
        return self._twins.get(digest) or keccak256(digest)

    def _withhold(self, message: Message, parent_certificate: CommitCertificate | None) -> None:
        """Keep back another kind of message at each height; at every fifth one, all of them."""
        kind = message.payload.CODE - PROPOSAL
        if message.payload.height % 5 in (kind, 4):
            return
        self._network.send(message, parent_certificate)

    def _garbage(self, message: Message, parent_certificate: CommitCertificate | None) -> None:
        """Send bytes that are no message, and messages with a bit changed, beside the right one."""
        self._network.send(message, parent_certificate)
        encoded = bytearray(message.encode())
        encoded[self._random.randrange(len(encoded))] ^= 1 << self._random.randrange(8)
        code = message.payload.CODE
        noise = self._random.randbytes(self._random.randrange(1, 2_000))
        for peer in self._network.protocol.peers():
            peer.try_send(Qbft(code, bytes(encoded), parent_certificate))
            peer.try_send(Qbft(code, b"\xc1\x80" + noise, None))

    def _replay(self, message: Message, parent_certificate: CommitCertificate | None) -> None:
        """Send old messages of everybody again, beside the right one."""
        self._network.send(message, parent_certificate)
        for peer in self._network.protocol.peers():
            for packet in self._random.choices(self._heard, k=REPLAYED):
                peer.try_send(packet)

    def _future(self, message: Message, parent_certificate: CommitCertificate | None) -> None:
        """Vote in later heights and rounds, beside the right message."""
        self._network.send(message, parent_certificate)
        height, digest = message.payload.height, keccak256(message.encode())
        for peer in self._network.protocol.peers():
            for ahead in AHEAD:
                peer.try_send(wire(self._forger.commit(height + ahead, 0, digest), None))
            for later in ROUNDS_AHEAD:
                peer.try_send(wire(self._forger.round_change(height, later), None))
                peer.try_send(wire(self._forger.prepare(height, later, digest), None))

    # The rest is passed on as it is

    def relay(
        self, message: Message, parent_certificate: CommitCertificate | None, sender: bytes
    ) -> None:
        """Pass a message on."""
        self._note(wire(message, parent_certificate))
        self._network.relay(message, parent_certificate, sender)

    def send_block(self, height: int, peer: bytes) -> None:
        """Send a final block."""
        self._network.send_block(height, peer)

    def catch_up(self, height: int, peer: bytes) -> None:
        """Get the blocks below `height`."""
        self._network.catch_up(height, peer)

    def report(self, evidence: Evidence) -> None:
        """Say nothing: the evidence is against this very node."""

    def blame(self, peer: bytes, reason: str) -> None:
        """Score a peer down."""
        self._network.blame(peer, reason)


def twin_of(block: Block) -> Block:
    """Return another block that is as right as this one: only its extra data differ."""
    header = replace(block.header, extra_data=b"twin")
    return Block(header, block.transactions, block.withdrawals)


def driver_of(behaviour: str) -> type[ConsensusDriver]:
    """Return a driver whose gossip is byzantine."""

    class ByzantineDriver(ConsensusDriver):
        """The node's driver with another mouth."""

        def __init__(self, chain, writer, pool, rules, votes, network, *rest) -> None:  # type: ignore[no-untyped-def]
            mouth = ByzantineGossip(network, rules, behaviour)
            super().__init__(chain, writer, pool, rules, votes, mouth, *rest)

    return ByzantineDriver
