"""eth_config of a plain Ethereum chain: mainnet's blob forks as EIP-7910 lists them."""

from dataclasses import replace

import pytest

from consensus.ethereum.ethereum_forks import EthereumForks, ForkPoint
from cvm.evm.forks import BPO1, BPO2, CANCUN, OSAKA, PRAGUE, SHANGHAI
from node.ethereum_facts import EthereumFacts
from node.p2p.eth_fork_id import ForkSchedule
from node.rpc.node_facts import ForkSettings
from tests.unit.node.rpc.fake_chain import small_chain

MAINNET_GENESIS = bytes.fromhex("d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3")
HEIGHTS = (
    *(1_150_000, 1_920_000, 2_463_000, 2_675_000, 4_370_000, 7_280_000, 9_069_000, 9_200_000),
    *(12_244_000, 12_965_000, 13_773_000, 15_050_000),
)
SHANGHAI_TIME, CANCUN_TIME, PRAGUE_TIME = 1_681_338_455, 1_710_338_135, 1_746_612_311
OSAKA_TIME, BPO1_TIME, BPO2_TIME = 1_764_798_551, 1_765_290_071, 1_767_747_671
TIMES = (SHANGHAI_TIME, CANCUN_TIME, PRAGUE_TIME, OSAKA_TIME, BPO1_TIME, BPO2_TIME)
FORKS = EthereumForks(
    1,
    (),
    tuple(
        ForkPoint(first, fork.name, fork)
        for first, fork in zip(TIMES, (SHANGHAI, CANCUN, PRAGUE, OSAKA, BPO1, BPO2), strict=True)
    ),
)
"""The schedule of mainnet (EIP-7607), and its genesis: go-ethereum's params/config.go."""


def plan_at(timestamp: int) -> list[tuple[int, str, int] | None]:
    """Return activation, fork id and target of the configurations at a time."""
    header = replace(small_chain().head(), block_number=23_000_000, timestamp=timestamp)
    facts = EthereumFacts(FORKS, ForkSchedule(MAINNET_GENESIS, HEIGHTS, TIMES), 0, lambda: header)
    plan = facts.fork_plan()
    return [] if plan is None else [short(plan.current), short(plan.next), short(plan.last)]


def short(settings: ForkSettings | None) -> tuple[int, str, int] | None:
    if settings is None:
        return None
    return settings.activation_time, settings.fork_id.hex(), settings.target_blobs


CANCUN_SET = (CANCUN_TIME, "9f3d2254", 3)
PRAGUE_SET = (PRAGUE_TIME, "c376cf8b", 6)
OSAKA_SET = (OSAKA_TIME, "5167e2a6", 6)
BPO1_SET = (BPO1_TIME, "cba2a1c0", 10)
BPO2_SET = (BPO2_TIME, "07c9462e", 14)


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        pytest.param(CANCUN_TIME - 1, [], id="before-cancun"),
        pytest.param(CANCUN_TIME, [CANCUN_SET, PRAGUE_SET, BPO2_SET], id="cancun"),
        pytest.param(OSAKA_TIME - 1, [PRAGUE_SET, OSAKA_SET, BPO2_SET], id="prague"),
        pytest.param(OSAKA_TIME, [OSAKA_SET, BPO1_SET, BPO2_SET], id="osaka"),
        pytest.param(BPO2_TIME, [BPO2_SET, None, None], id="nothing-planned"),
    ],
)
def test_the_configurations_are_those_of_mainnet(
    timestamp: int, expected: list[tuple[int, str, int] | None]
) -> None:
    assert plan_at(timestamp) == expected


def test_a_fork_at_genesis_is_active_since_0_and_names_its_own_contracts() -> None:
    header = replace(small_chain().head(), timestamp=CANCUN_TIME + 5)
    schedule = ForkSchedule(MAINNET_GENESIS)
    plan = EthereumFacts(FORKS, schedule, CANCUN_TIME, lambda: header).fork_plan()
    assert plan is not None
    assert plan.current.activation_time == 0
    assert set(plan.current.system_contracts) == {"BEACON_ROOTS_ADDRESS"}
    assert len(plan.current.precompiles) == 10
    assert plan.next is not None
    assert set(plan.next.system_contracts) == {
        "BEACON_ROOTS_ADDRESS",
        "CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS",
        "DEPOSIT_CONTRACT_ADDRESS",
        "HISTORY_STORAGE_ADDRESS",
        "WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS",
    }
