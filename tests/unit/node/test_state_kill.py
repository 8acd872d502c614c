"""SIGKILL in the middle of writes: flat state, tries and counts of one block, never of two."""

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from cvm.evm.trie_state import TrieState
from tests.unit.evm.state_changes import Model, random_changes
from tests.unit.node.state_world import StateWorld
from tests.unit.node.test_chain_database import ROOT, kill_while_writing
from tests.unit.node.test_flat_state import content
from tests.unit.node.test_pruning import node_keys, reachable

KILLS = 6


def check(world: StateWorld) -> int:
    """Compare what is on disk with the blocks that should have been written; return how many."""
    model = Model()
    for number in range(len(world.roots)):
        model.apply(random_changes(Random(number), 1)[0])
    with world.database.head_state() as state:
        tries = TrieState(world.roots[-1], world.database.state, world.database.code)
        assert content(state) == content(tries)
        for address, account in model.accounts.items():
            found = state.account(address)
            assert found is not None
            assert (found.nonce, found.balance) == (account.nonce, account.balance)
    assert node_keys(world) == reachable(world, world.roots[-3:])
    return len(world.roots)


@pytest.mark.network
def test_a_killed_writer_leaves_whole_blocks_only(tmp_path: Path) -> None:
    path = os.pathsep.join([str(ROOT), str(ROOT / "models-registry")])
    delay, height = Random(29), 0
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("state_writer.py")), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path},
        text=True,
    ) as writer:
        try:
            for _ in range(KILLS):
                kill_while_writing(writer, delay)
                world = StateWorld(tmp_path)
                reached = check(world)
                world.close()
                assert reached > height
                height = reached
        finally:
            writer.kill()
