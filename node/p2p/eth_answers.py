"""Answers what peers ask of the chain, within go-ethereum's bounds on an answer."""

from collections.abc import Iterator

from cvm.evm.header import BlockHeader
from cvm.evm.receipt import Receipt
from cvm.evm.rlp_lists import list_start
from cvm.evm.strict_rlp import read_header
from node.p2p.eth_block_messages import HeaderQuery, receipts_of_68, receipts_of_69
from node.p2p.eth_chain import EthChainView
from node.p2p.eth_limits import MAX_HEADERS, SOFT_RESPONSE_BYTES
from node.storage.state_faults import NoReceipts

ETH_69 = 69


def headers_for(chain: EthChainView, query: HeaderQuery) -> tuple[BlockHeader, ...]:
    """Return the headers of a query, up to the first that is not here."""
    headers: list[BlockHeader] = []
    size = 0
    for number in heights_of(chain, query):
        header = chain.header(chain.hash_at(number) or b"")
        if header is None or size >= SOFT_RESPONSE_BYTES:
            break
        headers.append(header)
        size += len(header.encode())
    return tuple(headers)


def heights_of(chain: EthChainView, query: HeaderQuery) -> Iterator[int]:
    """Yield the heights that a query names, at most `MAX_HEADERS`; none are below 0."""
    first = query.origin
    if isinstance(first, bytes):
        header = chain.header(first)
        if header is None:
            return
        first = header.block_number
    step = -(query.skip + 1) if query.is_reverse else query.skip + 1
    for place in range(min(query.limit, MAX_HEADERS)):
        number = first + place * step
        if number < 0 or number > chain.head.block_number:
            return
        yield number


def bodies_for(chain: EthChainView, hashes: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return the bodies of the blocks that are here, each as the payload of its list."""
    bodies: list[bytes] = []
    size = 0
    for block_hash in hashes[:MAX_HEADERS]:
        if size >= SOFT_RESPONSE_BYTES:
            break
        block = chain.block_bytes(block_hash)
        if block is not None:
            body = body_of(block)
            bodies.append(body)
            size += len(body)
    return tuple(bodies)


def body_of(block: bytes) -> bytes:
    """Return a block's RLP without its header: the payload of the body's list."""
    start = list_start(block, 0, "a block")
    _is_list, _start, header_end = read_header(block, start, len(block))
    return block[header_end:]


def receipts_for(chain: EthChainView, hashes: tuple[bytes, ...], version: int) -> tuple[bytes, ...]:
    """Return the receipts of the blocks that are here, in the form of a version of eth.

    Of the block that a snapshot starts from, they are not.
    """
    encode = receipts_of_69 if version >= ETH_69 else receipts_of_68
    blocks: list[bytes] = []
    size = 0
    for block_hash in hashes[:MAX_HEADERS]:
        if size >= SOFT_RESPONSE_BYTES:
            break
        if chain.header(block_hash) is None:
            continue
        try:
            receipts: tuple[Receipt, ...] = chain.receipts(block_hash)
        except NoReceipts:
            continue
        blocks.append(encode(receipts))
        size += len(blocks[-1])
    return tuple(blocks)
