"""A validator whose seal half a thousand certificates lack loses its seat by one command."""

import asyncio
from pathlib import Path

import pytest

from models_registry.registry import read_listing
from node.lone_network import LoneNetwork
from tests.chain_world import address_of
from tests.integration.served_node import ServedNode
from tests.unit.node.p2p.epoch_world import BOND, FOUNDERS, KEYS, EpochWorld, epoch_genesis

pytestmark = pytest.mark.network
ABSENT, REPORTER = FOUNDERS[3], KEYS[5]
NAME = f"0x{address_of(ABSENT).hex()}"
VARIABLE = "TEST_REPORTER_KEY"
KEY = ("--key-env", VARIABLE)
TIMEOUT_S = 120


async def be_reported(world: EpochWorld) -> None:
    """Report the fourth validator: the world's blocks are sealed by a quorum of the first three."""
    served = ServedNode(world, LoneNetwork(world.chain, world.store))
    world.run_to(500)
    early = await served.run("report-absence", NAME, *KEY)
    assert early.exit_code == 1
    assert "window 0 show 499 of 499 so far" in early.stderr
    world.run_to(510)
    found = await served.told("report-absence", NAME, *KEY)
    assert (found["window"], found["absences"], found["allowed"]) == (0, 501, 500)
    assert (found["bondWei"], found["jailed"]) == (BOND, False)
    assert list(found["transactions"]) == ["reportAbsence 1-266", "reportAbsence 267-501"]
    until = found["untilHeight"]
    world.run_to(until - 1)
    assert world.chain.validators() == tuple(map(address_of, FOUNDERS[:3]))
    listing = read_listing(world.chain.storage_at(world.chain.head), address_of(ABSENT))
    assert (listing.bond, listing.is_jailed) == (BOND, False)
    again = await served.run("report-absence", NAME, *KEY)
    assert f"goes already: block {until} is its first without" in again.stderr
    served.close()


def test_a_validator_that_seals_nothing_loses_its_seat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "0x" + REPORTER.to_bytes().hex())
    world = EpochWorld(tmp_path / "chain", epoch_genesis(epoch_blocks=100))

    async def bounded() -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await be_reported(world)

    asyncio.run(bounded())
    world.close()
