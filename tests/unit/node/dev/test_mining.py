"""When a development chain makes blocks, what they hold, and what time they have."""

from pathlib import Path

import pytest

from node.dev.miner import MiningMode
from tests.chain_world import FEE_CAP, GENESIS_TIME, USER, signed
from tests.unit.node.dev.dev_world import BOB, INSTANT, DevWorld, live

START = GENESIS_TIME + 10
"""What the machine's clock shows."""


def hexed(data: bytes) -> str:
    return f"0x{data.hex()}"


def transfer(nonce: int, fee_cap: int = FEE_CAP) -> str:
    return hexed(signed(USER, nonce, to=BOB, value=1, gas=21_000, fee_cap=fee_cap))


async def times(world: DevWorld) -> list[int]:
    """Return the times of all blocks after genesis, from the machine's on."""
    headers = [world.chain.header_at(number) for number in range(1, world.height + 1)]
    return [each.timestamp - START for each in headers if each is not None]


def test_a_transaction_is_mined_at_once(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("eth_sendRawTransaction", transfer(0))
        await world.until(lambda: world.account(BOB).balance == 1)
        await world.ask("eth_sendRawTransaction", transfer(1))
        await world.until(lambda: world.account(BOB).balance == 2)
        assert world.height == 2

    live(tmp_path, story, INSTANT)


def test_without_automine_it_waits_until_somebody_mines(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("evm_setAutomine", False)
        assert await world.ask("anvil_getAutomine") is False
        for nonce in range(3):
            await world.ask("eth_sendRawTransaction", transfer(nonce))
        assert await world.ask("txpool_status") == {"pending": "0x3", "queued": "0x0"}
        await world.ask("evm_mine")
        assert (world.height, world.account(BOB).balance) == (1, 3)

    live(tmp_path, story, INSTANT)


def test_switched_on_again_it_takes_what_waits(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("eth_sendRawTransaction", transfer(0))
        await world.ask("evm_setAutomine", True)
        await world.until(lambda: world.account(BOB).balance == 1)

    live(tmp_path, story)


def test_switched_on_again_an_idle_chain_makes_empty_blocks_as_before(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("evm_setAutomine", False)
        await world.ask("evm_setAutomine", True)
        await world.until(lambda: world.height == 1)

    live(tmp_path, story, MiningMode(is_instant=True, interval_s=1))


def test_blocks_come_in_time_whether_anything_waits_or_not(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("evm_setIntervalMining", 1)
        assert await world.ask("anvil_getIntervalMining") == 1
        await world.until(lambda: world.height == 2)
        await world.ask("evm_setIntervalMining", 0)
        assert await world.ask("anvil_getIntervalMining") is None

    live(tmp_path, story)


def test_an_idle_chain_makes_an_empty_block_and_still_mines_at_once(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.until(lambda: world.height == 1)
        await world.ask("eth_sendRawTransaction", transfer(0))
        await world.until(lambda: world.account(BOB).balance == 1)
        assert await world.ask("anvil_getAutomine") is True
        assert await world.ask("anvil_getIntervalMining") is None

    live(tmp_path, story, MiningMode(is_instant=True, interval_s=1))


def test_what_cannot_pay_the_base_fee_makes_no_block(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("eth_sendRawTransaction", transfer(0, fee_cap=10))
        await world.ask("eth_sendRawTransaction", hexed(signed(USER, 1, to=BOB, gas=21_000)))
        assert (world.height, len(world.pool)) == (0, 2)
        await world.ask("anvil_setNextBlockBaseFeePerGas", 7)
        await world.until(lambda: world.account(USER.address).nonce >= 1)

    live(tmp_path, story, INSTANT)


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        pytest.param([("evm_mine",)], [0], id="the machine's time"),
        pytest.param([("anvil_mine", 3)], [0, 1, 2], id="a second at least"),
        pytest.param([("hardhat_mine", "0x3", "0x3c")], [60, 120, 180], id="an interval"),
        pytest.param([("evm_increaseTime", 100), ("evm_mine",)], [100], id="moved"),
        pytest.param([("evm_mine", START + 9)], [9], id="one block's time"),
        pytest.param(
            [("evm_mine", {"timestamp": START + 9, "blocks": 2}), ("evm_mine",)],
            [9, 10, 11],
            id="the first block's time",
        ),
        pytest.param(
            [("evm_setNextBlockTimestamp", START + 50), ("evm_mine",), ("anvil_mine", 2)],
            [50, 51, 52],
            id="the next block's time",
        ),
        pytest.param(
            [("anvil_setBlockTimestampInterval", 12), ("anvil_mine", 3)],
            [2, 14, 26],
            id="a fixed interval",
        ),
        pytest.param([("evm_setTime", START + 1_000), ("evm_mine",)], [1_000], id="set"),
        pytest.param([("anvil_mine", 0)], [], id="no block"),
    ],
)
def test_blocks_have_the_time_that_was_asked_for(
    tmp_path: Path, calls: list[tuple[object, ...]], expected: list[int]
) -> None:
    async def story(world: DevWorld) -> None:
        for method, *params in calls:
            await world.ask(str(method), *params)
        assert await times(world) == expected

    live(tmp_path, story)


def test_the_time_goes_on_from_a_block_whose_time_was_set(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("evm_setNextBlockTimestamp", START + 50)
        await world.ask("evm_mine")
        world.clock.now += 5
        await world.ask("evm_mine")
        assert await times(world) == [50, 55]

    live(tmp_path, story)


@pytest.mark.parametrize(
    ("back_s", "relation"),
    [pytest.param(0, "equal to", id="equal"), pytest.param(1, "lower than", id="lower")],
)
@pytest.mark.parametrize("method", ["evm_mine", "evm_setNextBlockTimestamp"])
def test_no_block_is_as_old_as_its_parent(
    tmp_path: Path, method: str, back_s: int, relation: str
) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("evm_mine")
        late = START - back_s
        code, message = await world.refusal(method, late)
        words = f"Timestamp error: {late} is {relation} previous block's timestamp"
        assert (code, message) == (-32602, words)
        assert world.height == 1

    live(tmp_path, story)


def test_a_machine_whose_clock_is_behind_goes_on_making_blocks(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        world.clock.now = GENESIS_TIME - 100
        await world.ask("eth_sendRawTransaction", transfer(0))
        await world.until(lambda: world.height == 1)
        assert world.chain.head.timestamp == GENESIS_TIME + 1

    live(tmp_path, story, INSTANT)


def test_how_far_ahead_the_chain_is_adds_up(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        assert await world.ask("evm_increaseTime", 100) == 100
        assert await world.ask("evm_increaseTime", "0x0a") == 110
        assert await world.ask("evm_setTime", START) == 0

    live(tmp_path, story)


def test_a_base_fee_is_set_for_one_block(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("hardhat_setNextBlockBaseFeePerGas", hex(8_000))
        await world.ask("anvil_mine", 2)
        fees = [world.chain.header_at(n) for n in (1, 2)]
        assert [each and each.base_fee_per_gas for each in fees] == [8_000, 7_000]

    live(tmp_path, story)


def test_a_dropped_transaction_is_in_no_block(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        dropped = await world.ask("eth_sendRawTransaction", transfer(0))
        assert await world.ask("anvil_dropTransaction", dropped) == dropped
        assert await world.ask("anvil_dropTransaction", dropped) is None
        await world.ask("evm_mine")
        assert world.account(BOB).balance == 0

    live(tmp_path, story)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        pytest.param("anvil_dropAllTransactions", [], id="all"),
        pytest.param("anvil_removePoolTransactions", [hexed(USER.address)], id="of a sender"),
    ],
)
def test_the_pool_can_be_emptied(tmp_path: Path, method: str, params: list[object]) -> None:
    async def story(world: DevWorld) -> None:
        for nonce in (0, 1, 5):
            await world.ask("eth_sendRawTransaction", transfer(nonce))
        await world.ask(method, *params)
        assert len(world.pool) == 0

    live(tmp_path, story)
