"""What JSON-RPC methods may ask of the node: a narrow view, so that a test can fake it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from consensus.certificate import CommitCertificate
from consensus.qbft.evidence import Evidence
from cvm.evm.header import BlockHeader
from cvm.evm.receipt import Receipt
from cvm.evm.transaction import Transaction
from models_registry.interface import ModelInterface
from models_registry.record import ModelRecord
from models_registry.registry import RegistryEntry
from node.execution.jobs import Job, ResultT
from node.pool.content import PoolContent, PoolStatus
from node.readiness import NodeReadiness
from opcodes.gas import InferenceGas
from opcodes.inference_host import InferenceCall
from opcodes.inference_trace import InferenceTrace


class WithdrawalView(Protocol):
    """An EIP-4895 withdrawal."""

    @property
    def index(self) -> int:
        """Return the number of the withdrawal since the chain began."""

    @property
    def validator_index(self) -> int:
        """Return whose balance it comes from."""

    @property
    def address(self) -> bytes:
        """Return who receives it."""

    @property
    def amount_gwei(self) -> int:
        """Return the amount in gwei."""


@dataclass(frozen=True, slots=True)
class BlockView:
    """A block as it lies in the database; `size_bytes` is that of its RLP."""

    header: BlockHeader
    transactions: tuple[Transaction, ...]
    withdrawals: tuple[WithdrawalView, ...]
    size_bytes: int
    ommer_hashes: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class TransactionLocation:
    """Where an included transaction stands."""

    block_hash: bytes
    index: int


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """How far a node that is catching up has come, in block numbers."""

    starting_block: int
    current_block: int
    highest_block: int


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """Where a model stands for this node: chunks that lie here, and signatures that it knows.

    `attestations` are 65-byte EIP-712 signatures of validators over `record`.
    """

    has_bytes: bool
    missing_chunks: tuple[int, ...]
    record: ModelRecord | None
    refusal: str | None
    attestations: tuple[bytes, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class ModelChunk:
    """One chunk of a model; `size_bytes` is the model's, which chunk and proof also prove."""

    size_bytes: int
    index: int
    chunk: bytes
    proof: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class TraceRequest:
    """What to show of a transaction's inferences: all, or the one of a place; nodes if wanted."""

    nodes: bool = False
    index: int | None = None


class StateView(Protocol):
    """The world state after one block."""

    def balance(self, address: bytes) -> int:
        """Return the balance in wei."""

    def nonce(self, address: bytes) -> int:
        """Return the transaction count."""

    def code(self, address: bytes) -> bytes:
        """Return the code, empty where there is none."""

    def storage(self, address: bytes, slot: int) -> int:
        """Return a storage word."""


class EthView(Protocol):
    """What every chain answers, our own or a plain Ethereum one; read-only but for `submit`."""

    @property
    def chain_id(self) -> int:
        """Return the EIP-155 chain id."""

    @property
    def client_version(self) -> str:
        """Return the web3_clientVersion string."""

    def sync_progress(self) -> SyncProgress | None:
        """Return how far catching up has come, or None where the node is at the tip."""

    def peer_count(self) -> int:
        """Return how many peers are connected."""

    def node_status(self) -> NodeReadiness:
        """Return whether this node can take part, and what keeps it back."""

    def head(self) -> BlockHeader:
        """Return the newest final header."""

    def header_by_number(self, number: int) -> BlockHeader | None:
        """Return the header at a height, or None above the head."""

    def block_by_hash(self, block_hash: bytes) -> BlockView | None:
        """Return a whole block."""

    def receipts(self, block_hash: bytes) -> Sequence[Receipt]:
        """Return the receipts of a block, in order."""

    def transaction_location(self, tx_hash: bytes) -> TransactionLocation | None:
        """Return where an included transaction stands."""

    def pending_transaction(self, tx_hash: bytes) -> Transaction | None:
        """Return a transaction that waits in the pool, pending or queued."""

    def pending_nonce(self, address: bytes) -> int:
        """Return the next nonce after everything that is pending in the pool."""

    def pool_status(self) -> PoolStatus:
        """Return how many transactions wait in the pool."""

    def pool_content(self) -> PoolContent:
        """Return everything that waits in the pool."""

    def pool_content_from(self, sender: bytes) -> PoolContent:
        """Return everything of one sender that waits in the pool."""

    def state_at(self, header: BlockHeader) -> StateView:
        """Return the state after a block."""

    async def submit(self, raw_transaction: bytes) -> bytes:
        """Put a signed transaction into the pool and return its hash.

        Raises `InvalidTransaction` (consensus.faults) with the broken rule and both values.
        """

    async def execute(self, job: Job[ResultT]) -> ResultT:
        """Run a job of execution away from the event loop; see `jobs.Executor`."""


class ChainView(EthView, Protocol):
    """A chain of our own with its models; read-only but for `submit` and `put_chunk`."""

    def known_evidence(self) -> Sequence[Evidence]:
        """Return the proofs of double votes that are known here."""

    def certificate(self, number: int) -> CommitCertificate | None:
        """Return what made the block at a height final: that which the next header names.

        None for genesis, above the head, and where a snapshot left it out.
        """

    def model_ids(self) -> Sequence[bytes]:
        """Return every registered model id, in order of registration."""

    def model_entry(self, model_id: bytes) -> RegistryEntry | None:
        """Return the registry's entry at the head, or None."""

    def model_status(self, model_id: bytes, size_bytes: int | None = None) -> ModelStatus:
        """Return what this node knows of a model's bytes and attestations.

        `size_bytes` says how many chunks a model that is not registered yet has; without it
        such a model's `missing_chunks` are empty.
        """

    def missing_chunks(self, model_id: bytes, size_bytes: int) -> tuple[int, ...]:
        """Return the chunks of a model that are not here; raises `BadModelSize`."""

    async def chunk(self, model_id: bytes, index: int) -> ModelChunk:
        """Return a chunk of a model that lies here whole.

        Raises `ModelDataMissing` or `BadChunkIndex`.
        """

    async def model_interface(self, model_id: bytes) -> ModelInterface:
        """Return what a model that lies here takes and gives; raises `ModelDataMissing`."""

    async def trace_inferences(
        self, location: TransactionLocation, request: TraceRequest
    ) -> tuple[InferenceTrace, ...]:
        """Run an included transaction again and return its inferences; raises a `LocalFault`."""

    async def inference_of(
        self, location: TransactionLocation, index: int
    ) -> InferenceTrace | None:
        """Run an included transaction again and return one of its inferences, if there is one."""

    async def agrees_with_definition(self, call: InferenceCall) -> bool:
        """Run an inference on the definition; tell whether its output is the same, bit by bit."""

    async def block_inferences(self, block_hash: bytes) -> Sequence[tuple[int, InferenceTrace]]:
        """Run a block again and return its inferences, each with its transaction's index.

        Raises a `LocalFault`.
        """

    async def put_chunk(
        self, model_id: bytes, size_bytes: int, index: int, chunk: bytes, proof: Sequence[bytes]
    ) -> None:
        """Store a chunk after its Merkle proof was checked; raises `BadChunk`."""

    def inference_quote(self, entry: RegistryEntry, batch: int) -> InferenceGas | None:
        """Return what a first call would be charged now, or None where the model is not ACTIVE."""
