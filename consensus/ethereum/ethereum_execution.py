"""Runs a plain Ethereum block on its parent's state, and compares what a header must show of it."""

from collections.abc import Callable

from consensus.ethereum.ethereum_block import EthereumBlock
from consensus.ethereum.faults import (
    NoRequestContract,
    WrongBlobGasUsed,
    WrongBloom,
    WrongGasUsed,
    WrongReceiptsRoot,
    WrongRequestsHash,
    WrongTransactionsRoot,
)
from consensus.faults import InvalidTransactionInBlock, RequestsFailed
from cvm.evm.block_requests import REQUEST_CONTRACTS, MalformedDeposit
from cvm.evm.execution import (
    BlockContext,
    BlockExecution,
    ExecutedBlock,
    ExecutionRules,
    Withdrawal,
)
from cvm.evm.faults import InvalidTransaction
from cvm.evm.header import BlockHeader
from cvm.evm.state_reader import EMPTY_CODE_HASH, StateReader
from cvm.evm.system_calls import SystemCallFailed


def execute_ethereum_block(
    block: EthereumBlock,
    chain_id: int,
    rules: ExecutionRules,
    reader: StateReader,
    block_hash: Callable[[int], bytes],
) -> ExecutedBlock:
    """Run every transaction and withdrawal, and make the requests; raises an `InvalidBlock`."""
    context = context_of(block.header, chain_id)
    execution = BlockExecution(rules, reader, context, block_hash)
    transactions, index = block.transactions, 0
    while (index := index + execution.apply_transfers(transactions, index)) < len(transactions):
        tx = transactions[index]
        try:
            execution.apply(tx)
        except InvalidTransaction as error:
            raise InvalidTransactionInBlock(block.number, index, tx.hash, str(error)) from error
        index += 1
    if block.withdrawals:
        execution.withdraw([Withdrawal(w.address, w.amount_gwei) for w in block.withdrawals])
    if rules.fork.is_prague:
        validate_request_contracts(execution, block.number)
    try:
        return execution.finish()
    except (SystemCallFailed, MalformedDeposit) as error:
        raise RequestsFailed(block.number, str(error)) from error


def context_of(header: BlockHeader, chain_id: int) -> BlockContext:
    """Return what a header brings to its transactions."""
    return BlockContext(
        chain_id=chain_id,
        number=header.block_number,
        timestamp=header.timestamp,
        coinbase=header.coinbase,
        gas_limit=header.gas_limit,
        base_fee=header.base_fee_per_gas or 0,
        prev_randao=header.mix_hash,
        parent_hash=header.parent_hash,
        parent_beacon_block_root=header.parent_beacon_block_root or bytes(32),
        excess_blob_gas=header.excess_blob_gas or 0,
    )


def validate_request_contracts(execution: BlockExecution, number: int) -> None:
    """EIP-7002 and EIP-7251: a block is invalid where their contracts have no code."""
    for _kind, address in REQUEST_CONTRACTS:
        if execution.world.account(address).code_hash == EMPTY_CODE_HASH:
            raise NoRequestContract(number, address)


def validate_results(header: BlockHeader, executed: ExecutedBlock) -> None:
    """Compare all that execution gives but the state root; raises an `InvalidBlock`.

    An invalid transaction was refused before, also one that the header does not name.
    """
    number = header.block_number
    if executed.transactions_root != header.transaction_root:
        raise WrongTransactionsRoot(number, executed.transactions_root, header.transaction_root)
    if executed.gas_used != header.gas_used:
        raise WrongGasUsed(number, executed.gas_used, header.gas_used)
    if executed.bloom != header.bloom:
        raise WrongBloom(number, executed.bloom, header.bloom)
    if executed.receipts_root != header.receipt_root:
        raise WrongReceiptsRoot(number, executed.receipts_root, header.receipt_root)
    if header.blob_gas_used is not None and executed.blob_gas_used != header.blob_gas_used:
        raise WrongBlobGasUsed(number, executed.blob_gas_used, header.blob_gas_used)
    if header.requests_hash is not None and executed.requests_hash != header.requests_hash:
        raise WrongRequestsHash(number, executed.requests_hash, header.requests_hash)
