"""A header of proof of work that breaks one rule is refused for that rule, with both values."""

from dataclasses import replace
from typing import Any

import pytest

from consensus.ethereum.faults import (
    FieldMissing,
    FieldOfLaterFork,
    GasLimitJumps,
    GasUsedAboveLimit,
    WrongBaseFee,
    WrongDaoExtraData,
    WrongDifficulty,
)
from consensus.ethereum.historic_forks import BERLIN, FRONTIER, HOMESTEAD, LONDON, HistoricFork
from consensus.ethereum.historic_header_rules import validate_historic_header
from consensus.faults import InvalidBlock
from cvm.evm.header import BlockHeader
from tests.unit.consensus.ethereum.broken_headers import BROKEN_IN_EVERY_FORK
from tests.unit.consensus.ethereum.historic_world import child_of

PARENT = BlockHeader(
    block_number=7, gas_limit=8_000_000, gas_used=4_000_000, timestamp=1_000, difficulty=131_072
)
LONDON_PARENT = replace(PARENT, base_fee_per_gas=1_000)


def fitting(fork: HistoricFork, **changed: Any) -> BlockHeader:
    return child_of(PARENT, fork, **changed)


@pytest.mark.parametrize("fork", [FRONTIER, HOMESTEAD, BERLIN], ids=lambda fork: fork.name)
def test_a_header_that_keeps_the_rules_of_its_fork_is_taken(fork: HistoricFork) -> None:
    validate_historic_header(fitting(fork), PARENT, fork)


@pytest.mark.parametrize(
    ("changed", "fault", "words"),
    [
        *BROKEN_IN_EVERY_FORK,
        pytest.param(
            {"difficulty": 131_073},
            WrongDifficulty,
            "difficulty is 131073, must be 131072",
            id="difficulty",
        ),
        pytest.param(
            {"gas_limit": 8_007_812}, GasLimitJumps, "8007812 is too far from", id="limit-up"
        ),
        pytest.param(
            {"gas_limit": 7_992_188}, GasLimitJumps, "7992188 is too far from", id="limit-down"
        ),
        pytest.param(
            {"gas_used": 8_000_001}, GasUsedAboveLimit, "8000001 is over the limit", id="gas-used"
        ),
        pytest.param(
            {"base_fee_per_gas": 7}, FieldOfLaterFork, "Berlin does not have it", id="base-fee"
        ),
    ],
)
def test_a_broken_rule_is_named(
    changed: dict[str, Any], fault: type[InvalidBlock], words: str
) -> None:
    with pytest.raises(fault, match=words):
        validate_historic_header(fitting(BERLIN, **changed), PARENT, BERLIN)


@pytest.mark.parametrize("gas_limit", [16_000_000, 16_015_624, 15_984_376])
def test_london_doubles_the_gas_limit_once(gas_limit: int) -> None:
    validate_historic_header(fitting(LONDON, gas_limit=gas_limit), PARENT, LONDON)


@pytest.mark.parametrize("gas_limit", [8_000_000, 16_015_625, 15_984_375])
def test_london_s_first_gas_limit_is_near_the_doubled_one(gas_limit: int) -> None:
    with pytest.raises(GasLimitJumps, match="from the parent's 16000000"):
        validate_historic_header(fitting(LONDON, gas_limit=gas_limit), PARENT, LONDON)


def test_london_s_first_base_fee_is_1_gwei() -> None:
    header = fitting(LONDON, gas_limit=16_000_000, base_fee_per_gas=999_999_999)
    with pytest.raises(WrongBaseFee, match="is 999999999, must be 1000000000"):
        validate_historic_header(header, PARENT, LONDON)


def test_london_s_base_fee_follows_from_a_parent_that_has_one() -> None:
    header = child_of(LONDON_PARENT, LONDON, base_fee_per_gas=1_000)
    validate_historic_header(header, LONDON_PARENT, LONDON)
    with pytest.raises(WrongBaseFee, match="is 1001, must be 1000"):
        validate_historic_header(replace(header, base_fee_per_gas=1_001), LONDON_PARENT, LONDON)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        pytest.param({"base_fee_per_gas": None}, FieldMissing, id="no-base-fee"),
        pytest.param({"withdrawals_root": bytes(32)}, FieldOfLaterFork, id="withdrawals"),
    ],
)
def test_london_has_a_base_fee_and_no_later_field(
    changed: dict[str, Any], fault: type[InvalidBlock]
) -> None:
    with pytest.raises(fault, match="London"):
        validate_historic_header(child_of(LONDON_PARENT, LONDON, **changed), LONDON_PARENT, LONDON)


@pytest.mark.parametrize(
    ("dao_block", "extra_data", "is_right"),
    [
        pytest.param(8, b"dao-hard-fork", True, id="the-first"),
        pytest.param(8, b"", False, id="the-first-without"),
        pytest.param(-1, b"", False, id="the-tenth-without"),
        pytest.param(-2, b"", True, id="the-eleventh"),
        pytest.param(9, b"", True, id="before-it"),
        pytest.param(None, b"dao-hard-fork", True, id="no-fork"),
    ],
)
def test_ten_blocks_of_the_dao_fork_carry_its_name(
    dao_block: int | None, extra_data: bytes, is_right: bool
) -> None:
    header = fitting(HOMESTEAD, extra_data=extra_data)
    if is_right:
        validate_historic_header(header, PARENT, HOMESTEAD, dao_block)
        return
    with pytest.raises(WrongDaoExtraData, match="must be 0x64616f2d686172642d666f726b"):
        validate_historic_header(header, PARENT, HOMESTEAD, dao_block)
