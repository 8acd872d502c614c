"""Commits blocks as fast as it can, in children that a test kills: `writer.py FOLDER`.

For every line on standard input it starts one child, which prints its process id and then a dot
for each block; when the child is dead, `dead` follows. Forking spares the imports.
"""

import json
import os
import sys
from pathlib import Path

from tests.chain_world import USER, ChainWorld, genesis_document, signed

FOLDER = Path(sys.argv[1])
GENESIS = json.dumps(genesis_document()).encode()


def write_blocks() -> None:
    """Commit blocks with one transfer each until killed."""
    world = ChainWorld(FOLDER, GENESIS)
    nonce = int(world.chain.head.block_number)
    while True:
        recipient = (0xAB00 + nonce).to_bytes(20, "big")
        world.propose([signed(USER, nonce, to=recipient, value=1, gas=21_000)])
        nonce += 1
        os.write(1, b".\n")


for _line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.write(1, f"{os.getpid()}\n".encode())
        write_blocks()
    os.waitpid(child, 0)
    os.write(1, b"dead\n")
