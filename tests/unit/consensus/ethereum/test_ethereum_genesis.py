"""geth's genesis file decides which fork holds where, and what block 0 is."""

from typing import Any

import pytest

from consensus.ethereum.ethereum_forks import FORKS_BY_NUMBER, EthereumForks, parse_forks
from consensus.ethereum.ethereum_genesis import ethereum_genesis_block, parse_ethereum_genesis
from consensus.ethereum.faults import UnsupportedFork
from consensus.ethereum.historic_forks import (
    BYZANTIUM,
    FRONTIER,
    HOMESTEAD,
    LONDON,
    PETERSBURG,
    SPURIOUS_DRAGON,
    TANGERINE_WHISTLE,
    HistoricFork,
)
from consensus.faults import InvalidGenesis
from cvm.evm.forks import Fork
from cvm.evm.state_committer import StateCommitter
from cvm.evm.state_reader import EMPTY_TRIE_ROOT

MAINNET_LIKE = {
    "chainId": 1,
    "homesteadBlock": 0,
    "eip150Block": 2,
    "eip155Block": 3,
    "eip158Block": 3,
    "byzantiumBlock": 4,
    "londonBlock": 5,
    "mergeNetsplitBlock": 10,
    "shanghaiTime": 100,
    "cancunTime": 200,
    "pragueTime": 300,
    "osakaTime": 400,
    "bpo1Time": 500,
    "terminalTotalDifficulty": 1_000,
    "blobSchedule": {
        "cancun": {"target": 3, "max": 6, "baseFeeUpdateFraction": 3_338_477},
        "prague": {"target": 7, "max": 8, "baseFeeUpdateFraction": 5_007_716},
        "bpo1": {"target": 11, "max": 12, "baseFeeUpdateFraction": 99},
    },
}


def no_node(node_hash: bytes) -> bytes | None:
    """Read an empty store."""
    return None


@pytest.fixture
def forks() -> EthereumForks:
    return parse_forks(MAINNET_LIKE, 0)


@pytest.mark.parametrize(
    ("number", "timestamp", "name"),
    [
        pytest.param(10, 99, "Paris", id="paris"),
        pytest.param(10, 100, "Shanghai", id="shanghai"),
        pytest.param(11, 200, "Cancun", id="cancun"),
        pytest.param(11, 399, "Prague", id="prague"),
        pytest.param(11, 499, "Osaka", id="osaka"),
        pytest.param(11, 500, "BPO1", id="bpo-1"),
    ],
)
def test_height_and_time_decide_the_fork(
    forks: EthereumForks, number: int, timestamp: int, name: str
) -> None:
    assert forks.at(number, timestamp).name == name


@pytest.mark.parametrize(
    ("number", "fork"),
    [
        pytest.param(1, HOMESTEAD, id="homestead"),
        pytest.param(2, TANGERINE_WHISTLE, id="tangerine-whistle"),
        pytest.param(3, SPURIOUS_DRAGON, id="spurious-dragon"),
        pytest.param(4, BYZANTIUM, id="byzantium"),
        pytest.param(9, LONDON, id="london"),
    ],
)
def test_the_height_alone_decides_the_fork_of_a_block_of_proof_of_work(
    forks: EthereumForks, number: int, fork: HistoricFork
) -> None:
    assert forks.at(number, 600) is fork


def test_every_fork_of_proof_of_work_has_its_key() -> None:
    keys = [key for key, _fork in FORKS_BY_NUMBER]
    config = dict(zip(keys, range(1, len(keys) + 1), strict=True))
    forks = parse_forks({"chainId": 1, "eip158Block": config["eip155Block"], **config}, 0)
    names = [forks.at(number, 0).name for number in range(len(keys) + 1)]
    assert names == ["Frontier", *(fork.name for _key, fork in FORKS_BY_NUMBER)]


def test_constantinople_without_petersburg_s_height_is_petersburg() -> None:
    forks = parse_forks({"chainId": 1, "constantinopleBlock": 5}, 0)
    assert (forks.at(4, 0), forks.at(5, 0)) == (FRONTIER, PETERSBURG)


@pytest.mark.parametrize(
    ("config", "dao_block"),
    [
        pytest.param({"daoForkBlock": 5, "daoForkSupport": True}, 5, id="taken"),
        pytest.param({"daoForkBlock": 5}, None, id="not-taken"),
        pytest.param({"daoForkSupport": True}, None, id="no-height"),
    ],
)
def test_the_dao_fork_is_taken_where_the_file_says_so(
    config: dict[str, Any], dao_block: int | None
) -> None:
    assert parse_forks({"chainId": 1, **config}, 0).dao_block == dao_block


@pytest.mark.parametrize(
    ("config", "terminal"),
    [
        pytest.param({"terminalTotalDifficulty": 9}, 9, id="by-difficulty"),
        pytest.param({"terminalTotalDifficulty": 0}, None, id="from-the-start"),
        pytest.param({"terminalTotalDifficulty": 9, "mergeNetsplitBlock": 3}, None, id="height"),
        pytest.param({}, None, id="proof-of-work-for-ever"),
    ],
)
def test_a_merge_without_a_height_is_at_a_total_difficulty(
    config: dict[str, Any], terminal: int | None
) -> None:
    assert parse_forks({"chainId": 1, **config}, 0).terminal_total_difficulty == terminal


def test_forks_by_time_begin_once_a_block_has_merged() -> None:
    config = {"chainId": 1, "terminalTotalDifficulty": 9, "shanghaiTime": 100}
    forks = parse_forks(config, 0)
    assert forks.at(5, 100) is FRONTIER
    assert forks.at(5, 99, has_merged=True).name == "Paris"
    assert forks.at(5, 100, has_merged=True).name == "Shanghai"


def test_a_fork_by_time_that_is_not_known_is_refused_by_its_name() -> None:
    forks = parse_forks({**MAINNET_LIKE, "amsterdamTime": 700}, 0)
    assert forks.at(10, 699).name == "BPO1"
    with pytest.raises(UnsupportedFork, match="of Amsterdam"):
        forks.at(10, 700)


def test_the_blob_schedule_gives_the_numbers_of_each_fork(forks: EthereumForks) -> None:
    points = [forks.at(10, time) for time in (200, 300, 400, 500)]
    numbers = [
        (fork.target_blobs, fork.max_blobs, fork.blob_base_fee_fraction)
        for fork in points
        if isinstance(fork, Fork)
    ]
    prague = (7, 8, 5_007_716)
    assert numbers == [(3, 6, 3_338_477), prague, prague, (11, 12, 99)]


@pytest.mark.parametrize(
    ("config", "difficulty", "first"),
    [
        pytest.param({"chainId": 1, "terminalTotalDifficulty": 0}, 0, 0, id="from-the-start"),
        pytest.param({"chainId": 1, "terminalTotalDifficulty": 5}, 5, 1, id="after-block-0"),
        pytest.param({"chainId": 1, "mergeNetsplitBlock": 0}, 5, 0, id="by-height"),
    ],
)
def test_the_merge_is_where_the_file_says(
    config: dict[str, Any], difficulty: int, first: int
) -> None:
    forks = parse_forks(config, difficulty)
    assert forks.at(first, 0).name == "Paris"
    assert [point.first for point in forks.by_number if point.name == "Paris"] == [first]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        pytest.param([], "must hold one JSON object", id="no-object"),
        pytest.param({}, "config must be an object with a chainId", id="no-config"),
        pytest.param({"config": {"chainId": "x"}}, "chainId: 'x'", id="no-number"),
        pytest.param(
            {"config": {**MAINNET_LIKE, "cancunTime": 99}}, "by time are out of order", id="times"
        ),
        pytest.param(
            {"config": {**MAINNET_LIKE, "eip158Block": 4}}, "are one fork, at one height",
            id="two-spurious-dragons",
        ),
        pytest.param(
            {"config": {**MAINNET_LIKE, "londonBlock": 3}}, "by height are out of", id="heights"
        ),
        pytest.param(
            {"config": {**MAINNET_LIKE, "blobSchedule": {"prague": 3}}}, "Prague must be an object",
            id="schedule",
        ),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused(document: Any, words: str) -> None:
    with pytest.raises(InvalidGenesis, match=words):
        parse_ethereum_genesis(document)


def test_block_0_has_the_fields_of_its_forks() -> None:
    config = {"chainId": 1, "londonBlock": 0, "terminalTotalDifficulty": 0, "shanghaiTime": 0}
    block, _update = ethereum_genesis_block(
        parse_ethereum_genesis({"config": config, "gasLimit": "0x1000"}), StateCommitter(no_node)
    )
    header = block.header
    assert (header.base_fee_per_gas, header.withdrawals_root) == (1_000_000_000, EMPTY_TRIE_ROOT)
    assert header.blob_gas_used is None


def test_block_0_keeps_an_empty_account_as_geth_does() -> None:
    document = {"config": {"chainId": 1}, "alloc": {"11" * 20: {"balance": "0x0"}}}
    _block, update = ethereum_genesis_block(
        parse_ethereum_genesis(document), StateCommitter(no_node)
    )
    assert update.root != EMPTY_TRIE_ROOT
