"""What is persisted is read back as it was."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.qbft.events import OwnMessage, PreparedCertificate, Record
from consensus.qbft.faults import BadMessage
from consensus.qbft.records import decode_record, encode_record, height_of
from tests.qbft_world import (
    BLOCK,
    DIGEST,
    HEIGHT,
    PARENT_CERTIFICATE,
    PREPARES,
    commit_by,
    prepare_by,
    proposal_by,
    round_change_by,
)

CERTIFICATE = PreparedCertificate(HEIGHT, 3, DIGEST, BLOCK, PREPARES, PARENT_CERTIFICATE)
RECORDS: list[Record] = [
    OwnMessage(proposal_by(0, BLOCK), PARENT_CERTIFICATE),
    OwnMessage(proposal_by(0, BLOCK), None),
    OwnMessage(prepare_by(0, DIGEST), None),
    OwnMessage(commit_by(0, DIGEST), None),
    OwnMessage(round_change_by(0, 1), None),
    OwnMessage(round_change_by(0, 1, BLOCK, PREPARES), PARENT_CERTIFICATE),
    CERTIFICATE,
    PreparedCertificate(HEIGHT, 0, DIGEST, BLOCK, PREPARES, None),
]


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_is_read_back(record: Record) -> None:
    assert decode_record(encode_record(record)) == record
    assert height_of(record) == HEIGHT


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.sampled_from(RECORDS), st.data())
def test_damaged_records_are_another_record_or_refused(record: Record, data: st.DataObject) -> None:
    raw = bytearray(encode_record(record))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        read = decode_record(bytes(raw))
    except BadMessage:
        return
    assert encode_record(read) == bytes(raw)
