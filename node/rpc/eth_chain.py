"""The eth_ methods about the chain and its blocks."""

from node.rpc.block_lookup import find_block
from node.rpc.chain_view import EthView
from node.rpc.encoding import block_object, quantity
from node.rpc.parameters import Block, BlockHash, BlockNumber, Flag, Hash
from node.rpc.registry import JsonValue, rpc_method


@rpc_method("eth_chainId")
async def chain_id(chain: EthView) -> str:
    """Return the EIP-155 chain id."""
    return quantity(chain.chain_id)


@rpc_method("eth_blockNumber")
async def block_number(chain: EthView) -> str:
    """Return the height of the newest block."""
    return quantity(chain.head().block_number)


@rpc_method("eth_syncing")
async def syncing(chain: EthView) -> JsonValue:
    """Return false at the tip, and how far the node has come otherwise."""
    progress = chain.sync_progress()
    if progress is None:
        return False
    return {
        "startingBlock": quantity(progress.starting_block),
        "currentBlock": quantity(progress.current_block),
        "highestBlock": quantity(progress.highest_block),
    }


@rpc_method("eth_getBlockByNumber", is_long=True)
async def get_block_by_number(chain: EthView, number: BlockNumber, is_full: Flag) -> JsonValue:
    """Return a block by number or tag, or null."""
    return _block(chain, number, is_full=is_full)


@rpc_method("eth_getBlockByHash", is_long=True)
async def get_block_by_hash(chain: EthView, block_hash: Hash, is_full: Flag) -> JsonValue:
    """Return a block by hash, or null."""
    return _block(chain, BlockHash(block_hash), is_full=is_full)


@rpc_method("eth_getBlockTransactionCountByNumber", is_long=True)
async def get_block_transaction_count_by_number(chain: EthView, number: BlockNumber) -> JsonValue:
    """Return how many transactions a block by number or tag has, or null."""
    return _transaction_count(chain, number)


@rpc_method("eth_getBlockTransactionCountByHash", is_long=True)
async def get_block_transaction_count_by_hash(chain: EthView, block_hash: Hash) -> JsonValue:
    """Return how many transactions a block by hash has, or null."""
    return _transaction_count(chain, BlockHash(block_hash))


def _block(chain: EthView, reference: Block, *, is_full: bool) -> JsonValue:
    block = find_block(chain, reference)
    return None if block is None else block_object(block, is_full=is_full)


def _transaction_count(chain: EthView, reference: Block) -> JsonValue:
    block = find_block(chain, reference)
    return None if block is None else quantity(len(block.transactions))
