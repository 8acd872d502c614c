"""The eth_ methods about headers alone, and about uncles, which only blocks of old forks have."""

from node.rpc.block_lookup import find_block, find_header
from node.rpc.chain_view import EthView
from node.rpc.encoding import header_fields, quantity
from node.rpc.faults import ResourceNotFound
from node.rpc.parameters import Block, BlockHash, BlockNumber, Hash, Uint64
from node.rpc.registry import JsonValue, rpc_method


@rpc_method("eth_getHeaderByNumber")
async def get_header_by_number(chain: EthView, number: BlockNumber) -> JsonValue:
    """Return a header by number or tag, or null."""
    return _header(chain, number)


@rpc_method("eth_getHeaderByHash")
async def get_header_by_hash(chain: EthView, block_hash: Hash) -> JsonValue:
    """Return a header by its block's hash, or null."""
    return _header(chain, BlockHash(block_hash))


@rpc_method("eth_getUncleCountByBlockNumber")
async def get_uncle_count_by_block_number(chain: EthView, number: BlockNumber) -> JsonValue:
    """Return how many uncles a block by number or tag names, or null."""
    return _count(chain, number)


@rpc_method("eth_getUncleCountByBlockHash")
async def get_uncle_count_by_block_hash(chain: EthView, block_hash: Hash) -> JsonValue:
    """Return how many uncles a block by hash names, or null."""
    return _count(chain, BlockHash(block_hash))


@rpc_method("eth_getUncleByBlockNumberAndIndex")
async def get_uncle_by_block_number_and_index(
    chain: EthView, number: BlockNumber, index: Uint64
) -> JsonValue:
    """Return null where a block has no such uncle; those of blocks before Paris are not served."""
    return _uncle(chain, number, index)


@rpc_method("eth_getUncleByBlockHashAndIndex")
async def get_uncle_by_block_hash_and_index(
    chain: EthView, block_hash: Hash, index: Uint64
) -> JsonValue:
    """Return null where a block has no such uncle; those of blocks before Paris are not served."""
    return _uncle(chain, BlockHash(block_hash), index)


def _header(chain: EthView, reference: Block) -> JsonValue:
    header = find_header(chain, reference)
    return None if header is None else header_fields(header)


def _count(chain: EthView, reference: Block) -> JsonValue:
    block = find_block(chain, reference)
    return None if block is None else quantity(len(block.ommer_hashes))


def _uncle(chain: EthView, reference: Block, index: int) -> JsonValue:
    block = find_block(chain, reference)
    if block is None or index >= len(block.ommer_hashes):
        return None
    raise ResourceNotFound("Resource not found: headers of uncles are not served here")
