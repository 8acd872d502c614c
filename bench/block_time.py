"""What a block costs beyond executing it, with four local validators: `python -m bench.block_time`.

A block is due a period after its parent. Each node logs when it had written a block (`after_ms`
since it was due): the proposal, its execution by all, votes and seals, with every message synced to
disk before it goes out, and the block's own write. Taken off are two executions, the proposer's and
then the validator's, as the two timed them then (`executed_ms`): four validators share the cores of
one machine, so that each takes longer than it would alone. What is left with executions timed
afterwards, alone, is `overhead_alone_ms`. Ends in one JSON line, which is also written to
`bench/results/block-time-<date>.json`.
"""

import asyncio
import json
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

from cvm.numba_cache import configure_numba_cache

configure_numba_cache()

# The cache folder must be named before a module with kernels is imported.
from cvm.inference.backends.table import backend_named  # noqa: E402
from node.chain import Chain, init_chain  # noqa: E402
from node.dev_keys import dev_key  # noqa: E402
from node.inference_host import NodeInferenceHost  # noqa: E402
from node.local_network import LocalNetwork, NetworkPlan, make_network  # noqa: E402
from node.network_process import NodePlace  # noqa: E402
from node.storage.chain_database import ChainDatabase  # noqa: E402
from node.storage.model_store import ModelStore  # noqa: E402
from tests.testnets.load import LoadGenerator, inferences, transfers  # noqa: E402
from tests.testnets.models import deploy_classifier, register_model, warm_model  # noqa: E402
from tests.testnets.scenario import running  # noqa: E402
from tests.testnets.watch import Watch  # noqa: E402

RESULTS = Path(__file__).parent / "results"
VALIDATORS, BLOCKS, SKIPPED = 4, 30, 3
TRANSFERS_PER_S, INFERENCES_PER_S = 40.0, 10.0
MODEL_FILE = "digits_int8.onnx"
TIMEOUT_S = 120.0
LINE = re.compile(
    r"block +after_ms=(?P<after>-?\d+) executed_ms=(?P<executed>\d+) .*number=(?P<number>\d+) "
    r"proposed=(?P<proposed>True|False) round=0"
)
BARRED_MS = 150


@dataclass(frozen=True, slots=True)
class Sample:
    """One block at one node, in milliseconds."""

    height: int
    after: int
    executed: int
    proposed: bool


async def run_network(places: Sequence[NodePlace]) -> tuple[range, range]:
    """Make empty blocks, then blocks of a load; return the heights of both."""
    network = LocalNetwork(places)
    watch = Watch(network)
    first = network.nodes[places[0].name]
    load = LoadGenerator(lambda: [first])
    try:
        await network.open()
        await network.start_all()
        async with running(watch.run()):
            empty = await heights(watch)
            model_id = await register_model(first, MODEL_FILE)
            contract = await deploy_classifier(first, model_id)
            load.streams.append(transfers(dev_key(1), TRANSFERS_PER_S))
            load.streams.append(inferences(dev_key(2), INFERENCES_PER_S, contract))
            async with running(load.run()):
                return empty, await heights(watch)
    finally:
        await network.close()


async def heights(watch: Watch) -> range:
    """Wait until so many blocks are made; return their heights without the first few."""
    names = list(watch.network.nodes)
    start = watch.tip(names) + SKIPPED
    end = start + BLOCKS
    await watch.until(lambda: watch.tip(names) > end, TIMEOUT_S, f"height {end}")
    return range(start, end)


def samples(places: Sequence[NodePlace], chosen: range) -> list[Sample]:
    """Return when each node had each of these blocks, decided in round 0, and executed it."""
    found = []
    for place in places:
        for match in LINE.finditer(place.log.read_text()):
            if int(match["number"]) in chosen:
                height, after, executed = map(int, match.group("number", "after", "executed"))
                found.append(Sample(height, after, executed, match["proposed"] == "True"))
    return found


def beyond_execution(found: Sequence[Sample]) -> list[int]:
    """Return what each sample took beyond its proposer's execution and a validator's.

    At the proposer, which waits for the others' votes, that of the median validator.
    """
    left = []
    for height in sorted({each.height for each in found}):
        at_height = [each for each in found if each.height == height]
        built = [each.executed for each in at_height if each.proposed]
        checked = [each.executed for each in at_height if not each.proposed]
        if len(built) != 1 or not checked:
            continue
        for each in at_height:
            second = median(checked) if each.proposed else each.executed
            left.append(round(each.after - built[0] - second))
    return left


def execution_ms(place: NodePlace, folder: Path, chosen: range) -> list[float]:
    """Check every block of one node's chain again; return the milliseconds of these."""
    source = ChainDatabase(place.datadir / "chain", read_only=True)
    copy = ChainDatabase(folder / "copy")
    try:
        init_chain(copy, source.genesis_json() or b"")
        host = NodeInferenceHost(ModelStore(place.datadir / "models"), backend_named("cpu"))
        chain = Chain(copy, host)
        found = []
        for height in range(1, chosen.stop):
            block_hash = source.hash_at(height) or bytes(32)
            block, certificate = source.block(block_hash), source.certificate(block_hash)
            if block is None or certificate is None:
                raise LookupError(f"no block {height}")
            before_s = time.perf_counter()
            checked = chain.check(block, None)
            if height in chosen:
                found.append((time.perf_counter() - before_s) * 1_000)
            chain.append(checked, certificate, None)
    finally:
        copy.close()
        source.close()
    return found


def figures(found: Sequence[Sample], alone: Sequence[float]) -> dict[str, Any]:
    """Return medians and 90th percentiles, and what is left after two executions."""
    after, beyond = [each.after for each in found], beyond_execution(found)
    return {
        "samples": len(found),
        "after_due_ms": spread(after),
        "execution_ms": {
            "built": spread([each.executed for each in found if each.proposed]),
            "checked": spread([each.executed for each in found if not each.proposed]),
            "alone": round(median(alone), 1),
        },
        "overhead_ms": spread(beyond),
        "overhead_alone_ms": round(median(after) - 2 * median(alone), 1),
    }


def spread(values: Sequence[int]) -> dict[str, int]:
    """Return the median and the 90th percentile."""
    return {"median": round(median(values)), "p90": round(quantiles(values, n=10)[-1])}


def main() -> None:
    """Measure, print and write."""
    with TemporaryDirectory(prefix="cvm-block-time-") as name:
        folder = Path(name)
        warm_model(MODEL_FILE)
        places = make_network(folder / "network", NetworkPlan(VALIDATORS, period_s=1))
        empty, loaded = asyncio.run(run_network(places))
        result = {
            "date": datetime.now(UTC).date().isoformat(),
            "validators": VALIDATORS,
            "load": {"transfers_per_s": TRANSFERS_PER_S, "inferences_per_s": INFERENCES_PER_S},
            "bar_ms": BARRED_MS,
            "machine": {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)},
            "empty": figures(samples(places, empty), execution_ms(places[0], folder, empty)),
            "loaded": figures(
                samples(places, loaded), execution_ms(places[0], folder / "again", loaded)
            ),
        }
    text = json.dumps(result)
    (RESULTS / f"block-time-{result['date']}.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
