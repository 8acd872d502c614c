"""Runs one message on a state and throws the changes away: eth_call and eth_estimateGas."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cvm.evm.execution import BlockContext, ExecutionRules, environment_of
from cvm.evm.faults import FeeCapTooLow, InitcodeTooLarge, InsufficientFunds, IntrinsicGasTooLow
from cvm.evm.gas_costs import CALL_STIPEND
from cvm.evm.message_rules import Precompile
from cvm.evm.messages import BlockEnvironment, Status
from cvm.evm.native.machine_memory import MachineMemory
from cvm.evm.precompiles.table import precompiles
from cvm.evm.state_reader import StateReader
from cvm.evm.transaction import AccessList, Authorization
from cvm.evm.transaction_execution import TransactionExecution
from cvm.evm.transaction_gas import floor_data_gas, intrinsic_gas
from cvm.evm.transaction_rules import MAX_INITCODE_BYTES
from cvm.evm.world_state import WorldState

ESTIMATE_ERROR_DIVISOR = 64


@dataclass(frozen=True, slots=True)
class SimulatedTransaction:
    """What execution reads of a transaction, for a message that nobody signed.

    Fees are in wei per gas; `gas_price` is the effective price, which GASPRICE shows.
    """

    sender: bytes
    to: bytes
    gas: int
    gas_price: int
    value: int
    data: bytes
    access_list: AccessList = ()
    blob_versioned_hashes: tuple[bytes, ...] = ()
    authorization_list: tuple[Authorization, ...] = ()

    @property
    def max_fee_per_gas(self) -> int:
        """Return the effective price: the message pays exactly that."""
        return self.gas_price

    @property
    def max_priority_fee_per_gas(self) -> int:
        """Return the effective price, so that the fee cap decides."""
        return self.gas_price


@dataclass(frozen=True, slots=True)
class MessageResult:
    """What a message did; `error` is None, `execution reverted`, or the name of the halt."""

    output: bytes
    gas_used: int
    error: str | None
    reverted: bool


@dataclass(frozen=True, slots=True)
class CallSetting:
    """Where messages run: the rules, a state, and the block that they see.

    With a gas price of 0 the context must have a base fee of 0, as geth does for eth_call.
    `prepare` may change the state before a message, `table` stands in the place of the fork's
    precompiles, and `blob_base_fee` in that of the one that follows from the context.
    """

    rules: ExecutionRules
    reader: StateReader
    context: BlockContext
    block_hash: Callable[[int], bytes]
    prepare: Callable[[WorldState], None] | None = None
    table: Mapping[bytes, Precompile] | None = None
    blob_base_fee: int | None = None

    def warm(self) -> tuple[bytes, ...] | None:
        """Return what is warm from the start where the fork's precompiles were replaced."""
        if self.table is None:
            return None
        return (*precompiles(self.rules.fork), *self.rules.additions.precompiles)

    def environment(self) -> BlockEnvironment:
        """Return what opcodes see of the block."""
        environment = environment_of(self.context, self.rules.fork)
        if self.blob_base_fee is None:
            return environment
        return replace(environment, blob_base_fee=self.blob_base_fee)


class MessageMachine:
    """Runs messages on one state, each as if there had been none before it.

    What a message did is taken back at its end, so that only what was read of the state stays.
    """

    def __init__(self, setting: CallSetting) -> None:
        rules = setting.rules
        self._setting = setting
        self._memory = MachineMemory()
        self._world = WorldState(setting.reader, self._memory, rules.fork, setting.block_hash)
        if setting.prepare is not None:
            setting.prepare(self._world)
        self._execution = TransactionExecution(
            self._world,
            setting.environment(),
            precompiles(rules.fork) if setting.table is None else setting.table,
            rules.additions,
            rules.interpreter,
            setting.warm(),
        )

    @property
    def size_bytes(self) -> int:
        """Return how much room messages have taken so far; it never shrinks."""
        return self._memory.grown_bytes

    def run(self, tx: SimulatedTransaction) -> MessageResult:
        """Run a message on the state, which stays as it is.

        A message that cannot start (balance, intrinsic gas) is a result with an error, worded as
        geth words it. Raises a `LocalFault` when an added opcode does.
        """
        refusal = self._refusal(tx)
        if refusal is not None:
            return refusal
        try:
            return self._executed(tx)
        finally:
            self._execution.abandon()

    def run_last(self, tx: SimulatedTransaction) -> MessageResult:
        """Run the last message of this machine: what it did stays in the world of its rules.

        That includes what comes after it: what it destroyed is gone, and royalties are paid.
        """
        return self._refusal(tx) or self._executed(tx, settles=True)

    def _refusal(self, tx: SimulatedTransaction) -> MessageResult | None:
        refusal = refusal_of(self._setting, self._world, tx)
        return None if refusal is None else MessageResult(b"", 0, refusal, reverted=False)

    def _executed(self, tx: SimulatedTransaction, *, settles: bool = False) -> MessageResult:
        executed = self._execution.run(tx)
        if settles:
            self._execution.settle(executed.royalties)
        outcome = executed.outcome
        reverted = outcome.status is Status.REVERTED
        return MessageResult(outcome.output, executed.gas_used, outcome.error, reverted)


def run_message(setting: CallSetting, tx: SimulatedTransaction) -> MessageResult:
    """Run one message on a state, which stays as it is; see `MessageMachine.run`.

    Whoever watches it (`rules.interpreter`) may look at the world that it left.
    """
    return MessageMachine(setting).run_last(tx)


def refusal_of(setting: CallSetting, world: WorldState, tx: SimulatedTransaction) -> str | None:
    """Return why a message cannot start at all, or None."""
    fork = setting.rules.fork
    if not tx.to and len(tx.data) > MAX_INITCODE_BYTES:
        return str(InitcodeTooLarge(len(tx.data), MAX_INITCODE_BYTES))
    least = max(intrinsic_gas(tx, fork), floor_data_gas(tx.data, fork))
    if tx.gas < least:
        return str(IntrinsicGasTooLow(tx.gas, least))
    base_fee = setting.context.base_fee
    if tx.gas_price < base_fee:
        return str(FeeCapTooLow(tx.gas_price, base_fee))
    balance = world.account(tx.sender).balance
    needed = tx.gas * tx.gas_price + tx.value
    if balance < needed:
        return str(InsufficientFunds(tx.sender, balance, needed))
    return None


def estimate_gas(setting: CallSetting, tx: SimulatedTransaction) -> int | MessageResult:
    """Return the least gas limit, within 1/64, with which the message succeeds.

    `tx.gas` is the highest limit to try; the failed result comes back where even that fails.
    What it uses is tried first: without a refund or a subcall that is exactly enough. Else gas
    is found by bisection, because refunds, GAS and the 63/64 rule make it no plain sum.
    """
    machine = MessageMachine(setting)
    highest = machine.run(tx)
    if highest.error is not None:
        return highest
    low, high = highest.gas_used - 1, tx.gas
    for guess in (highest.gas_used, (highest.gas_used + CALL_STIPEND) * 64 // 63):
        if low < guess < high:
            if machine.run(replace(tx, gas=guess)).error is None:
                high = guess
            else:
                low = guess
    while high - low > 1 and (high - low) * ESTIMATE_ERROR_DIVISOR > high:
        middle = min((low + high) // 2, low * 2)
        if machine.run(replace(tx, gas=middle)).error is None:
            high = middle
        else:
            low = middle
    return high
