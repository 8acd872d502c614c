"""From a block that a caller names to the block itself."""

from cvm.evm.header import BlockHeader
from node.rpc.chain_view import BlockView, EthView
from node.rpc.encoding import data
from node.rpc.faults import HeaderNotFound, ServerError
from node.rpc.parameters import BlockHash, BlockReference, BlockTag


def find_header(chain: EthView, reference: BlockReference) -> BlockHeader | None:
    """Return the header, or None where this node knows no such block.

    Every decided block is final here, so latest, safe and finalized are one; pending is the head
    too, because the next block exists only once it is decided.
    """
    if isinstance(reference, BlockHash):
        block = _find_by_hash(chain, reference)
        return None if block is None else block.header
    if reference is BlockTag.EARLIEST:
        return chain.header_by_number(0)
    if isinstance(reference, BlockTag):
        return chain.head()
    return chain.header_by_number(reference)


def require_header(chain: EthView, reference: BlockReference) -> BlockHeader:
    """Return the header; raises `HeaderNotFound`."""
    header = find_header(chain, reference)
    if header is None:
        raise HeaderNotFound
    return header


def find_block(chain: EthView, reference: BlockReference) -> BlockView | None:
    """Return the whole block, or None where this node knows no such block."""
    if isinstance(reference, BlockHash):
        return _find_by_hash(chain, reference)
    header = find_header(chain, reference)
    return None if header is None else chain.block_by_hash(header.hash)


def _find_by_hash(chain: EthView, reference: BlockHash) -> BlockView | None:
    block = chain.block_by_hash(reference.hash)
    if block is None or not reference.require_canonical:
        return block
    canonical = chain.header_by_number(block.header.block_number)
    if canonical is None or canonical.hash != reference.hash:
        raise ServerError(f"hash {data(reference.hash)} is not currently canonical")
    return block
