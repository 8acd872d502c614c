"""Runs one made-up block of eth_simulateV1 on a state, and seals what comes of it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from consensus.ethereum.ethereum_block import EthereumBlock
from consensus.ethereum.ethereum_execution import context_of
from consensus.ethereum.historic_forks import HistoricFork
from consensus.withdrawal import withdrawals_root
from cvm.evm.blob_gas import GAS_PER_BLOB
from cvm.evm.block_requests import REQUEST_CONTRACTS, deposit_requests, requests_hash
from cvm.evm.execution import WEI_PER_GWEI, ExecutionRules, environment_of
from cvm.evm.header import BlockHeader
from cvm.evm.list_root import list_root
from cvm.evm.log import Log
from cvm.evm.machine_limits import MAX_NONCE
from cvm.evm.message_rules import Interpreter, Rules
from cvm.evm.messages import Status
from cvm.evm.native.machine_memory import MachineMemory
from cvm.evm.precompiles.table import precompiles
from cvm.evm.receipt import Receipt
from cvm.evm.state_reader import Account, StateChanges, StateReader
from cvm.evm.system_calls import BEACON_ROOTS_ADDRESS, HISTORY_STORAGE_ADDRESS, SystemCalls
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_execution import Executed, TransactionExecution
from cvm.evm.transaction_gas import floor_data_gas
from cvm.evm.world_state import WorldState
from node.execution.block_settings import WatchedInterpreter
from node.execution.call_outcome import CallOutcome
from node.execution.call_request import CallMessage
from node.execution.execution_chain import Successor
from node.execution.overrides import (
    BlockOverrides,
    Precompiles,
    StateOverrides,
    apply_overrides,
)
from node.execution.simulated_call import CallRules, transaction_of, validate_call
from node.execution.simulation_faults import BlockGasLimitReached
from node.execution.trace_budget import BoundTracer, TraceBudget
from node.execution.transfer_logs import TransferLogs

NONCES = MAX_NONCE + 1


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of a block, how they are held to rules, and what the request has left."""

    calls: tuple[CallMessage, ...]
    validates: bool
    traces_transfers: bool
    gas_left: int
    budget: TraceBudget


@dataclass(slots=True)
class ExecutedCalls:
    """What a block's calls left so far."""

    transactions: list[Transaction] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    outcomes: list[CallOutcome] = field(default_factory=list)
    gas_used: int = 0
    gas_taken: int = 0
    log_count: int = 0
    requests_hash: bytes | None = None
    changes: StateChanges = field(default_factory=lambda: StateChanges({}, {}, frozenset(), {}))


def planned_header(
    successor: Successor, overrides: BlockOverrides, parent: BlockHeader, *, validates: bool
) -> BlockHeader:
    """Return the header of a block before anything runs in it, as geth makes it."""
    base_fee = successor.base_fee
    if base_fee is not None and not validates:
        base_fee = 0
    header = BlockHeader(
        parent_hash=parent.hash,
        coinbase=parent.coinbase if overrides.coinbase is None else overrides.coinbase,
        difficulty=overrides.difficulty or 0,
        block_number=overrides.number or 0,
        gas_limit=parent.gas_limit if overrides.gas_limit is None else overrides.gas_limit,
        timestamp=overrides.timestamp or 0,
        mix_hash=overrides.prev_randao or bytes(32),
        base_fee_per_gas=base_fee if overrides.base_fee is None else overrides.base_fee,
    )
    rules = successor.rules
    if isinstance(rules, HistoricFork):
        return replace(header, difficulty=overrides.difficulty or parent.difficulty)
    is_cancun, withdrawals = rules.fork.is_cancun, overrides.withdrawals or ()
    return replace(
        header,
        withdrawals_root=withdrawals_root(withdrawals) if rules.fork.is_shanghai else None,
        blob_gas_used=0 if is_cancun else None,
        excess_blob_gas=successor.excess_blob_gas,
        parent_beacon_block_root=(overrides.beacon_root or bytes(32)) if is_cancun else None,
    )


def mined_block(
    successor: Successor, overrides: BlockOverrides, parent: BlockHeader, state: StateReader
) -> tuple[BlockHeader, StateChanges]:
    """Return an empty block of proof of work, and what its reward changes."""
    header = planned_header(successor, overrides, parent, validates=False)
    reward = successor.rules.reward_wei if isinstance(successor.rules, HistoricFork) else 0
    account = state.account(header.coinbase) or Account()
    paid = replace(account, balance=account.balance + reward)
    return header, StateChanges({header.coinbase: paid}, {}, frozenset(), {})


class BlockSimulation:
    """One block: `run` executes it, `block` seals it."""

    def __init__(
        self,
        chain_id: int,
        rules: ExecutionRules,
        overrides: BlockOverrides,
        header: BlockHeader,
        validates: bool,
    ) -> None:
        self._rules = rules
        self._overrides = overrides
        self._header = header
        environment = environment_of(context_of(self._header, chain_id), self._rules.fork)
        if overrides.blob_base_fee is not None:
            environment = replace(environment, blob_base_fee=overrides.blob_base_fee)
        self._environment = environment
        self._call_rules = CallRules(
            chain_id,
            self._rules.fork,
            self._header.base_fee_per_gas or 0,
            environment.blob_base_fee,
            validates,
        )

    def run(
        self,
        state: StateReader,
        overrides: StateOverrides,
        calls: Calls,
        block_hash: Callable[[int], bytes],
    ) -> ExecutedCalls:
        """Apply overrides, then run the calls; raises an `RpcError` or a `LocalFault`."""
        fork = self._rules.fork
        own = Precompiles(precompiles(fork), self._rules.additions)
        contracts = own.overridden(overrides)
        world = WorldState(state, MachineMemory(), fork, block_hash)
        apply_overrides(world, overrides)
        watched: list[WatchedInterpreter] = []

        def make(rules: Rules) -> Interpreter:
            watched.append(WatchedInterpreter(rules))
            return watched[-1]

        execution = TransactionExecution(
            world, self._environment, contracts.table, contracts.additions, make, own.addresses()
        )
        system = SystemCalls(world, execution)
        if fork.is_prague:
            system.notify(HISTORY_STORAGE_ADDRESS, self._header.parent_hash)
        if fork.is_cancun:
            system.notify(BEACON_ROOTS_ADDRESS, self._header.parent_beacon_block_root or b"")
        executed = ExecutedCalls()
        for call in calls.calls:
            self._run_call(call, world, execution, watched[-1], calls, executed)
        if fork.is_prague:
            requests = [deposit_requests(executed.receipts, self._rules.deposit_contract)]
            requests += [bytes((kind,)) + system.call(at, b"") for kind, at in REQUEST_CONTRACTS]
            executed.requests_hash = requests_hash(requests)
        self._withdraw(world)
        executed.changes = world.changes()
        return executed

    def _run_call(
        self,
        call: CallMessage,
        world: WorldState,
        execution: TransactionExecution,
        interpreter: WatchedInterpreter,
        calls: Calls,
        executed: ExecutedCalls,
    ) -> None:
        """Run one call as a transaction."""
        limit, gas_left = self._header.gas_limit, calls.gas_left - executed.gas_taken
        gas = limit - executed.gas_used if call.gas is None else call.gas
        if executed.gas_used + gas > limit:
            raise BlockGasLimitReached(executed.gas_used + gas, limit)
        nonce = world.account(call.sender).nonce if call.nonce is None else call.nonce
        tx = transaction_of(call, self._call_rules.chain_id, nonce, min(gas, gas_left))
        validate_call(tx, world, self._call_rules, gas_left)
        tracer = TransferLogs(executed.log_count) if calls.traces_transfers else None
        interpreter.tracer = None if tracer is None else BoundTracer(tracer, calls.budget)
        royalties_before = len(self._rules.additions.royalties())
        done = execution.run(tx)
        interpreter.tracer = None
        self._mend(tx, done, world, royalties_before)
        logs = tuple([Log(*fields) for fields in world.logs()])
        execution.settle(done.royalties)
        executed.gas_used += done.gas_used
        executed.gas_taken += done.gas_used
        is_success = done.outcome.is_success
        executed.transactions.append(tx)
        executed.receipts.append(Receipt(tx.type_id, int(is_success), executed.gas_used, logs))
        if tracer is None:
            numbered = tuple(enumerate(logs, executed.log_count))
            executed.log_count += len(logs)
        else:
            numbered, executed.log_count = tracer.logs, tracer.count
        executed.outcomes.append(
            CallOutcome(
                output=done.outcome.output,
                logs=numbered,
                gas_used=done.gas_used,
                max_gas_used=max(
                    tx.gas - done.outcome.gas_left, floor_data_gas(tx.data, world.fork)
                ),
                error=done.outcome.error,
                reverted=done.outcome.status is Status.REVERTED,
            )
        )

    def _mend(
        self, tx: Transaction, done: Executed, world: WorldState, royalties_before: int
    ) -> None:
        """Do what execution leaves out because no real transaction needs it.

        A call that pays nothing gives the coinbase nothing, though there may be a base fee; and the
        last nonce is followed by 0.
        """
        base_fee = self._environment.base_fee
        if tx.max_fee_per_gas < base_fee:
            new = self._rules.additions.royalties()[royalties_before:]
            gas = done.gas_used - sum(gas for _owner, gas in new)
            coinbase = world.account(self._environment.coinbase)
            world.set_balance(coinbase, coinbase.balance + gas * base_fee)
        sender = world.account(tx.sender)
        if sender.nonce > MAX_NONCE:
            world.set_nonce(sender, sender.nonce % NONCES)

    def _withdraw(self, world: WorldState) -> None:
        """Credit the withdrawals that the request names (EIP-4895)."""
        world.begin_transaction()
        for withdrawal in self._overrides.withdrawals or ():
            account = world.account(withdrawal.address)
            world.set_balance(account, account.balance + withdrawal.amount_gwei * WEI_PER_GWEI)
        world.end_transaction()

    def block(self, executed: ExecutedCalls, state_root: bytes) -> EthereumBlock:
        """Return the block with everything that its header shows."""
        fork, transactions = self._rules.fork, tuple(executed.transactions)
        bloom = 0
        for receipt in executed.receipts:
            bloom |= receipt.bloom
        blobs = sum(len(tx.blob_versioned_hashes) for tx in transactions)
        header = replace(
            self._header,
            state_root=state_root,
            transaction_root=list_root([tx.raw for tx in transactions]),
            receipt_root=list_root([receipt.encode() for receipt in executed.receipts]),
            bloom=bloom,
            gas_used=executed.gas_used,
            blob_gas_used=blobs * GAS_PER_BLOB if fork.is_cancun else None,
            requests_hash=executed.requests_hash,
        )
        withdrawals = (self._overrides.withdrawals or ()) if fork.is_shanghai else None
        return EthereumBlock(header, transactions, (), withdrawals)
