"""How soon many WebSocket clients have a new block: `python -m bench.subscribers`.

A server in this process and 500 clients in another, on the loopback interface. Each client follows
the heads, then in a second run also the logs of a contract, twenty a block. A block's figure is the
time from its becoming the head to the last client's last notification, all of them read and parsed.
The server's part of it is processor time of its process; one JSON line goes to
`bench/results/subscribers-<date>.json`. Exits 1 where a head takes longer than the bar.
"""

import argparse
import asyncio
import json
import multiprocessing
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import uvloop
from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector

from cvm.evm.log import Log
from node.rpc.caller import rpc_node
from node.rpc.events import ChainEvents, NewHead
from node.rpc.server import RpcSettings, start_rpc_server
from tests.unit.node.rpc.fake_chain import CONTRACT, GWEI, TOPIC, FakeChain, legacy_tx, receipt

RESULTS = Path(__file__).parent / "results"
CLIENTS, BLOCKS, SKIPPED = 500, 30, 3
LOGS_PER_BLOCK = 20
BAR_MS = 200
TIMEOUT_S = 120.0
RUNS = {"heads": ["newHeads"], "heads and logs": ["newHeads", "logs"]}


@dataclass(frozen=True, slots=True)
class Wish:
    """What the clients' process is asked to do."""

    url: str
    clients: int
    kinds: Sequence[str]

    @property
    def per_block(self) -> int:
        return sum(LOGS_PER_BLOCK if kind == "logs" else 1 for kind in self.kinds)


async def subscribed(session: ClientSession, wish: Wish) -> ClientWebSocketResponse:
    """Open a client that has asked for its notifications."""
    socket = await session.ws_connect(wish.url)
    for kind in wish.kinds:
        params = [kind, {"address": "0x" + CONTRACT.hex()}] if kind == "logs" else [kind]
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": params}
        await socket.send_json(body)
        await socket.receive_json()
    return socket


async def read_block(socket: ClientWebSocketResponse, count: int) -> int:
    """Return when the last notification of a block was read."""
    for _ in range(count):
        await socket.receive_json()
    return time.monotonic_ns()


async def follow(wish: Wish, blocks: int, pipe: Connection) -> None:
    """Tell of every block when the last client had all of it."""
    async with (
        ClientSession(connector=TCPConnector(limit=0)) as session,
        asyncio.timeout(TIMEOUT_S),
    ):
        sockets = [await subscribed(session, wish) for _ in range(wish.clients)]
        pipe.send("ready")
        for _ in range(blocks):
            read = await asyncio.gather(*(read_block(each, wish.per_block) for each in sockets))
            pipe.send((max(read), median(read)))
        await asyncio.gather(*(each.close() for each in sockets))


def run_clients(wish: Wish, blocks: int, pipe: Connection) -> None:
    """Be the clients' process."""
    uvloop.run(follow(wish, blocks, pipe))


async def publish(chain: FakeChain, events: ChainEvents, pipe: Connection) -> tuple[float, ...]:
    """Make one block, and return the milliseconds to the last and median client, and our own."""
    tx = legacy_tx(len(chain.blocks), 2 * GWEI)
    logs = [Log(CONTRACT, (TOPIC,), bytes(32)) for _ in range(LOGS_PER_BLOCK)]
    receipts = [receipt(tx, 21_000, logs)]
    block = chain.add_block([tx], receipts)
    began_ns, used_ns = time.monotonic_ns(), time.process_time_ns()
    events.new_head(NewHead(block.header, (tx,), receipts))
    last_ns, median_ns = await asyncio.to_thread(pipe.recv)
    used_ms = (time.process_time_ns() - used_ns) / 1e6
    return (last_ns - began_ns) / 1e6, (median_ns - began_ns) / 1e6, used_ms


async def measure(kinds: Sequence[str], clients: int, blocks: int) -> dict[str, float]:
    """Return the figures of one run."""
    chain, events = FakeChain(), ChainEvents()
    chain.add_block()
    node = rpc_node(chain, time.monotonic, events)
    settings = RpcSettings(ws_namespaces=frozenset({"eth"}))
    ours, theirs = multiprocessing.Pipe()
    async with await start_rpc_server(node, port=0, settings=settings) as server:
        wish = Wish(server.ws_url, clients, kinds)
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=run_clients, args=(wish, blocks, theirs))
        process.start()
        await asyncio.to_thread(ours.recv)
        figures = [await publish(chain, events, ours) for _ in range(blocks)][SKIPPED:]
        await asyncio.to_thread(process.join)
    last, middle, used = zip(*figures, strict=True)
    return {
        "notifications_per_block": clients * wish.per_block,
        "last_client_ms_median": round(median(last), 1),
        "last_client_ms_max": round(max(last), 1),
        "median_client_ms": round(median(middle), 1),
        "server_cpu_ms": round(median(used), 1),
    }


def main() -> int:
    """Measure, print, keep, and tell whether the bar is held."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--clients", type=int, default=CLIENTS)
    arguments.add_argument("--blocks", type=int, default=BLOCKS)
    given = arguments.parse_args()
    figures = {
        name: uvloop.run(measure(kinds, given.clients, given.blocks))
        for name, kinds in RUNS.items()
    }
    blocks = given.blocks - SKIPPED
    report = {"clients": given.clients, "blocks": blocks, "bar_ms": BAR_MS, **figures}
    print(json.dumps(report))
    if given.clients == CLIENTS:
        path = RESULTS / f"subscribers-{datetime.now(UTC):%Y-%m-%d}.json"
        path.write_text(json.dumps(report, indent=2) + "\n")
    return int(figures["heads"]["last_client_ms_max"] > BAR_MS)


if __name__ == "__main__":
    sys.exit(main())
