"""Headers after a parent with number 7 and timestamp 1,000 that break a rule of every fork."""

import pytest

from consensus.ethereum.faults import (
    GasLimitTooLow,
    TimestampNotLater,
    WrongNumber,
    WrongParentHash,
)
from consensus.faults import ExtraDataTooLong

BROKEN_IN_EVERY_FORK = [
    pytest.param({"parent_hash": b"\1" * 32}, WrongParentHash, "parentHash is 0x0101", id="p"),
    pytest.param({"block_number": 9}, WrongNumber, "number is 9, must be 8", id="number"),
    pytest.param(
        {"timestamp": 1_000}, TimestampNotLater, "1000 is not after the parent's", id="time"
    ),
    pytest.param({"gas_limit": 4_999}, GasLimitTooLow, "4999 is below 5000", id="limit-low"),
    pytest.param(
        {"extra_data": bytes(33)}, ExtraDataTooLong, "33 bytes, at most 32", id="extra-data"
    ),
]
"""What is changed in a header, the fault, and words of its message."""
