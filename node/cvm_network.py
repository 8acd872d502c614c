"""The network of a node among others: joins cvm/1 to consensus, models and what JSON-RPC asks."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

from consensus.block import decode_block
from consensus.certificate import CommitCertificate
from consensus.faults import InvalidBlock
from consensus.qbft import faults as qbft_faults
from consensus.qbft.evidence import Evidence
from consensus.qbft.message_decoding import decode_message
from consensus.qbft.messages import Message
from cvm.faults import ModelDataMissing
from models_registry.attestation import BadAttestation
from node.attestation_pool import SignedRecord
from node.block_writer import BlockWriter
from node.catching_up import CatchingUp
from node.chain import Chain
from node.consensus_driver import ConsensusDriver
from node.evidence_pool import EvidencePool
from node.listed_models import ListedModels
from node.model_chunks import ModelChunks
from node.model_duties import ModelDuties
from node.p2p.block_sync import BlockSync
from node.p2p.cvm_messages import (
    MAX_EVIDENCE_PAYLOAD_BYTES,
    MAX_MODELS,
    Attestation,
    HaveModels,
    NewBlock,
    Qbft,
    WantModels,
)
from node.p2p.cvm_messages import Evidence as EvidenceMessage
from node.p2p.cvm_peer import CvmPeer
from node.p2p.cvm_protocol import CvmProtocol, Forks, gossip_key, height_of
from node.p2p.cvm_source import DatabaseSource
from node.p2p.faults import BadMessage
from node.p2p.model_fetch import ModelFetch
from node.p2p.prepared_blocks import BadRange, SealedBlock, validate_place
from node.p2p.protocol import Network
from node.p2p.seen_cache import SeenCache
from node.p2p.state_indexing import StateIndexing
from node.p2p.sync_parts import SyncParts
from node.readiness import NodeReadiness, Readiness
from node.rpc.chain_view import SyncProgress
from node.sender_recovery import SenderRecovery
from node.storage.model_store import ModelStore

log = structlog.get_logger(__name__)
BLAME_POINTS = 10
LIE_POINTS = 100
SERVING_THREADS = 2
BLOCK_AGAIN_S = 1.0
"""A peer that votes on a height that is final gets a block at most so often."""
SENT_BLOCKS = 1024


class CvmNetwork:
    """A `Gossip` for consensus, a `NetworkView` for JSON-RPC, `CvmEvents` for the protocol.

    `attach` joins it to what it speaks for, before `run`.
    """

    def __init__(
        self,
        chain: Chain,
        store: ModelStore,
        writer: BlockWriter,
        forks: Forks,
        evidence: EvidencePool,
    ) -> None:
        self._chain = chain
        self._evidence = evidence
        self._store = store
        self._threads = ThreadPoolExecutor(SERVING_THREADS, thread_name_prefix="cvm-serve")
        self._listed = ListedModels(chain, store)
        source = DatabaseSource(chain.database, ModelChunks(store))
        domain = chain.domain
        self.protocol = CvmProtocol(
            source, domain.chain_id, domain.genesis_hash, forks, self, self._threads
        )
        self._indexing = StateIndexing(source.follow_head, self._threads)
        self._fetch = ModelFetch(
            store, self._listed, self.protocol.peers, self.protocol.want_models, self._model_arrived
        )
        self._sync = BlockSync(
            SyncParts(
                chain=chain,
                importer=writer,
                peers=self.protocol.peers,
                preparing=self._threads,
                recovery=SenderRecovery(),
                obtain_model=self._fetch.obtain,
            )
        )
        self._readiness = Readiness(
            height=lambda: chain.head.block_number,
            highest=self._sync.highest,
            missing=self._listed.missing_active,
            quarantined=lambda: chain.host.quarantined,
            awaited=lambda: self._fetch.awaited,
            round_number=lambda: 0 if self._driver is None else self._driver.round,
        )
        self._sent_blocks = SeenCache(SENT_BLOCKS, BLOCK_AGAIN_S)
        self._taking: set[bytes] = set()
        self._catching_up = CatchingUp(self._sync, lambda: chain.head.block_number)
        self._driver: ConsensusDriver | None = None
        self._models: ModelDuties | None = None
        self._server: Network | None = None
        self._on_model: Callable[[], None] = lambda: None
        writer.on_head(lambda _checked, certificate: self._head_moved(certificate))

    def attach(
        self,
        driver: ConsensusDriver,
        models: ModelDuties,
        server: Network,
        on_model: Callable[[], None],
    ) -> None:
        """Join what hears of messages, and what carries them; `on_model` hears of a whole model."""
        self._driver, self._models = driver, models
        self._server = server
        self._on_model = on_model

    def close(self) -> None:
        """Stop the threads that serve, after what is under way."""
        self._threads.shutdown(cancel_futures=True)

    async def run(self) -> None:
        """Catch up and fetch models until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._fetch.run())
            tasks.create_task(self._indexing.run())
            tasks.create_task(self._catching_up.run())

    def _head_moved(self, certificate: CommitCertificate) -> None:
        """Tell the peers of a block that is final here, and see what models it asks for."""
        self._fetch.refresh()
        self._catching_up.head_moved()
        if self._sync.status is None:
            self._indexing.head_moved(certificate.height)
            message = self._final_block(certificate.height)
            if message is not None:
                self.protocol.spread(message)

    def _final_block(self, height: int) -> NewBlock | None:
        database = self._chain.database
        block_hash = database.hash_at(height)
        block = None if block_hash is None else database.block_bytes(block_hash)
        certificate = self._chain.certificate_at(height)
        parent_certificate = self._chain.certificate_at(height - 1)
        if block is None or certificate is None or (parent_certificate is None and height > 1):
            return None
        return NewBlock(block, certificate, parent_certificate)

    def send(self, message: Message, parent_certificate: CommitCertificate | None) -> None:
        """Send a message of this validator to every peer."""
        self.protocol.broadcast(wire(message, parent_certificate))

    def relay(
        self, message: Message, parent_certificate: CommitCertificate | None, _sender: bytes
    ) -> None:
        """Pass somebody else's message on to the peers that may lack it."""
        self.protocol.spread(wire(message, parent_certificate))

    def send_block(self, height: int, peer: bytes) -> None:
        """Send a final block to one peer that still votes on its height.

        Nobody checked who signed that vote: no more is read for it than one block at a time.
        """
        target = self._peer(peer)
        if target is None or not self._sent_blocks.add(peer, asyncio.get_running_loop().time()):
            return
        message = self._final_block(height)
        if message is not None:
            target.try_send(message)

    def catch_up(self, height: int, peer: bytes) -> None:
        """Get the blocks below `height`, which this peer has."""
        source = self._peer(peer)
        if source is not None:
            source.reached(height - 1)
        self._catching_up.wake()

    def report(self, evidence: Evidence) -> None:
        """Spread the proof of a double vote."""
        log.warning(
            "double vote",
            validator=f"0x{evidence.signer.hex()}",
            code=evidence.code,
            height=evidence.height,
            round=evidence.round,
        )
        if self._evidence.add(evidence) and fits_message(evidence):
            self.protocol.broadcast(evidence_message(evidence))

    def blame(self, peer: bytes, reason: str) -> None:
        """Score a peer down for what no honest one sends."""
        culprit = self._peer(peer)
        if culprit is not None:
            culprit.penalise(BLAME_POINTS, reason)

    def spread_attestation(self, attestation: SignedRecord) -> None:
        """Send a signature of this validator to every peer."""
        self.protocol.broadcast(attestation_message(attestation))

    def _peer(self, node_id: bytes) -> CvmPeer | None:
        return next((peer for peer in self.protocol.peers() if peer.node_id == node_id), None)

    def peer_count(self) -> int:
        """Return how many peers are connected."""
        return 0 if self._server is None else len(self._server.peers())

    def is_syncing(self) -> bool:
        """Tell whether the chain is far behind what peers have."""
        return self._readiness.is_syncing()

    def sync_progress(self) -> SyncProgress | None:
        """Return how far catching up has come, or None where the node is at the tip."""
        status = self._sync.status
        return (
            None if status is None else SyncProgress(status.start, status.current, status.highest)
        )

    def status(self) -> NodeReadiness:
        """Return whether this node can take part."""
        return self._readiness.now()

    def known_evidence(self) -> tuple[Evidence, ...]:
        """Return the proofs of double votes that are known here."""
        return self._evidence.all()

    def peer_joined(self, peer: CvmPeer) -> None:
        """Tell a new peer which models are here and who signed what; it may be ahead."""
        held = self._fetch.held(tuple(self._listed.wanted()))
        if held:
            peer.try_send(HaveModels(held[:MAX_MODELS]))
        if self._models is not None:
            for attestation in self._models.pool.all():
                peer.try_send(attestation_message(attestation))
        if self._fetch.missing:
            peer.try_send(WantModels(self._fetch.missing[:MAX_MODELS]))
        self._catching_up.wake()
        self._fetch.wake()

    def peer_left(self, _peer: CvmPeer) -> None:
        """Give what was asked of a peer to others."""
        self._sync.wake()
        self._fetch.wake()

    async def qbft(self, peer: CvmPeer, message: Qbft) -> bool:
        """Hand a consensus message to the driver, which has it passed on if it is sound."""
        try:
            decoded = decode_message(message.code, message.message)
        except qbft_faults.BadMessage as fault:
            peer.penalise(BLAME_POINTS, str(fault))
            return False
        if self._driver is not None:
            self._driver.receive(decoded, message.parent_certificate, peer.node_id)
        return False

    async def new_block(self, peer: CvmPeer, message: NewBlock) -> bool:
        """Hand the next final block to the driver; a later one shows that this node is behind.

        Only of the next one more than the header is read, and once at a time, whatever
        certificates it comes with: a full block takes half a second.
        """
        try:
            height = height_of(message)
        except BadMessage as fault:
            peer.penalise(LIE_POINTS, str(fault))
            return False
        if height <= self._chain.head.block_number:
            return False
        peer.reached(height)
        if height > self._chain.head.block_number + 1 or self._driver is None:
            self._catching_up.missed()
            return False
        key = gossip_key(message)
        if key in self._taking:
            return False
        self._taking.add(key)
        try:
            return await self._take(self._driver, peer, message, height)
        finally:
            self._taking.discard(key)

    async def _take(
        self, driver: ConsensusDriver, peer: CvmPeer, message: NewBlock, height: int
    ) -> bool:
        """Have the next block taken; what is refused is asked of others that announced it."""
        try:
            sealed = sealed_block(message, height)
            is_news = await driver.take_final(
                sealed.block, sealed.certificate, sealed.parent_certificate
            )
        except (BadRange, InvalidBlock) as fault:
            peer.penalise(LIE_POINTS, str(fault))
        except ModelDataMissing as fault:
            log.warning("not ready", reason=str(fault))
        else:
            if self._sync.highest() > height:  # what follows was announced too early
                self._catching_up.missed()
            return is_news
        self._catching_up.missed()
        return False

    async def attestation(self, peer: CvmPeer, message: Attestation) -> bool:
        """Keep a validator's signature under a model's record."""
        if self._models is None:
            return False
        try:
            return self._models.pool.add(
                SignedRecord(message.model_id, message.nonce, message.record, message.signature)
            )
        except BadAttestation as fault:
            peer.penalise(BLAME_POINTS, str(fault))
            return False

    async def evidence(self, peer: CvmPeer, message: EvidenceMessage) -> bool:
        """Keep proof that a validator signed two things."""
        try:
            return self._evidence.add(self._evidence.decode(message.encode()))
        except qbft_faults.BadMessage as fault:
            peer.penalise(BLAME_POINTS, str(fault))
            return False

    def models_offered(self, _peer: CvmPeer) -> None:
        """Look what a peer can give."""
        self._fetch.wake()

    def models_wanted(self, _peer: CvmPeer, model_ids: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Return which of the models that a peer lacks are served here."""
        return self._fetch.held(model_ids)

    def _model_arrived(self, model_id: bytes) -> None:
        self.protocol.announce_model(model_id)
        if self._models is not None:
            self._models.wake()
        self._on_model()


def sealed_block(message: NewBlock, height: int) -> SealedBlock:
    """Read an announced block whole; raises `MalformedBlock` or `BadRange`.

    The certificates are those that belong to it on every node: what one node passes on, no other
    refuses for another certificate of the parent.
    """
    block = decode_block(message.block)
    sealed = SealedBlock(block, message.certificate, message.parent_certificate)
    validate_place(sealed, height)
    return sealed


def wire(message: Message, parent_certificate: CommitCertificate | None) -> Qbft:
    """Return a consensus message as cvm/1 carries it."""
    return Qbft(message.payload.CODE, message.encode(), parent_certificate)


def attestation_message(attestation: SignedRecord) -> Attestation:
    """Return a signature under a record as cvm/1 carries it."""
    return Attestation(
        attestation.model_id, attestation.nonce, attestation.record, attestation.signature
    )


def fits_message(evidence: Evidence) -> bool:
    """Tell whether peers take this proof: they would ban who sends more than a message may hold.

    Two proposals of blocks that no gas pays for stay on this node's disk.
    """
    return max(len(evidence.first), len(evidence.second)) <= MAX_EVIDENCE_PAYLOAD_BYTES


def evidence_message(evidence: Evidence) -> EvidenceMessage:
    """Return the proof of a double vote as cvm/1 carries it."""
    return EvidenceMessage(
        evidence.code,
        evidence.first,
        evidence.first_signature,
        evidence.second,
        evidence.second_signature,
    )
