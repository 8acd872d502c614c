"""Decodes RLP from outside in time linear in its length, without recursion.

`rlp.decode` copies the encoding of every list once per item and once per level: 128 KiB of nested
lists take it 2 GiB, 1 MiB of one-byte items minutes. Format: Yellow Paper, appendix B; only the
one canonical encoding of a value is taken.
"""

from typing import TypeAlias

MAX_DEPTH = 8
"""A block nests six lists: block, transactions, transaction, access list, entry, keys."""

Item: TypeAlias = "bytes | list[Item]"


class BadRlp(ValueError):
    """The bytes are not one canonical RLP item."""


def decode_rlp(data: bytes) -> Item:
    """Return byte strings and lists of them; raises `BadRlp`."""
    top: list[Item] = []
    open_lists = [(top, len(data))]
    position = 0
    while position < len(data):
        items, end = open_lists[-1]
        is_list, start, item_end = read_header(data, position, end)
        if is_list:
            if len(open_lists) > MAX_DEPTH:
                raise BadRlp(f"lists are nested more than {MAX_DEPTH} deep")
            inner: list[Item] = []
            items.append(inner)
            open_lists.append((inner, item_end))
            position = start
        else:
            items.append(data[start:item_end])
            position = item_end
        while len(open_lists) > 1 and position == open_lists[-1][1]:
            open_lists.pop()
    if len(top) != 1:
        raise BadRlp(f"{len(top)} items, must be one" if top else "no bytes")
    return top[0]


def read_header(data: bytes, position: int, end: int) -> tuple[bool, int, int]:
    """Return whether a list opens here, and where its payload starts and ends."""
    prefix = data[position]
    if prefix < 0x80:
        return False, position, position + 1
    is_list = prefix >= 0xC0
    short_length = prefix - (0xC0 if is_list else 0x80)
    start = position + 1
    length = short_length
    if short_length > 55:
        digits = data[start : start + short_length - 55]
        start += short_length - 55
        length = int.from_bytes(digits, "big")
        if start > end or digits[0] == 0 or length <= 55:
            raise BadRlp(f"the length at byte {position} is cut off or not the shortest form")
    if start + length > end:
        raise BadRlp(f"the item at byte {position} ends {start + length - end} bytes too late")
    if not is_list and length == 1 and data[start] < 0x80:
        raise BadRlp(f"the single byte at {position} needs no prefix")
    return is_list, start, start + length
