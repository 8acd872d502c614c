"""Snappy for messages from outside: how long one becomes is checked before it is decompressed."""

import cramjam

from node.p2p.faults import BadMessage

MAX_RATIO = 22
"""A copy of 64 bytes takes 3: nothing can grow more than 64 / 3 times (format description, 2.2)."""
MAX_HEADER_BYTES = 5


def compress(payload: bytes) -> bytes:
    """Return the payload in snappy's raw format."""
    return bytes(cramjam.snappy.compress_raw(payload))


def decompress(data: bytes, max_bytes: int) -> bytes:
    """Return the payload; raises `BadMessage` where it is none or has more than `max_bytes`."""
    size = declared_size(data)
    if size > max_bytes:
        raise BadMessage(f"a message of {size} bytes, at most {max_bytes}")
    if size > MAX_RATIO * len(data):
        raise BadMessage(f"{len(data)} bytes cannot hold a message of {size}")
    try:
        payload = bytes(cramjam.snappy.decompress_raw(data))
    except cramjam.DecompressionError as error:
        raise BadMessage(f"not snappy: {error}") from error
    if len(payload) != size:
        raise BadMessage(f"a message of {len(payload)} bytes that says it has {size}")
    return payload


def declared_size(data: bytes) -> int:
    """Return the size that the header declares, a varint of up to five bytes."""
    size = 0
    for place, byte in enumerate(data[:MAX_HEADER_BYTES]):
        size |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return size
    raise BadMessage("snappy data without a size")
