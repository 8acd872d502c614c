"""A small chain in memory: real Prague headers, signed transactions, receipts, and test models.

Block 1 holds a legacy, an access-list and a dynamic-fee transaction; block 2 creates a contract,
delegates (EIP-7702) and carries a blob transaction for the sake of its form; block 3 is empty.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from consensus.block import EMPTY_REQUESTS_HASH
from consensus.certificate import CommitCertificate
from consensus.faults import InvalidTransaction
from consensus.qbft.evidence import Evidence
from consensus.withdrawal import Withdrawal
from cvm.evm.header import BlockHeader
from cvm.evm.list_root import list_root
from cvm.evm.log import Log
from cvm.evm.private_key import PrivateKey
from cvm.evm.receipt import Receipt
from cvm.evm.transaction import (
    ACCESS_LIST,
    BLOB,
    LEGACY,
    SET_CODE,
    Authorization,
    Transaction,
)
from cvm.evm.transaction_signing import UnsignedTransaction
from cvm.faults import ModelDataMissing
from cvm.inference.cost import Cost
from cvm.inference.graph import Value
from cvm.inference.tensor_type import TensorType
from models_registry.chunks import (
    BadChunkIndex,
    chunk_count,
    chunk_proofs,
    model_id,
    split_chunks,
    validate_chunk,
)
from models_registry.interface import ModelInterface
from models_registry.record import ModelRecord
from models_registry.registry import RegistryEntry, RegistryStatus
from node.execution.call_request import CallRequest, CallResult
from node.execution.jobs import Job, ResultT
from node.execution.messages import CallJob, EstimateJob
from node.pool.content import BySender, PoolContent, PoolStatus
from node.readiness import NodeReadiness, Phase
from node.rpc.chain_view import (
    BlockView,
    ModelChunk,
    ModelStatus,
    StateView,
    SyncProgress,
    TraceRequest,
    TransactionLocation,
)
from opcodes.gas import InferenceGas, inference_gas
from opcodes.inference_host import InferenceCall
from opcodes.inference_trace import InferenceTrace

CHAIN_ID = 1337
ALICE_KEY = PrivateKey(b"\x11" * 32)
"""A test key: never use it where money is."""
ALICE = ALICE_KEY.address
BOB = b"\xb0" * 20
CONTRACT = b"\xcc" * 20
COINBASE = b"\xc0" * 20
TOPIC = (0xABC).to_bytes(32, "big")
OTHER_TOPIC = (0xDEF).to_bytes(32, "big")
GWEI = 10**9

ACTIVE_MODEL = b"\xaa" * 32
PENDING_MODEL = b"\xbb" * 32
RECORD = ModelRecord(
    engine=1,
    size_bytes=320_000,
    batchable=True,
    input_bytes=784,
    output_bytes=40,
    cost=Cost(1_000_000, 0, 5_000, 10, 20_000, 7, 320_000, 64_000),
    test_hash=b"\x77" * 32,
)
ENTRIES = (
    RegistryEntry(
        model_id=ACTIVE_MODEL,
        owner=ALICE,
        size_bytes=320_000,
        royalty_gas=100,
        uri="ipfs://digits",
        nonce=1,
        status=RegistryStatus.ACTIVE,
        activation_height=2,
        retirement_height=0,
        registered_at=1,
        next_royalty_gas=120,
        royalty_height=9,
        deposit=32 * 10**14,
        record=RECORD,
    ),
    RegistryEntry(
        model_id=PENDING_MODEL,
        owner=BOB,
        size_bytes=1_000,
        royalty_gas=0,
        uri="",
        nonce=2,
        status=RegistryStatus.PENDING,
        activation_height=0,
        retirement_height=0,
        registered_at=2,
        next_royalty_gas=0,
        royalty_height=0,
        deposit=10**13,
        record=None,
    ),
)


def signed(nonce: int, **fields: Any) -> Transaction:
    defaults: dict[str, Any] = {"chain_id": CHAIN_ID, "max_fee_per_gas": 5 * GWEI, "to": BOB}
    return UnsignedTransaction(nonce=nonce, **(defaults | fields)).sign(ALICE_KEY.to_bytes())


def legacy_tx(nonce: int, gas_price: int, to: bytes = BOB) -> Transaction:
    return signed(
        nonce,
        type_id=LEGACY,
        max_fee_per_gas=gas_price,
        gas=50_000,
        to=to,
        value=7,
        data=b"\x01\x02",
    )


def access_list_tx(nonce: int, gas_price: int) -> Transaction:
    return signed(
        nonce,
        type_id=ACCESS_LIST,
        max_fee_per_gas=gas_price,
        gas=60_000,
        to=CONTRACT,
        access_list=((CONTRACT, (0, 5)),),
    )


def dynamic_fee_tx(nonce: int, tip: int, to: bytes = CONTRACT) -> Transaction:
    return signed(nonce, max_priority_fee_per_gas=tip, gas=70_000, to=to, data=b"\x60\x00")


def blob_tx(nonce: int) -> Transaction:
    return signed(
        nonce,
        type_id=BLOB,
        max_priority_fee_per_gas=GWEI,
        gas=80_000,
        max_fee_per_blob_gas=9,
        blob_versioned_hashes=(b"\x01" + b"\x02" * 31,),
    )


def set_code_tx(nonce: int) -> Transaction:
    return signed(
        nonce,
        type_id=SET_CODE,
        max_priority_fee_per_gas=GWEI,
        gas=90_000,
        authorization_list=(Authorization(CHAIN_ID, CONTRACT, 3, 1, 0x11, 0x22),),
    )


def receipt(
    tx: Transaction, cumulative_gas: int, logs: Sequence[Log] = (), *, ok: bool = True
) -> Receipt:
    return Receipt(tx.type_id, int(ok), cumulative_gas, tuple(logs))


def make_block(
    parent: BlockHeader | None,
    transactions: Sequence[Transaction] = (),
    receipts: Sequence[Receipt] = (),
    withdrawals: Sequence[Withdrawal] = (),
) -> BlockView:
    """Return a block on `parent` whose header commits to what it holds."""
    number = 0 if parent is None else parent.block_number + 1
    bloom = 0
    for item in receipts:
        bloom |= item.bloom
    header = BlockHeader(
        difficulty=0,
        block_number=number,
        gas_limit=2**25,
        timestamp=1_700_000_000 + 2 * number,
        coinbase=COINBASE,
        nonce=bytes(8),
        parent_hash=bytes(32) if parent is None else parent.hash,
        transaction_root=list_root([item.encode() for item in transactions]),
        receipt_root=list_root([item.encode() for item in receipts]),
        withdrawals_root=list_root([item.encode() for item in withdrawals]),
        bloom=bloom,
        gas_used=receipts[-1].cumulative_gas_used if receipts else 0,
        extra_data=b"cvm",
        base_fee_per_gas=GWEI,
        parent_beacon_block_root=bytes([number]) * 32,
        blob_gas_used=131_072 if any(tx.type_id == BLOB for tx in transactions) else 0,
        excess_blob_gas=0,
        requests_hash=EMPTY_REQUESTS_HASH,
    )
    return BlockView(header, tuple(transactions), tuple(withdrawals), 600 + number)


@dataclass(frozen=True, slots=True)
class FakeState:
    """Alice is rich, the contract has code and one storage word."""

    def balance(self, address: bytes) -> int:
        return 10**18 if address == ALICE else 0

    def nonce(self, address: bytes) -> int:
        return 6 if address == ALICE else 0

    def code(self, address: bytes) -> bytes:
        return b"\x60\x00" if address == CONTRACT else b""

    def storage(self, address: bytes, slot: int) -> int:
        return 0x2A if (address, slot) == (CONTRACT, 1) else 0


EVIDENCE = Evidence(0x13, b"\xe1" * 20, 7, 1, b"\xc1\x01", b"\x0a" * 65, b"\xc1\x02", b"\x0b" * 65)


@dataclass
class FakeChain:
    """What the tests set is answered; what they call is kept."""

    blocks: list[BlockView] = field(default_factory=list)
    receipts_of: dict[bytes, list[Receipt]] = field(default_factory=dict)
    pool: list[Transaction] = field(default_factory=list)
    queue: list[Transaction] = field(default_factory=list)
    entries: tuple[RegistryEntry, ...] = ENTRIES
    progress: SyncProgress | None = None
    call_result: CallResult = field(default_factory=lambda: CallResult(b"\xff\xee", 21_000, None))
    estimate: int | CallResult = 21_000
    fault: Exception | None = None
    requests: list[CallRequest] = field(default_factory=list)
    jobs: list[Job[Any]] = field(default_factory=list)
    answers: dict[type, object] = field(default_factory=dict)
    submitted: list[bytes] = field(default_factory=list)
    chunks: list[tuple[bytes, int]] = field(default_factory=list)
    sizes_asked: list[int | None] = field(default_factory=list)
    held: bytes = b"a model"
    traces: tuple[InferenceTrace, ...] = ()
    block_traces: dict[bytes, Sequence[tuple[int, InferenceTrace]]] = field(default_factory=dict)
    replayed: list[bytes] = field(default_factory=list)
    compared: list[InferenceCall] = field(default_factory=list)
    traces_asked: list[tuple[TransactionLocation, TraceRequest]] = field(default_factory=list)

    @property
    def chain_id(self) -> int:
        return CHAIN_ID

    @property
    def client_version(self) -> str:
        return "cvm/v0.1.0/test"

    def add_block(
        self,
        transactions: Sequence[Transaction] = (),
        receipts: Sequence[Receipt] = (),
        withdrawals: Sequence[Withdrawal] = (),
    ) -> BlockView:
        parent = self.blocks[-1].header if self.blocks else None
        block = make_block(parent, transactions, receipts, withdrawals)
        self.blocks.append(block)
        self.receipts_of[block.header.hash] = list(receipts)
        return block

    def known_evidence(self) -> tuple[Evidence, ...]:
        return (EVIDENCE,)

    def node_status(self) -> NodeReadiness:
        return NodeReadiness(Phase.READY, 2, 2, ())

    def sync_progress(self) -> SyncProgress | None:
        return self.progress

    def peer_count(self) -> int:
        return 3

    def head(self) -> BlockHeader:
        return self.blocks[-1].header

    def header_by_number(self, number: int) -> BlockHeader | None:
        return self.blocks[number].header if number < len(self.blocks) else None

    def certificate(self, number: int) -> CommitCertificate | None:
        if not 0 < number < len(self.blocks):
            return None
        block_hash = self.blocks[number].header.hash
        return CommitCertificate(number, 1, block_hash, 0b1011, (b"\x5e" * 65,) * 3)

    def block_by_hash(self, block_hash: bytes) -> BlockView | None:
        return next((b for b in self.blocks if b.header.hash == block_hash), None)

    def receipts(self, block_hash: bytes) -> Sequence[Receipt]:
        return self.receipts_of[block_hash]

    def transaction_location(self, tx_hash: bytes) -> TransactionLocation | None:
        for block in self.blocks:
            for index, tx in enumerate(block.transactions):
                if tx.hash == tx_hash:
                    return TransactionLocation(block.header.hash, index)
        return None

    def pending_transaction(self, tx_hash: bytes) -> Transaction | None:
        return next((tx for tx in self.pool if tx.hash == tx_hash), None)

    def pending_nonce(self, address: bytes) -> int:
        return FakeState().nonce(address) + len(self.pool)

    def pool_status(self) -> PoolStatus:
        return PoolStatus(len(self.pool), len(self.queue))

    def pool_content(self) -> PoolContent:
        return PoolContent(by_sender(self.pool), by_sender(self.queue))

    def pool_content_from(self, sender: bytes) -> PoolContent:
        return self.pool_content() if sender == ALICE else PoolContent({}, {})

    def state_at(self, header: BlockHeader) -> StateView:
        return FakeState()

    async def submit(self, raw_transaction: bytes) -> bytes:
        self._fail()
        if raw_transaction == b"":
            raise InvalidTransaction("rlp: cannot decode transaction: no bytes")
        self.submitted.append(raw_transaction)
        return b"\x99" * 32

    async def execute(self, job: Job[ResultT]) -> ResultT:
        self._fail()
        asked: object = job
        self.jobs.append(job)
        if isinstance(asked, CallJob | EstimateJob):
            self.requests.append(asked.request)
        own = {CallJob: self.call_result, EstimateJob: self.estimate}
        return cast(ResultT, (own | self.answers)[type(job)])

    def model_ids(self) -> Sequence[bytes]:
        return [entry.model_id for entry in self.entries]

    def model_entry(self, model_id: bytes) -> RegistryEntry | None:
        return next((entry for entry in self.entries if entry.model_id == model_id), None)

    def model_status(self, model_id: bytes, size_bytes: int | None = None) -> ModelStatus:
        self.sizes_asked.append(size_bytes)
        if model_id == ACTIVE_MODEL:
            return ModelStatus(True, (), RECORD, None, (b"\x65" * 65,))
        return ModelStatus(False, (0, 17), None, "too many nodes: 3000 > 2048")

    def missing_chunks(self, model_id: bytes, size_bytes: int) -> tuple[int, ...]:
        return tuple(range(chunk_count(size_bytes)))[1:]

    async def chunk(self, model: bytes, index: int) -> ModelChunk:
        if model != model_id(self.held):
            raise ModelDataMissing(model)
        chunks, proofs = split_chunks(self.held), chunk_proofs(self.held)
        if index >= len(chunks):
            raise BadChunkIndex(index, len(chunks))
        return ModelChunk(len(self.held), index, chunks[index], proofs[index])

    async def model_interface(self, model_id: bytes) -> ModelInterface:
        if model_id != ACTIVE_MODEL:
            raise ModelDataMissing(model_id)
        image = Value("image", TensorType("uint8", (1, 1, 28, 28)))
        return ModelInterface((image,), (Value("scores", TensorType("float32", (1, 10))),), True)

    async def trace_inferences(
        self, location: TransactionLocation, request: TraceRequest
    ) -> tuple[InferenceTrace, ...]:
        self.traces_asked.append((location, request))
        return self.traces

    async def inference_of(
        self, location: TransactionLocation, index: int
    ) -> InferenceTrace | None:
        return self.traces[index] if index < len(self.traces) else None

    async def agrees_with_definition(self, call: InferenceCall) -> bool:
        self.compared.append(call)
        return call.output != b"\xff"

    async def block_inferences(self, block_hash: bytes) -> Sequence[tuple[int, InferenceTrace]]:
        self.replayed.append(block_hash)
        return self.block_traces.get(block_hash, ())

    async def put_chunk(
        self, model_id: bytes, size_bytes: int, index: int, chunk: bytes, proof: Sequence[bytes]
    ) -> None:
        validate_chunk(model_id, size_bytes, index, chunk, proof)
        self.chunks.append((model_id, index))

    def inference_quote(self, entry: RegistryEntry, batch: int) -> InferenceGas | None:
        if entry.record is None:
            return None
        return inference_gas(
            entry.record.cost,
            size_bytes=entry.size_bytes,
            batch=batch,
            item_input_bytes=entry.record.input_bytes,
            item_output_bytes=entry.record.output_bytes,
            registered_royalty=entry.royalty_gas,
            first_touch=True,
        )

    def _fail(self) -> None:
        if self.fault is not None:
            raise self.fault


def by_sender(transactions: Sequence[Transaction]) -> BySender:
    """Return transactions of ALICE as a pool shows them."""
    return {ALICE: transactions} if transactions else {}


def small_chain() -> FakeChain:
    """Return the chain of four blocks that the module describes."""
    chain = FakeChain()
    chain.add_block()
    first = [legacy_tx(0, 2 * GWEI), access_list_tx(1, 3 * GWEI), dynamic_fee_tx(2, GWEI // 2)]
    log = Log(CONTRACT, (TOPIC, OTHER_TOPIC), b"\x2a")
    chain.add_block(
        first,
        [
            receipt(first[0], 21_000),
            receipt(first[1], 51_000, [log, Log(BOB, (TOPIC,), b"")]),
            receipt(first[2], 91_000, [log], ok=False),
        ],
        [Withdrawal(0, 5, BOB, 100)],
    )
    second = [dynamic_fee_tx(3, GWEI, to=b""), set_code_tx(4), blob_tx(5)]
    totals = (40_000, 86_000, 107_000)
    chain.add_block(second, [receipt(tx, gas) for tx, gas in zip(second, totals, strict=True)])
    chain.add_block()
    return chain
