"""What a header must show, given its parent."""

from dataclasses import replace
from typing import Any

import pytest

from consensus.faults import ExtraDataTooLong, HeaderFieldWrong, InvalidBlock, TimestampTooEarly
from consensus.header_rules import DerivedFields, derive_fields, next_base_fee, validate_header
from cvm.evm.keccak import keccak256
from tests.unit.consensus.headers import (
    CERTIFICATE,
    DERIVED,
    GAS_LIMIT,
    PARAMETERS,
    PARENT,
    child_header,
    parent_header,
)


def test_a_child_that_keeps_every_rule_is_valid() -> None:
    validate_header(child_header(), DERIVED, PARAMETERS)


def test_what_the_proposer_decides_is_free() -> None:
    header = child_header(
        coinbase=b"\xcb" * 20, timestamp=5_000, extra_data=b"x" * 32, gas_used=123
    )
    validate_header(header, DERIVED, PARAMETERS)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        pytest.param({"block_number": 11}, "number", id="number"),
        pytest.param({"parent_hash": b"\1" * 32}, "parentHash", id="parent hash"),
        pytest.param({"base_fee_per_gas": 999_999_999}, "baseFeePerGas", id="base fee"),
        pytest.param({"mix_hash": b"\1" * 32}, "prevRandao", id="prevRandao"),
        pytest.param(
            {"parent_beacon_block_root": b"\1" * 32}, "parentBeaconBlockRoot", id="certificate"
        ),
        pytest.param({"gas_limit": GAS_LIMIT + 1}, "gasLimit", id="gas limit"),
        pytest.param({"difficulty": 1}, "difficulty", id="difficulty"),
        pytest.param({"nonce": b"\0" * 7 + b"\1"}, "nonce", id="nonce"),
        pytest.param({"nonce": b""}, "nonce", id="no nonce"),
        pytest.param({"uncles_hash": b"\1" * 32}, "sha3Uncles", id="ommers"),
        pytest.param({"blob_gas_used": 1 << 17}, "blobGasUsed", id="blob gas"),
        pytest.param({"excess_blob_gas": 1}, "excessBlobGas", id="excess blob gas"),
        pytest.param({"withdrawals_root": b"\1" * 32}, "withdrawalsRoot", id="withdrawals"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], name: str) -> None:
    with pytest.raises(HeaderFieldWrong, match=rf"^block \d+: {name} is .*, must be ") as caught:
        validate_header(child_header(**fields), DERIVED, PARAMETERS)
    assert caught.value.field == name


@pytest.mark.parametrize(
    ("timestamp", "is_valid"),
    [
        pytest.param(1_001, False, id="a second early"),
        pytest.param(1_000, False, id="the parent's time"),
        pytest.param(0, False, id="zero"),
        pytest.param(1_002, True, id="exactly a period later"),
        pytest.param(10**9, True, id="years later: sync looks at no clock"),
    ],
)
def test_time_is_at_least_a_period_after_the_parent(timestamp: int, is_valid: bool) -> None:
    header = child_header(timestamp=timestamp)
    if is_valid:
        validate_header(header, DERIVED, PARAMETERS)
        return
    with pytest.raises(TimestampTooEarly, match=f"timestamp {timestamp} is before 1002"):
        validate_header(header, DERIVED, PARAMETERS)


def test_extra_data_has_at_most_32_bytes() -> None:
    with pytest.raises(ExtraDataTooLong, match="extraData has 33 bytes, at most 32"):
        validate_header(child_header(extra_data=b"x" * 33), DERIVED, PARAMETERS)


def test_a_refusal_shows_both_values() -> None:
    with pytest.raises(InvalidBlock) as caught:
        validate_header(child_header(gas_limit=5), DERIVED, PARAMETERS)
    assert str(caught.value) == "block 10: gasLimit is 5, must be 33554432"


def test_what_follows_from_the_parent() -> None:
    assert (
        DerivedFields(
            number=10,
            parent_hash=bytes(PARENT.hash),
            base_fee=1_000_000_000,
            prev_randao=keccak256(b"\x0a" * 32 + (10).to_bytes(32, "big")),
            parent_beacon_block_root=CERTIFICATE,
            earliest_timestamp=1_002,
        )
        == DERIVED
    )


def test_the_period_is_a_parameter() -> None:
    assert derive_fields(PARENT, CERTIFICATE, replace(PARAMETERS, period_s=7)) == replace(
        DERIVED, earliest_timestamp=1_007
    )


@pytest.mark.parametrize(
    ("base_fee", "gas_used", "expected"),
    [
        pytest.param(1_000_000_000, GAS_LIMIT // 2, 1_000_000_000, id="at the target"),
        pytest.param(1_000_000_000, GAS_LIMIT, 1_125_000_000, id="full: an eighth more"),
        pytest.param(1_000_000_000, 0, 875_000_000, id="empty: an eighth less"),
        pytest.param(1_000_000_000, GAS_LIMIT * 3 // 4, 1_062_500_000, id="three quarters"),
        pytest.param(1_000_000_000, GAS_LIMIT // 4, 937_500_000, id="one quarter"),
        pytest.param(1_000_000_000, GAS_LIMIT // 2 + 1, 1_000_000_007, id="one gas over"),
        pytest.param(1_000_000_000, GAS_LIMIT // 2 - 1, 999_999_993, id="one gas under"),
        pytest.param(7, GAS_LIMIT // 2 + 1, 8, id="a rise is at least one wei"),
        pytest.param(7, 0, 7, id="a fall rounds to nothing at 7 wei"),
        pytest.param(0, GAS_LIMIT, 1, id="from zero"),
        pytest.param(0, 0, 0, id="zero stays"),
        pytest.param(2**200, GAS_LIMIT, 2**200 + 2**197, id="integers are unbounded"),
    ],
)
def test_eip_1559_base_fee(base_fee: int, gas_used: int, expected: int) -> None:
    assert next_base_fee(parent_header(base_fee_per_gas=base_fee, gas_used=gas_used)) == expected


@pytest.mark.parametrize(
    ("gas_limit", "gas_used", "base_fee", "expected"),
    [
        # Ethereum mainnet blocks 12,965,000 (the first of London) and 12,965,001.
        pytest.param(30_029_122, 30_025_257, 10**9, 1_124_967_822, id="mainnet 12965001"),
    ],
)
def test_eip_1559_on_mainnet(gas_limit: int, gas_used: int, base_fee: int, expected: int) -> None:
    parent = parent_header(gas_limit=gas_limit, gas_used=gas_used, base_fee_per_gas=base_fee)
    assert next_base_fee(parent) == expected
