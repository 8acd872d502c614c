"""The network of a node that talks to nobody, as `cvm dev` runs it."""

from consensus.certificate import CommitCertificate
from consensus.qbft.evidence import Evidence
from consensus.qbft.messages import Message
from node.attestation_pool import SignedRecord
from node.chain import Chain
from node.listed_models import ListedModels
from node.readiness import NodeReadiness, Readiness
from node.rpc.chain_view import SyncProgress
from node.storage.model_store import ModelStore


class LoneNetwork:
    """A `Gossip` and a `NetworkView` without peers."""

    def __init__(self, chain: Chain, store: ModelStore) -> None:
        self._readiness = Readiness(
            height=lambda: chain.head.block_number,
            highest=lambda: 0,
            missing=ListedModels(chain, store).missing_active,
            quarantined=lambda: chain.host.quarantined,
        )

    def send(self, message: Message, parent_certificate: CommitCertificate | None) -> None:
        """Do nothing: nobody listens."""

    def relay(
        self, message: Message, parent_certificate: CommitCertificate | None, sender: bytes
    ) -> None:
        """Do nothing: nobody sent it."""

    def send_block(self, height: int, peer: bytes) -> None:
        """Do nothing: nobody asked."""

    def catch_up(self, height: int, peer: bytes) -> None:
        """Do nothing: nobody is ahead."""

    def report(self, evidence: Evidence) -> None:
        """Do nothing: nobody would hear."""

    def blame(self, peer: bytes, reason: str) -> None:
        """Do nothing: nobody is there to blame."""

    def spread_attestation(self, attestation: SignedRecord) -> None:
        """Do nothing: this node's pool has it."""

    def peer_count(self) -> int:
        """Return 0."""
        return 0

    def sync_progress(self) -> SyncProgress | None:
        """Return None: nobody is ahead."""
        return None

    def status(self) -> NodeReadiness:
        """Return whether this node can take part."""
        return self._readiness.now()

    def known_evidence(self) -> tuple[Evidence, ...]:
        """Return nothing: a lone validator contradicts nobody."""
        return ()
