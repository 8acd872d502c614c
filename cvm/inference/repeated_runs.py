"""Reads long runs of one repeated field at once, which ONNX stores with a tag before each element.

A tree ensemble lists a million numbers so; one by one they would take seconds. A run ends, without
a fault, before the first element that is not whole, canonical and of the same tag: whoever reads
on from there finds what it is.
"""

import numpy as np

from cvm.inference.tensor_type import Array

WINDOW = 2**16
"""Bytes that are decoded at a time, so that the work arrays stay small."""

_FLOAT_STRIDE = 5
_MAX_VARINT_BYTES = 10
_MORE = 0x80


def float_run(data: memoryview, position: int, end: int, tag: int) -> tuple[Array, int]:
    """Return the float32 elements from `position` on, and the position after them."""
    count = (end - position) // _FLOAT_STRIDE
    octets = np.frombuffer(data[position : position + count * _FLOAT_STRIDE], np.uint8)
    rows = octets.reshape(count, _FLOAT_STRIDE)
    others = np.flatnonzero(rows[:, 0] != tag)
    count = int(others[0]) if others.size else count
    values = np.ascontiguousarray(rows[:count, 1:]).view("<f4").reshape(count)
    return values.astype(np.float32), position + count * _FLOAT_STRIDE


def integer_run(
    data: memoryview, position: int, end: int, tag: int, most: int
) -> tuple[Array, int]:
    """Return the int64 elements from `position` on, and the position after them.

    It stops soon after more than `most` elements.
    """
    parts: list[Array] = []
    found = 0
    while found <= most:
        window = np.frombuffer(data[position : min(end, position + WINDOW)], np.uint8)
        values, size = _integers(window, tag)
        if values.size == 0:
            break
        parts.append(values)
        found += values.size
        position += size
    return np.concatenate(parts) if parts else np.zeros(0, np.int64), position


def _integers(octets: Array, tag: int) -> tuple[Array, int]:
    """Return the elements at the start of some bytes, and how many bytes they take.

    Bytes below 128 end a varint; they are in turn a tag, which takes one byte, and a value.
    """
    ends = np.flatnonzero(octets < _MORE)
    values_end = ends[1::2]
    tags = ends[0::2][: values_end.size]
    starts = np.concatenate([np.zeros(1, np.int64), values_end[:-1] + 1])[: values_end.size]
    length = values_end - tags
    last = octets[values_end]
    is_whole = (tags == starts) & (octets[tags] == tag) & (length <= _MAX_VARINT_BYTES)
    is_whole &= (length == 1) | (last != 0)
    is_whole &= (length < _MAX_VARINT_BYTES) | (last <= 1)
    faults = np.flatnonzero(~is_whole)
    count = int(faults[0]) if faults.size else values_end.size
    if count == 0:
        return np.zeros(0, np.int64), 0
    tags, length = tags[:count], length[:count]
    values = np.zeros(count, np.uint64)
    for index in range(int(length.max())):
        here = np.flatnonzero(length > index)
        part = (octets[tags[here] + 1 + index] & 0x7F).astype(np.uint64)
        values[here] |= part << np.uint64(7 * index)
    return values.view(np.int64), int(values_end[count - 1]) + 1


def text_run(
    data: memoryview, position: int, end: int, tag: int, most: int
) -> tuple[list[str], int]:
    """Return the texts from `position` on, and the position after them.

    It stops after `most` + 1 texts, and before one of more than 127 bytes or not of UTF-8.
    """
    texts: list[str] = []
    known: dict[bytes, str] = {}
    while position + 2 <= end and data[position] == tag and len(texts) <= most:
        size = data[position + 1]
        after = position + 2 + size
        if size >= _MORE or after > end:
            break
        payload = bytes(data[position + 2 : after])
        text = known.get(payload)
        if text is None:
            try:
                text = payload.decode("utf-8")
            except UnicodeDecodeError:
                break
            known[payload] = text
        texts.append(text)
        position = after
    return texts, position
