"""The `ChainView` of a running node: chain, pool, models, and the processes that execute."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib.metadata import version
from typing import Protocol

from consensus.certificate import CommitCertificate
from consensus.qbft.evidence import Evidence
from cvm.evm.header import BlockHeader
from cvm.evm.receipt import Receipt
from cvm.evm.state_reader import Account, StateReader
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_decoding import decode_transaction
from models_registry.chunks import TooManyUnregisteredBytes
from models_registry.interface import ModelInterface
from models_registry.record import ModelRecord
from models_registry.registry import (
    RegistryEntry,
    RegistryStatus,
    read_entry,
    read_model_ids,
)
from node.chain import Chain
from node.execution.inference_jobs import (
    BlockInferencesJob,
    CompareInferenceJob,
    ModelInterfaceJob,
    TransactionInferencesJob,
)
from node.execution.jobs import Executor, Job, ResultT
from node.local_transactions import LocalTransactions
from node.model_chunks import ModelChunks
from node.model_duties import ModelDuties
from node.network_view import NetworkView
from node.pool.content import PoolContent, PoolStatus
from node.pool.rules import validate_raw
from node.readiness import NodeReadiness
from node.rpc.chain_view import (
    BlockView,
    ModelChunk,
    ModelStatus,
    SyncProgress,
    TraceRequest,
    TransactionLocation,
)
from node.storage.model_store import ModelStore
from opcodes.gas import InferenceGas, inference_gas
from opcodes.inference_host import InferenceCall
from opcodes.inference_trace import InferenceTrace

MAX_UNREGISTERED_BYTES = 256 << 20
"""As much as the registry lets be PENDING (PROTOCOL section 3)."""


class StateOpener(Protocol):
    """What opens the state after a block."""

    def state_at(self, header: BlockHeader) -> AbstractContextManager[StateReader]:
        """Open the state after a block."""


class LiveState:
    """The `StateView` after one block; every answer opens the state anew."""

    def __init__(self, chain: StateOpener, header: BlockHeader) -> None:
        self._chain = chain
        self._header = header

    def _account(self, address: bytes) -> Account:
        with self._chain.state_at(self._header) as state:
            return state.account(address) or Account()

    def balance(self, address: bytes) -> int:
        """Return the balance in wei."""
        return self._account(address).balance

    def nonce(self, address: bytes) -> int:
        """Return the transaction count."""
        return self._account(address).nonce

    def code(self, address: bytes) -> bytes:
        """Return the code."""
        with self._chain.state_at(self._header) as state:
            return state.code((state.account(address) or Account()).code_hash)

    def storage(self, address: bytes, slot: int) -> int:
        """Return a storage word."""
        with self._chain.state_at(self._header) as state:
            return state.storage(address, slot)


class LiveChain:
    """Answers JSON-RPC from the database; an executor runs messages and models.

    `work` is set whenever a transaction that can run or a whole model comes, which wakes consensus.
    """

    def __init__(
        self,
        chain: Chain,
        local: LocalTransactions,
        store: ModelStore,
        models: ModelDuties,
        network: NetworkView,
        work: asyncio.Event,
        executor: Executor,
    ) -> None:
        self._chain = chain
        self._local = local
        self._pool = local.pool
        self._models = models
        self._network = network
        self._store = store
        self._chunks = ModelChunks(store)
        self._executor = executor
        self.work = work

    def close(self) -> None:
        """Stop what runs messages and models for callers."""
        self._executor.close()

    @property
    def chain_id(self) -> int:
        """Return the EIP-155 chain id."""
        return self._chain.parameters.chain_id

    @property
    def client_version(self) -> str:
        """Return the web3_clientVersion string."""
        return f"cvm/v{version('cvm-chain')}/{self._chain.host.backend_name}"

    def sync_progress(self) -> SyncProgress | None:
        """Return how far catching up has come, or None where the node is at the tip."""
        return self._network.sync_progress()

    def peer_count(self) -> int:
        """Return how many peers are connected."""
        return self._network.peer_count()

    def node_status(self) -> NodeReadiness:
        """Return whether this node can take part."""
        return self._network.status()

    def known_evidence(self) -> tuple[Evidence, ...]:
        """Return the proofs of double votes that are known here."""
        return self._network.known_evidence()

    def head(self) -> BlockHeader:
        """Return the newest final header."""
        return self._chain.head

    def header_by_number(self, number: int) -> BlockHeader | None:
        """Return the header at a height, or None above the head."""
        return self._chain.header_at(number)

    def certificate(self, number: int) -> CommitCertificate | None:
        """Return what made the block at a height final."""
        return self._chain.certificate_at(number)

    def block_by_hash(self, block_hash: bytes) -> BlockView | None:
        """Return a whole block."""
        data = self._chain.database.block_bytes(block_hash)
        block = self._chain.database.block(block_hash)
        if data is None or block is None:
            return None
        return BlockView(block.header, block.transactions, block.withdrawals, len(data))

    def receipts(self, block_hash: bytes) -> Sequence[Receipt]:
        """Return the receipts of a block, in order."""
        return self._chain.database.receipts(block_hash)

    def transaction_location(self, tx_hash: bytes) -> TransactionLocation | None:
        """Return where an included transaction stands."""
        location = self._chain.database.transaction_location(tx_hash)
        if location is None:
            return None
        header = self._chain.database.header(location[0])
        if header is None or header.block_number > self.head().block_number:
            return None  # it is on disk, and becomes the head in a moment
        return TransactionLocation(*location)

    def pending_transaction(self, tx_hash: bytes) -> Transaction | None:
        """Return a transaction that waits in the pool, pending or queued."""
        return self._pool.get(tx_hash)

    def pending_nonce(self, address: bytes) -> int:
        """Return the next nonce after everything that is pending in the pool."""
        return self._pool.next_nonce(address, self.state_at(self.head()).nonce(address))

    def pool_status(self) -> PoolStatus:
        """Return how many transactions wait in the pool."""
        return self._pool.status()

    def pool_content(self) -> PoolContent:
        """Return everything that waits in the pool."""
        return self._pool.content()

    def pool_content_from(self, sender: bytes) -> PoolContent:
        """Return everything of one sender that waits in the pool."""
        return self._pool.content_from(sender)

    def state_at(self, header: BlockHeader) -> LiveState:
        """Return the state after a block."""
        return LiveState(self._chain, header)

    async def submit(self, raw_transaction: bytes) -> bytes:
        """Put a signed transaction into the pool and return its hash."""
        validate_raw(raw_transaction)
        tx = decode_transaction(raw_transaction)
        with self._chain.state_at(self.head()) as state:
            self._local.add(tx, state)
        if self._pool.is_pending(tx):
            self.work.set()
        return tx.hash

    async def execute(self, job: Job[ResultT]) -> ResultT:
        """Run a job of execution away from the event loop; see `jobs.Executor`."""
        return await self._executor.execute(job)

    def model_ids(self) -> Sequence[bytes]:
        """Return every registered model id, in order of registration."""
        return read_model_ids(self._chain.storage_at(self.head()))

    def model_entry(self, model_id: bytes) -> RegistryEntry | None:
        """Return the registry's entry as the next block will see it, or None."""
        head = self.head()
        return read_entry(self._chain.storage_at(head), model_id, head.block_number + 1)

    def model_status(self, model_id: bytes, size_bytes: int | None = None) -> ModelStatus:
        """Return what this node knows of a model's bytes and attestations."""
        entry = self.model_entry(model_id)
        size = size_bytes if entry is None else entry.size_bytes
        judged = self._models.attester.judged(model_id)
        if judged is not None and entry is not None and judged.nonce != entry.nonce:
            judged = None
        record = None if judged is None else judged.record
        nonce = 0 if entry is None else entry.nonce
        if record is None and (signed := self._models.pool.most_signed(model_id, nonce)):
            record = ModelRecord.decode(signed)
        signatures = () if record is None else self._signatures(model_id, nonce, record)
        if judged is not None and judged.signature is not None:
            signatures = tuple({judged.signature: None, **dict.fromkeys(signatures)})
        return ModelStatus(
            has_bytes=self._store.has(model_id),
            missing_chunks=() if size is None else self._store.missing_chunks(model_id, size),
            record=record,
            refusal=None if judged is None else judged.refusal,
            attestations=signatures,
        )

    def _signatures(self, model_id: bytes, nonce: int, record: ModelRecord) -> tuple[bytes, ...]:
        return self._models.pool.signatures(model_id, nonce, record.encode())

    def missing_chunks(self, model_id: bytes, size_bytes: int) -> tuple[int, ...]:
        """Return the chunks of a model that are not here; raises `BadModelSize`."""
        return self._store.missing_chunks(model_id, size_bytes)

    async def chunk(self, model_id: bytes, index: int) -> ModelChunk:
        """Return a chunk of a model that lies here whole."""
        return await asyncio.to_thread(self._chunks.read, model_id, index)

    async def model_interface(self, model_id: bytes) -> ModelInterface:
        """Return what a model that lies here takes and gives."""
        return await self.execute(ModelInterfaceJob(model_id))

    async def trace_inferences(
        self, location: TransactionLocation, request: TraceRequest
    ) -> tuple[InferenceTrace, ...]:
        """Run an included transaction again and return its inferences."""
        at, wanted = location, request
        return await self.execute(
            TransactionInferencesJob(at.block_hash, at.index, wanted.index, wanted.nodes)
        )

    async def inference_of(
        self, location: TransactionLocation, index: int
    ) -> InferenceTrace | None:
        """Run an included transaction again and return one of its inferences, if there is one."""
        found = await self.trace_inferences(location, TraceRequest(index=index))
        return found[0] if found else None

    async def agrees_with_definition(self, call: InferenceCall) -> bool:
        """Run an inference on the definition; tell whether its output is the same, bit by bit."""
        return await self.execute(CompareInferenceJob(call))

    async def block_inferences(self, block_hash: bytes) -> Sequence[tuple[int, InferenceTrace]]:
        """Run a block again and return its inferences, each with its transaction's index."""
        return await self.execute(BlockInferencesJob(block_hash))

    async def put_chunk(
        self, model_id: bytes, size_bytes: int, index: int, chunk: bytes, proof: Sequence[bytes]
    ) -> None:
        """Store a chunk after its Merkle proof was checked; raises `BadChunk`.

        What the registry does not know yet is taken up to `MAX_UNREGISTERED_BYTES` in all.
        """
        registered = self.model_ids()
        if model_id not in registered:
            held = self._store.bytes_beside(registered)
            if held + len(chunk) > MAX_UNREGISTERED_BYTES:
                raise TooManyUnregisteredBytes(held, MAX_UNREGISTERED_BYTES)
        await asyncio.to_thread(
            self._store.put_chunk, model_id, size_bytes, index, chunk, tuple(proof)
        )
        if self._store.has(model_id):
            self._models.wake()
            self.work.set()

    def inference_quote(self, entry: RegistryEntry, batch: int) -> InferenceGas | None:
        """Return what a first call would be charged now, or None where it is not ACTIVE."""
        if entry.record is None or entry.status is not RegistryStatus.ACTIVE:
            return None
        return inference_gas(
            entry.record.cost,
            size_bytes=entry.record.size_bytes,
            batch=batch,
            item_input_bytes=entry.record.input_bytes,
            item_output_bytes=entry.record.output_bytes,
            registered_royalty=entry.royalty_gas,
            first_touch=True,
        )
