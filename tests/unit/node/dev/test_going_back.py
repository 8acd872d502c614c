"""A revert brings back chain, state, pool, time and filters; a restart brings back block 0."""

import asyncio
from pathlib import Path

import pytest

from cvm.evm.keccak import keccak256
from node.dev.dev_chain import AccountChange, ChainPoint
from node.dev.dev_database import BLOCK_TABLES, DevDatabase
from node.storage.flat_state import UNDO_BLOCKS
from tests.chain_world import GENESIS_TIME, USER, signed
from tests.unit.node.dev.dev_world import ALICE, BOB, INSTANT, DevWorld, live, opened

ETHER = 10**18
KEPT_TABLES = frozenset({"codes"})
"""Code is kept by its hash, whoever has it."""


def tables(database: DevDatabase) -> dict[str, dict[bytes, bytes]]:
    """Return all that blocks and changes write, but for what is kept by its hash."""
    names = [*(set(BLOCK_TABLES) - KEPT_TABLES), "meta"]
    with database.reading() as transaction:
        found = {name: dict(transaction.cursor(db=database.table(name))) for name in names}
    for name in (b"format", b"changes"):
        found["meta"].pop(name, None)
    return found


def transfer(nonce: int, value: int = 1) -> bytes:
    return signed(USER, nonce, to=BOB, value=value, gas=21_000)


async def change_everything(world: DevWorld) -> None:
    """Change accounts, mine, send, and change accounts again."""
    await world.ask("anvil_setBalance", hexed(ALICE), hex(5))
    await world.ask("anvil_setCode", hexed(BOB), "0x00")
    await world.ask("anvil_setStorageAt", hexed(BOB), "0x7", "0x" + "09" * 32)
    await world.ask(
        "eth_sendRawTransaction", hexed(transfer(int(world.account(USER.address).nonce)))
    )
    await world.ask("anvil_mine", 3)
    await world.ask("anvil_setNonce", hexed(ALICE), 9)
    await world.ask("anvil_setStorageAt", hexed(BOB), "0x7", "0x" + "00" * 32)
    await world.ask("evm_increaseTime", 1_000)
    await world.ask("evm_mine")


def hexed(data: bytes) -> str:
    return f"0x{data.hex()}"


def test_a_revert_leaves_every_table_as_it_was(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        database = world.chain.database
        assert isinstance(database, DevDatabase)
        await change_everything(world)
        before, height = tables(database), world.height
        snapshot = await world.ask("evm_snapshot")
        await change_everything(world)
        assert world.height > height
        assert await world.ask("evm_revert", snapshot) is True
        assert tables(database) == before

    live(tmp_path, story)


def test_the_chain_goes_on_from_where_it_went_back_to(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("anvil_setBalance", hexed(ALICE), hex(5))
        snapshot = await world.ask("evm_snapshot")
        await change_everything(world)
        await world.ask("evm_revert", snapshot)
        await change_everything(world)
        assert world.height == 4
        assert world.account(ALICE).balance == 5
        assert world.account(BOB).balance == 1

    live(tmp_path, story)


def test_it_goes_back_over_more_blocks_than_any_node_keeps_records_of(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        database = world.chain.database
        assert isinstance(database, DevDatabase)
        await change_everything(world)
        before = tables(database)
        snapshot = await world.ask("evm_snapshot")
        await world.ask("hardhat_mine", UNDO_BLOCKS + 10)
        assert await world.ask("evm_revert", snapshot) is True
        assert tables(database) == before
        assert await world.ask("eth_getBalance", hexed(ALICE), "0x0") == "0x5"

    live(tmp_path, story)


def test_a_revert_ends_its_snapshot_and_later_ones(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        assert [await world.ask("evm_snapshot") for _ in range(3)] == ["0x0", "0x1", "0x2"]
        assert await world.ask("evm_revert", "0x1") is True
        assert await world.ask("evm_revert", "0x1") is False
        assert await world.ask("evm_revert", "0x2") is False
        assert await world.ask("evm_revert", "0x0") is True
        assert await world.ask("evm_snapshot") == "0x3"

    live(tmp_path, story)


def test_the_pool_holds_again_what_waited_then(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        waiting = transfer(0, value=1)
        await world.ask("eth_sendRawTransaction", hexed(waiting))
        snapshot = await world.ask("evm_snapshot")
        await world.ask("eth_sendRawTransaction", hexed(transfer(1)))
        await world.ask("evm_mine")
        assert len(world.pool) == 0
        await world.ask("evm_revert", snapshot)
        assert [tx.raw for each in world.pool.content().pending.values() for tx in each] == [
            waiting
        ]
        tx_hash = hexed(keccak256(waiting))
        assert await world.ask("eth_getTransactionReceipt", tx_hash) is None

    live(tmp_path, story)


def test_an_impersonated_contracts_transaction_waits_again(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("anvil_setCode", hexed(ALICE), "0x00")
        await world.ask("anvil_setBalance", hexed(ALICE), hex(ETHER))
        await world.ask("anvil_impersonateAccount", hexed(ALICE))
        sent = {"from": hexed(ALICE), "to": hexed(BOB), "value": "0x7", "gas": "0x5208"}
        tx_hash = await world.ask("eth_sendTransaction", sent)
        snapshot = await world.ask("evm_snapshot")
        await world.ask("evm_mine")
        await world.ask("evm_revert", snapshot)
        await world.ask("evm_mine")
        receipt = await world.ask("eth_getTransactionReceipt", tx_hash)
        assert isinstance(receipt, dict)
        assert (receipt["from"], receipt["status"]) == (hexed(ALICE), "0x1")

    live(tmp_path, story)


def test_the_time_goes_on_from_when_the_snapshot_was_taken(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("evm_increaseTime", 500)
        snapshot = await world.ask("evm_snapshot")
        await world.ask("evm_increaseTime", 10_000)
        await world.ask("evm_mine")
        world.clock.now += 40
        await world.ask("evm_revert", snapshot)
        world.clock.now += 3
        await world.ask("evm_mine")
        assert world.chain.head.timestamp == GENESIS_TIME + 10 + 500 + 3

    live(tmp_path, story)


def test_a_time_and_a_base_fee_that_were_set_are_set_again(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("evm_setNextBlockTimestamp", GENESIS_TIME + 77)
        await world.ask("anvil_setNextBlockBaseFeePerGas", 4_242)
        snapshot = await world.ask("evm_snapshot")
        for _ in range(2):
            await world.ask("evm_mine")
            head = world.chain.head
            assert (head.timestamp, head.base_fee_per_gas) == (GENESIS_TIME + 77, 4_242)
            await world.ask("evm_revert", snapshot)
            snapshot = await world.ask("evm_snapshot")

    live(tmp_path, story)


def test_filters_tell_again_what_they_told_after_the_snapshot(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        blocks = await world.ask("eth_newBlockFilter")
        pending = await world.ask("eth_newPendingTransactionFilter")
        snapshot = await world.ask("evm_snapshot")
        await world.ask("eth_sendRawTransaction", hexed(transfer(0)))
        await world.ask("anvil_mine", 2)
        later = await world.ask("eth_newBlockFilter")
        for each in (blocks, pending):
            await world.ask("eth_getFilterChanges", each)
        await world.ask("evm_revert", snapshot)
        assert await world.ask("eth_getFilterChanges", pending) == []
        await world.ask("evm_mine")
        news = [hexed(world.chain.head.hash)]
        assert await world.ask("eth_getFilterChanges", blocks) == news
        assert await world.ask("eth_getFilterChanges", later) == news

    live(tmp_path, story)


def test_reverted_blocks_are_not_found(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        snapshot = await world.ask("evm_snapshot")
        await world.ask("evm_mine")
        gone = world.chain.head.hash
        await world.ask("evm_revert", snapshot)
        assert await world.ask("eth_getBlockByHash", hexed(gone), False) is None
        assert await world.ask("eth_getBlockByNumber", "0x1", False) is None

    live(tmp_path, story)


def test_whoever_follows_the_head_is_told_that_it_moved(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("evm_mine")
        snapshot = await world.ask("evm_snapshot")
        await world.ask("evm_mine")
        await world.ask("evm_revert", snapshot)
        await world.ask("anvil_reset")
        assert world.moves == [1, 0]

    live(tmp_path, story)


def test_a_reset_begins_with_block_0_and_its_state(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        database = world.chain.database
        assert isinstance(database, DevDatabase)
        genesis, before = world.chain.head.hash, tables(database)
        await world.ask("anvil_setBalance", hexed(ALICE), hex(5))
        await change_everything(world)
        await world.ask("anvil_reset")
        assert world.chain.head.hash == genesis
        assert tables(database) == before
        assert database.get("meta", b"format") == b"1"
        await world.ask("evm_mine")
        assert world.chain.head.timestamp == GENESIS_TIME + 10

    live(tmp_path, story)


def test_a_reset_after_a_restart_takes_changes_of_block_0_back(tmp_path: Path) -> None:
    with opened(tmp_path) as chain:
        chain.alter({ALICE: AccountChange(balance=5)})
    with opened(tmp_path) as chain:
        chain.restart()
        with chain.state_at(chain.head) as state:
            assert state.account(ALICE) is None


def test_there_is_no_forking_from_an_address(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        forking = {"forking": {"jsonRpcUrl": "http://127.0.0.1:1"}}
        code, message = await world.refusal("anvil_reset", forking)
        assert code == -32602
        assert str(message).startswith("forking from an address is not supported")

    live(tmp_path, story)


@pytest.mark.parametrize("snapshot", ["0x9", 9, "9"], ids=["hex", "integer", "decimal"])
def test_a_snapshot_that_was_never_taken_changes_nothing(tmp_path: Path, snapshot: object) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("evm_mine")
        assert await world.ask("evm_revert", snapshot) is False
        assert world.height == 1

    live(tmp_path, story)


def test_a_revert_while_blocks_are_made_at_once_finds_a_whole_block(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        snapshot = await world.ask("evm_snapshot")
        for nonce in range(3):
            await world.ask("eth_sendRawTransaction", hexed(transfer(nonce)))
        await world.until(lambda: world.account(USER.address).nonce == 3)
        await world.ask("evm_revert", snapshot)
        assert (world.height, world.account(USER.address).nonce) == (0, 0)

    live(tmp_path, story, INSTANT)


def test_a_caller_that_stops_waiting_leaves_no_half_of_a_revert(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("eth_sendRawTransaction", hexed(transfer(0)))
        snapshot = await world.ask("evm_snapshot")
        await world.ask("evm_mine")
        began, go_back = asyncio.Event(), world.chain.go_back
        loop = asyncio.get_running_loop()

        def noticed(point: ChainPoint) -> None:
            loop.call_soon_threadsafe(began.set)
            go_back(point)

        world.chain.go_back = noticed  # type: ignore[method-assign]
        asking = asyncio.create_task(world.ask("evm_revert", snapshot))
        await began.wait()
        asking.cancel()
        await world.ask("evm_snapshot")
        assert (world.height, len(world.pool)) == (0, 1)

    live(tmp_path, story)


def test_a_fault_of_a_change_is_its_callers_and_the_chain_goes_on(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("evm_mine")
        await world.refusal("evm_mine", 5)
        await world.ask("evm_mine")
        assert world.height == 2

    live(tmp_path, story)
