"""Damage to RLP: items changed, moved, nested or cut at any depth, or bytes flipped as they are."""

import random

from cvm.evm.rlp_encoding import encode_bytes, encode_list
from cvm.evm.strict_rlp import BadRlp, Item, decode_rlp
from tests.wire_mutations import flipped

FLIP_SHARE = 0.3
DESCEND_SHARE = 0.7
EXTREMES = (
    b"", b"\0", b"\1", b"\x7f", b"\x80", b"\xff", b"\xff" * 8, b"\1" + bytes(8), b"\xff" * 32,
    bytes(32), b"\1" + bytes(32), bytes(20), bytes(64), bytes(65), b"\xff" * 257, b"x" * 5000,
)  # fmt: skip
FALSE_LENGTHS = (b"\xb8", b"\xf8", b"\xbb\xff\xff\xff\xff", b"\xfb\xff\xff\xff\xff", b"\xff" * 9)


def damaged_rlp(data: bytes, source: random.Random) -> bytes:
    """Return the bytes with one to three changes."""
    for _ in range(source.randint(1, 3)):
        if source.random() < FLIP_SHARE:
            data = flipped(data, source)
            continue
        try:
            item = decode_rlp(data)
        except (BadRlp, IndexError):
            data = flipped(data, source)
        else:
            data = encoded(_changed(item, source))
    return data


def encoded(item: Item) -> bytes:
    """Return an item's encoding."""
    if isinstance(item, bytes):
        return encode_bytes(item)
    return encode_list(b"".join(map(encoded, item)))


def _changed(item: Item, source: random.Random) -> Item:
    if isinstance(item, bytes):
        return _changed_bytes(item, source)
    items = list(item)
    if items and source.random() < DESCEND_SHARE:
        place = source.randrange(len(items))
        items[place] = _changed(items[place], source)
        return items
    return _changed_list(items, source)


def _changed_bytes(item: bytes, source: random.Random) -> Item:
    match source.randrange(6):
        case 0:
            return source.choice(EXTREMES)
        case 1:
            return item[: source.randrange(len(item) + 1)]
        case 2:
            return item + source.randbytes(source.choice([1, 32, 300]))
        case 3:
            return [item]
        case 4:
            return source.choice(FALSE_LENGTHS) + item
    return flipped(item, source)


def _changed_list(items: list[Item], source: random.Random) -> Item:
    place = source.randrange(len(items) + 1)
    match source.randrange(7):
        case 0 if items:
            del items[place % len(items)]
        case 1 if items:
            items[place:place] = [items[place % len(items)]] * source.choice([1, 2, 300])
        case 2 if items:
            items.insert(source.randrange(len(items)), items.pop(place % len(items)))
        case 3:
            items.insert(place, source.choice(EXTREMES))
        case 4:
            return [items]
        case 5:
            return b"".join(map(encoded, items))
        case _:
            items.insert(place, _nest(source.choice([1, 7, 8, 9, 500])))
    return items


def _nest(depth: int) -> bytes | list[Item]:
    """Return lists in lists; the deepest are given as bytes, for nothing here recurses so far."""
    if depth > 10:
        return b"\xc1" * depth + b"\xc0"
    found: list[Item] = []
    for _ in range(depth):
        found = [found]
    return found
