"""ModelRecord: one encoding, and a decoder that takes nothing else."""

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.inference.cost import Cost
from models_registry.record import BadRecord, ModelRecord

RECORD = ModelRecord(
    engine=1,
    size_bytes=66_000,
    batchable=True,
    input_bytes=784,
    output_bytes=48,
    cost=Cost(1, 2, 3, 4, 5, 6, 7, 8),
    test_hash=bytes.fromhex("11" * 32),
)
ENCODED = bytes.fromhex("f401830101d00182031030c80102030405060708a0" + "11" * 32)
HASH = bytes.fromhex("7c5270679fb3a4470d036cea7d7c92f36ad8c9ee03a6ecca2dcdedc87aa744fc")
ITEMS: list[object] = [1, 66_000, 1, 784, 48, [1, 2, 3, 4, 5, 6, 7, 8], b"\x11" * 32]


def with_item(index: int, item: object) -> bytes:
    return bytes(rlp.encode([*ITEMS[:index], item, *ITEMS[index + 1 :]]))


def test_a_record_has_the_encoding_of_the_protocol() -> None:
    assert RECORD.encode() == ENCODED
    assert RECORD.hash == HASH


def test_a_record_reads_back() -> None:
    assert ModelRecord.decode(ENCODED) == RECORD


def test_the_largest_record_has_146_bytes_and_reads_back() -> None:
    most = 2**64 - 1
    record = ModelRecord(most, most, True, most, most, Cost(*[most] * 8), b"\xff" * 32)
    assert len(record.encode()) == 146
    assert ModelRecord.decode(record.encode()) == record


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "record: 1 bytes announced, 0 left", id="empty"),
        pytest.param(b"\x01", "record is a string", id="no list"),
        pytest.param(ENCODED[:-1], "bytes announced", id="truncated"),
        pytest.param(ENCODED + b"\x00", "after the record: 1 bytes too many", id="longer"),
        pytest.param(b"\xf8\x34" + ENCODED[1:], "a length of 52 in 2 bytes", id="long form"),
        pytest.param(b"\xf9\x00\x34" + ENCODED[1:], "a length of 52", id="zero in length"),
        pytest.param(b"\xff" + b"\xff" * 8, "bytes announced", id="length of 2**64"),
        pytest.param(b"\xf5\x81\x01" + ENCODED[2:], "0x01 encoded in two", id="byte in two"),
        pytest.param(rlp.encode(ITEMS[:6]), "testHash: 1 bytes announced", id="6 items"),
        pytest.param(rlp.encode([*ITEMS, 1]), "record: 1 bytes too many", id="8 items"),
        pytest.param(with_item(0, b"\x00\x01"), "engine is 0x0001", id="leading zero"),
        pytest.param(with_item(0, 0), "engine is 0, expected 1 to", id="engine 0"),
        pytest.param(with_item(0, [1]), "engine is a list", id="list for integer"),
        pytest.param(with_item(1, 2**64), "size is 18446744073709551616", id="65 bits"),
        pytest.param(with_item(1, 0), "size is 0, expected 1 to", id="size 0"),
        pytest.param(with_item(2, 2), "batchable is 2, expected 0 to 1", id="batchable 2"),
        pytest.param(with_item(3, 0), "inBytes is 0, expected 1 to", id="no input"),
        pytest.param(with_item(4, 0), "outBytes is 0, expected 1 to", id="no output"),
        pytest.param(with_item(5, b"\x01"), "cost vector is a string", id="cost no list"),
        pytest.param(with_item(5, [1] * 7), "cost[7]: 1 bytes announced", id="7 costs"),
        pytest.param(with_item(5, [1] * 9), "cost vector: 1 bytes too many", id="9 costs"),
        pytest.param(with_item(5, [1] * 7 + [2**64]), "cost[7] is 1844", id="cost 65 bits"),
        pytest.param(with_item(6, b"\x11" * 31), "testHash has 31 bytes", id="short hash"),
        pytest.param(b"\xc1" * 100_000, "a record of 100000 bytes", id="deep nesting"),
    ],
)
def test_anything_else_is_no_record(data: bytes, reason: str) -> None:
    with pytest.raises(BadRecord) as caught:
        ModelRecord.decode(data)
    assert reason in str(caught.value)


@settings(derandomize=True, max_examples=300)
@given(st.binary(max_size=200))
def test_what_decodes_encodes_to_the_same_bytes(data: bytes) -> None:
    try:
        record = ModelRecord.decode(data)
    except BadRecord:
        return
    assert record.encode() == data


@settings(derandomize=True, max_examples=300)
@given(st.integers(0, len(ENCODED) - 1), st.integers(0, 255))
def test_a_changed_byte_gives_another_record_or_none(position: int, value: int) -> None:
    changed = ENCODED[:position] + bytes([value]) + ENCODED[position + 1 :]
    try:
        record = ModelRecord.decode(changed)
    except BadRecord:
        return
    assert (record == RECORD) == (changed == ENCODED)
