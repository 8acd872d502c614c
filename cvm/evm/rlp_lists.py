"""Splits one level of an RLP list from outside, and reads its fields strictly.

A decoder that knows what it expects calls `split_items` once for each level, so nesting is bounded
by the form of the thing decoded and every level is read once. Format: Yellow Paper, appendix B.
"""

from cvm.evm.strict_rlp import BadRlp, read_header

ADDRESS_BYTES = 20
UINT64_BYTES = 8
MOST_FIELDS = 32
"""No thing here has more fields: 21 are a header's."""


def list_start(data: bytes, position: int, name: str) -> int:
    """Return where the payload of the list starts that runs from `position` to the end.

    Raises `BadRlp` unless there is exactly one list.
    """
    if position >= len(data):
        raise BadRlp("no bytes")
    is_list, start, end = read_header(data, position, len(data))
    if not is_list:
        raise BadRlp(f"{name} is a list")
    if end != len(data):
        raise BadRlp(f"{len(data) - end} bytes after the end of {name}")
    return start


def split_items(
    data: bytes, position: int, end: int, smallest: int | None = None
) -> tuple[list[bytes], list[int]]:
    """Return the payloads of the items between two places, and which of them are lists.

    `smallest` is the size of the smallest item of a list of any length; without it there are at
    most `MOST_FIELDS`. No more is read: ten million empty items, of one byte each, take ten
    seconds. Only canonical lengths are taken. Raises `BadRlp`.
    """
    items: list[bytes] = []
    lists: list[int] = []
    most = MOST_FIELDS if smallest is None else MOST_FIELDS + (end - position) // smallest
    for _ in range(most):
        if position >= end:
            break
        prefix = data[position]
        if prefix < 0x80:
            stop = position + 1
            items.append(data[position:stop])
        elif prefix < 0xB8:
            stop = position + prefix - 0x7F
            item = data[position + 1 : stop]
            if prefix == 0x81 and item < b"\x80":
                raise BadRlp(f"the single byte at {position} needs no prefix")
            items.append(item)
        else:
            is_list, start, stop = read_header(data, position, end)
            if is_list:
                lists.append(len(items))
            items.append(data[start:stop])
        position = stop
    if position < end:
        raise BadRlp(f"input list has too many elements: more than {most}")
    if position != end:
        raise BadRlp("element is larger than containing list")
    return items, lists


def expect_shape(
    name: str, items: list[bytes], lists: list[int], count: int, expected: list[int]
) -> None:
    """Raise `BadRlp` unless there are `count` items and exactly those at `expected` are lists."""
    if len(items) < count:
        raise BadRlp(f"too few elements for {name}: {len(items)}, must be {count}")
    if len(items) > count:
        raise BadRlp(f"input list has too many elements for {name}: {len(items)}, not {count}")
    if lists != expected:
        wrong = min(set(lists) ^ set(expected))
        kind = "list" if wrong in expected else "string or byte"
        raise BadRlp(f"expected input {kind} for element {wrong} of {name}")


def integer(name: str, item: bytes, size_bytes: int) -> int:
    """Return a number of at most so many bytes in its shortest form; raises `BadRlp`."""
    if len(item) > size_bytes or item[:1] == b"\0":
        refuse_integer(name, item, size_bytes)
    return int.from_bytes(item, "big")


def refuse_integer(name: str, item: bytes, size_bytes: int) -> None:
    """Raise `BadRlp` with the rule that a number breaks; a wide number is not shown in full."""
    if item[0] == 0:
        raise BadRlp(f"non-canonical integer (leading zero bytes) for {name}")
    bits = 8 * (len(item) - 1) + item[0].bit_length()
    raise BadRlp(f"{name} has {bits} bits, at most {8 * size_bytes}")


def fixed_bytes(name: str, item: bytes, size_bytes: int) -> bytes:
    """Return a byte string of exactly so many bytes; raises `BadRlp`."""
    if len(item) != size_bytes:
        word = "short" if len(item) < size_bytes else "long"
        raise BadRlp(
            f"input string too {word} for {name}: it has {len(item)} bytes, must have {size_bytes}"
        )
    return item
