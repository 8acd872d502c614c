"""Writes RLP from parts that are encoded already (Yellow Paper, appendix B)."""

EMPTY_STRING = b"\x80"
EMPTY_LIST = b"\xc0"


def header(short: int, size: int) -> bytes:
    """Return what stands before a string (0x80) or the items of a list (0xc0) of so many bytes."""
    if size < 56:
        return bytes((short + size,))
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((short + 55 + len(digits),)) + digits


TABLE_SIZE = 1024
STRING_HEADERS = tuple(header(0x80, size) for size in range(TABLE_SIZE))
LIST_HEADERS = tuple(header(0xC0, size) for size in range(TABLE_SIZE))


def encode_bytes(value: bytes) -> bytes:
    """Return the encoding of a byte string."""
    size = len(value)
    if size == 1 and value < b"\x80":
        return value
    return (STRING_HEADERS[size] if size < TABLE_SIZE else header(0x80, size)) + value


def encode_integer(value: int) -> bytes:
    """Return the encoding of a number: its shortest big-endian bytes; zero is no bytes."""
    if 0 < value < 0x80:
        return bytes((value,))
    return encode_bytes(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def encode_list(payload: bytes) -> bytes:
    """Return the encoding of a list whose encoded items follow each other in `payload`."""
    return list_header(len(payload)) + payload


def list_header(size: int) -> bytes:
    """Return what stands before the items of a list, by the size of all of them."""
    return LIST_HEADERS[size] if size < TABLE_SIZE else header(0xC0, size)
