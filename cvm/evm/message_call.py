"""Runs one message on a state and throws the changes away: eth_call and eth_estimateGas."""

from dataclasses import dataclass, replace
from typing import Any, cast

from eth.abc import SignedTransactionAPI
from eth.vm.forks.prague.state import PragueState

from cvm.evm.execution import charged_gas, error_name
from cvm.evm.faults import FeeCapTooLow, InitcodeTooLarge, InsufficientFunds, IntrinsicGasTooLow
from cvm.evm.intrinsic_gas import floor_data_gas, intrinsic_gas
from cvm.evm.transactions import MAX_INITCODE_BYTES

ESTIMATE_ERROR_DIVISOR = 64


@dataclass(frozen=True, slots=True)
class SimulatedTransaction:
    """What py-evm's executor reads of a transaction, for a message that nobody signed.

    Fees are in wei per gas; `gas_price` is the effective price, which GASPRICE shows.
    """

    sender: bytes
    to: bytes
    gas: int
    gas_price: int
    value: int
    data: bytes
    access_list: tuple[tuple[bytes, tuple[int, ...]], ...] = ()
    type_id: int = 1
    blob_versioned_hashes: tuple[bytes, ...] = ()

    @property
    def max_fee_per_gas(self) -> int:
        """Return the effective price: the message pays exactly that."""
        return self.gas_price

    @property
    def max_priority_fee_per_gas(self) -> int:
        """Return the effective price, so that the fee cap decides."""
        return self.gas_price

    @property
    def intrinsic_gas(self) -> int:
        """Return the gas that is charged before execution."""
        return intrinsic_gas(cast(SignedTransactionAPI, self), self.type_id)


@dataclass(frozen=True, slots=True)
class MessageResult:
    """What a message did; `error` is None, `execution reverted`, or the halt and its reason."""

    output: bytes
    gas_used: int
    error: str | None
    reverted: bool


def run_message(state: PragueState, tx: SimulatedTransaction) -> MessageResult:
    """Run a message and roll the state back.

    With a gas price of 0 the state's context must have a base fee of 0, as geth does for
    eth_call. A message that cannot start (balance, intrinsic gas) is a result with an error,
    worded as geth words it. Raises a `LocalFault` when an added opcode does.
    """
    refusal = refusal_of(state, tx)
    if refusal is not None:
        return MessageResult(b"", 0, refusal, reverted=False)
    state.lock_changes()
    before = state.snapshot()
    try:
        executor = cast(Any, state.get_transaction_executor())
        message = executor.build_evm_message(tx)
        computation = executor.build_computation(message, tx)
        executor.finalize_computation(tx, computation)
        state.clear_transient_storage()
        return MessageResult(
            output=bytes(computation.output),
            gas_used=charged_gas(cast(SignedTransactionAPI, tx), computation),
            error=error_name(computation),
            reverted=computation.is_error and not computation.should_burn_gas,
        )
    finally:
        state.revert(before)


def refusal_of(state: PragueState, tx: SimulatedTransaction) -> str | None:
    """Return why a message cannot start at all, or None."""
    if not tx.to and len(tx.data) > MAX_INITCODE_BYTES:
        return str(InitcodeTooLarge(len(tx.data), MAX_INITCODE_BYTES))
    least = max(tx.intrinsic_gas, floor_data_gas(tx.data))
    if tx.gas < least:
        return str(IntrinsicGasTooLow(tx.gas, least))
    base_fee = state.base_fee
    if tx.gas_price < base_fee:
        return str(FeeCapTooLow(tx.gas_price, base_fee))
    balance = state.get_balance(cast(Any, tx.sender))
    needed = tx.gas * tx.gas_price + tx.value
    if balance < needed:
        return str(InsufficientFunds(tx.sender, balance, needed))
    return None


def estimate_gas(state: PragueState, tx: SimulatedTransaction) -> int | MessageResult:
    """Return the least gas limit, within 1/64, with which the message succeeds.

    `tx.gas` is the highest limit to try; the failed result comes back where even that fails.
    What it uses is tried first: without a refund or a subcall that is exactly enough. Else gas
    is found by bisection, because refunds, GAS and the 63/64 rule make it no plain sum.
    """
    highest = run_message(state, tx)
    if highest.error is not None:
        return highest
    low, high = highest.gas_used - 1, tx.gas
    for guess in (highest.gas_used, (highest.gas_used + 2_300) * 64 // 63):
        if low < guess < high:
            if run_message(state, replace(tx, gas=guess)).error is None:
                high = guess
            else:
                low = guess
    while high - low > 1 and (high - low) * ESTIMATE_ERROR_DIVISOR > high:
        middle = min((low + high) // 2, low * 2)
        if run_message(state, replace(tx, gas=middle)).error is None:
            high = middle
        else:
            low = middle
    return high
