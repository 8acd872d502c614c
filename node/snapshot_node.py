"""A node before it has a chain: it asks peers only for the state that its chain starts from."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from consensus.certificate import SealDomain
from consensus.light_client import trusted_point
from cvm.evm.header import BlockHeader
from cvm.evm.trie_state import TrieState
from cvm.faults import DatabaseFault
from node.chain import parse_genesis_file
from node.checkpoint import Checkpoint
from node.model_chunks import ModelChunks
from node.p2p.cvm_messages import Attestation, Evidence, NewBlock, Qbft
from node.p2p.cvm_peer import CvmPeer
from node.p2p.cvm_protocol import CvmProtocol, Forks
from node.p2p.cvm_source import DatabaseSource
from node.p2p.first_fault import first_fault
from node.p2p.snapshot_sync import SnapshotStart, SnapshotSync
from node.storage.chain_database import ChainDatabase
from node.storage.model_store import ModelStore
from node.storage.snapshot_store import SnapshotStore


class Talk(Protocol):
    """What meets other nodes and talks to them."""

    async def run(self) -> None:
        """Talk until cancelled."""


class SnapshotNode:
    """The `CvmEvents` of a node that only fetches a state; give `protocol` to its server.

    `checkpoint` is the block that is trusted, genesis where there is none. Raises `DatabaseFault`
    where the database holds no genesis block.
    """

    def __init__(
        self,
        database: ChainDatabase,
        models: ModelStore,
        forks: Forks,
        checkpoint: Checkpoint | None,
        clock: Callable[[], int],
    ) -> None:
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="cvm-snapshot")
        self._serving = ThreadPoolExecutor(1, thread_name_prefix="cvm-serve")
        start = snapshot_start(database, checkpoint, clock)
        self.protocol = CvmProtocol(
            DatabaseSource(database, ModelChunks(models)),
            start.domain.chain_id,
            start.domain.genesis_hash,
            forks,
            self,
            self._serving,
        )
        self._sync = SnapshotSync(SnapshotStore(database), start, self._reachable, self._writing)

    def close(self) -> None:
        """Stop the threads, after what is under way."""
        self._writing.shutdown(cancel_futures=True)
        self._serving.shutdown(cancel_futures=True)

    async def run(self, peering: Talk) -> BlockHeader:
        """Fetch a state from the peers that are met, and return its block's header.

        Raises `TrustedPointTooOld`, `WrongNumber`, or a `LocalFault`.
        """
        with first_fault():
            async with asyncio.TaskGroup() as tasks:
                talking = tasks.create_task(peering.run())
                header = await self._sync.run()
                talking.cancel()
        return header

    def _reachable(self) -> Sequence[CvmPeer]:
        return tuple(peer for peer in self.protocol.peers() if peer.is_open)

    def peer_joined(self, _peer: CvmPeer) -> None:
        """Ask a new peer too."""
        self._sync.wake()

    def peer_left(self, _peer: CvmPeer) -> None:
        """Ask the others for what this one was asked."""
        self._sync.wake()

    async def qbft(self, _peer: CvmPeer, _message: Qbft) -> bool:
        """Pass nothing on that cannot be judged here."""
        return False

    async def new_block(self, _peer: CvmPeer, _message: NewBlock) -> bool:
        """Pass nothing on that cannot be judged here."""
        return False

    async def attestation(self, _peer: CvmPeer, _message: Attestation) -> bool:
        """Pass nothing on that cannot be judged here."""
        return False

    async def evidence(self, _peer: CvmPeer, _message: Evidence) -> bool:
        """Pass nothing on that cannot be judged here."""
        return False

    def models_offered(self, _peer: CvmPeer) -> None:
        """Models come once there is a chain."""

    def models_wanted(self, _peer: CvmPeer, _model_ids: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Return none: they are served once there is a chain."""
        return ()


def snapshot_start(
    database: ChainDatabase, checkpoint: Checkpoint | None, clock: Callable[[], int]
) -> SnapshotStart:
    """Return what a snapshot starts from in a database that holds genesis."""
    genesis = database.header(database.hash_at(0) or b"")
    genesis_json = database.genesis_json()
    if genesis is None or genesis_json is None:
        raise DatabaseFault("the database holds no genesis block")
    parameters = parse_genesis_file(genesis_json).parameters
    return SnapshotStart(
        checkpoint=checkpoint,
        genesis=trusted_point(genesis, TrieState(genesis.state_root, database.state)),
        domain=SealDomain(parameters.chain_id, genesis.hash),
        period_s=parameters.period_s,
        clock=clock,
    )
