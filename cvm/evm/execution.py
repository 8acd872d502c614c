"""Runs the transactions of one block on the state of its parent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cvm.evm.blob_gas import GAS_PER_BLOB, blob_base_fee
from cvm.evm.block_requests import (
    DEPOSIT_CONTRACT,
    REQUEST_CONTRACTS,
    deposit_requests,
    requests_hash,
)
from cvm.evm.faults import TransactionVetoed
from cvm.evm.forks import Fork
from cvm.evm.list_root import list_root
from cvm.evm.log import Log
from cvm.evm.message_rules import Additions, MakeInterpreter
from cvm.evm.messages import BlockEnvironment
from cvm.evm.native.machine_memory import MachineMemory
from cvm.evm.native_interpreter import NativeInterpreter
from cvm.evm.precompiles.table import precompiles
from cvm.evm.receipt import Receipt
from cvm.evm.state_reader import StateChanges, StateReader
from cvm.evm.system_calls import BEACON_ROOTS_ADDRESS, HISTORY_STORAGE_ADDRESS, SystemCalls
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_execution import TransactionExecution
from cvm.evm.transaction_gas import TX_GAS
from cvm.evm.transaction_rules import (
    BlockRoom,
    ChainRules,
    validate_balance,
    validate_form,
    validate_nonce,
    validate_own_gas,
    validate_room,
    validate_sender_is_eoa,
)
from cvm.evm.transfer_run import TransferRules, TransferRuns
from cvm.evm.world_state import WorldState

WEI_PER_GWEI = 10**9


@dataclass(frozen=True, slots=True)
class BlockContext:
    """What a block brings to its transactions; times in seconds, fees in wei per gas."""

    chain_id: int
    number: int
    timestamp: int
    coinbase: bytes
    gas_limit: int
    base_fee: int
    prev_randao: bytes
    parent_hash: bytes
    parent_beacon_block_root: bytes
    excess_blob_gas: int = 0


@dataclass(frozen=True, slots=True)
class ExecutionRules:
    """What a chain decides at a height: its fork, its additions, whether blocks carry blobs."""

    fork: Fork
    additions: Additions
    carries_blobs: bool = False
    interpreter: MakeInterpreter = NativeInterpreter
    deposit_contract: bytes = DEPOSIT_CONTRACT


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Wei that come from the beacon chain (EIP-4895); the amount is in gwei."""

    address: bytes
    amount_gwei: int


class TransactionResult(NamedTuple):
    """What one transaction did; `error` is the outermost frame's, or None."""

    receipt: Receipt
    gas_used: int
    output: bytes
    error: str | None


@dataclass(frozen=True, slots=True)
class ExecutedBlock:
    """What a header must show of its transactions, and the changes behind the state root."""

    changes: StateChanges
    transactions_root: bytes
    receipts_root: bytes
    requests_hash: bytes
    bloom: int
    gas_used: int
    blob_gas_used: int
    receipts: tuple[Receipt, ...]


class BlockExecution:
    """One block as it runs: system calls first, then transactions, then `finish`.

    `block_hash` gives the hash of an earlier height for BLOCKHASH.
    """

    def __init__(
        self,
        rules: ExecutionRules,
        reader: StateReader,
        context: BlockContext,
        block_hash: Callable[[int], bytes],
    ) -> None:
        self.context = context
        self.rules = rules
        self.gas_used = self.blob_gas_used = 0
        self.world = WorldState(reader, MachineMemory(), rules.fork, block_hash)
        self._block = environment_of(context, rules.fork)
        self._chain = ChainRules(context.chain_id, rules.fork, rules.carries_blobs)
        table = precompiles(rules.fork)
        self._transactions_run = TransactionExecution(
            self.world, self._block, table, rules.additions, rules.interpreter
        )
        self._system = SystemCalls(self.world, self._transactions_run)
        self._transfers = TransferRuns(
            self.world,
            TransferRules(
                context.chain_id,
                context.base_fee,
                context.coinbase,
                rules.fork.max_tx_gas or context.gas_limit,
                frozenset((*table, *rules.additions.precompiles)),
            ),
        )
        self._transactions: list[Transaction] = []
        self._receipts: list[Receipt] = []
        self._blob_gas_limit = rules.fork.max_blobs * GAS_PER_BLOB if rules.carries_blobs else 0
        if rules.fork.is_cancun:
            self._system.notify(BEACON_ROOTS_ADDRESS, context.parent_beacon_block_root)
        if rules.fork.is_prague:
            self._system.notify(HISTORY_STORAGE_ADDRESS, context.parent_hash)

    def apply(
        self, tx: Transaction, veto: Callable[[], str | None] = lambda: None
    ) -> TransactionResult:
        """Run one transaction.

        `veto` is asked after the run, before the block takes it, for a reason not to keep it.
        Raises `InvalidTransaction`, `TransactionVetoed` or a `LocalFault`; each leaves the
        block as it was.
        """
        self._validate(tx)
        run = self._transactions_run
        try:
            executed = run.run(tx)
            raise_veto(veto())
        except BaseException:
            run.abandon()
            raise
        logs = tuple([Log(*fields) for fields in self.world.logs()])
        run.settle(executed.royalties)
        self.gas_used += executed.gas_used
        self.blob_gas_used += GAS_PER_BLOB * len(tx.blob_versioned_hashes)
        outcome = executed.outcome
        receipt = Receipt(tx.type_id, int(outcome.is_success), self.gas_used, logs)
        self._transactions.append(tx)
        self._receipts.append(receipt)
        return TransactionResult(receipt, executed.gas_used, outcome.output, outcome.error)

    def apply_transfers(self, transactions: Sequence[Transaction], first: int) -> int:
        """Run transactions that only move wei, from the first place on; return how many ran.

        It does what `apply` does for each, sooner, and leaves to it whatever it does not take;
        with another interpreter than the compiled one, everything.
        """
        if self.rules.interpreter is not NativeInterpreter:
            return 0
        gas_left = self.context.gas_limit - self.gas_used
        count = self._transfers.run(transactions, first, gas_left)
        for tx in transactions[first : first + count]:
            self.gas_used += TX_GAS
            self._receipts.append(Receipt(tx.type_id, 1, self.gas_used))
            self._transactions.append(tx)
        return count

    def _validate(self, tx: Transaction) -> None:
        """Check every rule that a transaction must keep to stand next in the block."""
        validate_form(tx, self._chain)
        room = BlockRoom(
            self.context.base_fee,
            self.context.gas_limit - self.gas_used,
            self._block.blob_base_fee,
            self._blob_gas_limit - self.blob_gas_used,
        )
        validate_room(tx, room)
        validate_own_gas(tx, self._chain.fork)
        sender = self.world.account(tx.sender)
        validate_nonce(tx, sender.nonce)
        self.validate_sender_code(tx, self.world.code_of(sender))
        validate_balance(tx, sender.balance)

    def validate_sender_code(self, tx: Transaction, code: bytes) -> None:
        """Check that an account with this code may send (EIP-3607); raises `SenderNotEoa`."""
        validate_sender_is_eoa(tx, code)

    def withdraw(self, withdrawals: Sequence[Withdrawal]) -> None:
        """Credit the withdrawals of the beacon chain after the transactions (EIP-4895)."""
        world = self.world
        world.begin_transaction()
        for withdrawal in withdrawals:
            account = world.account(withdrawal.address)
            world.set_balance(account, account.balance + withdrawal.amount_gwei * WEI_PER_GWEI)
        world.end_transaction()

    def finish(self, transactions_root: bytes | None = None) -> ExecutedBlock:
        """Make the requests of the block and return what a header must show.

        A caller that knows the root of exactly these transactions passes it on.
        """
        requests: list[bytes] = []
        if self.rules.fork.is_prague:
            requests.append(deposit_requests(self._receipts, self.rules.deposit_contract))
            for kind, address in REQUEST_CONTRACTS:
                requests.append(bytes((kind,)) + self._system.call(address, b""))
        bloom = 0
        for receipt in self._receipts:
            if receipt.logs:
                bloom |= receipt.bloom
        return ExecutedBlock(
            changes=self.world.changes(),
            transactions_root=transactions_root or list_root([tx.raw for tx in self._transactions]),
            receipts_root=list_root([receipt.encode() for receipt in self._receipts]),
            requests_hash=requests_hash(requests),
            bloom=bloom,
            gas_used=self.gas_used,
            blob_gas_used=self.blob_gas_used,
            receipts=tuple(self._receipts),
        )


def raise_veto(reason: str | None) -> None:
    """Raise `TransactionVetoed` where there is a reason."""
    if reason is not None:
        raise TransactionVetoed(reason)


def environment_of(context: BlockContext, fork: Fork) -> BlockEnvironment:
    """Return what opcodes see of a block."""
    return BlockEnvironment(
        chain_id=context.chain_id,
        number=context.number,
        timestamp=context.timestamp,
        coinbase=context.coinbase,
        gas_limit=context.gas_limit,
        base_fee=context.base_fee,
        prev_randao=context.prev_randao,
        blob_base_fee=blob_base_fee(context.excess_blob_gas, fork),
    )
