"""Messages that nobody signed, run on the state after a block: eth_call and eth_estimateGas."""

from dataclasses import dataclass

from cvm.evm.forks import OSAKA
from cvm.evm.header import BlockHeader
from cvm.evm.message_call import MessageResult, SimulatedTransaction, estimate_gas, run_message
from node.execution.call_request import (
    CALL_GAS_CAP,
    CallRequest,
    CallResult,
    call_result,
    simulated,
)
from node.execution.execution_chain import ExecutionChain, UnknownBlock

MAX_TX_GAS = OSAKA.max_tx_gas or CALL_GAS_CAP


@dataclass(frozen=True, slots=True)
class CallJob:
    """Run a message on the state after a block, without keeping what it did."""

    block_hash: bytes
    request: CallRequest

    def run(self, chain: ExecutionChain) -> CallResult:
        """Return what the message did."""
        header = header_of(chain, self.block_hash)
        return call_result(call_message(chain, header, simulated(self.request, CALL_GAS_CAP)))


@dataclass(frozen=True, slots=True)
class EstimateJob:
    """Find the least gas limit with which a message succeeds."""

    block_hash: bytes
    request: CallRequest

    def run(self, chain: ExecutionChain) -> int | CallResult:
        """Return the gas limit, or the failed result."""
        header = header_of(chain, self.block_hash)
        tx = simulated(self.request, affordable_gas(chain, self.request, header))
        found = estimate_message(chain, header, tx)
        return found if isinstance(found, int) else call_result(found)


def header_of(chain: ExecutionChain, block_hash: bytes) -> BlockHeader:
    """Return the header of a job's block; raises `UnknownBlock`."""
    header = chain.header(block_hash)
    if header is None:
        raise UnknownBlock(block_hash)
    return header


def affordable_gas(chain: ExecutionChain, request: CallRequest, header: BlockHeader) -> int:
    """Return the most gas that a transaction may ask for and the sender can pay."""
    if request.gas_price == 0:
        return MAX_TX_GAS
    with chain.state_at(header) as state:
        account = state.account(request.sender)
    balance = 0 if account is None else account.balance
    return min(MAX_TX_GAS, max(balance - request.value, 0) // request.gas_price)


def call_message(
    chain: ExecutionChain, header: BlockHeader, tx: SimulatedTransaction
) -> MessageResult:
    """Run a message on the state after a block; raises a `LocalFault` as inference does."""
    with chain.setting(header, free_gas=tx.gas_price == 0) as setting:
        return run_message(setting, tx)


def estimate_message(
    chain: ExecutionChain, header: BlockHeader, tx: SimulatedTransaction
) -> int | MessageResult:
    """Return the least gas with which a message succeeds in the next block, or its failure.

    The gas of a transaction may depend on the number of its block, which is not this one's.
    """
    with chain.setting(header, free_gas=tx.gas_price == 0, blocks_later=1) as setting:
        return estimate_gas(setting, tx)
