"""What the rest of the node asks of its network."""

from typing import Protocol

from consensus.qbft.evidence import Evidence
from node.readiness import NodeReadiness
from node.rpc.chain_view import SyncProgress


class NetworkView(Protocol):
    """Who is there, and how far catching up has come."""

    def peer_count(self) -> int:
        """Return how many peers are connected."""

    def sync_progress(self) -> SyncProgress | None:
        """Return how far catching up has come, or None where the node is at the tip."""

    def status(self) -> NodeReadiness:
        """Return whether this node can take part."""

    def known_evidence(self) -> tuple[Evidence, ...]:
        """Return the proofs of double votes that are known here."""
