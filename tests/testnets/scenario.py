"""Runs one manifest: real processes on loopback, and what must hold of them."""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from node.dev_keys import dev_key
from node.local_network import LocalNetwork, NetworkPlan, make_network
from node.network_process import NetworkProcess, NoAnswer, NodeDidNotStart, NodePlace
from tests.testnets.behaviours import BEHAVIOUR_VARIABLE, FLIP_FILE, FLIPPED_BIT, MODULE
from tests.testnets.chain_check import Chains, read_chains
from tests.testnets.load import LoadGenerator, inferences, transfers
from tests.testnets.manifest import Kind, LateJoiner, Manifest, Perturbation
from tests.testnets.models import (
    ModelStepFailed,
    attestations,
    deploy_classifier,
    register_model,
    wait_until_held,
    warm_model,
)
from tests.testnets.watch import POLL_S, NotInTime, Watch, now_s

BACK_S, PROGRESS_S = 20.0, 10.0
"""How long a node may take to the tip after its perturbation, the start of its process included;
how long the chain may take to the next block once the processes run and the links are joined."""

FIRST_BLOCK_S, JOIN_S, QUARANTINE_S = 60.0, 60.0, 60.0
TRANSFER_ACCOUNT, INFERENCE_ACCOUNT = 1, 2


@dataclass(frozen=True, slots=True)
class Recovery:
    """How long the nodes took after one perturbation; None where they did not in time."""

    what: str
    back_s: float | None
    progress_s: float | None


@dataclass(slots=True)
class Report:
    """What came of a manifest; it has passed where `faults` is empty."""

    name: str
    blocks: int = 0
    seconds: float = 0.0
    transactions: int = 0
    recoveries: list[Recovery] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class Scenario:
    """One run of a manifest in a folder of its own."""

    def __init__(self, manifest: Manifest, folder: Path) -> None:
        self.manifest = manifest
        plan = NetworkPlan(manifest.validators, manifest.full_nodes, manifest.period_s)
        self.places: Sequence[NodePlace] = make_network(folder, plan)
        self.network = LocalNetwork(self.places, relayed=True)
        self.watch = Watch(self.network)
        self.report = Report(manifest.name)
        self._unwell: set[str] = {entry.node for entry in manifest.late}
        self._load = LoadGenerator(self._well)
        byzantine = manifest.byzantine
        if byzantine is not None:
            node = self.network.nodes[byzantine.node]
            self.network.nodes[byzantine.node] = NetworkProcess(node.place, MODULE)

    @property
    def honest(self) -> set[str]:
        """Return the nodes that run and must be at the tip."""
        return set(self.manifest.nodes) - self._unwell - {self.manifest.liar or ""}

    def _well(self) -> list[NetworkProcess]:
        return [node for name, node in self.network.nodes.items() if name in self.honest]

    async def run(self) -> Report:
        """Do everything that the manifest says; what does not hold is in the report."""
        started_s = now_s()
        try:
            await self._run()
        except* (NotInTime, ModelStepFailed, NodeDidNotStart, NoAnswer) as group:
            self.report.faults += map(str, flat(group))
        finally:
            await self.network.close()
        self.report.seconds = now_s() - started_s
        believed = [name for name in self.manifest.nodes if name != self.manifest.liar]
        self._judge(await asyncio.to_thread(read_chains, self.places, believed))
        return self.report

    async def _run(self) -> None:
        byzantine = self.manifest.byzantine
        if byzantine is not None:
            os.environ[BEHAVIOUR_VARIABLE] = byzantine.behaviour
        for file_name in self.manifest.models:
            await asyncio.to_thread(warm_model, file_name)
        await self.network.open()
        await self.network.start_all([*set(self.manifest.nodes) - self._unwell])
        async with AsyncExitStack() as cleanup:
            await cleanup.enter_async_context(running(self.watch.run()))
            await self._see_first_block()
            contracts = await self._register_models()
            self._start_streams(contracts)
            load = await cleanup.enter_async_context(running(self._load.run()))
            async with asyncio.TaskGroup() as tasks:
                for entry in self.manifest.late:
                    tasks.create_task(self._join(entry))
                tasks.create_task(self._perturb())
            await self._see_quarantine()
            await self._see_blocks()
            load.cancel()
            await self._settle()

    async def _see_first_block(self) -> None:
        seconds = await self.watch.until(
            lambda: (
                len(self.watch.at_tip(self.honest, 0)) == len(self.honest)
                and self.watch.tip(self.honest) >= 1
            ),
            FIRST_BLOCK_S,
            "the first block at every node",
        )
        self.report.notes.append(f"first block at all nodes after {seconds:.1f} s")

    async def _register_models(self) -> list[str]:
        contracts = []
        for file_name in self.manifest.models:
            model_id = await register_model(self._well()[0], file_name)
            await wait_until_held(self.network, model_id)
            signed = await attestations(self.network, model_id)
            validators = [node for node in self._well() if node.place.validator is not None]
            if signed < len(validators):
                self.report.faults.append(
                    f"{file_name}: {signed} attestations of {len(validators)} validators"
                )
            self.report.notes.append(f"{file_name} ACTIVE, {signed} attestations")
            contracts.append(await deploy_classifier(self._well()[0], model_id))
        return contracts

    def _start_streams(self, contracts: Sequence[str]) -> None:
        load = self.manifest.load
        if load.transfers_per_s:
            self._load.streams.append(transfers(dev_key(TRANSFER_ACCOUNT), load.transfers_per_s))
        for index, contract in enumerate(contracts if load.inferences_per_s else ()):
            key = dev_key(INFERENCE_ACCOUNT + index)
            rate = load.inferences_per_s / len(contracts)
            self._load.streams.append(inferences(key, rate, contract))

    async def _join(self, entry: LateJoiner) -> None:
        """Start a node late and see it come to the tip."""
        await self.watch.until(
            lambda: self.watch.tip(self.honest) >= entry.at_height,
            entry.at_height * self.manifest.period_s + JOIN_S,
            f"height {entry.at_height}",
        )
        await self.network.start(entry.node)
        started_s = now_s()
        self._unwell.discard(entry.node)
        seconds = await self.watch.until(
            lambda: entry.node in self.watch.at_tip(self.honest, started_s),
            BACK_S,
            f"{entry.node} at the tip",
        )
        self.report.notes.append(
            f"{entry.node} joined at {entry.at_height}, at the tip after {seconds:.1f} s"
        )

    async def _perturb(self) -> None:
        for perturbation in self.manifest.perturbations:
            await asyncio.sleep(perturbation.after_s)
            await self._break(perturbation)
            await asyncio.sleep(perturbation.for_s)
            await self._see_recovery(perturbation)

    async def _break(self, perturbation: Perturbation) -> None:
        self._unwell.update(perturbation.nodes)
        if perturbation.kind is Kind.DISCONNECT:
            await self.network.separate(perturbation.nodes)
        for name in perturbation.nodes:
            match perturbation.kind:
                case Kind.KILL:
                    await self.network.kill(name)
                case Kind.RESTART:
                    await self.network.nodes[name].stop()
                case Kind.PAUSE:
                    self.network.pause(name)

    async def _mend(self, perturbation: Perturbation) -> float:
        """Undo what was done, and return how many seconds the processes took to start."""
        before_s = now_s()
        match perturbation.kind:
            case Kind.DISCONNECT:
                self.network.heal()
            case Kind.PAUSE:
                for name in perturbation.nodes:
                    self.network.resume(name)
            case Kind.KILL | Kind.RESTART:
                async with asyncio.TaskGroup() as tasks:
                    for name in perturbation.nodes:
                        tasks.create_task(self.network.start(name))
        return now_s() - before_s

    async def _see_recovery(self, perturbation: Perturbation) -> None:
        """Mend what was broken, and see the chain go on and every node at its tip.

        The time of a process to start counts.
        """
        healed_s = now_s()
        before = self.watch.tip(self.manifest.nodes)
        everybody = self.honest | set(perturbation.nodes) - {self.manifest.liar or ""}
        progress_s = back_s = None
        try:
            async with asyncio.TaskGroup() as tasks:
                mending = tasks.create_task(self._mend(perturbation))
                progress = tasks.create_task(
                    self.watch.until(
                        lambda: self.watch.tip(everybody) > before,
                        BACK_S,
                        f"a block after: {perturbation}",
                    )
                )
            progress_s = progress.result()
            if progress_s > mending.result() + PROGRESS_S:
                self.report.faults.append(f"a block {progress_s:.1f} s after: {perturbation}")
            await self.watch.until(
                lambda: self.watch.at_tip(everybody, healed_s) == everybody,
                BACK_S + healed_s - now_s(),
                f"every node at the tip after: {perturbation}",
            )
            back_s = now_s() - healed_s
        except* NotInTime as group:
            self.report.faults += map(str, flat(group))
        self._unwell.difference_update(perturbation.nodes)
        self.report.recoveries.append(Recovery(str(perturbation), back_s, progress_s))

    async def _see_quarantine(self) -> None:
        """Have the backend of a node flip bits, and see it put aside while the chain goes on."""
        byzantine = self.manifest.byzantine
        if byzantine is None or byzantine.behaviour != FLIPPED_BIT:
            return
        node = self.network.nodes[byzantine.node]
        (node.place.datadir / FLIP_FILE).touch()
        before = self.watch.tip(self.honest)
        try:
            async with asyncio.timeout(QUARANTINE_S):
                while True:
                    status = await node.call("cvm_nodeStatus")
                    if status["quarantinedBackend"]:
                        break
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise NotInTime(f"{byzantine.node} goes on with its backend") from None
        self.report.notes.append(f"{byzantine.node} put its backend aside after block {before}")
        await self.watch.until(
            lambda: self.watch.tip(self.honest) >= before + 5,
            FIRST_BLOCK_S,
            "five blocks after the quarantine",
        )

    async def _see_blocks(self) -> None:
        await self.watch.until(
            lambda: self.watch.tip(self.honest) >= self.manifest.blocks,
            self.manifest.blocks * self.manifest.period_s + FIRST_BLOCK_S,
            f"{self.manifest.blocks} blocks",
        )

    async def _settle(self) -> None:
        """See all transactions included, and every node at the tip."""
        self.report.transactions = await self._load.included(self._well()[0])
        since_s = now_s()
        await self.watch.until(
            lambda: self.watch.at_tip(self.honest, since_s) == self.honest,
            BACK_S,
            "every node at the tip in the end",
        )

    def _judge(self, chains: Chains) -> None:
        report = self.report
        report.blocks = max(chains.heights.values(), default=0)
        report.faults += chains.faults
        report.faults += [f"two hashes shown at {height}" for height in self.watch.forks()]
        rounds = ", ".join(f"{number}: {count}" for number, count in sorted(chains.rounds.items()))
        seals = ", ".join(f"{name} {count}" for name, count in sorted(chains.seals.items()))
        report.notes += [f"heights by round: {rounds}", f"seals: {seals}"]
        if self._load.refused:
            report.notes.append(f"{self._load.refused} times a node took no transaction")


@asynccontextmanager
async def running(work: Coroutine[None, None, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Run something beside a block of code, and end it with the block."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def flat(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """Yield the single exceptions of a group of groups."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from flat(error)
        else:
            yield error
