"""`cvm db`: a database that is whole has no faults, and each kind of damage is named."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cvm.evm.rlp_encoding import encode_list
from node.cli.app import build_app
from node.database_check import find_faults, table_sizes
from node.storage.chain_database import TABLES, ChainDatabase
from tests.chain_world import ChainWorld, genesis_document

GENESIS = json.dumps(genesis_document()).encode()
APP = build_app("db")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path, GENESIS)
    for _ in range(3):
        world.send(b"\x99" * 20, b"", value=1)
    yield world
    world.close()


def faults(database: ChainDatabase) -> list[str]:
    return list(find_faults(database, lambda _done, _total: None))


def test_a_whole_database_has_no_faults(world: ChainWorld) -> None:
    done: list[tuple[int, int]] = []
    assert list(find_faults(world.database, lambda *told: done.append(told))) == []
    assert done == [(0, 3), (1, 3), (2, 3), (3, 3)]


def change(database: ChainDatabase, table: str, key: bytes, value: bytes | None) -> None:
    with database.writing() as transaction:
        if value is None:
            transaction.delete(key, db=database.table(table))
        else:
            transaction.put(key, value, db=database.table(table))


def hash_of(database: ChainDatabase, number: int) -> bytes:
    return database.hash_at(number) or b""


def lose_a_block(database: ChainDatabase) -> None:
    change(database, "blocks", hash_of(database, 2), None)


def lose_a_number(database: ChainDatabase) -> None:
    change(database, "numbers", (2).to_bytes(8, "big"), None)


def swap_blocks(database: ChainDatabase) -> None:
    other = database.block_bytes(hash_of(database, 1)) or b""
    change(database, "blocks", hash_of(database, 2), other)


def lose_receipts(database: ChainDatabase) -> None:
    change(database, "receipts", hash_of(database, 1), None)


def swap_receipts(database: ChainDatabase) -> None:
    change(database, "receipts", hash_of(database, 1), encode_list(b""))


def lose_a_certificate(database: ChainDatabase) -> None:
    change(database, "certificates", hash_of(database, 1), None)


def swap_certificates(database: ChainDatabase) -> None:
    other = database.get("certificates", hash_of(database, 2))
    change(database, "certificates", hash_of(database, 1), other)


def damage_a_certificate(database: ChainDatabase) -> None:
    change(database, "certificates", hash_of(database, 1), b"\x01")


def lose_the_state(database: ChainDatabase) -> None:
    header = database.header(hash_of(database, 3))
    assert header is not None
    change(database, "state", header.state_root, None)


def damage_the_state(database: ChainDatabase) -> None:
    header = database.header(hash_of(database, 3))
    assert header is not None
    node = database.state(header.state_root) or b""
    change(database, "state", header.state_root, node[:-2] + bytes((node[-2] ^ 1, node[-1])))


def damage_a_flat_account(database: ChainDatabase) -> None:
    with database.reading() as transaction:
        cursor = transaction.cursor(db=database.table("accounts"))
        cursor.first()
        first = bytes(cursor.key())
        cursor.next()
        second = bytes(cursor.value())
    change(database, "accounts", first, second)


def add_a_flat_slot(database: ChainDatabase) -> None:
    change(database, "storage", bytes(20) + bytes(32), b"\x05")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param(lose_a_block, "block 2: it is not here", id="no block"),
        pytest.param(lose_a_number, "block 2: its hash is not here", id="no number"),
        pytest.param(swap_blocks, "block 2: it is block 1 0x", id="another block"),
        pytest.param(lose_receipts, "block 1: its receipts are not here", id="no receipts"),
        pytest.param(swap_receipts, "block 1: its receipts are not those", id="other receipts"),
        pytest.param(lose_a_certificate, "block 1: its certificate is not", id="no certificate"),
        pytest.param(swap_certificates, "block 1: its certificate is another", id="another's"),
        pytest.param(damage_a_certificate, "block 1: ", id="a damaged certificate"),
        pytest.param(lose_the_state, "the head's state: ", id="no root"),
        pytest.param(damage_the_state, "has another hash", id="a damaged node"),
        pytest.param(damage_a_flat_account, "the flat table differs", id="a flat account"),
        pytest.param(add_a_flat_slot, "the flat table differs from the trie", id="a flat slot"),
    ],
)
def test_damage_is_named(
    world: ChainWorld, damage: Callable[[ChainDatabase], None], words: str
) -> None:
    damage(world.database)
    found = faults(world.database)
    assert any(words in fault for fault in found), found


def test_blocks_that_are_written_meanwhile_are_no_faults(world: ChainWorld) -> None:
    assert list(find_faults(world.database, lambda done, _total: grow(world, done))) == []
    assert world.chain.head.block_number == 4


def grow(world: ChainWorld, done: int) -> None:
    """Write a block while the last one is looked at."""
    if done == 3:
        world.propose()


def test_every_table_has_a_size(world: ChainWorld) -> None:
    sizes = {size.name: size for size in table_sizes(world.database)}
    assert set(sizes) == set(TABLES)
    assert sizes["blocks"].entries == 4
    assert sizes["blocks"].size_bytes >= 4_096


def test_the_commands_tell_check_and_prune(tmp_path: Path) -> None:
    world = ChainWorld(tmp_path, GENESIS)
    for _ in range(4):
        world.propose()
    world.close()
    run = CliRunner().invoke
    data = ["--datadir", str(tmp_path)]
    report = json.loads(run(APP, ["db", "stats", *data, "--json"]).stdout)
    assert (report["head"], report["keptStates"], report["numbers"]["entries"]) == (4, "all", 5)
    assert run(APP, ["db", "check", *data]).stdout == "0 faults\n"
    pruned = run(APP, ["db", "prune", "--keep", "1", *data])
    assert pruned.stdout.endswith("states of the last 1 blocks kept\n")
    assert int(pruned.stdout.split()[0]) > 0
    assert json.loads(run(APP, ["db", "stats", *data, "--json"]).stdout)["keptStates"] == 1
    assert run(APP, ["db", "check", *data]).stdout == "0 faults\n"


def test_a_check_that_finds_something_ends_with_3(tmp_path: Path) -> None:
    world = ChainWorld(tmp_path, GENESIS)
    world.propose()
    lose_receipts(world.database)
    world.close()
    done = CliRunner().invoke(APP, ["db", "check", "--datadir", str(tmp_path)])
    assert (done.exit_code, done.stdout) == (3, "block 1: its receipts are not here\n1 faults\n")


def test_no_chain_is_said(tmp_path: Path) -> None:
    done = CliRunner().invoke(APP, ["db", "stats", "--datadir", str(tmp_path)])
    assert done.exit_code == 2
    assert "no chain in" in done.stderr
