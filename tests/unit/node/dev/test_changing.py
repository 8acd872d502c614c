"""Changes of accounts stand at once, in every state after, and make the chain one of its own."""

import asyncio
from pathlib import Path

import pytest

from cvm.evm.keccak import keccak256
from cvm.evm.state_reader import Account
from models_registry.addresses import VALIDATOR_SET
from node.dev.dev_chain import AccountChange
from node.storage.chain_database import ChainDatabase
from node.storage.database_format import ChangedByHand
from tests.chain_world import USER, signed
from tests.unit.node.dev.dev_world import ALICE, BOB, INSTANT, DevWorld, live, opened

ETHER = 10**18
STORES_7_IN_SLOT_0 = "0x60075f5500"
RETURNS_SLOT_0 = "0x5f545f5260205ff3"


def hexed(data: bytes) -> str:
    return f"0x{data.hex()}"


@pytest.mark.parametrize(
    ("method", "value", "question", "found"),
    [
        pytest.param("anvil_setBalance", ["0x5"], ("eth_getBalance",), "0x5", id="balance"),
        pytest.param("anvil_setNonce", ["0x9"], ("eth_getTransactionCount",), "0x9", id="nonce"),
        pytest.param("anvil_setCode", ["0x6001"], ("eth_getCode",), "0x6001", id="code"),
        pytest.param(
            "anvil_setStorageAt",
            ["0x2", "0x" + "00" * 31 + "07"],
            ("eth_getStorageAt", "0x2"),
            "0x" + "00" * 31 + "07",
            id="storage",
        ),
    ],
)
def test_a_change_is_in_the_heads_state_and_in_later_ones(
    tmp_path: Path, method: str, value: list[str], question: tuple[str, ...], found: str
) -> None:
    async def story(world: DevWorld) -> None:
        name, *rest = question
        before = await world.ask(name, hexed(ALICE), *rest, "0x0")
        assert before != found
        await world.ask("evm_mine")
        await world.ask(method, hexed(ALICE), *value)
        await world.ask("anvil_mine", 2)
        for block in ("0x1", "0x2", "latest"):
            assert await world.ask(name, hexed(ALICE), *rest, block) == found
        assert await world.ask(name, hexed(ALICE), *rest, "0x0") == before

    live(tmp_path, story)


def test_changes_of_one_block_add_up(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("anvil_setBalance", hexed(ALICE), 5)
        await world.ask("anvil_addBalance", hexed(ALICE), 6)
        await world.ask("anvil_setNonce", hexed(ALICE), 3)
        account = world.account(ALICE)
        assert (account.balance, account.nonce) == (11, 3)

    live(tmp_path, story)


def test_the_block_before_a_change_keeps_its_state(tmp_path: Path) -> None:
    """The change comes to what its block overwrote, and must not hide it."""

    async def story(world: DevWorld) -> None:
        transfer = signed(USER, 0, to=BOB, value=7, gas=21_000)
        await world.ask("eth_sendRawTransaction", hexed(transfer))
        await world.ask("evm_mine")
        await world.ask("anvil_setBalance", hexed(BOB), 99)
        await world.ask("anvil_setBalance", hexed(ALICE), 1)
        await world.ask("evm_mine")
        balances = [await world.ask("eth_getBalance", hexed(BOB), f"0x{n}") for n in range(3)]
        assert balances == ["0x0", "0x63", "0x63"]
        assert await world.ask("eth_getBalance", hexed(ALICE), "0x0") == "0x0"

    live(tmp_path, story)


def test_code_that_was_set_runs_and_reads_what_was_set(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("anvil_setCode", hexed(ALICE), RETURNS_SLOT_0)
        await world.ask("anvil_setStorageAt", hexed(ALICE), 0, "0x" + "00" * 31 + "2a")
        question = ("eth_call", {"to": hexed(ALICE)}, "latest")
        assert await world.ask(*question) == f"0x{42:064x}"
        snapshot = await world.ask("evm_snapshot")
        await world.ask("anvil_setStorageAt", hexed(ALICE), 0, "0x" + "00" * 31 + "2b")
        assert await world.ask(*question) == f"0x{43:064x}"
        await world.ask("evm_revert", snapshot)
        assert await world.ask(*question) == f"0x{42:064x}"

    live(tmp_path, story)


def test_a_transaction_runs_on_the_changed_state(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("anvil_setCode", hexed(ALICE), STORES_7_IN_SLOT_0)
        await world.ask("eth_sendRawTransaction", hexed(signed(USER, 0, to=ALICE, gas=100_000)))
        await world.ask("evm_mine")
        assert await world.ask("eth_getStorageAt", hexed(ALICE), "0x0", "latest") == f"0x{7:064x}"

    live(tmp_path, story)


def test_an_account_that_is_emptied_is_gone(tmp_path: Path) -> None:
    with opened(tmp_path) as chain:
        chain.alter({ALICE: AccountChange(balance=5, code=b"\0")})
        chain.alter({ALICE: AccountChange(balance=0, code=b"")})
        with chain.state_at(chain.head) as state:
            assert state.account(ALICE) is None


def test_an_account_keeps_what_is_not_changed(tmp_path: Path) -> None:
    with opened(tmp_path) as chain:
        chain.alter({ALICE: AccountChange(code=b"\0", storage={3: 4})})
        chain.alter({ALICE: AccountChange(balance=5)})
        with chain.state_at(chain.head) as state:
            account = state.account(ALICE) or Account()
            assert (account.balance, account.code_hash) == (5, keccak256(b"\0"))
            assert state.storage(ALICE, 3) == 4


def test_changes_and_blocks_are_there_after_a_restart(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("anvil_setBalance", hexed(ALICE), hex(ETHER))
        await world.ask("evm_mine")
        await world.ask("anvil_setCode", hexed(ALICE), "0x00")
        await world.ask("anvil_impersonateAccount", hexed(ALICE))
        sent = {"from": hexed(ALICE), "to": hexed(BOB), "value": "0x7", "gas": "0x5208"}
        await world.ask("eth_sendTransaction", sent)
        await world.ask("evm_mine")
        await world.ask("anvil_setNonce", hexed(ALICE), 40)

    live(tmp_path, story)

    async def after(world: DevWorld) -> None:
        assert world.height == 2
        assert world.account(ALICE).nonce == 40
        block = await world.ask("eth_getBlockByNumber", "0x2", True)
        assert isinstance(block, dict)
        assert [tx["from"] for tx in block["transactions"]] == [hexed(ALICE)]
        await world.ask("evm_mine")
        assert world.account(BOB).balance == 7

    live(tmp_path, after)


def test_a_changed_chain_is_refused_by_every_other_program(tmp_path: Path) -> None:
    with opened(tmp_path) as chain:
        chain.alter({ALICE: AccountChange(balance=5)})
    for read_only in (False, True):
        with pytest.raises(ChangedByHand, match="only `cvm dev` opens it"):
            ChainDatabase(tmp_path / "chain", read_only=read_only)


def test_a_base_fee_of_a_callers_makes_it_a_changed_chain(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        await world.ask("anvil_setNextBlockBaseFeePerGas", 77)
        await world.ask("anvil_mine", 2)
        first = world.chain.header_at(1)
        assert first is not None
        assert first.base_fee_per_gas == 77

    live(tmp_path, story)
    with pytest.raises(ChangedByHand):
        ChainDatabase(tmp_path / "chain")


def test_a_transaction_without_a_key_makes_it_a_changed_chain(tmp_path: Path) -> None:
    """The sender is a contract of genesis, with a validator's bond."""

    async def story(world: DevWorld) -> None:
        await world.ask("anvil_autoImpersonateAccount", True)
        sent = {"from": hexed(VALIDATOR_SET), "to": hexed(BOB), "value": "0x7", "gas": "0x5208"}
        await world.ask("eth_sendTransaction", sent)
        assert world.chain.database.get("meta", b"format") == b"1"
        await world.ask("evm_mine")
        assert world.account(BOB).balance == 7

    live(tmp_path, story)
    with pytest.raises(ChangedByHand):
        ChainDatabase(tmp_path / "chain")


def test_a_chain_that_only_mined_and_went_back_is_as_good_as_any(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        snapshot = await world.ask("evm_snapshot")
        await world.ask("evm_increaseTime", 1_000)
        await world.ask("anvil_mine", 3)
        await world.ask("evm_revert", snapshot)
        await world.ask("anvil_mine", 2)

    live(tmp_path, story)
    ChainDatabase(tmp_path / "chain", read_only=True).close()


def test_what_waits_looks_at_the_changed_account(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        late = signed(USER, 5, to=BOB, value=1, gas=21_000)
        await world.ask("eth_sendRawTransaction", hexed(late))
        assert await world.ask("txpool_status") == {"pending": "0x0", "queued": "0x1"}
        await world.ask("anvil_setNonce", hexed(USER.address), 5)
        await world.until(lambda: world.account(BOB).balance == 1)

    live(tmp_path, story, INSTANT)


def test_setting_balances_at_once_loses_none(tmp_path: Path) -> None:
    async def story(world: DevWorld) -> None:
        adds = [world.ask("anvil_addBalance", hexed(ALICE), 1) for _ in range(20)]
        await asyncio.gather(*adds, world.ask("anvil_mine", 5))
        assert world.account(ALICE).balance == 20

    live(tmp_path, story)
