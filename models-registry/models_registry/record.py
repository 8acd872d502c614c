"""The record of a model: what validators sign and opcodes read."""

from dataclasses import dataclass

from cvm.evm.keccak import HASH_BYTES, keccak256
from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from cvm.inference.cost import Cost

COST_FIELDS = 8
MAX_UINT64 = 2**64 - 1

MAX_RECORD_BYTES = 512
"""Longest record that the registry takes; a record of engine 1 has at most 146 bytes."""


class BadRecord(Exception):
    """Bytes that are not a model record."""


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """Everything consensus needs to know of a model without its bytes (PROTOCOL section 3).

    RLP: [engine, size, batchable, inBytes, outBytes, cost vector of 8, testHash]; sizes are of
    one item, in bytes; `test_hash` is the SHA-256 of the outputs on the model's test input.
    """

    engine: int
    size_bytes: int
    batchable: bool
    input_bytes: int
    output_bytes: int
    cost: Cost
    test_hash: bytes

    def encode(self) -> bytes:
        """Return the canonical RLP."""
        numbers = (
            self.engine,
            self.size_bytes,
            int(self.batchable),
            self.input_bytes,
            self.output_bytes,
        )
        cost = encode_list(b"".join(map(encode_integer, self.cost.vector())))
        return encode_list(
            b"".join(map(encode_integer, numbers)) + cost + encode_bytes(self.test_hash)
        )

    @classmethod
    def decode(cls, data: bytes) -> "ModelRecord":
        """Return the record that `data` encodes; raises `BadRecord` for anything but that RLP.

        Every integer is canonical (no leading zero byte) and fits 64 bits, sizes are at least 1,
        `batchable` is 0 or 1. Written out rather than left to a general decoder, which follows
        hostile nesting as deep as it goes.
        """
        if len(data) > MAX_RECORD_BYTES:
            raise BadRecord(f"a record of {len(data)} bytes; at most {MAX_RECORD_BYTES}")
        reader = _RlpReader(data)
        fields = reader.open_list("record")
        record = cls(
            engine=fields.integer("engine", least=1),
            size_bytes=fields.integer("size", least=1),
            batchable=fields.integer("batchable", most=1) == 1,
            input_bytes=fields.integer("inBytes", least=1),
            output_bytes=fields.integer("outBytes", least=1),
            cost=_cost(fields.open_list("cost vector")),
            test_hash=fields.string("testHash"),
        )
        fields.end("record")
        reader.end("bytes after the record")
        if len(record.test_hash) != HASH_BYTES:
            raise BadRecord(f"testHash has {len(record.test_hash)} bytes, expected {HASH_BYTES}")
        return record

    @property
    def hash(self) -> bytes:
        """Return keccak256 of the RLP: the `recordHash` that validators sign."""
        return keccak256(self.encode())


class _RlpReader:
    """Reads items one after the other; takes only the shortest encoding (yellow paper, app. B)."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._next = 0

    def open_list(self, name: str) -> "_RlpReader":
        """Step over a list and return a reader of its items."""
        is_list, payload = self._item(name)
        if not is_list:
            raise BadRecord(f"{name} is a string, expected a list")
        return _RlpReader(payload)

    def string(self, name: str) -> bytes:
        """Step over a string and return it."""
        is_list, payload = self._item(name)
        if is_list:
            raise BadRecord(f"{name} is a list, expected a string")
        return payload

    def integer(self, name: str, least: int = 0, most: int = MAX_UINT64) -> int:
        """Step over a canonical integer and return it."""
        payload = self.string(name)
        if payload[:1] == b"\x00":
            raise BadRecord(f"{name} is 0x{payload.hex()}, an integer with a leading zero byte")
        value = int.from_bytes(payload, "big")
        if not least <= value <= most:
            raise BadRecord(f"{name} is {value}, expected {least} to {most}")
        return value

    def end(self, name: str) -> None:
        """Refuse what is left over."""
        left = len(self._data) - self._next
        if left:
            raise BadRecord(f"{name}: {left} bytes too many")

    def _item(self, name: str) -> tuple[bool, bytes]:
        """Return whether the next item is a list, and its payload."""
        first = int.from_bytes(self._take(name, 1), "big")
        if first < 0x80:
            return False, bytes([first])
        is_list = first >= 0xC0
        length = first - (0xC0 if is_list else 0x80)
        if length > 55:
            length_bytes = self._take(name, length - 55)
            length = int.from_bytes(length_bytes, "big")
            if length < 56 or length_bytes[0] == 0:
                raise BadRecord(f"{name}: a length of {length} in {len(length_bytes) + 1} bytes")
        payload = self._take(name, length)
        if not is_list and length == 1 and payload[0] < 0x80:
            raise BadRecord(f"{name}: the byte 0x{payload.hex()} encoded in two")
        return is_list, payload

    def _take(self, name: str, count: int) -> bytes:
        left = len(self._data) - self._next
        if count > left:
            raise BadRecord(f"{name}: {count} bytes announced, {left} left")
        self._next += count
        return self._data[self._next - count : self._next]


def _cost(counts: _RlpReader) -> Cost:
    cost = Cost(*(counts.integer(f"cost[{index}]") for index in range(COST_FIELDS)))
    counts.end("cost vector")
    return cost
