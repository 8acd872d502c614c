"""`cvm node --prune`: the state of the last blocks stays, older states go."""

from pathlib import Path

import pytest

from cvm.evm.state_reader import Account, StateChanges
from cvm.evm.trie_state import TrieState
from cvm.faults import MissingTrieNode
from node.service import prune_state
from tests.unit.node.state_world import StateWorld

ADDRESS = b"\x11" * 20


def test_older_states_go_and_the_last_ones_stay(tmp_path: Path) -> None:
    world = StateWorld(tmp_path / "chain")
    try:
        for number in range(6):
            changes = {ADDRESS: Account(number, 1), bytes([number]) * 20: Account(0, number + 1)}
            world.add(StateChanges(dict(changes), {}, frozenset(), {}))
        database = world.database
        prune_state(database, None)
        assert TrieState(world.roots[0], database.state).account(ADDRESS) == Account(0, 1)
        prune_state(database, 2)
        assert database.kept_blocks() == 2
        with pytest.raises(MissingTrieNode):
            TrieState(world.roots[0], database.state).account(ADDRESS)
        for number in (4, 5):
            state = TrieState(world.roots[number], database.state)
            assert state.account(ADDRESS) == Account(number, 1)
    finally:
        world.close()
