"""`cvm ethereum sync` from `cvm ethereum serve`, over sockets on loopback."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.ethereum_process import serving
from tests.integration.node_process import cvm
from tests.integration.test_ethereum_commands import BLOCKS, CHAIN, GENESIS, encoded

pytestmark = pytest.mark.network
NOBODY = f"enode://{'79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'}" + (
    "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8@127.0.0.1:1"
)
"""The generator of secp256k1 as a node, at a port where none is."""


def begun(folder: Path, genesis: dict[str, Any]) -> Path:
    """Start a chain in a folder."""
    folder.mkdir()
    (folder / "genesis.json").write_text(json.dumps(genesis))
    done = cvm("init", str(folder / "genesis.json"), "--datadir", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def enode(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = begun(tmp_path_factory.mktemp("served") / "data", GENESIS)
    (folder / "chain.rlp").write_bytes(encoded(CHAIN))
    done = cvm("import", str(folder / "chain.rlp"), "--datadir", str(folder))
    assert done.returncode == 0, done.stderr
    with serving(folder) as url:
        yield url


def synced(folder: Path, *peers: str) -> "subprocess.CompletedProcess[str]":
    options = [word for peer in peers for word in ("--peer", peer)]
    return cvm("ethereum", "sync", "--datadir", str(folder), "--json", *options)


def test_a_chain_comes_to_the_head_of_its_peer_and_stays_there(enode: str, tmp_path: Path) -> None:
    folder = begun(tmp_path / "data", GENESIS)
    (folder / "some.rlp").write_bytes(encoded(CHAIN[1:6]))
    cvm("import", str(folder / "some.rlp"), "--datadir", str(folder))
    for new in (BLOCKS - 5, 0):
        done = synced(folder, enode, NOBODY)
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert (told["blocks"], told["head"]) == (new, BLOCKS)
        assert told["headHash"] == f"0x{CHAIN[-1].hash.hex()}"


def refused(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 2
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    return line


def test_a_peer_of_another_chain_is_useless_to_both(enode: str, tmp_path: Path) -> None:
    folder = begun(tmp_path / "data", {**GENESIS, "gasLimit": "0x1c9c381"})
    line = refused(synced(folder, enode))
    node_id = enode.removeprefix("enode://")[:16]
    assert f"error: no peer to ask for block 1: peer {node_id}: useless_peer: " in line


def test_a_peer_that_is_not_there_is_named(tmp_path: Path) -> None:
    folder = begun(tmp_path / "data", GENESIS)
    line = refused(synced(folder, NOBODY))
    assert "no peer to ask for block 1: 127.0.0.1:1: network_error: " in line


def test_what_is_no_enode_url_is_refused(tmp_path: Path) -> None:
    line = refused(synced(tmp_path, "enode://00@127.0.0.1:1"))
    assert "error: --peer: not a public key of 128 digits" in line
