"""What a block overwrote in the flat state: sorted keys and their old values, in one string.

A key is found by bisection in the bytes, so that reading one of many records decodes none of them.
Format: count (4 bytes), the keys (of one length), the ends of the values (4 bytes each), values.
"""

import struct
from collections.abc import Sequence
from itertools import accumulate

COUNT_BYTES = 4


def encode_record(old: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Return the record of sorted keys with old values; an empty value says that none was there."""
    ends = accumulate(len(value) for _key, value in old)
    return b"".join(
        (
            len(old).to_bytes(COUNT_BYTES, "big"),
            *(key for key, _value in old),
            struct.pack(f">{len(old)}I", *ends),
            *(value for _key, value in old),
        )
    )


def decode_record(record: bytes, key_bytes: int) -> list[tuple[bytes, bytes]]:
    """Return the sorted keys of a record, of so many bytes each, with their old values."""
    count = int.from_bytes(record[:COUNT_BYTES], "big")
    ends = COUNT_BYTES + count * key_bytes
    keys = [record[at : at + key_bytes] for at in range(COUNT_BYTES, ends, key_bytes)]
    return [(key, _value(record, ends, count, index)) for index, key in enumerate(keys)]


def find_old_value(record: bytes, key: bytes) -> bytes | None:
    """Return the old value of a key, None where the block did not change it."""
    size, count = len(key), int.from_bytes(record[:COUNT_BYTES], "big")
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        start = COUNT_BYTES + middle * size
        found = record[start : start + size]
        if found == key:
            return _value(record, COUNT_BYTES + count * size, count, middle)
        if found < key:
            low = middle + 1
        else:
            high = middle
    return None


def _value(record: bytes, ends: int, count: int, index: int) -> bytes:
    values = ends + 4 * count
    begin = int.from_bytes(record[ends + 4 * index - 4 : ends + 4 * index], "big") if index else 0
    end = int.from_bytes(record[ends + 4 * index : ends + 4 * index + 4], "big")
    return record[values + begin : values + end]
