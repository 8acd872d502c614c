"""The database: one block, one transaction; whole or not at all, whatever kills the process."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, cast

import lmdb
import pytest
from trie.hexary import HexaryTrie
from trie.iter import NodeIterator

from consensus.block import Block
from cvm.evm.state_reader import EMPTY_TRIE_ROOT
from cvm.faults import DatabaseFault
from node.storage.chain_database import (
    ChainDatabase,
    FinalBlock,
    NoChainHere,
)
from node.storage.database_format import OtherFormat
from node.storage.database_lock import DatabaseInUse
from tests.chain_world import USER, ChainWorld, genesis_document, signed

ROOT = Path(__file__).parents[3]
GENESIS = json.dumps(genesis_document()).encode()
KILLS = 10
GENESIS_ACCOUNTS = 5  # four contracts and one account with ether
UNKNOWN = b"\x09" * 32


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path, GENESIS)
    yield world
    world.close()


def transfer(nonce: int) -> bytes:
    return signed(USER, nonce, to=(0xAB00 + nonce).to_bytes(20, "big"), value=1, gas=21_000)


def test_everything_of_a_block_is_there(world: ChainWorld) -> None:
    checked = world.propose([transfer(0), transfer(1)])[0]
    block, database = checked.block, world.database
    stored = database.block(block.hash)
    assert stored is not None
    assert stored.encode() == block.encode() == database.block_bytes(block.hash)
    assert database.header(block.hash) == block.header
    assert database.receipts(block.hash) == checked.executed.receipts
    assert database.hash_at(1) == database.head_hash() == block.hash
    for index, tx in enumerate(block.transactions):
        assert database.transaction_location(tx.hash) == (block.hash, index)


def test_what_is_not_there_is_none(world: ChainWorld) -> None:
    database = world.database
    assert database.block(UNKNOWN) is None
    assert database.header(UNKNOWN) is None
    assert database.receipts(UNKNOWN) == ()
    assert database.certificate(UNKNOWN) is None
    assert database.transaction_location(UNKNOWN) is None
    assert database.state(UNKNOWN) is None


@pytest.mark.parametrize("number", [-1, 1, 2**64 - 1, 2**64, 2**300])
def test_a_height_without_a_block_is_none(world: ChainWorld, number: int) -> None:
    assert world.database.hash_at(number) is None


def test_older_hashes_run_downwards_to_genesis(world: ChainWorld) -> None:
    for _ in range(3):
        world.propose()
    hashes = [world.database.hash_at(number) for number in (2, 1, 0)]
    assert list(world.database.hashes_below(3)) == hashes
    assert list(world.database.hashes_below(0)) == []


def test_genesis_is_kept_byte_for_byte(world: ChainWorld) -> None:
    assert world.database.genesis_json() == GENESIS


class CountedEnvironment:
    """The real environment, with its write transactions counted."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.writes = 0

    def begin(self, *args: Any, **kwargs: Any) -> Any:
        self.writes += bool(kwargs.get("write"))
        return self._real.begin(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def test_one_block_is_one_transaction(world: ChainWorld) -> None:
    counted = CountedEnvironment(world.database._env)
    world.database._env = cast(Any, counted)
    world.propose([transfer(0), transfer(1)])
    assert counted.writes == 1


class FullDisk(CountedEnvironment):
    """An environment whose commit fails, as on a full disk."""

    def begin(self, *args: Any, **kwargs: Any) -> Any:
        transaction = super().begin(*args, **kwargs)
        return FailingCommit(transaction) if kwargs.get("write") else transaction


class FailingCommit:
    def __init__(self, real: Any) -> None:
        self._real = real

    def __enter__(self) -> Any:
        return self._real.__enter__()

    def __exit__(self, *_error: object) -> None:
        self._real.abort()
        raise lmdb.DiskError("mdb_txn_commit: No space left on device")


def test_a_failed_commit_is_a_local_fault_and_leaves_the_old_head(world: ChainWorld) -> None:
    head, real = world.chain.head.hash, world.database._env
    world.database._env = cast(Any, FullDisk(real))
    with pytest.raises(DatabaseFault, match="No space left on device"):
        world.propose([transfer(0)])
    world.database._env = real
    assert (world.database.head_hash(), world.chain.head.hash) == (head, head)
    assert world.propose([transfer(0)])[1] == ()


def test_a_second_writer_is_refused(world: ChainWorld, tmp_path: Path) -> None:
    with pytest.raises(DatabaseInUse, match=f"{tmp_path} is in use by another process"):
        ChainDatabase(tmp_path / "chain")
    world.propose()


def test_a_closed_database_can_be_opened_again(tmp_path: Path) -> None:
    for _ in range(2):
        ChainDatabase(tmp_path / "chain").close()


def test_a_database_of_another_format_is_named_and_left_alone(
    world: ChainWorld, tmp_path: Path
) -> None:
    world.propose()
    world.database.close()
    write_format(tmp_path, b"9")
    for read_only in (True, False):
        with pytest.raises(OtherFormat, match="has format 9, this version reads format 1"):
            ChainDatabase(tmp_path / "chain", read_only=read_only)
    write_format(tmp_path, b"1")
    ChainDatabase(tmp_path / "chain").close()


def write_format(datadir: Path, number: bytes) -> None:
    """Write another format number into a database that nobody has open."""
    with lmdb.open(str(datadir / "chain"), max_dbs=64) as env:
        table = env.open_db(b"meta")
        with env.begin(write=True) as transaction:
            transaction.put(b"format", number, db=table)


def test_nothing_to_read_is_named_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(NoChainHere, match=f"--datadir {tmp_path}/data` first"):
        ChainDatabase(tmp_path / "data" / "chain", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_a_local_fault(tmp_path: Path) -> None:
    folder = tmp_path / "chain"
    folder.mkdir()
    (folder / "data.mdb").write_bytes(b"garbage" * 10_000)
    with pytest.raises(DatabaseFault, match="cannot open the database in"):
        ChainDatabase(folder)


def test_a_block_that_cannot_be_encoded_writes_nothing(world: ChainWorld) -> None:
    checked = world.propose()[0]
    head, root = world.database.head_hash(), checked.update.root
    nodes = {b"k" * 32: b"node", b"l" * 32: cast(Any, "text")}
    update = replace(checked.update, parent_root=root, nodes=nodes)
    header = replace(checked.block.header, block_number=2)
    broken = FinalBlock(Block(header, ()), (), None, update)
    with pytest.raises(TypeError):
        world.database.write_block(broken)
    assert world.database.head_hash() == head
    assert world.database.state(b"k" * 32) is None


def kill_while_writing(writer: "subprocess.Popen[str]", delay: Random) -> None:
    """Let the writer start a child; SIGKILL it up to 20 ms after one of its first blocks."""
    assert writer.stdin is not None
    assert writer.stdout is not None
    print(file=writer.stdin, flush=True)
    child = int(writer.stdout.readline())
    for _ in range(1 + delay.randrange(8)):
        assert writer.stdout.readline() == ".\n"
    kill_at = time.monotonic() + delay.random() / 50
    while time.monotonic() < kill_at:
        pass
    os.kill(child, signal.SIGKILL)
    while (line := writer.stdout.readline()) != "dead\n":
        assert line == ".\n"


@pytest.fixture
def writer(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "models-registry")])
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("writer.py")), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path},
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def check_complete(world: ChainWorld, above: int) -> None:
    """Check every block above a height: bytes, receipts, certificate, the whole state trie."""
    database = world.database
    for number in range(world.chain.head.block_number, above, -1):
        block_hash = database.hash_at(number)
        assert block_hash is not None
        block, certificate = database.block(block_hash), database.certificate(block_hash)
        assert block is not None
        assert certificate is not None
        assert certificate.header_hash == block.hash == block_hash
        assert len(database.receipts(block_hash)) == len(block.transactions) == 1
        location = database.transaction_location(block.transactions[0].hash)
        assert location == (block_hash, 0)
        accounts = count_accounts(database, block.header.state_root)
        assert accounts == GENESIS_ACCOUNTS + 1 + number  # the proposer, and a recipient a block


def count_accounts(database: ChainDatabase, root: bytes) -> int:
    """Walk a whole state trie; a missing node raises."""
    assert root != EMPTY_TRIE_ROOT

    class Nodes(dict[bytes, bytes]):
        def __missing__(self, key: bytes) -> bytes:
            value = database.state(key)
            if value is None:
                raise KeyError(key)
            return value

        def __contains__(self, key: object) -> bool:
            return True

    trie = HexaryTrie(Nodes(), root)
    accounts = NodeIterator(trie).keys()
    return sum(1 for _ in accounts)


@pytest.mark.network
def test_a_killed_writer_loses_no_final_block_and_leaves_none_half_written(
    writer: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    delay = Random(1_907)
    height = 0
    for _ in range(KILLS):
        kill_while_writing(writer, delay)
        world = ChainWorld(tmp_path, GENESIS)
        try:
            reached = world.chain.head.block_number
            assert reached > height
            check_complete(world, above=height)
            height = reached
        finally:
            world.close()
    world = ChainWorld(tmp_path, GENESIS)
    try:
        assert world.propose([transfer(height)])[1] == ()
    finally:
        world.close()
