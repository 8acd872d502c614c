"""`cvm ethereum` beside @ethereumjs/client, a client by others, over sockets on loopback.

After the merge that client asks a consensus client for the head, so the tests say it over the
engine API as one would. It works out from the clock which block a peer's head must be, and asks for
nothing where that block is missing: it syncs a chain only whose head is of now, or later.
"""

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any

import pytest

from consensus.block import Block
from node.p2p.eth_database_view import view_of_chain
from node.storage.chain_database import ChainDatabase
from tests.chain_world import CHAIN_ID, USER, ChainWorld, genesis_document, signed
from tests.conformance.archives import files_of, require_suite
from tests.integration.engine_payload import engine_payload
from tests.integration.ethereum_process import serving
from tests.integration.ethereumjs import ethereumjs
from tests.integration.node_process import (
    cvm,
    wait_until,
)

pytestmark = [pytest.mark.network, pytest.mark.slow]

A_DAY_S = 86_400
BLOCKS = 40
RECEIVER = b"\x77" * 20
SYNC_TIMEOUT_S = 300
HIVE_BLOCKS = 3_000
HIVE_HEAD = "0xd4a8090b9de16baae99540d32b02b4d970428fb1d07b4ea200bc6bb7894034a0"


@dataclass(frozen=True, slots=True)
class OurChain:
    """A chain of ours with plain transfers: its folder, its head, and how often wei was sent."""

    folder: Path
    head: Block
    transfers: int


def made_chain(folder: Path) -> OurChain:
    """Make a chain of plain transfers, of 0 to 3 a block, which begins tomorrow."""
    genesis = genesis_document() | {"timestamp": hex(int(time()) + A_DAY_S)}
    folder.mkdir()
    (folder / "genesis.json").write_text(json.dumps(genesis))
    world = ChainWorld(folder, json.dumps(genesis).encode())
    nonce = 0
    for number in range(1, BLOCKS + 1):
        nonces = range(nonce, nonce + number % 4)
        _checked, left_out = world.propose(
            [signed(USER, each, to=RECEIVER, value=1, gas=21_000) for each in nonces]
        )
        assert left_out == ()
        nonce = nonces.stop
    head = world.database.block(world.chain.head.hash)
    assert head is not None
    world.close()
    return OurChain(folder, head, nonce)


def test_it_syncs_our_blocks_from_us_and_executes_them(tmp_path: Path) -> None:
    ours = made_chain(tmp_path / "ours")
    genesis = ours.folder / "genesis.json"
    head_hash = f"0x{ours.head.hash.hex()}"
    with (
        ethereumjs(tmp_path / "theirs", genesis) as client,
        serving(ours.folder, "--peer", client.enode),
    ):
        wait_until(lambda: len(client.call("admin_peers")) == 1)
        client.call("engine_newPayloadV4", *engine_payload(ours.head))
        state = {"headBlockHash": head_hash, "safeBlockHash": head_hash}
        state["finalizedBlockHash"] = f"0x{bytes(32).hex()}"
        client.call("engine_forkchoiceUpdatedV3", state, None)
        client.lines.wait_for(f"Synchronized blockchain at height={BLOCKS}", SYNC_TIMEOUT_S)
        for number in (1, 20, BLOCKS):
            theirs = client.call("eth_getBlockByNumber", hex(number), False)
            assert theirs["hash"] == hash_here(ours.folder, number)
        received = ("eth_getBalance", f"0x{RECEIVER.hex()}", "latest")  # an error until executed
        wait_until(lambda: client.ask(*received).get("result") == hex(ours.transfers))


def hash_here(folder: Path, number: int) -> str:
    """Return the hash of a block of our own chain, which has its network's identity."""
    with closing(ChainDatabase(folder / "chain", read_only=True)) as database:
        view = view_of_chain(database)
        assert view.identity.network_id == CHAIN_ID
        return f"0x{(view.hash_at(number) or b'').hex()}"


def test_we_sync_hive_s_chain_from_it(tmp_path: Path) -> None:
    parts = {Path(name).name: data for name, data in files_of(require_suite("sync-chain"))}
    for name in ("genesis.json", "chain.rlp"):
        (tmp_path / name).write_bytes(parts[name])
    genesis, datadir = tmp_path / "genesis.json", str(tmp_path / "ours")
    assert cvm("init", str(genesis), "--datadir", datadir).returncode == 0
    with ethereumjs(tmp_path / "theirs", genesis, tmp_path / "chain.rlp") as client:
        head: dict[str, Any] = client.call("eth_getBlockByNumber", "latest", False)
        assert (head["number"], head["hash"]) == (hex(HIVE_BLOCKS), HIVE_HEAD)
        done = cvm("ethereum", "sync", "--peer", client.enode, "--datadir", datadir, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["blocks"], report["headHash"]) == (HIVE_BLOCKS, HIVE_HEAD)
    assert report["stateRoot"] == head["stateRoot"]
