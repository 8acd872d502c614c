"""Building a block and checking one: the same steps, with our roots or with the header's."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from eth.abc import BlockHeaderAPI, SignedTransactionAPI
from eth.vm.forks.prague.blocks import PragueBlockHeader

from consensus.block import (
    EMPTY_REQUESTS_HASH,
    EMPTY_WITHDRAWALS_ROOT,
    MAX_BLOCK_BYTES,
    ZERO_NONCE,
    Block,
)
from consensus.faults import (
    BodyRootWrong,
    ExecutionDisagrees,
    InferenceGasExceeded,
    InferenceGasTooHigh,
    Inferences,
    InvalidTransaction,
    InvalidTransactionInBlock,
)
from consensus.fork_schedule import Machines
from consensus.header_rules import DerivedFields, derive_fields, validate_header
from consensus.parameters import ChainParameters
from cvm.evm.execution import BlockContext, BlockExecution, ExecutedBlock, list_root
from cvm.evm.faults import TransactionVetoed
from cvm.evm.overlay_database import Read
from cvm.faults import ModelDataMissing
from opcodes.inference_host import InferenceCall

MAX_RLP_PREFIX_BYTES = 9
MAX_HEADER_BYTES = 1_024
"""Above a Prague header of 32 free bytes (about 650) and the prefixes of block and lists."""

LeftOut = tuple[tuple[SignedTransactionAPI, Exception], ...]
"""Candidates that a builder did not take: invalid ones, vetoed ones, and those whose model
bytes are not here; each with its fault."""


@dataclass(frozen=True, slots=True)
class Parent:
    """What a block builds on: header, certificate hash (zero at genesis), older hashes."""

    header: BlockHeaderAPI
    certificate_hash: bytes
    ancestor_hashes: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a proposer decides: coinbase, time in seconds, and up to 32 free bytes."""

    coinbase: bytes
    timestamp: int
    extra_data: bytes = b""


@dataclass(frozen=True, slots=True)
class CheckedBlock:
    """A block whose every root has been computed here, with what to store and what it ran."""

    block: Block
    executed: ExecutedBlock
    inferences: Inferences


class BlockRunner:
    """Runs blocks of one chain against a key-value reader of its state."""

    def __init__(self, parameters: ChainParameters, machines: Machines, read: Read) -> None:
        self._parameters = parameters
        self._machines = machines
        self._read = read

    def build(
        self, parent: Parent, proposal: Proposal, candidates: Iterable[SignedTransactionAPI]
    ) -> tuple[CheckedBlock, LeftOut]:
        """Build the next block from as many candidates as are valid and fit.

        Returns the block and the candidates that were left out, each with its fault. The
        inference cap is the builder's: after one roll-back it takes only transactions whose
        gas limit fits the remainder (PROTOCOL section 3).
        """
        derived = derive_fields(parent.header, parent.certificate_hash, self._parameters)
        timestamp = max(proposal.timestamp, derived.earliest_timestamp)
        execution = self._execution(parent, derived, proposal.coinbase, timestamp)
        included: list[SignedTransactionAPI] = []
        left_out: list[tuple[SignedTransactionAPI, Exception]] = []
        inferences: list[tuple[bytes, InferenceCall]] = []
        cap, size = InferenceCap(self._parameters.block_inference_gas), BlockSize()
        self._machines.log.take()
        for tx in candidates:
            fault = self._try(execution, tx, cap, size)
            calls = self._machines.log.take()
            if fault is not None:
                left_out.append((tx, fault))
                continue
            included.append(tx)
            inferences.extend((bytes(tx.hash), call) for call in calls)
        executed = execution.finish()
        header = make_header(derived, proposal, timestamp, self._parameters, executed)
        block = Block(header, tuple(included))
        return CheckedBlock(block, executed, tuple(inferences)), tuple(left_out)

    def _try(
        self,
        execution: BlockExecution,
        tx: SignedTransactionAPI,
        cap: "InferenceCap",
        size: "BlockSize",
    ) -> Exception | None:
        """Run one candidate; return why it is left out, or None."""
        try:
            size.admit(tx)
            cap.admit(tx)
            execution.apply(tx, veto=lambda: cap.veto(self._machines.log.gas))
        except (InvalidTransaction, ModelDataMissing) as error:
            return error
        except TransactionVetoed as veto:
            gas = self._machines.log.gas
            return veto if gas <= cap.cap else InferenceGasTooHigh(gas, cap.cap)
        cap.used += self._machines.log.gas
        size.add(tx)
        return None

    def check(self, block: Block, parent: Parent) -> CheckedBlock:
        """Check a block against every rule, executing it; raises an `InvalidBlock`.

        A `LocalFault` passes through: this node could not tell.
        """
        derived = derive_fields(parent.header, parent.certificate_hash, self._parameters)
        validate_header(block.header, derived, self._parameters)
        body_root = list_root(block.transactions)
        if body_root != block.header.transaction_root:
            raise BodyRootWrong(
                block.number, "transactions", body_root, bytes(block.header.transaction_root)
            )
        executed, inferences = self._execute(block, parent, derived)
        validate_execution(block, executed, inferences)
        return CheckedBlock(block, executed, inferences)

    def _execute(
        self, block: Block, parent: Parent, derived: DerivedFields
    ) -> tuple[ExecutedBlock, Inferences]:
        """Run every transaction of a block."""
        header = block.header
        execution = self._execution(parent, derived, bytes(header.coinbase), int(header.timestamp))
        log = self._machines.log
        inferences: list[tuple[bytes, InferenceCall]] = []
        inference_gas = 0
        log.take()
        for index, tx in enumerate(block.transactions):
            try:
                execution.apply(tx)
            except InvalidTransaction as error:
                raise InvalidTransactionInBlock(
                    block.number, index, bytes(tx.hash), str(error), tuple(inferences)
                ) from error
            inference_gas += log.gas
            inferences.extend((bytes(tx.hash), call) for call in log.take())
            if inference_gas > self._parameters.block_inference_gas:
                raise InferenceGasExceeded(
                    block.number,
                    inference_gas,
                    self._parameters.block_inference_gas,
                    tuple(inferences),
                )
        return execution.finish(), tuple(inferences)

    def _execution(
        self, parent: Parent, derived: DerivedFields, coinbase: bytes, timestamp: int
    ) -> BlockExecution:
        """Open the parent's state for one block."""
        context = BlockContext(
            chain_id=self._parameters.chain_id,
            number=derived.number,
            timestamp=timestamp,
            coinbase=coinbase,
            gas_limit=self._parameters.block_gas_limit,
            base_fee=derived.base_fee,
            prev_randao=derived.prev_randao,
            parent_hash=derived.parent_hash,
            parent_beacon_block_root=derived.parent_beacon_block_root,
        )
        return BlockExecution(
            self._machines.state_class(derived.number),
            self._read,
            bytes(parent.header.state_root),
            context,
            parent.ancestor_hashes(),
        )


class InferenceCap:
    """The builder's account of the inference gas of one block."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.used = 0
        self._rolled_back = False

    def admit(self, tx: SignedTransactionAPI) -> None:
        """After a roll-back, refuse what might not fit the remainder."""
        left = self.cap - self.used
        if self._rolled_back and tx.gas > left:
            raise TransactionVetoed(f"inference gas: {tx.gas} may exceed the {left} left")

    def veto(self, gas: int) -> str | None:
        """Return why a transaction that has run must be rolled back, or None."""
        if self.used + gas <= self.cap:
            return None
        self._rolled_back = True
        return f"inference gas: {gas} exceeds the {self.cap - self.used} left in the block"


class BlockSize:
    """The builder's account of the bytes of one block (EIP-7934)."""

    def __init__(self) -> None:
        self.used = MAX_HEADER_BYTES

    def admit(self, tx: SignedTransactionAPI) -> None:
        """Refuse what would make a block that no node decodes."""
        if self.used + self.bytes_of(tx) > MAX_BLOCK_BYTES:
            raise TransactionVetoed(f"block size: {self.used} of {MAX_BLOCK_BYTES} bytes are used")

    def add(self, tx: SignedTransactionAPI) -> None:
        """Count a transaction that the block took."""
        self.used += self.bytes_of(tx)

    @staticmethod
    def bytes_of(tx: SignedTransactionAPI) -> int:
        """Return the most bytes that a transaction takes in the block's list."""
        return len(tx.encode()) + MAX_RLP_PREFIX_BYTES


def make_header(
    derived: DerivedFields,
    proposal: Proposal,
    timestamp: int,
    parameters: ChainParameters,
    executed: ExecutedBlock,
) -> BlockHeaderAPI:
    """Assemble the exact Prague header of a built block."""
    fields: dict[str, Any] = {
        "parent_hash": derived.parent_hash,
        "coinbase": proposal.coinbase,
        "state_root": executed.state_root,
        "transaction_root": executed.transactions_root,
        "receipt_root": executed.receipts_root,
        "bloom": executed.bloom,
        "difficulty": 0,
        "block_number": derived.number,
        "gas_limit": parameters.block_gas_limit,
        "gas_used": executed.gas_used,
        "timestamp": timestamp,
        "extra_data": proposal.extra_data,
        "mix_hash": derived.prev_randao,
        "nonce": ZERO_NONCE,
        "base_fee_per_gas": derived.base_fee,
        "withdrawals_root": EMPTY_WITHDRAWALS_ROOT,
        "blob_gas_used": 0,
        "excess_blob_gas": 0,
        "parent_beacon_block_root": derived.parent_beacon_block_root,
        "requests_hash": EMPTY_REQUESTS_HASH,
    }
    return cast(BlockHeaderAPI, PragueBlockHeader(**fields))


def validate_execution(block: Block, executed: ExecutedBlock, inferences: Inferences) -> None:
    """Compare what execution gave with what the header shows; raises `ExecutionDisagrees`."""
    header = block.header
    compared: tuple[tuple[str, object, object], ...] = (
        ("gasUsed", executed.gas_used, int(header.gas_used)),
        ("logsBloom", executed.bloom, int(header.bloom)),
        ("receiptsRoot", executed.receipts_root, bytes(header.receipt_root)),
        ("stateRoot", executed.state_root, bytes(header.state_root)),
    )
    for field, ours, theirs in compared:
        if ours != theirs:
            raise ExecutionDisagrees(block.number, field, ours, theirs, inferences)
