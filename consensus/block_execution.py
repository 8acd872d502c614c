"""Building a block and checking one: the same steps, with our roots or with the header's."""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from consensus.block import (
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
    RequestsFailed,
)
from consensus.fork_schedule import Machines
from consensus.header_rules import (
    DerivedFields,
    derive_fields,
    validate_coinbase,
    validate_header,
)
from consensus.parameters import ChainParameters
from consensus.withdrawal import Withdrawal, block_reward, withdrawals_root
from cvm.evm.block_requests import MalformedDeposit
from cvm.evm.execution import BlockContext, BlockExecution, ExecutedBlock
from cvm.evm.execution import Withdrawal as Payment
from cvm.evm.faults import TransactionVetoed
from cvm.evm.header import BlockHeader
from cvm.evm.list_root import list_root
from cvm.evm.state_committer import StateUpdate
from cvm.evm.state_reader import StateChanges, StateReader
from cvm.evm.system_calls import SystemCallFailed
from cvm.evm.transaction import Transaction
from cvm.faults import ModelDataMissing
from models_registry.registry import read_validators
from opcodes.inference_host import InferenceCall

MAX_RLP_PREFIX_BYTES = 9
MAX_HEADER_BYTES = 1_024
"""Above a Prague header of 32 free bytes (about 650) and the prefixes of block and lists."""

LeftOut = tuple[tuple[Transaction, Exception], ...]
"""Candidates that a builder did not take: invalid ones, vetoed ones, and those whose model
bytes are not here; each with its fault."""


class States(Protocol):
    """Where the states of a chain are kept."""

    def reader(self, state_root: bytes) -> AbstractContextManager[StateReader]:
        """Open a state for as long as one block runs on it."""

    def commit(self, parent_root: bytes, changes: StateChanges) -> StateUpdate:
        """Return what a block makes of a state, its root among it; nothing is written."""


@dataclass(frozen=True, slots=True)
class Parent:
    """What a block builds on: header, certificate hash (zero at genesis), hashes by height."""

    header: BlockHeader
    certificate_hash: bytes
    block_hash: Callable[[int], bytes]


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
    update: StateUpdate
    inferences: Inferences


class BlockRunner:
    """Runs blocks of one chain on its states."""

    def __init__(
        self,
        parameters: ChainParameters,
        machines: Machines,
        states: States,
        execution: type[BlockExecution] = BlockExecution,
    ) -> None:
        self._parameters = parameters
        self._machines = machines
        self._states = states
        self._make_execution = execution

    def build(
        self, parent: Parent, proposal: Proposal, candidates: Iterable[Transaction]
    ) -> tuple[CheckedBlock, LeftOut]:
        """Build the next block from as many candidates as are valid and fit.

        Returns the block and the candidates that were left out, each with its fault. The
        inference cap is the builder's: after one roll-back it takes only transactions whose
        gas limit fits the remainder (PROTOCOL section 3).
        """
        derived = derive_fields(parent.header, parent.certificate_hash, self._parameters)
        return self.build_from(derived, parent, proposal, candidates)

    def build_from(
        self,
        derived: DerivedFields,
        parent: Parent,
        proposal: Proposal,
        candidates: Iterable[Transaction],
    ) -> tuple[CheckedBlock, LeftOut]:
        """Build a block as `build` does, with the fields that its caller derived."""
        timestamp = max(proposal.timestamp, derived.earliest_timestamp)
        root, coinbase = parent.header.state_root, proposal.coinbase
        reward = block_reward(self._parameters, derived.number, coinbase)
        with self._states.reader(root) as reader:
            execution = self._execution(parent, reader, derived, coinbase, timestamp)
            included, left_out, inferences = self._fill(execution, candidates)
            executed = finished(execution, derived.number, reward)
        update = self._states.commit(root, executed.changes)
        header = make_header(derived, proposal, timestamp, self._parameters, executed, update.root)
        block = Block(header, included, reward)
        return CheckedBlock(block, executed, update, inferences), left_out

    def _fill(
        self, execution: BlockExecution, candidates: Iterable[Transaction]
    ) -> tuple[tuple[Transaction, ...], LeftOut, Inferences]:
        """Run candidates; return those that were taken, those that were not, and the calls."""
        included: list[Transaction] = []
        left_out: list[tuple[Transaction, Exception]] = []
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
            inferences.extend((tx.hash, call) for call in calls)
        return tuple(included), tuple(left_out), tuple(inferences)

    def _try(
        self,
        execution: BlockExecution,
        tx: Transaction,
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
        validate_body(block)
        executed, inferences = self._execute(block, parent, derived)
        validate_execution(block, executed, inferences)
        update = self._states.commit(parent.header.state_root, executed.changes)
        if update.root != block.header.state_root:
            raise ExecutionDisagrees(
                block.number, "stateRoot", update.root, block.header.state_root, inferences
            )
        return CheckedBlock(block, executed, update, inferences)

    def trace(self, block: Block, parent: Parent, index: int) -> tuple[InferenceCall, ...]:
        """Run a final block again up to one transaction and return what that one inferred.

        Raises a `LocalFault` where a state or a model is not here.
        """
        with closing(self.trace_all(block, parent)) as traced:
            return next(islice(traced, index, None), ())

    def trace_all(
        self, block: Block, parent: Parent
    ) -> Generator[tuple[InferenceCall, ...], None, None]:
        """Run a final block again; yield after each transaction what that one inferred."""
        derived = derive_fields(parent.header, parent.certificate_hash, self._parameters)
        header, log = block.header, self._machines.log
        log.take()
        with self._states.reader(parent.header.state_root) as reader:
            execution = self._execution(parent, reader, derived, header.coinbase, header.timestamp)
            for tx in block.transactions:
                execution.apply(tx)
                yield log.take()

    def _execute(
        self, block: Block, parent: Parent, derived: DerivedFields
    ) -> tuple[ExecutedBlock, Inferences]:
        """Run every transaction of a block."""
        header = block.header
        with self._states.reader(parent.header.state_root) as reader:
            execution = self._execution(parent, reader, derived, header.coinbase, header.timestamp)
            inferences = self._run_all(execution, block)
            executed = finished(execution, block.number, block.withdrawals, header.transaction_root)
            return executed, inferences

    def _run_all(self, execution: BlockExecution, block: Block) -> Inferences:
        """Run the transactions of a block and return what they inferred."""
        log = self._machines.log
        inferences: list[tuple[bytes, InferenceCall]] = []
        inference_gas = 0
        log.take()
        transactions, index = block.transactions, 0
        while (index := index + execution.apply_transfers(transactions, index)) < len(transactions):
            tx = transactions[index]
            try:
                execution.apply(tx)
            except InvalidTransaction as error:
                raise InvalidTransactionInBlock(
                    block.number, index, tx.hash, str(error), tuple(inferences)
                ) from error
            inference_gas += log.gas
            inferences.extend((tx.hash, call) for call in log.take())
            if inference_gas > self._parameters.block_inference_gas:
                raise InferenceGasExceeded(
                    block.number,
                    inference_gas,
                    self._parameters.block_inference_gas,
                    tuple(inferences),
                )
            index += 1
        return tuple(inferences)

    def _execution(
        self,
        parent: Parent,
        reader: StateReader,
        derived: DerivedFields,
        coinbase: bytes,
        timestamp: int,
    ) -> BlockExecution:
        """Open the parent's state for one block; raises `CoinbaseNotValidator`."""
        validate_coinbase(derived.number, coinbase, read_validators(reader.storage, derived.number))
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
        rules = self._machines.rules(derived.number)
        return self._make_execution(rules, reader, context, parent.block_hash)


class InferenceCap:
    """The builder's account of the inference gas of one block."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.used = 0
        self._rolled_back = False

    def admit(self, tx: Transaction) -> None:
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

    def admit(self, tx: Transaction) -> None:
        """Refuse what would make a block that no node decodes."""
        if self.used + self.bytes_of(tx) > MAX_BLOCK_BYTES:
            raise TransactionVetoed(f"block size: {self.used} of {MAX_BLOCK_BYTES} bytes are used")

    def add(self, tx: Transaction) -> None:
        """Count a transaction that the block took."""
        self.used += self.bytes_of(tx)

    @staticmethod
    def bytes_of(tx: Transaction) -> int:
        """Return the most bytes that a transaction takes in the block's list."""
        return len(tx.raw) + MAX_RLP_PREFIX_BYTES


def finished(
    execution: BlockExecution,
    number: int,
    withdrawals: Sequence[Withdrawal],
    transactions_root: bytes | None = None,
) -> ExecutedBlock:
    """Pay the reward and return what a header must show.

    Raises `RequestsFailed` where a request contract fails.
    """
    execution.withdraw([Payment(paid.address, paid.amount_gwei) for paid in withdrawals])
    try:
        return execution.finish(transactions_root)
    except (SystemCallFailed, MalformedDeposit) as error:
        raise RequestsFailed(number, str(error)) from error


def make_header(
    derived: DerivedFields,
    proposal: Proposal,
    timestamp: int,
    parameters: ChainParameters,
    executed: ExecutedBlock,
    state_root: bytes,
) -> BlockHeader:
    """Assemble the exact Prague header of a built block."""
    return BlockHeader(
        parent_hash=derived.parent_hash,
        coinbase=proposal.coinbase,
        state_root=state_root,
        transaction_root=executed.transactions_root,
        receipt_root=executed.receipts_root,
        bloom=executed.bloom,
        block_number=derived.number,
        gas_limit=parameters.block_gas_limit,
        gas_used=executed.gas_used,
        timestamp=timestamp,
        extra_data=proposal.extra_data,
        mix_hash=derived.prev_randao,
        nonce=ZERO_NONCE,
        base_fee_per_gas=derived.base_fee,
        withdrawals_root=withdrawals_root(
            block_reward(parameters, derived.number, proposal.coinbase)
        ),
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=derived.parent_beacon_block_root,
        requests_hash=executed.requests_hash,
    )


def validate_body(block: Block) -> None:
    """Compare the body with the roots that the header shows; raises `BodyRootWrong`."""
    header = block.header
    root = list_root([tx.raw for tx in block.transactions])
    if root != header.transaction_root:
        raise BodyRootWrong(block.number, "transactions", root, header.transaction_root)
    root = withdrawals_root(block.withdrawals)
    if root != header.withdrawals_root:
        raise BodyRootWrong(block.number, "withdrawals", root, header.withdrawals_root or b"")


def validate_execution(block: Block, executed: ExecutedBlock, inferences: Inferences) -> None:
    """Compare what execution gave with what the header shows; raises `ExecutionDisagrees`."""
    header = block.header
    compared: tuple[tuple[str, object, object], ...] = (
        ("gasUsed", executed.gas_used, header.gas_used),
        ("logsBloom", executed.bloom, header.bloom),
        ("receiptsRoot", executed.receipts_root, header.receipt_root),
        ("requestsHash", executed.requests_hash, header.requests_hash),
    )
    for field, ours, theirs in compared:
        if ours != theirs:
            raise ExecutionDisagrees(block.number, field, ours, theirs, inferences)
