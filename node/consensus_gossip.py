"""How consensus speaks to other nodes."""

from typing import Protocol

from consensus.certificate import CommitCertificate
from consensus.qbft.evidence import Evidence
from consensus.qbft.messages import Message


class Gossip(Protocol):
    """How consensus speaks to other nodes; nothing here waits. A sender is a node id."""

    def send(self, message: Message, parent_certificate: CommitCertificate | None) -> None:
        """Send a message to every peer."""

    def relay(
        self, message: Message, parent_certificate: CommitCertificate | None, sender: bytes
    ) -> None:
        """Send somebody else's message to the peers that may lack it."""

    def send_block(self, height: int, peer: bytes) -> None:
        """Send a final block to one peer that votes on its height."""

    def catch_up(self, height: int, peer: bytes) -> None:
        """Get the blocks below `height`, which this peer has."""

    def report(self, evidence: Evidence) -> None:
        """Spread the proof of a double vote."""

    def blame(self, peer: bytes, reason: str) -> None:
        """Score a peer down for what no honest one sends."""
