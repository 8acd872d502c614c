"""The difficulty of proof of work: by fork, by time, by ommers, and by the bomb."""

import pytest

from consensus.ethereum.difficulty import next_difficulty
from consensus.ethereum.historic_forks import (
    ARROW_GLACIER,
    BYZANTIUM,
    CONSTANTINOPLE,
    FRONTIER,
    GRAY_GLACIER,
    HOMESTEAD,
    LONDON,
    MUIR_GLACIER,
    HistoricFork,
)
from cvm.evm.header import EMPTY_UNCLES_HASH, BlockHeader

PARENT_TIME = 1_000
STEP = 1_000
PARENT_DIFFICULTY = 2_048 * STEP


def parent_of(number: int, uncles_hash: bytes = EMPTY_UNCLES_HASH) -> BlockHeader:
    return BlockHeader(
        block_number=number,
        gas_limit=5_000,
        timestamp=PARENT_TIME,
        difficulty=PARENT_DIFFICULTY,
        uncles_hash=uncles_hash,
    )


@pytest.mark.parametrize(
    ("fork", "elapsed_s", "steps"),
    [
        pytest.param(FRONTIER, 12, 1, id="frontier-quick"),
        pytest.param(FRONTIER, 13, -1, id="frontier-slow"),
        pytest.param(FRONTIER, 9_999, -1, id="frontier-very-slow"),
        pytest.param(HOMESTEAD, 9, 1, id="homestead-quick"),
        pytest.param(HOMESTEAD, 10, 0, id="homestead-even"),
        pytest.param(HOMESTEAD, 20, -1, id="homestead-slow"),
        pytest.param(HOMESTEAD, 9_999, -99, id="homestead-at-the-bound"),
        pytest.param(BYZANTIUM, 8, 1, id="byzantium-quick"),
        pytest.param(BYZANTIUM, 9, 0, id="byzantium-even"),
        pytest.param(BYZANTIUM, 18, -1, id="byzantium-slow"),
        pytest.param(BYZANTIUM, 9_999, -99, id="byzantium-at-the-bound"),
    ],
)
def test_time_moves_the_difficulty_by_2048ths(
    fork: HistoricFork, elapsed_s: int, steps: int
) -> None:
    found = next_difficulty(parent_of(1), PARENT_TIME + elapsed_s, fork)
    assert found == PARENT_DIFFICULTY + steps * STEP


def test_ommers_of_the_parent_count_for_one_step_from_byzantium_on() -> None:
    parent = parent_of(1, b"\1" * 32)
    assert next_difficulty(parent, PARENT_TIME + 9, BYZANTIUM) == PARENT_DIFFICULTY + STEP
    assert next_difficulty(parent, PARENT_TIME + 10, HOMESTEAD) == PARENT_DIFFICULTY


def test_mainnet_s_block_1_follows_from_its_genesis() -> None:
    genesis = BlockHeader(block_number=0, gas_limit=5_000, timestamp=0, difficulty=17_179_869_184)
    assert next_difficulty(genesis, 1_438_269_988, FRONTIER) == 17_171_480_576


def test_the_difficulty_is_at_least_2_to_the_17() -> None:
    parent = BlockHeader(block_number=1, gas_limit=5_000, timestamp=0, difficulty=131_072)
    assert next_difficulty(parent, 9_999, HOMESTEAD) == 131_072


@pytest.mark.parametrize(
    ("fork", "number", "added"),
    [
        pytest.param(HOMESTEAD, 199_999, 0, id="before-the-bomb"),
        pytest.param(HOMESTEAD, 200_000, 1, id="it-begins"),
        pytest.param(HOMESTEAD, 1_000_000, 256, id="it-doubles"),
        pytest.param(BYZANTIUM, 3_199_999, 0, id="eip-649-before"),
        pytest.param(BYZANTIUM, 3_200_000, 1, id="eip-649"),
        pytest.param(CONSTANTINOPLE, 5_300_000, 2, id="eip-1234"),
        pytest.param(MUIR_GLACIER, 9_300_000, 2, id="eip-2384"),
        pytest.param(LONDON, 10_000_000, 2, id="eip-3554"),
        pytest.param(ARROW_GLACIER, 11_000_000, 2, id="eip-4345"),
        pytest.param(GRAY_GLACIER, 11_700_000, 2, id="eip-5133"),
    ],
)
def test_the_bomb_waits_for_the_delay_of_its_fork(
    fork: HistoricFork, number: int, added: int
) -> None:
    found = next_difficulty(parent_of(number - 1), PARENT_TIME + 10, fork)
    assert found == PARENT_DIFFICULTY + added
