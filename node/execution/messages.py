"""Messages that nobody signed, run on the state after a block: eth_call and eth_estimateGas."""

from cvm.evm.header import BlockHeader
from cvm.evm.message_call import MessageResult, SimulatedTransaction, estimate_gas, run_message
from node.execution.execution_chain import ExecutionChain


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
