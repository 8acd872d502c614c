"""Writes drawn blocks on the flat state, in children that a test kills: `state_writer.py FOLDER`.

It speaks as `writer.py` does: a line in starts a child; its process id, a dot a block, `dead`.
"""

import os
import sys
from pathlib import Path
from random import Random

from tests.unit.evm.state_changes import random_changes
from tests.unit.node.state_world import StateWorld


def write_blocks() -> None:
    """Write blocks until killed; what a block changes follows from its number."""
    world = StateWorld(Path(sys.argv[1]))
    if not world.roots:
        world.add(random_changes(Random(0), 1)[0])
        world.database.prune(3)
    while True:
        world.add(random_changes(Random(len(world.roots)), 1)[0])
        os.write(1, b".\n")


for _line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.write(1, f"{os.getpid()}\n".encode())
        write_blocks()
    os.waitpid(child, 0)
    os.write(1, b"dead\n")
