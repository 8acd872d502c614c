"""Our own `.io` files, about models and inferences on the recorded chain, and their schemas."""

import json
from pathlib import Path

from tests.rpc_compat.io_file import IoFile, parse_io
from tests.rpc_compat.judging import Judge

ROOT = Path(__file__).parents[2]
FILES = ROOT / "tests" / "vectors" / "rpc"
CHAIN = ROOT / "tests" / "vectors" / "chain"
OPENRPC = ROOT / "node" / "rpc" / "openrpc.json"
CHAIN_FILES = ("genesis.json", "digits.cvm")
NAMESPACES = "cvm"


def own_files() -> list[IoFile]:
    """Return every file, in the order of names."""
    return [
        parse_io(str(path.relative_to(FILES)), path.read_text())
        for path in sorted(FILES.glob("*/*.io"))
    ]


def own_judge() -> Judge:
    """Return what compares answers, with the schemas that the node itself serves."""
    return Judge(json.loads(OPENRPC.read_text()))


def own_chain() -> dict[str, bytes]:
    """Return the files from which a node makes the chain: genesis, then blocks with their model."""
    return {name: (CHAIN / name).read_bytes() for name in CHAIN_FILES}
