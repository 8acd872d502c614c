"""Messages that nobody signed, run on the state after a block: eth_call and eth_estimateGas."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from cvm.evm.forks import OSAKA
from cvm.evm.header import BlockHeader
from cvm.evm.message_call import (
    CallSetting,
    MessageResult,
    SimulatedTransaction,
    estimate_gas,
    run_message,
)
from cvm.evm.precompiles.table import precompiles
from cvm.evm.transaction_gas import TX_GAS
from node.execution.call_request import (
    CALL_GAS_CAP,
    CallRequest,
    CallResult,
    call_result,
    simulated,
)
from node.execution.execution_chain import ExecutionChain, UnknownBlock
from node.execution.overrides import (
    NO_BLOCK_OVERRIDES,
    BlockOverrides,
    Precompiles,
    StateOverrides,
    apply_overrides,
)

MAX_TX_GAS = OSAKA.max_tx_gas or CALL_GAS_CAP
LACKS_OF_GAS = (
    *("OutOfGas", "out of gas", "intrinsic gas too low"),
    "insufficient gas for floor data gas cost",
)
"""What a higher gas limit could help against."""


@dataclass(frozen=True, slots=True)
class CallJob:
    """Run a message on the state after a block, without keeping what it did."""

    block_hash: bytes
    request: CallRequest
    state: StateOverrides = ()
    block: BlockOverrides = NO_BLOCK_OVERRIDES

    def run(self, chain: ExecutionChain) -> CallResult:
        """Return what the message did."""
        free_gas = self.request.gas_price == 0
        if not self.state and self.block == NO_BLOCK_OVERRIDES:
            with chain.messages(self.block_hash, free_gas=free_gas) as messages:
                return call_result(messages.run(simulated(self.request, CALL_GAS_CAP)))
        header = header_of(chain, self.block_hash)
        with overridden_setting(chain, header, self.state, self.block, free_gas=free_gas) as where:
            return call_result(run_message(where, simulated(self.request, CALL_GAS_CAP)))


@dataclass(frozen=True, slots=True)
class EstimateJob:
    """Find the least gas limit with which a message succeeds in the next block."""

    block_hash: bytes
    request: CallRequest
    state: StateOverrides = ()
    block: BlockOverrides = NO_BLOCK_OVERRIDES

    def run(self, chain: ExecutionChain) -> int | CallResult:
        """Return the gas limit, or the failed result, in the words of geth's gasestimator.

        The gas of a transaction may depend on the number of its block, which is not this one's.
        """
        header, request = header_of(chain, self.block_hash), self.request
        later = overridden_setting(
            chain, header, self.state, self.block, free_gas=request.gas_price == 0, blocks_later=1
        )
        with later as where:
            available = available_balance(where, self)
            if available is not None and available <= 0:
                return CallResult(b"", 0, "insufficient funds for transfer")
            limit = highest_limit(request, available)
            found = estimate_gas(where, simulated(replace(request, gas=limit), limit))
        if isinstance(found, int):
            return found
        if found.error is not None and found.error.startswith(LACKS_OF_GAS):
            return CallResult(b"", 0, f"gas required exceeds allowance ({limit})")
        return call_result(found)


def header_of(chain: ExecutionChain, block_hash: bytes) -> BlockHeader:
    """Return the header of a job's block; raises `UnknownBlock`."""
    header = chain.header(block_hash)
    if header is None:
        raise UnknownBlock(block_hash)
    return header


def available_balance(where: CallSetting, job: EstimateJob) -> int | None:
    """Return what the sender can pay gas with, beside the value; None where gas is free."""
    request = job.request
    if request.gas_price == 0:
        return None
    account = where.reader.account(request.sender)
    balance = 0 if account is None else account.balance
    for override in job.state:
        if override.address == request.sender and override.balance is not None:
            balance = override.balance
    return balance - request.value


def highest_limit(request: CallRequest, available: int | None) -> int:
    """Return the most gas that is tried: what is asked for, allowed, and can be paid.

    A limit under the price of a transfer stands for none, as in geth.
    """
    asked = MAX_TX_GAS if request.gas is None or request.gas < TX_GAS else request.gas
    payable = MAX_TX_GAS if available is None else available // request.gas_price
    return min(asked, payable, MAX_TX_GAS)


@contextmanager
def overridden_setting(
    chain: ExecutionChain,
    header: BlockHeader,
    state: StateOverrides = (),
    block: BlockOverrides = NO_BLOCK_OVERRIDES,
    *,
    free_gas: bool,
    blocks_later: int = 0,
) -> Iterator[CallSetting]:
    """Open where a message runs, after overrides; raises `OverrideRefused` or `CannotCallHere`."""
    with chain.setting(header, free_gas=free_gas, blocks_later=blocks_later) as setting:
        if not state and block == NO_BLOCK_OVERRIDES:
            yield setting
        else:
            yield overridden(chain, setting, state, block, free_gas=free_gas)


def overridden(
    chain: ExecutionChain,
    setting: CallSetting,
    state: StateOverrides,
    block: BlockOverrides,
    *,
    free_gas: bool,
) -> CallSetting:
    """Return a setting after overrides; the fork is that of the block as overridden."""
    context = block.context(setting.context)
    if free_gas:
        context = replace(context, base_fee=0)
    rules = setting.rules
    if (context.number, context.timestamp) != (setting.context.number, setting.context.timestamp):
        rules = chain.rules_at(context.number, context.timestamp)
    contracts = Precompiles(precompiles(rules.fork), rules.additions).overridden(state)
    return replace(
        setting,
        rules=replace(rules, additions=contracts.additions),
        context=context,
        prepare=lambda world: apply_overrides(world, state),
        table=contracts.table,
        blob_base_fee=block.blob_base_fee,
    )


def call_message(
    chain: ExecutionChain, header: BlockHeader, tx: SimulatedTransaction
) -> MessageResult:
    """Run a message on the state after a block; raises a `LocalFault` as inference does."""
    with chain.setting(header, free_gas=tx.gas_price == 0) as setting:
        return run_message(setting, tx)
