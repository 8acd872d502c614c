"""Reads what consensus must know of a proposed block, and that its body is the header's."""

from consensus.block import Block, decode_block
from consensus.faults import MalformedBlock
from consensus.qbft.events import ProposedHeader
from cvm.evm.list_root import list_root


def read_proposed_header(block: bytes) -> ProposedHeader | None:
    """Return what consensus reads in a block's RLP, None where it is not a block.

    The bytes are the only ones with this header: the list of transactions has the header's root,
    the rest of a body is fixed by the codec, and RLP has one form.
    """
    try:
        decoded = decode_block(block)
    except MalformedBlock:
        return None
    header = decoded.header
    if body_root(decoded) != header.transaction_root:
        return None
    return ProposedHeader(
        number=header.block_number,
        hash=header.hash,
        timestamp_s=header.timestamp,
        coinbase=header.coinbase,
        parent_certificate_hash=header.parent_beacon_block_root or bytes(32),
    )


def body_root(block: Block) -> bytes:
    """Return the root of the block's own transactions."""
    return list_root([tx.raw for tx in block.transactions])
