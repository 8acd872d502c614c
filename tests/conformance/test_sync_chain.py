"""hive's chain of 3,000 blocks is imported into a database, from its file to its head."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from consensus.ethereum.ethereum_block import decode_ethereum_block, split_blocks
from consensus.ethereum.faults import WrongStateRoot
from node.ethereum_archive import import_ethereum_blocks, init_ethereum_chain
from node.sender_recovery import SenderRecovery
from node.storage.chain_database import ChainDatabase
from tests.conformance.archives import files_of, require_suite

HEAD = bytes.fromhex("d4a8090b9de16baae99540d32b02b4d970428fb1d07b4ea200bc6bb7894034a0")
BLOCKS = 3_000
SOME = 300
"""More blocks than one group holds."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[ChainDatabase]:
    database = ChainDatabase(tmp_path / "chain")
    yield database
    database.close()


@pytest.fixture
def recovery() -> Iterator[SenderRecovery]:
    recovery = SenderRecovery()
    yield recovery
    recovery.close()


def files() -> dict[str, bytes]:
    return {Path(name).name: data for name, data in files_of(require_suite("sync-chain"))}


@pytest.mark.slow
def test_every_block_is_imported(database: ChainDatabase, recovery: SenderRecovery) -> None:
    parts = files()
    forks = init_ethereum_chain(database, parts["genesis.json"])
    head = import_ethereum_blocks(database, forks, split_blocks(parts["chain.rlp"]), recovery).head
    assert (head.hash, head.block_number) == (HEAD, BLOCKS)
    assert database.head_hash() == HEAD


def test_the_first_blocks_are_imported_and_stay(
    database: ChainDatabase, recovery: SenderRecovery
) -> None:
    parts = files()
    raws = split_blocks(parts["chain.rlp"])
    assert len(raws) == BLOCKS
    forks = init_ethereum_chain(database, parts["genesis.json"])
    for some in (raws[:SOME], raws[SOME : 2 * SOME]):
        head = import_ethereum_blocks(database, forks, some, recovery).head
        assert database.head_hash() == head.hash
        assert database.block_bytes(head.hash) == some[-1]
        assert database.head_state().root == head.state_root


def test_blocks_before_a_wrong_one_stay(database: ChainDatabase, recovery: SenderRecovery) -> None:
    parts = files()
    raws = split_blocks(parts["chain.rlp"])[:10]
    state_root = decode_ethereum_block(raws[9]).header.state_root
    raws[9] = raws[9].replace(state_root, bytes(32))
    forks = init_ethereum_chain(database, parts["genesis.json"])
    with pytest.raises(WrongStateRoot, match="block 10: stateRoot"):
        import_ethereum_blocks(database, forks, raws, recovery)
    head = database.head_hash() or b""
    header = database.header(head)
    assert header is not None
    assert header.block_number == 9
