"""The debug_ methods that give bytes: a header, a block, a transaction, receipts."""

from node.execution.raw_block import RawBlockJob
from node.rpc.block_lookup import require_header
from node.rpc.chain_view import EthView
from node.rpc.encoding import data
from node.rpc.parameters import Block, Hash
from node.rpc.registry import JsonValue, rpc_method


@rpc_method("debug_getRawHeader")
async def get_raw_header(chain: EthView, block: Block) -> str:
    """Return the RLP of a header."""
    return data(require_header(chain, block).encode())


@rpc_method("debug_getRawBlock")
async def get_raw_block(chain: EthView, block: Block) -> str:
    """Return the RLP of a block."""
    return data(await chain.execute(RawBlockJob(require_header(chain, block).hash)))


@rpc_method("debug_getRawTransaction")
async def get_raw_transaction(chain: EthView, tx_hash: Hash) -> str:
    """Return the EIP-2718 bytes of an included or waiting transaction, none where unknown."""
    location = chain.transaction_location(tx_hash)
    block = None if location is None else chain.block_by_hash(location.block_hash)
    if location is not None and block is not None:
        return data(block.transactions[location.index].raw)
    waiting = chain.pending_transaction(tx_hash)
    return data(b"" if waiting is None else waiting.raw)


@rpc_method("debug_getRawReceipts")
async def get_raw_receipts(chain: EthView, block: Block) -> JsonValue:
    """Return the EIP-2718 bytes of every receipt of a block."""
    header = require_header(chain, block)
    return [data(receipt.encode()) for receipt in chain.receipts(header.hash)]
