"""How long a killed validator takes to be back: `python -m bench.node_start [STARTS]`.

A validator with an ACTIVE model is killed with SIGKILL and started again on its data directory.
Taken are the seconds and the processor time from the start of the process until it answers, until
it has made its next block, and what each part of the start says it took. Seconds depend on what
else the machine does; processor time does much less. Ends in one JSON line, which is also written
to `bench/results/node-start-<date>.json`.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from cvm.numba_cache import configure_numba_cache

configure_numba_cache()

# The cache folder must be named before a module with kernels is imported.
from node.local_network import LocalNetwork, NetworkPlan, make_network  # noqa: E402
from node.network_process import NetworkProcess  # noqa: E402
from tests.testnets.models import register_model, warm_model  # noqa: E402

RESULTS = Path(__file__).parent / "results"
MODEL_FILE = "digits_int8.onnx"
STARTS = 10
POLL_S = 0.05
BLOCK_TIMEOUT_S = 60.0
BARRED_S = 5.0
USER_TICKS, SYSTEM_TICKS = 11, 12
"""Places of proc(5)'s utime and stime behind the name of the command."""


def processor_s(process_id: int) -> float:
    """Return the processor time of all threads of a process so far."""
    stat = Path(f"/proc/{process_id}/stat").read_text()
    fields = stat[stat.rindex(")") + 2 :].split()
    ticks = int(fields[USER_TICKS]) + int(fields[SYSTEM_TICKS])
    return ticks / os.sysconf("SC_CLK_TCK")


async def height(node: NetworkProcess) -> int:
    """Return the height of a node's head."""
    return int(await node.call("eth_blockNumber"), 16)


async def next_block(node: NetworkProcess) -> None:
    """Wait until a node has another head."""
    head = await height(node)
    while True:
        if await height(node) > head:
            return
        await asyncio.sleep(POLL_S)


async def start(network: LocalNetwork, name: str) -> dict[str, float]:
    """Start a node once and return its figures."""
    node = network.nodes[name]
    began_s = time.perf_counter()
    await network.start(name)
    ready_s, ready_cpu_s = time.perf_counter() - began_s, processor_s(node.process_id)
    async with asyncio.timeout(BLOCK_TIMEOUT_S):
        await next_block(node)
    return {
        "ready_s": ready_s,
        "ready_processor_s": ready_cpu_s,
        "block_s": time.perf_counter() - began_s,
        "block_processor_s": processor_s(node.process_id),
    }


async def kill_and_start(folder: Path, starts: int) -> list[dict[str, float]]:
    """Make a chain with a model, then kill its validator again and again."""
    places = make_network(folder, NetworkPlan(validators=1, period_s=1))
    network, name = LocalNetwork(places), places[0].name
    try:
        await network.open()
        await network.start_all()
        await register_model(network.nodes[name], MODEL_FILE)
        found = []
        for _ in range(starts):
            await network.kill(name)
            found.append(await start(network, name))
        return found
    finally:
        await network.close()


def figures(found: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Return least, median and most of each figure."""
    return {
        name: {
            "least": round(min(values), 2),
            "median": round(median(values), 2),
            "most": round(max(values), 2),
        }
        for name in found[0]
        if (values := [each[name] for each in found])
    }


def main(arguments: Sequence[str]) -> None:
    """Measure, print and write."""
    starts = int(arguments[0]) if arguments else STARTS
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installation has its bytecode on disk
    warm_model(MODEL_FILE)
    with TemporaryDirectory(prefix="cvm-node-start-") as name:
        found = asyncio.run(kill_and_start(Path(name), starts))
    result = {
        "date": datetime.now(UTC).date().isoformat(),
        "starts": len(found),
        "bar_s": BARRED_S,
        **figures(found),
        "load": round(os.getloadavg()[0], 1),
    }
    text = json.dumps(result)
    (RESULTS / f"node-start-{result['date']}.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
