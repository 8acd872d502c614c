"""Fork identifiers: mainnet's of EIP-2124 and EIP-6122, and whom they let in."""

import json

import pytest

from node.p2p.eth_fork_id import ForkId, ForkSchedule, schedule_of_genesis

MAINNET_GENESIS = bytes.fromhex("d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3")
MAINNET = ForkSchedule(
    MAINNET_GENESIS,
    (
        1_150_000,
        1_920_000,
        2_463_000,
        2_675_000,
        4_370_000,
        7_280_000,
        9_069_000,
        9_200_000,
        12_244_000,
        12_965_000,
        13_773_000,
        15_050_000,
    ),
    (1_681_338_455, 1_710_338_135),
)


def fork_id(checksum: int, following: int) -> ForkId:
    return ForkId(checksum.to_bytes(4, "big"), following)


# Source: EIP-2124's and EIP-6122's tests.
@pytest.mark.parametrize(
    ("number", "time", "expected"),
    [
        pytest.param(0, 0, fork_id(0xFC64EC04, 1_150_000), id="unsynced"),
        pytest.param(1_149_999, 0, fork_id(0xFC64EC04, 1_150_000), id="last-frontier"),
        pytest.param(1_150_000, 0, fork_id(0x97C2C34C, 1_920_000), id="first-homestead"),
        pytest.param(1_920_000, 0, fork_id(0x91D1F948, 2_463_000), id="first-dao"),
        pytest.param(7_280_000, 0, fork_id(0x668DB0AF, 9_069_000), id="first-petersburg"),
        pytest.param(15_050_000, 0, fork_id(0xF0AFD0E3, 1_681_338_455), id="first-gray-glacier"),
        pytest.param(
            20_000_000, 1_681_338_455, fork_id(0xDCE96C2D, 1_710_338_135), id="first-shanghai"
        ),
        pytest.param(20_000_000, 1_710_338_135, fork_id(0x9F3D2254, 0), id="first-cancun"),
    ],
)
def test_an_identifier_is_that_of_the_proposals(number: int, time: int, expected: ForkId) -> None:
    assert MAINNET.at(number, time) == expected


# Source: EIP-2124, section "Validation rules", and go-ethereum's core/forkid tests.
@pytest.mark.parametrize(
    ("number", "theirs", "fits"),
    [
        pytest.param(7_987_396, fork_id(0x668DB0AF, 0), True, id="same-and-knows-no-next"),
        pytest.param(7_987_396, fork_id(0x668DB0AF, 2**64 - 1), True, id="same-and-far-next"),
        pytest.param(7_279_999, fork_id(0xA00BC324, 7_280_000), True, id="same-before-fork"),
        pytest.param(7_987_396, fork_id(0xA00BC324, 7_280_000), True, id="behind-knows-next"),
        pytest.param(7_987_396, fork_id(0xA00BC324, 0), False, id="behind-lacks-next"),
        pytest.param(7_279_999, fork_id(0x668DB0AF, 0), True, id="ahead"),
        pytest.param(7_987_396, fork_id(0x5CDDC0E1, 0), False, id="forked-off-unknown"),
        pytest.param(7_987_396, fork_id(0xAFEC6B27, 0), False, id="another-chain"),
        pytest.param(7_987_396, fork_id(0x668DB0AF, 7_987_000), False, id="passed-unknown-next"),
    ],
)
def test_a_peer_fits_by_the_rules(number: int, theirs: ForkId, fits: bool) -> None:
    assert MAINNET.fits(theirs, number, 0) is fits


def test_a_coming_fork_by_height_is_not_compared_with_the_time() -> None:
    ours = ForkSchedule(b"\1" * 32)
    theirs = ForkSchedule(b"\1" * 32, (5_000_000,))
    assert ours.fits(theirs.at(10, 1_800_000_000), 10, 1_800_000_000)
    assert not ours.fits(theirs.at(10, 1_800_000_000), 5_000_001, 1_800_000_000)


def test_forks_of_a_genesis_file_count_once_and_not_where_they_hold_at_block_0() -> None:
    config = {
        "chainId": 1,
        "homesteadBlock": 0,
        "daoForkBlock": None,
        "eip155Block": 6,
        "eip158Block": 6,
        "mergeNetsplitBlock": 36,
        "shanghaiTime": 390,
        "cancunTime": "0x1a4",
        "pragueTime": 100,
        "terminalTotalDifficulty": 9,
    }
    schedule = schedule_of_genesis(json.dumps({"config": config}).encode(), b"\1" * 32, 100)
    assert schedule == ForkSchedule(b"\1" * 32, (6, 36), (390, 420))
