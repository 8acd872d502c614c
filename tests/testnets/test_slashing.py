"""What comes of a validator that says two things: real processes, from a lie to the lost seat."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from node.local_network import BOND_WEI, LocalNetwork, NetworkPlan, make_network
from node.network_process import NetworkProcess
from tests.integration.node_process import cvm, cvm_json
from tests.testnets.behaviours import BEHAVIOUR_VARIABLE, MODULE
from tests.testnets.scenario import running
from tests.testnets.watch import Watch

pytestmark = [pytest.mark.slow, pytest.mark.network]
EPOCH_BLOCKS = 10
SEEN_S, EPOCH_S, ALL_S = 90.0, 180.0, 500.0
FEES_WEI = 10**16
"""More than the transaction of a report costs its sender."""


async def ask(*arguments: str) -> Any:  # what a command prints as JSON
    return await asyncio.to_thread(cvm_json, "validator", *arguments, "--json")


async def until_listed(node: NetworkProcess, validator: str) -> None:
    """Wait until a node knows of a double vote by this validator, and of none by another."""
    async with asyncio.timeout(SEEN_S):
        while True:
            listed = await node.call("cvm_listEvidence")
            assert {proof["validator"] for proof in listed} <= {validator}
            if listed:
                return
            await asyncio.sleep(0.2)


async def equivocate_and_be_slashed(folder: Path) -> None:
    plan = NetworkPlan(validators=4, period_s=1, epoch_blocks=EPOCH_BLOCKS)
    network = LocalNetwork(make_network(folder, plan))
    liar, honest = network.nodes["validator-3"].place, network.nodes["validator-0"]
    assert liar.validator is not None
    name = f"0x{liar.validator.hex()}"
    network.nodes[liar.name] = NetworkProcess(liar, MODULE)
    others = [node for node in network.nodes if node != liar.name]
    watch, rpc = Watch(network), ("--rpc", honest.place.url)
    try:
        await network.open()
        await network.start_all()
        async with running(watch.run()):
            await until_listed(honest, name)
            told = await ask("report", "--account", "dev", *rpc)
            assert told["reported"] == 1
            assert BOND_WEI // 2 - FEES_WEI < told["gainedWei"] < BOND_WEI // 2
            found = await ask("status", name, *rpc)
            assert (found["bondWei"], found["jailed"]) == (0, True)
            assert found["untilHeight"] % EPOCH_BLOCKS == 0
            last = found["untilHeight"] + 2
            await watch.until(lambda: watch.tip(others) > last, EPOCH_S, f"block {last}")
            assert watch.forks() == []
        listed = (await ask("status", *rpc))["validators"]
        assert name not in listed
        assert len(listed) == 3
        sealed = await honest.call("cvm_listCertificates", hex(last - 2), hex(last))
        assert [int(each["signers"], 16).bit_count() for each in sealed] == [2, 2, 2]
        again = await asyncio.to_thread(cvm, "validator", "report", "--account", "dev", *rpc)
        assert again.returncode == 1
        assert "knows of no double vote that could be punished still" in again.stderr
    finally:
        await network.close()


def test_a_double_vote_is_seen_listed_reported_and_costs_bond_and_seat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BEHAVIOUR_VARIABLE, "equivocate")

    async def bounded() -> None:
        async with asyncio.timeout(ALL_S):
            await equivocate_and_be_slashed(tmp_path)

    asyncio.run(bounded())
