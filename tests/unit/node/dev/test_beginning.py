"""How a development chain begins: funded accounts, a state from a file, sample models."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from consensus.block_execution import Proposal
from consensus.genesis import parse_genesis
from cvm.evm.state_reader import Account
from models_registry.registry import RegistryStatus, read_entry, read_model_ids
from node.config import NodeConfig
from node.dev.beginning import Beginning, begin_chain, dev_genesis
from node.dev.dev_chain import DevChain, NextBlock
from node.dev.dev_node import first_mode
from node.dev.faults import AlreadyBegun, BadForkFile
from node.dev.miner import MiningMode
from node.dev_keys import dev_accounts, dev_model_owner, dev_validator
from node.service import open_node
from node.snapshot_file import export_snapshot
from node.storage.chain_database import ChainDatabase
from node.storage.database_format import ChangedByHand
from tests.chain_world import USER, WEI, ChainWorld
from tests.unit.node.dev.dev_world import ALICE, GENESIS

ETHER = 10**18
FIRST = dev_accounts()[0].address
ACCOUNT = {"balance": "0x5", "nonce": "0x2", "code": "0x6001", "storage": {"0x01": "0x07"}}
ALICE_TEXT = f"0x{ALICE.hex()}"


def config(folder: Path, **fields: object) -> NodeConfig:
    made = NodeConfig(
        datadir=folder,
        http=None,
        backend="reference",
        validator_key=dev_validator(),
        instant=True,
        idle_blocks=False,
        **fields,  # type: ignore[arg-type]  # fields that a test names
    )
    assert made.is_dev
    return made


@contextmanager
def begun(folder: Path, wanted: Beginning) -> Iterator[DevChain]:
    begin_chain(config(folder), wanted)
    with open_node(config(folder)) as node:
        assert isinstance(node.chain, DevChain)
        yield node.chain


def account(chain: DevChain, address: bytes) -> Account:
    with chain.state_at(chain.head) as state:
        return state.account(address) or Account()


def mine(chain: DevChain) -> None:
    proposal = Proposal(dev_validator().address, 0)
    checked, _left_out = chain.build_next(proposal, NextBlock(), [])
    chain.make_final(checked, dev_validator())


def snapshot_of(folder: Path, blocks: int) -> Path:
    """Write a snapshot of another chain: some blocks, and a model that is ACTIVE."""
    world = ChainWorld(folder / "other", GENESIS)
    world.register_model()
    while world.chain.head.block_number < blocks:
        world.propose()
    path = folder / "state.cvm"
    export_snapshot(world.chain, world.store, path)
    world.close()
    return path


def test_each_account_has_the_balance_that_was_asked_for() -> None:
    genesis = parse_genesis(dev_genesis(1, Beginning(accounts=3, balance_wei=77 * ETHER)))
    rich = {address for address, held in genesis.alloc if held.balance == 77 * ETHER}
    assert rich == {key.address for key in dev_accounts(3)}


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"config": {"chainId": 1}, "alloc": {ALICE_TEXT: ACCOUNT}}, id="genesis"),
        pytest.param({ALICE_TEXT: ACCOUNT}, id="alloc alone"),
        pytest.param({ALICE_TEXT[2:].upper(): ACCOUNT}, id="no prefix"),
        pytest.param(
            {
                "root": "ab" * 32,
                "accounts": {ALICE_TEXT: {**ACCOUNT, "root": "0x00", "key": "0x11", "nonce": 2}},
            },
            id="geth dump",
        ),
    ],
)
def test_a_json_file_brings_its_accounts(tmp_path: Path, document: dict[str, object]) -> None:
    path = tmp_path / "state.json"
    path.write_text(json.dumps(document))
    with begun(tmp_path / "dev", Beginning(fork=path)) as chain:
        held = account(chain, ALICE)
        assert (held.balance, held.nonce) == (5, 2)
        assert chain.storage_at(chain.head)(ALICE, 1) == 7
        assert account(chain, FIRST).balance == 10_000 * ETHER
    ChainDatabase(tmp_path / "dev" / "chain", read_only=True).close()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("{", "not JSON", id="cut off"),
        pytest.param('{"alloc": {"0x12": {}}}', "alloc address", id="a short address"),
        pytest.param(json.dumps({ALICE_TEXT: 5}), "not an object", id="no object"),
        pytest.param(json.dumps({ALICE_TEXT: {"balance": "x"}}), "balance", id="no number"),
        pytest.param("cvm", "does not open an RLP list", id="neither"),
        pytest.param("", "neither a snapshot nor JSON", id="empty"),
    ],
)
def test_a_file_without_a_state_is_refused(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "state"
    path.write_text(content)
    with pytest.raises(BadForkFile, match=words):
        begin_chain(config(tmp_path / "dev"), Beginning(fork=path))


def test_a_snapshot_goes_on_at_its_height_with_its_state_and_models(tmp_path: Path) -> None:
    path = snapshot_of(tmp_path, 9)
    with begun(tmp_path / "dev", Beginning(fork=path)) as chain:
        assert chain.head.block_number == 9
        assert account(chain, FIRST).balance == 10_000 * ETHER
        assert 0 < account(chain, USER.address).balance < WEI
        (model_id,) = read_model_ids(chain.storage_at(chain.head))
        entry = read_entry(chain.storage_at(chain.head), model_id, 10)
        assert entry is not None
        assert entry.status is RegistryStatus.ACTIVE
        assert chain.host.model(model_id) is not None
        assert chain.validators() == (dev_validator().address,)
        mine(chain)
        assert chain.head.block_number == 10


def test_a_chain_that_took_a_snapshot_over_is_a_changed_one(tmp_path: Path) -> None:
    begin_chain(config(tmp_path / "dev"), Beginning(fork=snapshot_of(tmp_path, 9)))
    with pytest.raises(ChangedByHand):
        ChainDatabase(tmp_path / "dev" / "chain")


def test_a_reset_goes_back_to_what_was_taken_over(tmp_path: Path) -> None:
    path = snapshot_of(tmp_path, 9)
    with begun(tmp_path / "dev", Beginning(fork=path)) as chain:
        before = chain.database.standing_root(chain.head.state_root)
        mine(chain)
        chain.restart()
        assert chain.head.block_number == 9
        assert chain.database.standing_root(chain.head.state_root) == before
        mine(chain)


def test_a_snapshot_that_ends_early_is_refused(tmp_path: Path) -> None:
    path = snapshot_of(tmp_path, 9)
    path.write_bytes(path.read_bytes()[:-100])
    for _attempt in range(2):
        with pytest.raises(BadForkFile):
            begin_chain(config(tmp_path / "dev"), Beginning(fork=path))
    with begun(tmp_path / "dev", Beginning()) as chain:
        assert chain.head.block_number == 0


def test_a_chain_that_is_there_goes_on_and_takes_no_state(tmp_path: Path) -> None:
    with begun(tmp_path, Beginning()) as chain:
        mine(chain)
    with begun(tmp_path, Beginning(accounts=3)) as chain:
        assert chain.head.block_number == 1
    path = tmp_path / "state.json"
    path.write_text("{}")
    with pytest.raises(AlreadyBegun, match="leave --fork out"):
        begin_chain(config(tmp_path), Beginning(fork=path))


def test_the_sample_models_are_active_and_the_test_accounts_untouched(tmp_path: Path) -> None:
    with begun(tmp_path, Beginning(has_models=True)) as chain:
        read, height = chain.storage_at(chain.head), chain.head.block_number + 1
        entries = [read_entry(read, model_id, height) for model_id in read_model_ids(read)]
        assert [each and each.status for each in entries] == [RegistryStatus.ACTIVE] * 2
        assert {each and each.owner for each in entries} == {dev_model_owner().address}
        held = account(chain, FIRST)
        assert (held.nonce, held.balance) == (0, 10_000 * ETHER)
        first = chain.head.hash
        mine(chain)
        chain.restart()
        assert chain.head.hash == first
    ChainDatabase(tmp_path / "chain", read_only=True).close()


@pytest.mark.parametrize(
    ("block_time", "idle", "mode"),
    [
        pytest.param(None, True, MiningMode(True, 1), id="instant, and idle blocks"),
        pytest.param(None, False, MiningMode(True, None), id="instant only"),
        pytest.param(12, True, MiningMode(False, 12), id="block time"),
    ],
)
def test_the_command_says_when_blocks_are_made(
    tmp_path: Path, block_time: int | None, idle: bool, mode: MiningMode
) -> None:
    made = replace(config(tmp_path), block_time_s=block_time, idle_blocks=idle)
    assert first_mode(made) == mode
