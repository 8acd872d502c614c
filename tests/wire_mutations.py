"""Damage to protobuf bytes: at any depth, with the lengths around it put right, or not."""

import random
from dataclasses import dataclass

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
EXTREME_NUMBERS = [
    0, 1, 2, 6, 7, 2**16, 2**20, 2**20 + 1, 2**26, 2**31 - 1, 2**31, 2**32, 2**62,
    2**63 - 1, 2**63, 2**64 - 1,
]  # fmt: skip
DESCEND_SHARE = 0.8
FLIP_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Field:
    """A field as it stands: its number, its wire type and its bytes (of a length: the payload)."""

    number: int
    kind: int
    content: bytes

    def encoded(self) -> bytes:
        """Return tag, length and content."""
        length = varint(len(self.content)) if self.kind == BYTES else b""
        return varint(self.number << 3 | self.kind) + length + self.content


def varint(number: int) -> bytes:
    """Return a minimal varint."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def read_varint(data: bytes, start: int) -> tuple[int, int] | None:
    """Return a number and where it ends, or None."""
    number = 0
    for place, byte in enumerate(data[start : start + 10]):
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return number, start + place + 1
    return None


def split(data: bytes) -> list[Field] | None:
    """Return the fields of a message, or None where the bytes are none."""
    fields: list[Field] = []
    at = 0
    while at < len(data):
        tag = read_varint(data, at)
        if tag is None or tag[0] >> 3 == 0:
            return None
        (number, kind), at = divmod(tag[0], 8), tag[1]
        if kind == VARINT:
            value = read_varint(data, at)
            if value is None:
                return None
            end = value[1]
        elif kind == BYTES:
            length = read_varint(data, at)
            if length is None:
                return None
            at, end = length[1], length[1] + length[0]
        elif kind in (FIXED32, FIXED64):
            end = at + (4 if kind == FIXED32 else 8)
        else:
            return None
        if end > len(data):
            return None
        fields.append(Field(number, kind, data[at:end]))
        at = end
    return fields


def damaged(data: bytes, other: bytes, source: random.Random) -> bytes:
    """Return the bytes with one to three changes; `other` gives fields to splice in."""
    for _ in range(source.randint(1, 3)):
        is_plain = source.random() < FLIP_SHARE
        data = flipped(data, source) if is_plain else _changed(data, other, source)
    return data


def flipped(data: bytes, source: random.Random) -> bytes:
    """Change, insert or remove single bytes; no length around them is put right."""
    changed = bytearray(data)
    for _ in range(source.randint(1, 4)):
        position = source.randrange(len(changed) + 1)
        match source.randrange(4):
            case 0 if position < len(changed):
                changed[position] ^= 1 << source.randrange(8)
            case 1 if position < len(changed):
                changed[position] = source.randrange(256)
            case 2 if position < len(changed):
                del changed[position : position + source.choice([1, 1, 2, 8])]
            case _:
                changed[position:position] = source.randbytes(source.choice([1, 1, 2, 8]))
    return bytes(changed)


def _changed(data: bytes, other: bytes, source: random.Random) -> bytes:
    """Change the fields of the message or of one within it."""
    fields = split(data)
    if not fields:
        return flipped(data, source)
    inner = [index for index, field in enumerate(fields) if _is_message(field)]
    if inner and source.random() < DESCEND_SHARE:
        index = source.choice(inner)
        field = fields[index]
        content = _changed(field.content, other, source)
        fields[index] = Field(field.number, field.kind, content)
        return b"".join(entry.encoded() for entry in fields)
    return _joined(fields, other, source)


def _is_message(field: Field) -> bool:
    return field.kind == BYTES and bool(split(field.content))


def _joined(fields: list[Field], other: bytes, source: random.Random) -> bytes:
    """Return the fields with one of them duplicated, moved, removed, renamed or rewritten."""
    index = source.randrange(len(fields))
    field = fields[index]
    match source.randrange(8):
        case 0:
            fields[index:index] = [field] * source.choice([1, 2, 100, 3000])
        case 1:
            del fields[index]
        case 2:
            fields.insert(source.randrange(len(fields)), fields.pop(index))
        case 3:
            number = source.choice([1, 2, 5, 7, 11, 14, 15, 20, 99, 2**28, field.number + 1])
            fields[index] = Field(number, field.kind, field.content)
        case 4:
            fields.insert(index, _spliced(other, source))
        case 5:
            return _with_false_length(fields, index, source)
        case _:
            fields[index] = Field(field.number, field.kind, _content(field, source))
    return b"".join(entry.encoded() for entry in fields)


def _content(field: Field, source: random.Random) -> bytes:
    """Return other content of the same kind: extreme, longer, shorter, or not minimal."""
    if field.kind == VARINT:
        number = varint(source.choice(EXTREME_NUMBERS))
        if source.random() < 0.2:
            return number[:-1] + bytes([number[-1] | 0x80]) + b"\x80" * source.randrange(8) + b"\0"
        return number
    if field.kind != BYTES:
        return source.choice([b"\0", b"\xff", b"\x80", b"\x7f"]) * len(field.content)
    match source.randrange(4):
        case 0:
            return field.content[: source.randrange(len(field.content) + 1)]
        case 1:
            return field.content * source.choice([2, 3, 1000])
        case 2:
            return source.choice([b"\0", b"\xff", b"\x80", b"\x7f"]) * len(field.content)
    return field.content + source.randbytes(source.choice([1, 4, 100]))


def _with_false_length(fields: list[Field], index: int, source: random.Random) -> bytes:
    """Return the fields with one whose length says something else than its content has."""
    field = fields[index]
    length = source.choice([*EXTREME_NUMBERS, len(field.content) + 1, len(field.content) - 1])
    tag = varint(field.number << 3 | BYTES)
    before = b"".join(entry.encoded() for entry in fields[:index])
    after = b"".join(entry.encoded() for entry in fields[index + 1 :])
    return before + tag + varint(max(0, length)) + field.content + after


def _spliced(other: bytes, source: random.Random) -> Field:
    """Return a field of another file, from any depth."""
    field = Field(99, BYTES, b"")
    while fields := split(other):
        field = source.choice(fields)
        if field.kind != BYTES or source.random() < 0.3:
            break
        other = field.content
    return field
