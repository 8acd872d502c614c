"""The eth_ methods that read accounts from the state after a block."""

from node.rpc.block_lookup import require_header
from node.rpc.chain_view import EthView, StateView
from node.rpc.encoding import data, quantity, word
from node.rpc.parameters import Address, Block, BlockTag, StorageSlot
from node.rpc.registry import rpc_method


@rpc_method("eth_getBalance")
async def get_balance(chain: EthView, address: Address, block: Block = BlockTag.LATEST) -> str:
    """Return an account's balance in wei."""
    return quantity(_state(chain, block).balance(address))


@rpc_method("eth_getCode")
async def get_code(chain: EthView, address: Address, block: Block = BlockTag.LATEST) -> str:
    """Return an account's code; for a delegated account the EIP-7702 designator."""
    return data(_state(chain, block).code(address))


@rpc_method("eth_getStorageAt")
async def get_storage_at(
    chain: EthView, address: Address, slot: StorageSlot, block: Block = BlockTag.LATEST
) -> str:
    """Return a storage word, always as 32 bytes."""
    return word(_state(chain, block).storage(address, slot))


@rpc_method("eth_getTransactionCount")
async def get_transaction_count(
    chain: EthView, address: Address, block: Block = BlockTag.LATEST
) -> str:
    """Return an account's nonce; at `pending`, the next one after all that waits in the pool."""
    if block is BlockTag.PENDING:
        return quantity(chain.pending_nonce(address))
    return quantity(_state(chain, block).nonce(address))


def _state(chain: EthView, block: Block) -> StateView:
    return chain.state_at(require_header(chain, block))
