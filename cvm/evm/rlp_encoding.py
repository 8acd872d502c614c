"""Writes RLP from parts that are encoded already (Yellow Paper, appendix B)."""

EMPTY_STRING = b"\x80"
EMPTY_LIST = b"\xc0"


def encode_bytes(value: bytes) -> bytes:
    """Return the encoding of a byte string."""
    size = len(value)
    if size < 56:
        if size == 1 and value < b"\x80":
            return value
        return bytes((0x80 + size,)) + value
    return _long_length(0xB7, size) + value


def encode_integer(value: int) -> bytes:
    """Return the encoding of a number: its shortest big-endian bytes; zero is no bytes."""
    if 0 < value < 0x80:
        return bytes((value,))
    return encode_bytes(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def encode_list(payload: bytes) -> bytes:
    """Return the encoding of a list whose encoded items follow each other in `payload`."""
    size = len(payload)
    if size < 56:
        return bytes((0xC0 + size,)) + payload
    return _long_length(0xF7, size) + payload


def _long_length(base: int, size: int) -> bytes:
    """Return the prefix of 56 bytes or more: how wide the length is, then the length."""
    if size < 0x100:
        return bytes((base + 1, size))
    width = (size.bit_length() + 7) // 8
    return bytes((base + width,)) + size.to_bytes(width, "big")
