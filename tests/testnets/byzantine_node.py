"""A real node that breaks the rules: `python -m tests.testnets.byzantine_node node ...`.

Everything is the node's own but for what it tells others of consensus, or for its backend.
"""

import os
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cvm.numba_cache import configure_numba_cache
from tests.testnets.behaviours import BEHAVIOUR_VARIABLE, FLIP_FILE, FLIPPED_BIT


def exchanged_part(behaviour: str) -> tuple[str, Any]:
    """Return which name of `node.service` is exchanged, and for what."""
    from cvm.inference.backends.backend import Backend
    from cvm.inference.backends.table import backend_named
    from tests.testnets.byzantine_gossip import driver_of
    from tests.testnets.flipped_backend import FlippedBackend

    def flipped(name: str) -> Backend:
        datadir = Path(sys.argv[sys.argv.index("--datadir") + 1])
        return FlippedBackend(backend_named(name), datadir / FLIP_FILE)

    if behaviour == FLIPPED_BIT:
        return "backend_named", flipped
    return "ConsensusDriver", driver_of(behaviour)


def main() -> None:
    """Run the command line of a node with one part exchanged."""
    configure_numba_cache()
    from node import cli, service

    with patch.object(service, *exchanged_part(os.environ[BEHAVIOUR_VARIABLE])):
        cli.main()


if __name__ == "__main__":
    main()
