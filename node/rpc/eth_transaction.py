"""The eth_ methods about transactions and receipts."""

from node.rpc.block_lookup import find_block
from node.rpc.chain_view import EthView
from node.rpc.encoding import data, transaction_object
from node.rpc.parameters import Block, BlockHash, BlockNumber, Data, Hash, Uint64
from node.rpc.registry import JsonText, JsonValue, rpc_method
from node.rpc.turns import Slices
from node.rpc.written_logs import block_receipts_text, receipt_text


@rpc_method("eth_sendRawTransaction")
async def send_raw_transaction(chain: EthView, raw_transaction: Data) -> str:
    """Put a signed transaction into the pool and return its hash."""
    return data(await chain.submit(raw_transaction))


@rpc_method("eth_getTransactionByHash", is_long=True)
async def get_transaction_by_hash(chain: EthView, tx_hash: Hash) -> JsonValue:
    """Return an included or a waiting transaction, or null."""
    location = chain.transaction_location(tx_hash)
    if location is not None:
        return _transaction_at(chain, BlockHash(location.block_hash), location.index)
    tx = chain.pending_transaction(tx_hash)
    return None if tx is None else transaction_object(tx, None, None)


@rpc_method("eth_getTransactionByBlockHashAndIndex", is_long=True)
async def get_transaction_by_block_hash_and_index(
    chain: EthView, block_hash: Hash, index: Uint64
) -> JsonValue:
    """Return a transaction by its place in a block, or null."""
    return _transaction_at(chain, BlockHash(block_hash), index)


@rpc_method("eth_getTransactionByBlockNumberAndIndex", is_long=True)
async def get_transaction_by_block_number_and_index(
    chain: EthView, number: BlockNumber, index: Uint64
) -> JsonValue:
    """Return a transaction by its place in a block, or null."""
    return _transaction_at(chain, number, index)


@rpc_method("eth_getTransactionReceipt", is_long=True)
async def get_transaction_receipt(chain: EthView, tx_hash: Hash) -> JsonText | None:
    """Return the receipt of an included transaction, or null."""
    location = chain.transaction_location(tx_hash)
    if location is None:
        return None
    block = chain.block_by_hash(location.block_hash)
    if block is None:
        return None
    receipts = chain.receipts(location.block_hash)
    return await receipt_text(block, receipts, location.index, Slices())


@rpc_method("eth_getBlockReceipts", is_long=True)
async def get_block_receipts(chain: EthView, reference: Block) -> JsonText | None:
    """Return every receipt of a block, or null where the block is not known."""
    block = find_block(chain, reference)
    if block is None:
        return None
    return await block_receipts_text(block, chain.receipts(block.header.hash), Slices())


def _transaction_at(chain: EthView, reference: Block, index: int) -> JsonValue:
    block = find_block(chain, reference)
    if block is None or index >= len(block.transactions):
        return None
    return transaction_object(block.transactions[index], block.header, index)
