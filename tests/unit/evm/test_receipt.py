"""Receipts and logs: their exact bytes, their bloom, and bytes that are none."""

import pytest
import rlp
from eth.rlp.logs import Log as PyEvmLog
from eth.rlp.receipts import Receipt as PyEvmReceipt
from eth_typing import Address
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.log import Log
from cvm.evm.receipt import Receipt, bloom_of_logs, decode_receipt, decode_receipts, encode_receipts
from cvm.evm.strict_rlp import BadRlp

ADDRESS = b"\xaa" * 20
TOPIC = b"\xbb" * 32
LOG = Log(ADDRESS, (TOPIC, bytes(32)), b"\1\2")
EMPTY = Receipt(0, 1, 21_000)

words = st.binary(min_size=32, max_size=32)
logs = st.builds(
    Log,
    st.binary(min_size=20, max_size=20),
    st.lists(words, max_size=4).map(tuple),
    st.binary(max_size=70),
)
receipts = st.builds(
    Receipt,
    st.integers(0, 4),
    st.integers(0, 1),
    st.integers(0, 2**64 - 1),
    st.lists(logs, max_size=3).map(tuple),
)


def py_evm_form(receipt: Receipt) -> PyEvmReceipt:
    """Return the receipt as py-evm's class, without its type."""
    outcome = receipt.state_root or (b"\x01" if receipt.status else b"")
    entries = [
        PyEvmLog(
            Address(log.address), tuple(int.from_bytes(topic) for topic in log.topics), log.data
        )
        for log in receipt.logs
    ]
    return PyEvmReceipt(outcome, receipt.cumulative_gas_used, entries)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(receipts)
def test_bytes_and_bloom_are_those_of_py_evm(receipt: Receipt) -> None:
    theirs = py_evm_form(receipt)
    prefix = bytes([receipt.type_id]) if receipt.type_id else b""
    assert receipt.encode() == prefix + rlp.encode(theirs)
    assert receipt.bloom == theirs.bloom
    assert decode_receipt(receipt.encode()) == receipt


def test_a_receipt_from_before_byzantium_has_a_state_root() -> None:
    receipt = Receipt(0, 0, 21_000, (LOG,), b"\xcc" * 32)
    assert receipt.encode() == rlp.encode(py_evm_form(receipt))
    assert decode_receipt(receipt.encode()) == receipt


def test_the_bloom_of_a_log_has_the_bits_of_address_and_topics() -> None:
    assert bloom_of_logs([]) == 0
    assert bloom_of_logs([LOG]) == bloom_of_logs([Log(ADDRESS, (), b"")]) | bloom_of_logs(
        [Log(ADDRESS, (TOPIC, bytes(32)), b"another")]
    )
    assert bloom_of_logs([Log(ADDRESS, (), b"")]).bit_count() in (1, 2, 3)


@settings(derandomize=True, max_examples=50, deadline=None)
@given(st.lists(receipts, max_size=4))
def test_the_receipts_of_a_block_come_back(many: list[Receipt]) -> None:
    assert decode_receipts(encode_receipts(many)) == tuple(many)


def fields(**changed: object) -> bytes:
    """Return the RLP of a receipt in which one field is something else."""
    entry = [LOG.address, list(LOG.topics), LOG.data]
    bloom = bloom_of_logs([LOG]).to_bytes(256)
    parts: dict[str, object] = {"outcome": 1, "gas": 21_000, "bloom": bloom, "logs": [entry]}
    return bytes(rlp.encode(list((parts | changed).values())))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "no bytes", id="no bytes"),
        pytest.param(b"\0" + EMPTY.encode(), "no receipt has type 0", id="type 0"),
        pytest.param(b"\5" + EMPTY.encode(), "no receipt has type 5", id="type 5"),
        pytest.param(EMPTY.encode() + b"\0", "1 bytes after the end", id="a byte too many"),
        pytest.param(fields(outcome=2), "invalid receipt status: 0x02", id="status 2"),
        pytest.param(fields(outcome=b"\1" * 31), "too short for a state root", id="short root"),
        pytest.param(fields(gas=2**64), "cumulative gas used has 65 bits", id="gas"),
        pytest.param(fields(gas=b"\0\1"), "leading zero bytes", id="leading zero"),
        pytest.param(fields(bloom=bytes(255)), "too short for a bloom", id="short bloom"),
        pytest.param(fields(bloom=bytes(256)), "not that of its logs", id="another bloom"),
        pytest.param(fields(logs=b"\1"), "expected input list", id="logs as a string"),
        pytest.param(fields(logs=[b"\1"]), "expected input list", id="a log as a string"),
        pytest.param(fields(logs=[[ADDRESS, []]]), "too few elements for a log", id="two fields"),
        pytest.param(
            fields(logs=[[ADDRESS[1:], [], b""]]), "too short for a log address", id="address"
        ),
        pytest.param(
            fields(logs=[[ADDRESS, [TOPIC + b"\0"], b""]]), "too long for a topic", id="topic"
        ),
        pytest.param(
            fields(logs=[[ADDRESS, [TOPIC] * 5, b""]]), "5 topics, at most 4", id="five topics"
        ),
    ],
)
def test_malformed_bytes_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(BadRlp, match=reason):
        decode_receipt(data)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_decoded_exactly_or_refused(data: bytes) -> None:
    try:
        receipt = decode_receipt(data)
    except BadRlp:
        return
    assert receipt.encode() == data


@settings(derandomize=True, max_examples=50, deadline=None)
@given(st.lists(receipts, max_size=4))
def test_stored_receipts_are_those_that_were_written(many: list[Receipt]) -> None:
    stored = decode_receipts(encode_receipts(many))
    for one, written in zip(stored, many, strict=True):
        assert (one.bloom, one.encode()) == (written.bloom, written.encode())
        assert (len(one.logs), tuple(one.logs)) == (len(written.logs), written.logs)
        assert [one.logs[place] for place in range(len(one.logs))] == list(written.logs)
        assert one.logs[1:] == written.logs[1:]
        assert one == written


def test_a_stored_receipt_reads_its_logs_when_they_are_looked_at() -> None:
    (stored,) = decode_receipts(rlp.encode([fields(logs=[b"\1"])]))
    assert stored.cumulative_gas_used == 21_000
    with pytest.raises(BadRlp, match="expected input list"):
        len(stored.logs)


def test_logs_differ_from_other_logs() -> None:
    (stored,) = decode_receipts(encode_receipts([Receipt(0, 1, 21_000, (LOG,))]))
    assert stored.logs != ()
    assert stored.logs != (LOG, LOG)
    assert stored.logs == [LOG]
    assert stored != Receipt(0, 1, 21_000)
