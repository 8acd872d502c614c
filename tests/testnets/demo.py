"""`make demo-network`: four validators re-run a model, lose one and get it back, and outvote a lie.

Real processes on loopback. Ends with a table of the nodes; the status is 1 where a step failed.
"""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from cvm.numba_cache import configure_numba_cache

configure_numba_cache()

# The cache folder must be named before a module with kernels is imported.
from models_registry.cli.http_client import ClientFault  # noqa: E402
from node.dev_keys import dev_key  # noqa: E402
from node.local_network import LocalNetwork, NetworkPlan, make_network  # noqa: E402
from node.network_process import NetworkProcess, NoAnswer, NodeDidNotStart  # noqa: E402
from tests.testnets.behaviours import BEHAVIOUR_VARIABLE, FLIP_FILE, FLIPPED_BIT, MODULE  # noqa: E402
from tests.testnets.chain_check import Chains, read_chains  # noqa: E402
from tests.testnets.load import LoadGenerator, inferences  # noqa: E402
from tests.testnets.models import (  # noqa: E402
    ModelStepFailed,
    attestations,
    deploy_classifier,
    register_model,
    wait_until_held,
    warm_model,
)
from tests.testnets.scenario import flat, running  # noqa: E402
from tests.testnets.watch import POLL_S, NotInTime, Watch, now_s  # noqa: E402

VALIDATORS, PERIOD_S = 4, 1
MODEL_FILE = "digits_int8.onnx"
KILLED, FLIPPED = "validator-1", "validator-3"
INFERENCES_PER_S = 4.0
STEP_TIMEOUT_S = 60.0
BLOCKS_WITHOUT = 4
"""So many blocks are made while a node is away, and after one has stopped voting."""
HEADINGS = ("node", "height", "head", "seals", "seals since the lie", "status")
console = Console(stderr=True, highlight=False)


class NetworkDemo:
    """The steps, in order, on one network."""

    def __init__(self, folder: Path) -> None:
        plan = NetworkPlan(VALIDATORS, period_s=PERIOD_S)
        self.places = make_network(folder, plan)
        self.network = LocalNetwork(self.places)
        flipped = self.network.nodes[FLIPPED]
        self.network.nodes[FLIPPED] = NetworkProcess(flipped.place, MODULE)
        self.watch = Watch(self.network)
        self.load = LoadGenerator(lambda: [self.network.nodes["validator-0"]])
        self.statuses: dict[str, str] = {}
        self.lied_at = 0

    async def run(self) -> None:
        """Run every step; raises what a step raises."""
        os.environ[BEHAVIOUR_VARIABLE] = FLIPPED_BIT
        try:
            async with AsyncExitStack() as cleanup:
                await self._start()
                await cleanup.enter_async_context(running(self.watch.run()))
                await self._see("the first block at every node", lambda: self._all_at_tip(1))
                contract = await self._register()
                self.load.streams.append(inferences(dev_key(1), INFERENCES_PER_S, contract))
                load = await cleanup.enter_async_context(running(self.load.run()))
                await self._kill()
                await self._flip()
                load.cancel()
                count = await self.load.included(self.network.nodes["validator-0"])
                say(f"{count} inference transactions sent, all of them in the chain")
                await self._see("every node at the tip", lambda: self._all_at_tip(1))
                await self._ask_statuses()
        finally:
            await self.network.close()

    async def _start(self) -> None:
        step(1, f"start {VALIDATORS} validators, a block every {PERIOD_S} s")
        await asyncio.to_thread(warm_model, MODEL_FILE)
        await self.network.open()
        await self.network.start_all()

    async def _register(self) -> str:
        step(2, f"register {MODEL_FILE} at one node (cvm model register)")
        model_id = await register_model(self.network.nodes["validator-0"], MODEL_FILE)
        await wait_until_held(self.network, model_id)
        signed = await attestations(self.network, model_id)
        if signed < VALIDATORS:
            raise ModelStepFailed(f"{signed} of {VALIDATORS} validators attested the model")
        say(f"model {model_id} is ACTIVE, its bytes at every node, attested by all {signed}")
        return await deploy_classifier(self.network.nodes["validator-0"], model_id)

    async def _kill(self) -> None:
        step(3, f"send {INFERENCES_PER_S:g} inferences a second, and kill {KILLED}")
        await self.network.kill(KILLED)
        before = self._tip()
        await self._see(
            f"{BLOCKS_WITHOUT} blocks without {KILLED}",
            lambda: self._tip() >= before + BLOCKS_WITHOUT,
        )
        started_s = now_s()
        await self.network.start(KILLED)
        await self._see(f"{KILLED} at the tip again", lambda: self._is_back(started_s))

    async def _flip(self) -> None:
        step(4, f"let the backend of {FLIPPED} flip one bit of every output")
        node = self.network.nodes[FLIPPED]
        self.lied_at = self._tip()
        (node.place.datadir / FLIP_FILE).touch()
        async with asyncio.timeout(STEP_TIMEOUT_S):
            while True:
                status = await node.call("cvm_nodeStatus")
                if status["quarantinedBackend"]:
                    break
                await asyncio.sleep(POLL_S)
        say(f"{FLIPPED} found its backend wrong and votes no more: {status['status']}")
        before = self._tip()
        await self._see(
            f"{BLOCKS_WITHOUT} blocks of the other three",
            lambda: self._tip() >= before + BLOCKS_WITHOUT,
        )

    async def _see(self, what: str, is_so: Callable[[], bool]) -> None:
        seconds = await self.watch.until(is_so, STEP_TIMEOUT_S, what)
        say(f"{what}: after {seconds:.1f} s, height {self._tip()}")

    def _tip(self) -> int:
        return self.watch.tip(self.network.nodes)

    def _all_at_tip(self, height: int) -> bool:
        nodes = set(self.network.nodes)
        return self.watch.at_tip(nodes, 0) == nodes and self._tip() >= height

    def _is_back(self, since_s: float) -> bool:
        return KILLED in self.watch.at_tip(set(self.network.nodes), since_s)

    async def _ask_statuses(self) -> None:
        for name, node in self.network.nodes.items():
            self.statuses[name] = (await node.call("cvm_nodeStatus"))["status"]


def table_of(chains: Chains, late_seals: Counter[str], statuses: dict[str, str]) -> Table:
    """Return one line for each node."""
    table = Table()
    for heading in HEADINGS:
        table.add_column(
            heading, justify="left" if heading in ("node", "head", "status") else "right"
        )
    for name, height in chains.heights.items():
        table.add_row(
            name,
            str(height),
            f"0x{chains.hashes[height].hex()[:16]}",
            str(chains.seals[name]),
            str(late_seals[name]),
            statuses.get(name, ""),
        )
    return table


def step(number: int, text: str) -> None:
    """Announce a step."""
    console.print(f"[bold][{number}/4][/] {text}")


def say(text: str) -> None:
    """Print a line of a step."""
    console.print(f"      {text}", markup=False, soft_wrap=True)


def main() -> int:
    """Run the demonstration."""
    with TemporaryDirectory(prefix="cvm-demo-network-") as folder:
        demo = NetworkDemo(Path(folder))
        faults: list[str] = []
        try:
            asyncio.run(demo.run())
        except* (
            ClientFault,
            ModelStepFailed,
            NoAnswer,
            NodeDidNotStart,
            NotInTime,
            TimeoutError,
        ) as group:
            faults += [f"{type(error).__name__}: {error}" for error in flat(group)]
        chains = read_chains(demo.places, list(demo.network.nodes))
        late = chains.seals_after(demo.lied_at)
        faults += chains.faults
        console.print(table_of(chains, late, demo.statuses))
        for fault in faults:
            console.print(f"[red]{fault}[/]")
        if faults:
            return 1
        console.print(
            f"[bold green]{len(chains.hashes)} blocks, {chains.transactions} transactions: "
            "every node has the same block at every height[/]"
        )
        return 0


if __name__ == "__main__":
    sys.exit(main())
