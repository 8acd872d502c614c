"""From two votes of one validator to a set without it, through one node and its command line."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import structlog

from consensus.qbft.messages import Prepare, PreparePayload
from consensus.qbft.signing import KeySigner, SigningDomain
from models_registry.registry import read_genesis_hash, read_listing
from node.cvm_network import wire
from tests.chain_world import CHAIN_ID, ChainWorld, address_of
from tests.integration.served_node import ServedNode
from tests.unit.node.p2p.epoch_world import BOND, FOUNDERS, KEYS, EpochWorld, epoch_genesis
from tests.unit.node.test_cvm_network import Node, with_node

pytestmark = pytest.mark.network
LIAR, REPORTER = FOUNDERS[3], KEYS[5]
LIAR_NAME = f"0x{address_of(LIAR).hex()}"
VARIABLE = "TEST_REPORTER_KEY"
FEES_WEI = 10**16
"""More than the transaction of a report costs its sender."""


async def vote_twice(world: ChainWorld, node: Node) -> None:
    """Let a peer bring two prepares of one validator, and wait until the node has the proof."""
    has_reported, report = asyncio.Event(), node.network.report

    def reported(evidence: Any) -> None:
        report(evidence)
        has_reported.set()

    node.network.report = reported  # type: ignore[method-assign]
    await node.started.wait()
    domain = SigningDomain(CHAIN_ID, world.chain.domain.genesis_hash)
    signer = KeySigner(LIAR.to_bytes())
    for digest in (b"\xaa" * 32, b"\xbb" * 32):
        payload = PreparePayload(world.chain.head.block_number + 1, 0, digest)
        signature = signer.sign(domain.digest(payload.CODE, payload.encode()))
        await node.network.qbft(node.peer, wire(Prepare(payload, signature), None))
    await has_reported.wait()


def test_a_double_vote_is_seen_listed_reported_and_costs_bond_and_seat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "0x" + REPORTER.to_bytes().hex())
    world = EpochWorld(tmp_path / "chain", epoch_genesis())
    world.block()
    key = ("--key-env", VARIABLE)

    async def scenario(node: Node) -> None:
        await vote_twice(world, node)
        served = ServedNode(world, node.network)
        told = await served.told("report", *key)
        assert told["reported"] == 1
        assert BOND // 2 - FEES_WEI < told["gainedWei"] < BOND // 2
        listing = read_listing(world.chain.storage_at(world.chain.head), address_of(LIAR))
        assert (listing.bond, listing.is_jailed) == (0, True)
        recorded = read_genesis_hash(world.chain.storage_at(world.chain.head))
        assert recorded == world.chain.domain.genesis_hash
        until = (await served.told("status", LIAR_NAME))["untilHeight"]
        world.run_to(until - 2)
        assert address_of(LIAR) in world.chain.validators()
        world.run_to(until - 1)
        assert world.chain.validators() == tuple(map(address_of, FOUNDERS[:3]))
        world.run_to(until)
        assert LIAR_NAME not in (await served.told("status"))["validators"]
        again = await served.run("report", *key)
        assert again.exit_code == 1
        assert "knows of no double vote that could be punished still" in again.stderr
        served.close()

    with structlog.testing.capture_logs() as lines:
        with_node(world, tmp_path, scenario)
    world.close()
    assert [line["validator"] for line in lines if line["event"] == "double vote"] == [LIAR_NAME]
