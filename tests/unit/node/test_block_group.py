"""Blocks that are written together are all there, or none of the group."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from consensus.ethereum.ethereum_block import EthereumBlock
from cvm.evm.state_committer import StateCommitter
from cvm.evm.state_reader import EMPTY_TRIE_ROOT, Account, StateChanges
from node.storage.block_group import BlockGroup
from node.storage.chain_database import ChainDatabase, FinalBlock
from node.storage.state_faults import NotTheNextBlock
from tests.unit.consensus.ethereum.ethereum_world import PARENT, child_of

ADDRESS = b"\x11" * 20


class Blocks:
    """Makes blocks one after the other, each of which gives an account more wei."""

    def __init__(self, database: ChainDatabase) -> None:
        self._committer = StateCommitter(database.state)
        update = self._committer.commit(EMPTY_TRIE_ROOT, balance(0))
        self.head = replace(PARENT, block_number=0, state_root=update.root)
        database.write_genesis(b"{}", self.head, update)

    def next(self) -> FinalBlock:
        number = self.head.block_number + 1
        update = self._committer.commit(self.head.state_root, balance(number))
        self.head = child_of(self.head, state_root=update.root)
        return FinalBlock(EthereumBlock(self.head, (), (), ()), (), None, update)


def balance(wei: int) -> StateChanges:
    return StateChanges({ADDRESS: Account(1, wei)}, {}, frozenset(), {})


class Stopped(Exception):
    """Something goes wrong amid a block."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[ChainDatabase]:
    database = ChainDatabase(tmp_path / "chain")
    yield database
    database.close()


def head_number(database: ChainDatabase) -> int:
    with database.head_state() as state:
        return state.number


def test_blocks_are_durable_when_their_group_is_full(database: ChainDatabase) -> None:
    blocks = Blocks(database)
    seen = []
    with BlockGroup(database, 2) as group:
        for _ in range(3):
            group.write_block(blocks.next())
            seen.append(head_number(database))
    assert seen == [0, 2, 2]
    assert head_number(database) == 3


def test_the_group_sees_what_nobody_else_does(database: ChainDatabase) -> None:
    blocks = Blocks(database)
    with BlockGroup(database, 10) as group:
        final = blocks.next()
        group.write_block(final)
        assert group.head_state().account(ADDRESS) == Account(1, 1)
        assert group.header(final.block.hash) == blocks.head
        assert database.header(final.block.hash) is None


def test_a_block_that_does_not_stand_on_the_head_is_refused(database: ChainDatabase) -> None:
    blocks = Blocks(database)
    with BlockGroup(database, 10) as group:
        group.write_block(blocks.next())
        blocks.next()
        with pytest.raises(NotTheNextBlock, match="block 3 starts"):
            group.write_block(blocks.next())
    assert head_number(database) == 1


def test_a_stop_between_two_blocks_keeps_the_first(database: ChainDatabase) -> None:
    blocks = Blocks(database)

    def write_and_stop() -> None:
        with BlockGroup(database, 10) as group:
            group.write_block(blocks.next())
            raise Stopped

    with pytest.raises(Stopped):
        write_and_stop()
    assert head_number(database) == 1


def test_a_stop_amid_a_block_takes_the_group_back(
    database: ChainDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = Blocks(database)

    def broken(transaction: object, final: FinalBlock) -> None:
        raise Stopped

    def write_two() -> None:
        with BlockGroup(database, 10) as group:
            group.write_block(blocks.next())
            monkeypatch.setattr(database, "_write", broken)
            group.write_block(blocks.next())

    with pytest.raises(Stopped):
        write_two()
    assert head_number(database) == 0
