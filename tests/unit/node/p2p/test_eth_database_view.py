"""What a database tells peers of eth: who the chain is, how far it goes, and how much work."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cvm.evm.header import BlockHeader
from node.ethereum_archive import init_ethereum_chain
from node.p2p.eth_database_view import DatabaseView, view_of_chain
from node.p2p.eth_fork_id import ForkSchedule
from node.storage.chain_database import ChainDatabase, NoChainHere
from node.storage.stored_header import header_of_block, header_of_stored
from tests.chain_world import CHAIN_ID, ChainWorld, genesis_document
from tests.unit.node.p2p.eth_world import made_blocks

PLAIN = {
    "config": {"chainId": 9, "terminalTotalDifficulty": 0, "londonBlock": 0, "shanghaiTime": 50},
    "gasLimit": "0x1c9c380",
}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[ChainDatabase]:
    database = ChainDatabase(tmp_path / "plain")
    yield database
    database.close()


def test_a_plain_chain_has_the_forks_of_its_genesis_file(database: ChainDatabase) -> None:
    with pytest.raises(NoChainHere):
        view_of_chain(database)
    init_ethereum_chain(database, json.dumps(PLAIN).encode())
    view = view_of_chain(database)
    genesis_hash = database.hash_at(0) or b""
    assert view.identity.network_id == 9
    assert view.identity.forks == ForkSchedule(genesis_hash, (), (50,))
    assert (view.head.hash, view.earliest, view.total_difficulty()) == (genesis_hash, 0, 0)
    assert view.header(b"") is None


def test_our_own_chain_has_its_schedule_by_height(tmp_path: Path) -> None:
    world = ChainWorld(tmp_path, json.dumps(genesis_document()).encode())
    world.propose()
    view = view_of_chain(world.database)
    assert view.identity.network_id == CHAIN_ID
    assert view.identity.forks == ForkSchedule(world.database.hash_at(0) or b"")
    assert view.head == world.chain.head
    world.close()


class Worked(DatabaseView):
    """A chain of three blocks of work and four of stake, without a database."""

    HEADERS = tuple(
        BlockHeader(block_number=number, gas_limit=1, timestamp=1, difficulty=work)
        for number, work in enumerate((100, 7, 9, 0, 0, 0, 0))
    )

    @property
    def head(self) -> BlockHeader:
        return self.HEADERS[-1]

    def hash_at(self, number: int) -> bytes | None:
        return bytes([number + 1])

    def header(self, block_hash: bytes) -> BlockHeader | None:
        return self.HEADERS[block_hash[0] - 1]


def test_work_is_counted_up_to_the_merge(database: ChainDatabase) -> None:
    init_ethereum_chain(database, json.dumps(PLAIN).encode())
    assert Worked(database, view_of_chain(database).identity).total_difficulty() == 116


@pytest.mark.parametrize("extra_bytes", [0, 9, 32, 5_000])
def test_a_stored_header_is_read_without_the_block(extra_bytes: int) -> None:
    block = made_blocks(3)[3]
    header = replace(block.header, extra_data=b"x" * extra_bytes)
    raw = replace(block, header=header).encode()
    assert header_of_stored(memoryview(raw)) == header_of_block(raw) == header
