"""Runs one message on a state and throws the changes away: eth_call and eth_estimateGas."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from cvm.evm.execution import BlockContext, ExecutionRules, environment_of
from cvm.evm.faults import FeeCapTooLow, InitcodeTooLarge, InsufficientFunds, IntrinsicGasTooLow
from cvm.evm.gas_costs import CALL_STIPEND
from cvm.evm.messages import Status
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
    """

    rules: ExecutionRules
    reader: StateReader
    context: BlockContext
    block_hash: Callable[[int], bytes]


def run_message(setting: CallSetting, tx: SimulatedTransaction) -> MessageResult:
    """Run a message on a state, which stays as it is.

    A message that cannot start (balance, intrinsic gas) is a result with an error, worded as geth
    words it. Raises a `LocalFault` when an added opcode does.
    """
    rules = setting.rules
    world = WorldState(setting.reader, MachineMemory(), rules.fork, setting.block_hash)
    refusal = refusal_of(setting, world, tx)
    if refusal is not None:
        return MessageResult(b"", 0, refusal, reverted=False)
    execution = TransactionExecution(
        world,
        environment_of(setting.context, rules.fork),
        precompiles(rules.fork),
        rules.additions,
        rules.interpreter,
    )
    executed = execution.run(tx)
    outcome = executed.outcome
    reverted = outcome.status is Status.REVERTED
    return MessageResult(outcome.output, executed.gas_used, outcome.error, reverted)


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
    highest = run_message(setting, tx)
    if highest.error is not None:
        return highest
    low, high = highest.gas_used - 1, tx.gas
    for guess in (highest.gas_used, (highest.gas_used + CALL_STIPEND) * 64 // 63):
        if low < guess < high:
            if run_message(setting, replace(tx, gas=guess)).error is None:
                high = guess
            else:
                low = guess
    while high - low > 1 and (high - low) * ESTIMATE_ERROR_DIVISOR > high:
        middle = min((low + high) // 2, low * 2)
        if run_message(setting, replace(tx, gas=middle)).error is None:
            high = middle
        else:
            low = middle
    return high
