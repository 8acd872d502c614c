"""The flat state: the same as the trie's after any blocks, also shortly before the head."""

import gc
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.state_reader import EMPTY_TRIE_ROOT, Account, StateChanges, StateReader
from cvm.evm.trie_state import TrieState
from cvm.faults import DatabaseFault, MissingCode
from node.storage.chain_database import (
    ChainDatabase,
)
from node.storage.flat_state import UNDO_BLOCKS, decode_compact, encode_compact
from node.storage.state_faults import FlatStateTooShort, NoFlatState, NotTheNextBlock
from node.storage.stored_header import header_of_block
from node.storage.undo_record import encode_record, find_old_value
from tests.unit.evm.state_changes import ADDRESSES, random_changes
from tests.unit.node.state_world import NO_CHANGES, StateWorld, final_block, transfers

SLOTS = (0, 1, 2, 3, 2**255)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[StateWorld]:
    world = StateWorld(tmp_path / "chain")
    yield world
    world.close()


def content(state: StateReader) -> list[object]:
    """Read everything that random blocks can leave."""
    read: list[object] = []
    for address in ADDRESSES:
        account = state.account(address)
        read.append(account)
        read.append([state.storage(address, slot) for slot in SLOTS])
        if account is not None:
            read.append(state.code(account.code_hash))
    return read


@settings(max_examples=25, derandomize=True, deadline=None)
@given(st.integers(0, 10**6))
def test_every_kept_state_equals_the_tries(seed: int) -> None:
    with TemporaryDirectory() as folder:
        world = StateWorld(Path(folder))
        try:
            for changes in random_changes(Random(seed), 7):
                world.add(changes)
            for number, root in enumerate(world.roots):
                trie_state = TrieState(root, world.database.state, world.database.code)
                with world.database.state_after(number) as flat:
                    assert (flat.number, flat.root) == (number, root)
                    assert content(flat) == content(trie_state)
        finally:
            world.close()


def test_a_snapshot_does_not_see_later_blocks(world: StateWorld) -> None:
    blocks = random_changes(Random(3), 4)
    world.add(blocks[0])
    with world.database.head_state() as state:
        before = content(state)
        for changes in blocks[1:]:
            world.add(changes)
        assert content(state) == before
        assert state.number == 0
    with world.database.head_state() as state:
        assert state.number == 3
        assert content(state) != before


def test_a_block_on_another_state_is_refused_and_writes_nothing(world: StateWorld) -> None:
    changes = random_changes(Random(4), 3)
    world.add(changes[0])
    head = world.database.head_hash()
    other = world.committer.commit(EMPTY_TRIE_ROOT, changes[1])
    with pytest.raises(NotTheNextBlock, match=f"block 1 starts from the state {'56e81f17'}"):
        world.database.write_block(final_block(1, other))
    right_state = world.committer.commit(world.roots[0], changes[1])
    with pytest.raises(NotTheNextBlock, match="block 2 starts"):
        world.database.write_block(final_block(2, right_state))
    assert world.database.head_hash() == head
    assert world.add(changes[1]).root == world.roots[1]


def test_everything_of_a_block_is_there(world: StateWorld) -> None:
    world.add(NO_CHANGES)
    final = final_block(1, world.committer.commit(world.roots[0], random_changes(Random(1), 1)[0]))
    world.database.write_block(final)
    database, block = world.database, final.block
    assert database.hash_at(1) == database.head_hash() == block.hash
    assert database.block_bytes(block.hash) == block.encode()
    assert database.header(block.hash) == header_of_block(block.encode())
    assert all(database.state(node_hash) == data for node_hash, data in final.state.nodes.items())
    assert all(database.code(code_hash) == code for code_hash, code in final.state.codes.items())


def test_states_reach_back_as_far_as_records_are_kept(world: StateWorld) -> None:
    address = ADDRESSES[0]
    for number in range(UNDO_BLOCKS + 3):
        world.add(StateChanges({address: Account(number, 1)}, {}, frozenset(), {}))
    for number in (2, 3, UNDO_BLOCKS, UNDO_BLOCKS + 2):
        with world.database.state_after(number) as state:
            assert state.account(address) == Account(number, 1)
    for number in (1, UNDO_BLOCKS + 3, -1):
        with pytest.raises(FlatStateTooShort, match=f"not block {number}$"):
            world.database.state_after(number)


def test_a_chain_without_flat_state_says_so(tmp_path: Path) -> None:
    database = ChainDatabase(tmp_path)
    try:
        with pytest.raises(NoFlatState):
            database.head_state()
    finally:
        database.close()


def test_missing_code_is_a_fault(world: StateWorld) -> None:
    world.add(NO_CHANGES)
    with world.database.head_state() as state, pytest.raises(MissingCode, match="09" * 32):
        state.code(b"\x09" * 32)


def test_a_refused_question_holds_no_snapshot(world: StateWorld) -> None:
    world.add(NO_CHANGES)
    for _ in range(600):  # more than there are places for readers
        with pytest.raises(DatabaseFault):
            world.database.state_after(7)
    with world.database.head_state() as state:
        assert state.number == 0


@pytest.mark.parametrize(
    ("account", "size"),
    [
        pytest.param(Account(), 1, id="empty"),
        pytest.param(Account(1, 10**18), 10, id="wallet"),
        pytest.param(Account(2**64 - 2, 2**256 - 1, b"\x01" * 32, b"\x02" * 32), 105, id="largest"),
        pytest.param(Account(1, 0, code_hash=b"\x02" * 32), 34, id="code"),
        pytest.param(Account(0, 0, b"\x01" * 32), 33, id="storage"),
    ],
)
def test_a_compact_account_is_small_and_whole(account: Account, size: int) -> None:
    data = encode_compact(account)
    assert len(data) == size
    assert decode_compact(data) == account


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.dictionaries(st.binary(min_size=3, max_size=3), st.binary(max_size=5), max_size=30))
def test_a_record_finds_every_key_and_no_other(old: dict[bytes, bytes]) -> None:
    record = encode_record(sorted(old.items()))
    for key in [*old, b"\0\0\0", b"abc", b"\xff\xff\xff"]:
        assert find_old_value(record, key) == old.get(key)


def anonymous_kib() -> int:
    """Return this process's memory that no file backs."""
    gc.collect()
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


@pytest.mark.slow
def test_memory_is_flat_over_two_hundred_blocks_of_a_thousand_transfers(world: StateWorld) -> None:
    random = Random(2)
    addresses = [random.randbytes(20) for _ in range(20_000)]
    world.committer = type(world.committer)(world.database.state, max_warm_nodes=10_000)
    world.add(StateChanges(dict.fromkeys(addresses, Account(0, 1)), {}, frozenset(), {}))
    at_block = {}
    for number in range(1, 201):
        world.add(transfers(random, addresses, 1_000))
        if number in (60, 200):
            at_block[number] = anonymous_kib()
    assert at_block[200] - at_block[60] < 16 << 10
