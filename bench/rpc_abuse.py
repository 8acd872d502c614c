"""What a well-behaved client notices while others abuse a node: `python -m bench.rpc_abuse`.

A `cvm dev` process with a block a second. One client asks eth_blockNumber, eth_getBalance and
eth_call in turn, 50 times a second, first alone, then beside another process, which plays all of
this at once from this machine (whose addresses have no rate): heads sent byte by byte, batches of
1,000 requests, bodies of nothing but brackets, calls that burn 50,000,000 gas, logs of the whole
chain, fee histories, whole blocks, and subscribers that never read. Ends in one JSON line, which is
also written to `bench/results/rpc-abuse-<date>.json`, and exits 1 where the client's p99 is over
its bar or a block comes late.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from http.client import HTTPConnection
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import uvloop
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from tests.integration.node_process import DEV_ACCOUNT, NodeProcess, running

RESULTS = Path(__file__).parent / "results"
BAR_MS = 250
LATE_BLOCK_S = 1.5
"""A block is due a second after its parent."""

ALONE_S, ABUSED_S = 6.0, 30.0
ASKS_PER_S = 50
MINED_BLOCKS = 2_000
SLOW_HEADS, NEVER_READ = 300, 100
ABUSER_NICENESS = 10
"""Abusers are far away: what they do on this machine must not be what the client waits for."""

BURNER = "0x" + "b0" * 20
BURN = "0x5b5f56"
"""JUMPDEST, PUSH0, JUMP."""
OWN_BALANCE = "0x475f5260205ff3"
"""SELFBALANCE, returned as a word."""

HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Slow: "
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
BLOCK_LINE = re.compile(r"^(\S+Z) \[info *\] block ", re.MULTILINE)

Counts = Counter[str]


def request(method: str, *params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}


def bodies() -> dict[str, tuple[int, bytes]]:
    """Return what is posted again and again: by how many at once, and the body."""
    full_block = request("eth_getBlockByNumber", "latest", True)
    burn = request("eth_call", {"to": BURNER}, "latest", {BURNER: {"code": BURN}})
    logs = request("eth_getLogs", {"fromBlock": "earliest", "toBlock": "latest"})
    fees = request("eth_feeHistory", "0x400", "latest", [1, 50, 99])
    made: dict[str, tuple[int, object]] = {
        "batches": (4, [full_block] * 1_000),
        "burning_calls": (16, burn),
        "wide_logs": (8, logs),
        "fee_histories": (4, fees),
        "whole_blocks": (4, full_block),
    }
    posted = {name: (count, json.dumps(body).encode()) for name, (count, body) in made.items()}
    posted["depth_bombs"] = (4, b"[" * (5 << 20))
    posted["value_bombs"] = (4, b"[" + b"[]," * (5 << 18) + b"[]]")
    posted["string_bombs"] = (4, b'["' + b"\\u0041" * 800_000 + b'"]')
    return posted


async def post_again(
    session: ClientSession, url: str, name: str, body: bytes, counts: Counts
) -> None:
    """Post the same body as soon as it was answered."""
    headers = {"Content-Type": "application/json"}
    while True:
        try:
            async with session.post(url, data=body, headers=headers) as response:
                await response.read()
                counts[name] += 1
        except ClientError:
            counts[f"{name} cut off"] += 1


async def slow_head(host: str, port: int, counts: Counts) -> None:
    """Send a head that never ends, a byte each half second; begin anew when cut off."""
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
            writer.write(HEAD)
            counts["slow_heads"] += 1
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.5)
        except OSError:
            counts["slow_heads cut off"] += 1


async def never_read(host: str, port: int, counts: Counts) -> None:
    """Subscribe over a WebSocket, ask on and on, and read nothing."""
    asked = masked(json.dumps(request("eth_getBlockByNumber", "0x0", True)).encode())
    while True:
        try:
            reader, writer = await asyncio.open_connection(host, port, limit=1 << 10)
            writer.write(UPGRADE)
            await reader.readuntil(b"\r\n\r\n")
            writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's has it
            for kind in ("newHeads", "newPendingTransactions"):
                writer.write(masked(json.dumps(request("eth_subscribe", kind)).encode()))
            counts["never_read"] += 1
            while True:
                writer.write(asked)
                await writer.drain()
                await asyncio.sleep(0.5)
        except (OSError, asyncio.IncompleteReadError):
            counts["never_read cut off"] += 1


def masked(message: bytes) -> bytes:
    """Return a client's text frame; its mask is zero (RFC 6455, section 5.3)."""
    return b"\x81\xfe" + len(message).to_bytes(2, "big") + bytes(4) + message


async def abuse(url: str, host: str, port: int, pipe: Connection) -> None:
    """Do everything at once until told to stop, then say how often."""
    counts: Counts = Counter()
    connector, timeout = TCPConnector(limit=0), ClientTimeout(total=None)
    async with ClientSession(connector=connector, timeout=timeout) as session:
        work: list[Coroutine[Any, Any, None]] = [  # coroutines that end with their tasks
            post_again(session, url, name, body, counts)
            for name, (at_once, body) in bodies().items()
            for _ in range(at_once)
        ]
        work += [slow_head(host, port, counts) for _ in range(SLOW_HEADS)]
        work += [never_read(host, port, counts) for _ in range(NEVER_READ)]
        tasks = [asyncio.create_task(each) for each in work]
        pipe.send("abusing")
        await asyncio.to_thread(pipe.recv)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    pipe.send(dict(sorted(counts.items())))


def run_abusers(url: str, host: str, port: int, pipe: Connection) -> None:
    """Be the abusers' process."""
    os.nice(ABUSER_NICENESS)
    uvloop.run(abuse(url, host, port, pipe))


def ask(connection: HTTPConnection, body: bytes) -> float:
    """Ask once, and return how many milliseconds it took."""
    began_s = time.perf_counter()
    connection.request("POST", "/", body, {"Content-Type": "application/json"})
    answer = json.load(connection.getresponse())
    took_ms = (time.perf_counter() - began_s) * 1e3
    if "result" not in answer:
        raise RuntimeError(answer)
    return took_ms


def watch(node: NodeProcess, seconds: float) -> list[float]:
    """Ask steadily, and return how long each answer took."""
    connection = HTTPConnection("127.0.0.1", int(node.port), timeout=60)
    asked = [
        json.dumps(request("eth_blockNumber")).encode(),
        json.dumps(request("eth_getBalance", DEV_ACCOUNT, "latest")).encode(),
        json.dumps(
            request("eth_call", {"to": BURNER}, "latest", {BURNER: {"code": OWN_BALANCE}})
        ).encode(),
    ]
    began_s = time.monotonic()
    taken: list[float] = []
    while (now_s := time.monotonic()) < began_s + seconds:
        due_s = began_s + len(taken) / ASKS_PER_S
        time.sleep(max(0.0, due_s - now_s))  # the pace of what is measured
        taken.append(ask(connection, asked[len(taken) % len(asked)]))
    connection.close()
    return taken


def percentile_99(taken: Sequence[float]) -> float:
    """Return what one in a hundred takes longer than."""
    return round(sorted(taken)[len(taken) * 99 // 100], 1)


def figures(taken: Sequence[float], gaps: Sequence[float]) -> dict[str, float]:
    """Return what the client and the chain saw."""
    return {
        "asked": len(taken),
        "p50_ms": round(median(taken), 1),
        "p99_ms": percentile_99(taken),
        "p99_ms_of_calls": percentile_99(taken[2::3]),
        "max_ms": round(max(taken), 1),
        "blocks": len(gaps),
        "longest_block_s": round(max(gaps), 2),
    }


def block_gaps(log: Path, since: datetime) -> list[float]:
    """Return the seconds between blocks since a time."""
    lines = BLOCK_LINE.findall(log.read_text())
    times = [t for t in map(datetime.fromisoformat, lines) if t >= since]
    return [(b - a).total_seconds() for a, b in pairwise(times)]


def phase(node: NodeProcess, seconds: float) -> dict[str, float]:
    """Watch for some time."""
    since = datetime.now(UTC)
    taken = watch(node, seconds)
    return figures(taken, block_gaps(node.log, since))


def report(folder: Path) -> dict[str, Any]:
    """Start a node, watch it alone and abused, and return the figures."""
    with running(folder / "node.log", "dev", "--datadir", str(folder / "data")) as node:
        node.result("anvil_mine", hex(MINED_BLOCKS), "0x0")
        watch(node, 1.0)
        alone = phase(node, ALONE_S)
        ours, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        place = ("127.0.0.1", int(node.port), theirs)
        abusers = context.Process(target=run_abusers, args=(node.url, *place))
        abusers.start()
        ours.recv()
        abused = phase(node, ABUSED_S)
        ours.send("stop")
        counts = ours.recv()
        abusers.join()
    others = round(os.getloadavg()[2], 1)
    return {
        "bar_ms": BAR_MS,
        "load_average_15_min": others,
        "alone": alone,
        "abused": abused,
        "abuse": counts,
    }


def main() -> int:
    """Measure, print, keep, and tell whether the bars are held."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with TemporaryDirectory(prefix="cvm-abuse-") as folder:
        found = report(Path(folder))
    print(json.dumps(found))
    path = RESULTS / f"rpc-abuse-{datetime.now(UTC):%Y-%m-%d}.json"
    path.write_text(json.dumps(found, indent=2) + "\n")
    abused = found["abused"]
    return int(abused["p99_ms"] > BAR_MS or abused["longest_block_s"] > LATE_BLOCK_S)


if __name__ == "__main__":
    sys.exit(main())
