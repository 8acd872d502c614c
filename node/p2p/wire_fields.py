"""The fields of wire messages: how each is written as RLP, and read back from a stranger's bytes.

A message lists its fields in order; `WireMessage` gives it `encode` and `decode`. Every level of
lists is split once and every count and size has a bound, so a message costs time and memory in
proportion to its bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

from consensus.certificate import CommitCertificate, decode_certificate
from consensus.faults import BadCertificate
from cvm.evm.header import BlockHeader, decode_header
from cvm.evm.rlp_encoding import EMPTY_STRING, encode_bytes, encode_integer, encode_list
from cvm.evm.rlp_lists import UINT64_BYTES, fixed_bytes, integer, list_start, split_items
from cvm.evm.strict_rlp import BadRlp
from node.p2p.faults import BadMessage

Value = Any  # each field knows the type of its own values


class Field(Protocol):
    """How one field of a message is written and read."""

    def encode(self, value: Value) -> bytes:
        """Return the RLP of a value."""

    def decode(self, name: str, payload: bytes, is_list: bool) -> object:
        """Return the value of an item's payload; raises `BadRlp`."""


@dataclass(frozen=True, slots=True)
class Number:
    """An unsigned integer of at most `size_bytes`, 64 bits unless told, up to `most`."""

    size_bytes: int = UINT64_BYTES
    most: int | None = None

    def encode(self, value: int) -> bytes:
        """Return the RLP of a number."""
        return encode_integer(value)

    def decode(self, name: str, payload: bytes, is_list: bool) -> int:
        """Return the number of a payload; raises `BadRlp`."""
        expect_string(name, is_list)
        value = integer(name, payload, self.size_bytes)
        if self.most is not None and value > self.most:
            raise BadRlp(f"{name} is {value}, at most {self.most}")
        return value


@dataclass(frozen=True, slots=True)
class Fixed:
    """A byte string of exactly `size_bytes`; where it is optional, no bytes too."""

    size_bytes: int
    is_optional: bool = False

    def encode(self, value: bytes) -> bytes:
        """Return the RLP of a byte string."""
        return encode_bytes(value)

    def decode(self, name: str, payload: bytes, is_list: bool) -> bytes:
        """Return the bytes; raises `BadRlp`."""
        expect_string(name, is_list)
        if self.is_optional and not payload:
            return payload
        return fixed_bytes(name, payload, self.size_bytes)


@dataclass(frozen=True, slots=True)
class Bytes:
    """A byte string of at most `most_bytes`."""

    most_bytes: int

    def encode(self, value: bytes) -> bytes:
        """Return the RLP of a byte string."""
        return encode_bytes(value)

    def decode(self, name: str, payload: bytes, is_list: bool) -> bytes:
        """Return the bytes; raises `BadRlp`."""
        expect_string(name, is_list)
        expect_at_most(name, len(payload), self.most_bytes, "bytes")
        return payload


@dataclass(frozen=True, slots=True)
class Nibbles:
    """Half bytes, one a byte, at most `most` of them: where in a trie something lies."""

    most: int

    def encode(self, value: bytes) -> bytes:
        """Return the RLP of nibbles."""
        return encode_bytes(value)

    def decode(self, name: str, payload: bytes, is_list: bool) -> bytes:
        """Return the nibbles; raises `BadRlp`."""
        expect_string(name, is_list)
        expect_at_most(name, len(payload), self.most, "nibbles")
        if payload and max(payload) > 15:
            raise BadRlp(f"{name} has a nibble of {max(payload)}")
        return payload


@dataclass(frozen=True, slots=True)
class RawList:
    """A list that another module reads, kept as its whole RLP of about `most_bytes` at most."""

    most_bytes: int

    def encode(self, value: bytes) -> bytes:
        """Return the RLP itself."""
        return value

    def decode(self, name: str, payload: bytes, is_list: bool) -> bytes:
        """Return the list's RLP, header included; raises `BadRlp`."""
        expect_list(name, is_list)
        expect_at_most(name, len(payload), self.most_bytes, "bytes")
        return encode_list(payload)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A commit certificate; where it is optional, no bytes stand for None."""

    is_optional: bool = False

    def encode(self, value: CommitCertificate | None) -> bytes:
        """Return the RLP of a certificate."""
        return EMPTY_STRING if value is None else value.encode()

    def decode(self, name: str, payload: bytes, is_list: bool) -> CommitCertificate | None:
        """Return the certificate, which nobody has checked yet; raises `BadRlp`."""
        if self.is_optional and not is_list and not payload:
            return None
        expect_list(name, is_list)
        try:
            return decode_certificate(encode_list(payload))
        except BadCertificate as error:
            raise BadRlp(f"{name}: {error}") from error


@dataclass(frozen=True, slots=True)
class Several:
    """A list of `least` to `most` values of one kind, as a tuple; optional: no bytes are None.

    `smallest_bytes` is the size of the smallest encoded item.
    """

    item: Field
    most: int
    smallest_bytes: int = 1
    is_optional: bool = False
    least: int = 0

    def encode(self, value: Sequence[Value] | None) -> bytes:
        """Return the RLP of values in their order."""
        if value is None:
            return EMPTY_STRING
        return encode_list(b"".join([self.item.encode(item) for item in value]))

    def decode(self, name: str, payload: bytes, is_list: bool) -> tuple[object, ...] | None:
        """Return the values; raises `BadRlp`."""
        if self.is_optional and not is_list and not payload:
            return None
        expect_list(name, is_list)
        expect_at_most(name, len(payload) // max(1, self.smallest_bytes), MOST_ITEMS, "items")
        items, lists = split_items(payload, 0, len(payload), self.smallest_bytes)
        expect_at_most(name, len(items), self.most, "items")
        if len(items) < self.least:
            raise BadRlp(f"{name} has {len(items)} items, at least {self.least}")
        places = frozenset(lists)
        return tuple(
            self.item.decode(name, item, index in places) for index, item in enumerate(items)
        )


@dataclass(frozen=True, slots=True)
class Group:
    """A list of fields that belong together, as a tuple."""

    fields: tuple[tuple[str, Field], ...]

    def encode(self, value: Sequence[Value]) -> bytes:
        """Return the RLP of the values in their order."""
        pairs = zip(self.fields, value, strict=True)
        return encode_list(b"".join([field.encode(item) for (_name, field), item in pairs]))

    def decode(self, name: str, payload: bytes, is_list: bool) -> tuple[object, ...]:
        """Return the values; raises `BadRlp`."""
        expect_list(name, is_list)
        return tuple(decode_fields(name, self.fields, payload, 0))


class WireMessage:
    """What all messages share: a code, and a list of fields that is their RLP."""

    __slots__ = ()
    CODE: ClassVar[int]
    MAX_LENGTH: ClassVar[int]
    FIELDS: ClassVar[tuple[tuple[str, Field], ...]]

    def encode(self) -> bytes:
        """Return the RLP of the message."""
        parts = [field.encode(getattr(self, name)) for name, field in self.FIELDS]
        return encode_list(b"".join(parts))

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a stranger's bytes; raises `BadMessage`."""
        try:
            start = list_start(data, 0, cls.__name__)
            values = decode_fields(cls.__name__, cls.FIELDS, data, start)
        except BadRlp as error:
            raise BadMessage(f"{cls.__name__}: {error}") from error
        names = [name for name, _field in cls.FIELDS]
        arguments: dict[str, Any] = dict(zip(names, values, strict=True))  # each field's own type
        return cls(**arguments)


MOST_ITEMS = 1 << 20
"""More items than any list of any message may announce by its size."""


def decode_fields(
    name: str, fields: Sequence[tuple[str, Field]], data: bytes, start: int
) -> list[object]:
    """Return the values of the items from a place to the end; raises `BadRlp`."""
    items, lists = split_items(data, start, len(data))
    if len(items) != len(fields):
        raise BadRlp(f"{name} has {len(items)} fields, must have {len(fields)}")
    places = frozenset(lists)
    return [
        field.decode(f"{name}.{field_name}", item, index in places)
        for index, ((field_name, field), item) in enumerate(zip(fields, items, strict=True))
    ]


def read_block_header(block: bytes) -> BlockHeader:
    """Return the header of a block from outside, and read no more of it; raises `BadMessage`."""
    try:
        items, lists = split_items(block, list_start(block, 0, "a block"), len(block))
        expect_list("the header of a block", lists[:1] == [0])
        return decode_header(encode_list(items[0]))
    except BadRlp as error:
        raise BadMessage(f"block: {error}") from error


def expect_string(name: str, is_list: bool) -> None:
    """Raise `BadRlp` for a list."""
    if is_list:
        raise BadRlp(f"{name} is a list, must be a byte string")


def expect_list(name: str, is_list: bool) -> None:
    """Raise `BadRlp` for a byte string."""
    if not is_list:
        raise BadRlp(f"{name} is a byte string, must be a list")


def expect_at_most(name: str, count: int, most: int, what: str) -> None:
    """Raise `BadRlp` where there are more than a bound."""
    if count > most:
        raise BadRlp(f"{name} has {count} {what}, at most {most}")
