"""A pruned database holds the nodes of the last states, all of them and no others."""

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.state_reader import EMPTY_TRIE_ROOT
from cvm.evm.trie_state import TrieState
from cvm.faults import MissingTrieNode
from node.storage.pruning import places_in_state
from node.storage.state_faults import NoFlatState
from tests.unit.evm.state_changes import ADDRESSES, random_changes
from tests.unit.node.state_world import StateWorld


def node_keys(world: StateWorld) -> set[bytes]:
    with world.database._env.begin(db=world.database._tables["state"]) as transaction:
        return set(transaction.cursor().iternext(values=False))


def reachable(world: StateWorld, roots: list[bytes]) -> set[bytes]:
    """Return the hashes of the nodes of some states; codes lie in a table of their own."""
    hashes: set[bytes] = set()
    for root in roots:
        hashes.update(places_in_state(world.database.state, root, ()))
    return {node_hash for node_hash in hashes if world.database.code(node_hash) is None}


@settings(max_examples=25, derandomize=True, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 6))
def test_exactly_the_last_states_stay(seed: int, keep: int, archived: int) -> None:
    blocks = random_changes(Random(seed), 14)
    with TemporaryDirectory() as folder:
        world = StateWorld(Path(folder))
        try:
            for changes in blocks[:archived]:
                world.add(changes)
            before = node_keys(world)
            swept = world.database.prune(keep)
            kept = world.roots[-keep:]
            assert node_keys(world) == reachable(world, kept)
            assert swept == len(before) - len(node_keys(world))
            for changes in blocks[archived : archived + keep]:
                world.add(changes)  # what lay between falls out of the window
            for changes in blocks[archived + keep :]:
                world.add(changes)
                assert node_keys(world) == reachable(world, world.roots[-keep:])
            for root in world.roots[-keep:]:
                state = TrieState(root, world.database.state, world.database.code)
                assert [state.account(address) for address in ADDRESSES]
        finally:
            world.close()


def test_pruning_goes_on_after_the_database_was_opened_again(tmp_path: Path) -> None:
    blocks = random_changes(Random(8), 12)
    world = StateWorld(tmp_path)
    for changes in blocks[:4]:
        world.add(changes)
    world.database.prune(2)
    world.close()
    world = StateWorld(tmp_path)
    try:
        assert world.database.kept_blocks() == 2
        for changes in blocks[4:]:
            world.add(changes)
        assert node_keys(world) == reachable(world, world.roots[-2:])
    finally:
        world.close()


def test_a_window_can_grow_and_shrink(tmp_path: Path) -> None:
    blocks = random_changes(Random(11), 12)
    world = StateWorld(tmp_path)
    try:
        for changes in blocks[:3]:
            world.add(changes)
        world.database.prune(1)
        world.add(blocks[3])
        world.database.prune(5)  # what is gone stays gone
        for changes in blocks[4:9]:
            world.add(changes)
        assert node_keys(world) == reachable(world, world.roots[-5:])
        world.database.prune(2)
        assert node_keys(world) == reachable(world, world.roots[-2:])
    finally:
        world.close()


def test_an_archive_keeps_every_state(tmp_path: Path) -> None:
    world = StateWorld(tmp_path)
    try:
        for changes in random_changes(Random(6), 10):
            world.add(changes)
        assert world.database.kept_blocks() is None
        assert node_keys(world) == reachable(world, world.roots)
    finally:
        world.close()


def test_a_pruned_state_is_a_fault_that_names_the_node(tmp_path: Path) -> None:
    world = StateWorld(tmp_path)
    try:
        for changes in random_changes(Random(7), 6):
            world.add(changes)
        world.database.prune(1)
        old = next(root for root in world.roots if root not in (world.roots[-1], EMPTY_TRIE_ROOT))
        with pytest.raises(MissingTrieNode, match=old.hex()):
            TrieState(old, world.database.state).account(ADDRESSES[0])
        with pytest.raises(ValueError, match="the head cannot be pruned"):
            world.database.prune(0)
    finally:
        world.close()


def test_a_chain_without_flat_state_is_not_pruned(tmp_path: Path) -> None:
    world = StateWorld(tmp_path)
    try:
        with pytest.raises(NoFlatState):
            world.database.prune(1)
    finally:
        world.close()
