"""A reader that was killed does not pin old pages: the writer forgets it with its next block."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chain_world import ChainWorld, genesis_document

READER = """
import os, sys
from pathlib import Path
from node.storage.chain_database import ChainDatabase
database = ChainDatabase(Path(sys.argv[1]), read_only=True)
with database._env.begin():
    print("reading", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path, json.dumps(genesis_document()).encode())
    yield world
    world.close()


def test_a_killed_reader_is_forgotten(world: ChainWorld, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(tmp_path / "chain")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == b"reading\n"
        assert str(reader.pid) in world.database._env.readers()
        os.kill(reader.pid, signal.SIGKILL)
    world.propose()
    assert str(reader.pid) not in world.database._env.readers()
