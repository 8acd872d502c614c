"""A header that breaks one rule is refused for that rule, with both values."""

from dataclasses import replace
from typing import Any

import pytest

from consensus.ethereum.blob_gas_rules import next_excess_blob_gas
from consensus.ethereum.ethereum_header_rules import validate_ethereum_header
from consensus.ethereum.faults import (
    BlobGasAboveLimit,
    BlobGasNotWhole,
    DifficultyNotZero,
    FieldMissing,
    FieldOfLaterFork,
    GasLimitJumps,
    GasLimitTooHigh,
    GasUsedAboveLimit,
    NonceNotZero,
    OmmersNotEmpty,
    WrongBaseFee,
    WrongExcessBlobGas,
)
from consensus.faults import InvalidBlock
from cvm.evm.forks import BPO2, CANCUN, OSAKA, PARIS, PRAGUE, SHANGHAI, Fork
from tests.unit.consensus.ethereum.broken_headers import BROKEN_IN_EVERY_FORK
from tests.unit.consensus.ethereum.ethereum_world import PARENT, child_of

BLOB = 131_072


@pytest.mark.parametrize(
    "fork", [PARIS, SHANGHAI, CANCUN, PRAGUE, OSAKA, BPO2], ids=lambda fork: fork.name
)
def test_a_header_that_keeps_the_rules_of_its_fork_is_taken(fork: Fork) -> None:
    validate_ethereum_header(child_of(PARENT, fork), PARENT, fork)


@pytest.mark.parametrize(
    ("changed", "fault", "words"),
    [
        *BROKEN_IN_EVERY_FORK,
        pytest.param(
            {"gas_limit": 30_029_296}, GasLimitJumps, "30029296 is too far from", id="limit-up"
        ),
        pytest.param(
            {"gas_limit": 29_970_704}, GasLimitJumps, "29970704 is too far from", id="limit-down"
        ),
        pytest.param(
            {"gas_limit": 2**63},
            GasLimitTooHigh,
            "9223372036854775808 is above 9223372036854775807",
            id="limit-high",
        ),
        pytest.param(
            {"gas_used": 30_000_001}, GasUsedAboveLimit, "30000001 is over the limit", id="gas-used"
        ),
        pytest.param(
            {"base_fee_per_gas": 1_001}, WrongBaseFee, "is 1001, must be 1000", id="base-fee"
        ),
        pytest.param({"difficulty": 1}, DifficultyNotZero, "is 1, must be 0", id="difficulty"),
        pytest.param({"nonce": b"\0" * 7 + b"\1"}, NonceNotZero, "0x0000000000000001", id="nonce"),
        pytest.param({"uncles_hash": bytes(32)}, OmmersNotEmpty, "sha3Uncles is 0x00", id="ommers"),
        pytest.param(
            {"excess_blob_gas": BLOB}, WrongExcessBlobGas, "is 131072, must be 0", id="excess"
        ),
        pytest.param(
            {"blob_gas_used": 7 * BLOB}, BlobGasAboveLimit, "917504 is over the limit of 786432",
            id="blob-gas",
        ),
        pytest.param(
            {"blob_gas_used": 1}, BlobGasNotWhole, "1 is no multiple of 131072", id="part-of-a-blob"
        ),
        pytest.param(
            {"requests_hash": bytes(32)}, FieldOfLaterFork, "requestsHash is there", id="new"
        ),
        pytest.param(
            {"parent_beacon_block_root": None}, FieldMissing, "parentBeaconBlockRoot is", id="root"
        ),
        pytest.param(
            {"withdrawals_root": None}, FieldMissing, "withdrawalsRoot is missing", id="withdrawals"
        ),
    ],
)  # fmt: skip
def test_a_broken_rule_is_named(
    changed: dict[str, Any], fault: type[InvalidBlock], words: str
) -> None:
    with pytest.raises(fault, match=words):
        validate_ethereum_header(child_of(PARENT, CANCUN, **changed), PARENT, CANCUN)


@pytest.mark.parametrize("gas_limit", [30_029_295, 29_970_705], ids=["most", "least"])
def test_the_gas_limit_moves_by_less_than_a_1024th(gas_limit: int) -> None:
    validate_ethereum_header(child_of(PARENT, gas_limit=gas_limit), PARENT, CANCUN)


@pytest.mark.parametrize(
    ("fork", "excess", "used", "base_fee", "expected"),
    [
        pytest.param(CANCUN, 0, 3, 7, 0, id="at-the-target"),
        pytest.param(CANCUN, 0, 4, 7, BLOB, id="above-it"),
        pytest.param(CANCUN, 1, 1, 7, 0, id="below-it"),
        pytest.param(PRAGUE, 5, 9, 7, 8 * BLOB, id="prague-targets-six"),
        # EIP-7918: 8,192 * base fee is over 131,072 * blob base fee where the base fee is over 16.
        pytest.param(OSAKA, 6, 3, 16, 3 * BLOB, id="osaka-above-the-reserve-price"),
        pytest.param(OSAKA, 6, 3, 17, 7 * BLOB, id="osaka-below-the-reserve-price"),
        pytest.param(OSAKA, 0, 5, 17, 0, id="osaka-below-the-target"),
        pytest.param(BPO2, 14, 21, 17, 21 * BLOB, id="bpo-2"),
    ],
)
def test_the_excess_of_blob_gas_follows_from_the_parent(
    fork: Fork, excess: int, used: int, base_fee: int, expected: int
) -> None:
    parent = replace(
        PARENT,
        excess_blob_gas=excess * BLOB,
        blob_gas_used=used * BLOB,
        base_fee_per_gas=base_fee,
    )
    assert next_excess_blob_gas(parent, fork) == expected


def test_the_first_block_of_cancun_has_no_excess() -> None:
    parent = child_of(PARENT, SHANGHAI)
    assert next_excess_blob_gas(parent, CANCUN) == 0
