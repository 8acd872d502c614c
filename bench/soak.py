"""A day of a node in an hour or less: `python -m bench.soak [--hours 24]`.

A development node as a process of its own makes 1,800 blocks for each hour of chain time, one every
two seconds of it, under its own consensus, on its disk. Twenty times an hour clients send transfers
and inferences, run a model by eth_call, look for logs and poll their filters; one follows the heads
over WebSocket and must miss none. Each line tells what the node's processes hold (anonymous
memory) and its files. The first hours fill caches; the slope is that of the last two thirds.

What an empty block and 1,000 transfers add to the database is measured before that, on a database
with a few blocks. Ends in one JSON line, kept in `bench/results/soak-<date>.json`; exits 1 where
memory grows by 1 MB an hour or more.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import linear_regression
from typing import Any

import numpy as np
from aiohttp import ClientSession, ClientWebSocketResponse

from node.sample_models import sample_model_path
from tests.integration.node_process import (
    DEV_ACCOUNT,
    STOP_TIMEOUT_S,
    NodeProcess,
    cvm_json,
    environment,
    register_digits,
    url_of,
)

RESULTS = Path(__file__).parent / "results"
PERIOD_S, HOUR_BLOCKS, TURNS = 2, 1800, 20
TRANSFERS, INFERENCES = 25, 2
"""What is sent in a turn: 500 transfers and 40 inferences an hour."""

BAR_MB_PER_HOUR = 1.0
FIRST_BLOCKS = 1000
TWIN = "0x0000000000000000000000000000000000000c00"
RECIPIENTS = 2000
READ_TIMEOUT_S = 60.0


@dataclass(slots=True)
class Load:
    """What clients ask of the node, and what the one that follows the heads was told."""

    node: NodeProcess
    datadir: Path
    socket: ClientWebSocketResponse
    infer: str
    filters: tuple[str, str]
    sent: int = 0
    heads: int = 0
    memory_mb: list[float] = field(default_factory=list)

    async def ask(self, method: str, *params: object) -> Any:
        """Return a result; the node must give one."""
        return await asyncio.to_thread(self.node.result, method, *params)

    async def hour(self) -> None:
        """Pass an hour of chain time."""
        for _ in range(TURNS):
            await self.send(TRANSFERS, INFERENCES)
            await self.mine(HOUR_BLOCKS // TURNS)
            await self.look()
        self.memory_mb.append(sum(anonymous_mb(each) for each in family(self.node.process.pid)))

    async def send(self, transfers: int, inferences: int = 0) -> None:
        """Leave transactions in the pool, all in one batch."""
        wishes: list[dict[str, str]] = []
        for _ in range(transfers):
            to = f"0x{self.sent % RECIPIENTS + 1:040x}"
            wishes.append({"from": DEV_ACCOUNT, "to": to, "value": "0x1", "gas": "0x5208"})
            self.sent += 1
        call = {"from": DEV_ACCOUNT, "to": TWIN, "data": self.infer, "gas": "0x186a0"}
        wishes += [call] * inferences
        body = [
            {"jsonrpc": "2.0", "id": n, "method": "eth_sendTransaction", "params": [wish]}
            for n, wish in enumerate(wishes)
        ]
        answers = await asyncio.to_thread(self.node.post, json.dumps(body).encode())
        faults = [answer["error"] for answer in answers if "error" in answer]
        if faults:
            raise RuntimeError(f"a transaction was refused: {faults[0]}")

    async def mine(self, blocks: int) -> None:
        """Make blocks two seconds apart; the follower must hear of each."""
        mining = asyncio.create_task(self.ask("anvil_mine", hex(blocks), hex(PERIOD_S)))
        async with asyncio.timeout(READ_TIMEOUT_S):
            for _ in range(blocks):
                await self.socket.receive_json()
                self.heads += 1
        await mining

    async def look(self) -> None:
        """Do what a dApp and an explorer do."""
        head = int(await self.ask("eth_blockNumber"), 16)
        await self.ask("eth_call", {"to": TWIN, "data": self.infer}, "latest")
        await self.ask("eth_getLogs", {"fromBlock": hex(max(0, head - 1000)), "toBlock": "latest"})
        await self.ask("eth_feeHistory", "0x64", "latest", [10, 50, 90])
        await self.ask("eth_getBlockByNumber", hex(head), True)
        for each in self.filters:
            await self.ask("eth_getFilterChanges", each)

    def database_bytes(self) -> int:
        """Return what the records of all tables take, with their keys and pages."""
        stats = cvm_json("db", "stats", "--datadir", str(self.datadir), "--json")
        return sum(table["bytes"] for table in stats.values() if isinstance(table, dict))

    async def growth(self) -> dict[str, float]:
        """Return what empty blocks and 1,000 transfers add to the database."""
        empty = self.database_bytes()
        await self.mine(FIRST_BLOCKS)
        before = self.database_bytes()
        per_block = (before - empty) / FIRST_BLOCKS
        for _ in range(10):
            await self.send(100)
            await self.mine(1)
        after = self.database_bytes()
        return {
            "empty_block_bytes": round(per_block),
            "thousand_transfers_bytes": round(after - before - 10 * per_block),
        }


def anonymous_mb(pid: int) -> float:
    """Return the anonymous memory of a process (Linux's proc(5), RssAnon), in MB."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise OSError(f"/proc/{pid}/status has no RssAnon: this needs Linux 4.5 or later")


def family(pid: int) -> Iterator[int]:
    """Yield a process and its children, theirs too."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            yield from family(int(child))


@contextmanager
def soaked_node(folder: Path) -> Iterator[NodeProcess]:
    """Run a development node that makes blocks only when told to."""
    log = folder / "node.log"
    words = ["dev", "--datadir", str(folder / "data"), "--no-idle-blocks", "--http.port", "0"]
    command = [sys.executable, "-m", "node.cli", *words]
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment()
        ) as process,
    ):
        try:
            yield NodeProcess(url_of(process, log), process, log)
        finally:
            process.terminate()
            process.wait(STOP_TIMEOUT_S)


async def prepared(node: NodeProcess, datadir: Path, session: ClientSession) -> Load:
    """Register a model, and begin to follow and to filter."""
    registering = asyncio.create_task(asyncio.to_thread(register_digits, node))
    while not registering.done():
        node.result("evm_mine")
        await asyncio.wait([registering], timeout=0.2)
    model = registering.result()
    image = np.load(sample_model_path("digits_100_images.npy"), allow_pickle=False)[0]
    node.result("evm_setAutomine", False)
    socket = await session.ws_connect(node.url.replace("http", "ws"))
    await socket.send_json(
        {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}
    )
    await socket.receive_json()
    filters = (node.result("eth_newBlockFilter"), node.result("eth_newFilter", {}))
    return Load(node, datadir, socket, model + image.tobytes().hex(), filters)


async def soak(hours: int) -> dict[str, Any]:
    """Return what was measured, and print each hour."""
    with (
        tempfile.TemporaryDirectory() as folder,
        soaked_node(Path(folder)) as node,
    ):
        async with ClientSession() as session:
            load = await prepared(node, Path(folder) / "data", session)
            growth = await load.growth()
            print(json.dumps(growth), flush=True)
            for hour in range(1, hours + 1):
                began = time.monotonic()
                await load.hour()
                seconds = time.monotonic() - began
                print(f"hour {hour:3}: {load.memory_mb[-1]:7.1f} MB, {seconds:5.1f} s", flush=True)
    return growth | {"hours": hours, "blocks": load.heads, "memory_mb": load.memory_mb}


def main() -> int:
    """Measure, print, keep, and tell whether the bar is held."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--hours", type=int, default=24)
    hours = arguments.parse_args().hours
    report = asyncio.run(soak(hours))
    late = list(enumerate(report["memory_mb"]))[hours // 3 :]
    slope = linear_regression(*zip(*late, strict=True)).slope
    report = {"bar_mb_per_hour": BAR_MB_PER_HOUR, "slope_mb_per_hour": round(slope, 3), **report}
    print(json.dumps(report))
    path = RESULTS / f"soak-{datetime.now(UTC):%Y-%m-%d}.json"
    path.write_text(json.dumps(report, indent=2) + "\n")
    return int(slope >= BAR_MB_PER_HOUR)


if __name__ == "__main__":
    sys.exit(main())
