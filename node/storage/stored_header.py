"""The header of a block's RLP, read without the transactions."""

from cvm.evm.header import BlockHeader, decode_header
from cvm.evm.rlp_encoding import encode_list
from cvm.evm.rlp_lists import list_start, split_items
from cvm.evm.strict_rlp import read_header

FIRST_BYTES = 2_048
"""The start of a block; a header fits in it, unless its extra data is of another kind of chain."""


def header_of_block(data: bytes) -> BlockHeader:
    """Decode the header of a block from outside, and nothing else of it; raises `BadRlp`."""
    items, _lists = split_items(data, list_start(data, 0, "a block"), len(data))
    return decode_header(encode_list(items[0]))


def header_of_stored(block: memoryview) -> BlockHeader:
    """Decode the header of a block that was whole when it was stored; the rest is not read.

    A block may have eight megabytes, and who asks for headers asks for a thousand.
    """
    first = bytes(block[:FIRST_BYTES])
    _is_list, start, end = read_header(first, 0, len(block))
    _is_list, _start, header_end = read_header(first, start, end)
    return decode_header(bytes(block[start:header_end]))
