"""Requests per second of a real node over HTTP: `python -m bench.rpc_report` (`make bench-rpc`).

A `cvm dev` process, whose chain goes on meanwhile, is asked by wrk (a load generator in C, one
thread, keep-alive connections; `apt-get install wrk`), so that little of the machine goes into it.
The token is the ERC-20 of `contracts/Token.sol`. `node_us` and `workers_us` are processor time a
request of the node's process and of those that execute for it. Ends in one JSON line, which is also
written to `bench/results/rpc-<date>.json`, and exits 1 where a bar is not kept.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cvm.evm.keccak import keccak256
from tests.integration.node_process import DEV_ACCOUNT, NodeProcess, running, wait_until

RESULTS = Path(__file__).parent / "results"
TOKEN_CODE = bytes.fromhex((Path(__file__).parent / "contracts" / "token.hex").read_text().strip())
BARS = {"eth_blockNumber": 8_000, "eth_call": 1_500}
CONNECTIONS, SECONDS, WARM_SECONDS = 16, 5, 2
MINTED = 12_345
CREATION_HEAD = "61{size:04x}80600a3d393df3"
"""PUSH2 size, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN."""

REQUESTS = re.compile(r"(\d+) requests in")
RATE = re.compile(r"Requests/sec: +([\d.]+)")
SLOWEST = re.compile(r"99% +([\d.]+)(us|ms|s)")
REFUSED = re.compile(r"Non-2xx or 3xx responses: (\d+)")
UNIT_MS = {"us": 0.001, "ms": 1.0, "s": 1_000.0}


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk saw."""

    requests: int
    per_second: float
    p99_ms: float


def deploy_token(node: NodeProcess) -> str:
    """Create the token, give the first account some of it, and return its address."""
    code = CREATION_HEAD.format(size=len(TOKEN_CODE)) + TOKEN_CODE.hex()
    token = str(sent(node, data=f"0x{code}", gas=hex(3_000_000))["contractAddress"])
    sent(node, to=token, data=calldata("mint(address,uint256)", DEV_ACCOUNT) + f"{MINTED:064x}")
    return token


def sent(node: NodeProcess, **fields: str) -> dict[str, Any]:
    """Send a transaction of the first account and return its receipt."""
    tx_hash = node.result("eth_sendTransaction", {"from": DEV_ACCOUNT, **fields})
    wait_until(lambda: node.result("eth_getTransactionReceipt", tx_hash) is not None)
    receipt: dict[str, Any] = node.result("eth_getTransactionReceipt", tx_hash)
    if receipt["status"] != "0x1":
        raise RuntimeError(f"the transaction failed: {receipt}")
    return receipt


def calldata(signature: str, account: str) -> str:
    """Return a call with one address as its argument."""
    selector = keccak256(signature.encode())[:4]
    return "0x" + selector.hex() + account[2:].lower().rjust(64, "0")


def load(node: NodeProcess, body: Mapping[str, object], seconds: int, folder: Path) -> Load:
    """Have wrk ask the same again and again; raises `RuntimeError` where an answer is refused."""
    script = folder / "request.lua"
    script.write_text(
        f"wrk.method = 'POST'\nwrk.body = [[{json.dumps(body)}]]\n"
        "wrk.headers['Content-Type'] = 'application/json'\n"
    )
    flags = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script)]
    done = subprocess.run(
        ["wrk", *flags, node.url], capture_output=True, text=True, timeout=60, check=True
    )
    if REFUSED.search(done.stdout):
        raise RuntimeError(done.stdout)
    requests, rate, slowest = (r.search(done.stdout) for r in (REQUESTS, RATE, SLOWEST))
    if requests is None or rate is None or slowest is None:
        raise RuntimeError(done.stdout)
    p99_ms = float(slowest[1]) * UNIT_MS[slowest[2]]
    return Load(int(requests[1]), float(rate[1]), p99_ms)


def processor_s(pid: int) -> float:
    """Return the processor time of a process, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def workers_of(pid: int) -> list[int]:
    """Return the processes that execute for a node."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def measure(node: NodeProcess, body: Mapping[str, object], folder: Path) -> dict[str, float]:
    """Return the figures of one kind of request."""
    load(node, body, WARM_SECONDS, folder)
    pid = node.process.pid
    workers = workers_of(pid)
    began = [processor_s(each) for each in (pid, *workers)]
    found = load(node, body, SECONDS, folder)
    own, *theirs = (processor_s(p) - s for p, s in zip((pid, *workers), began, strict=True))
    return {
        "per_second": round(found.per_second),
        "p99_ms": round(found.p99_ms, 2),
        "node_us": round(own / found.requests * 1e6),
        "workers_us": round(sum(theirs) / found.requests * 1e6),
    }


def bodies(token: str) -> dict[str, dict[str, object]]:
    """Return what is asked."""
    balance = {"to": token, "data": calldata("balanceOf(address)", DEV_ACCOUNT)}
    params: dict[str, list[object]] = {
        "eth_blockNumber": [],
        "eth_getBalance": [DEV_ACCOUNT, "latest"],
        "eth_call": [balance, "latest"],
    }
    return {
        method: {"jsonrpc": "2.0", "id": 1, "method": method, "params": values}
        for method, values in params.items()
    }


def report(folder: Path) -> dict[str, Any]:
    """Start a node, ask it, and return the figures."""
    with running(folder / "node.log", "dev", "--datadir", str(folder / "data")) as node:
        token = deploy_token(node)
        asked = bodies(token)
        answer = node.post(json.dumps(asked["eth_call"]).encode())
        if int(answer["result"], 16) != MINTED:
            raise RuntimeError(f"the token answers {answer}")
        first = int(node.result("eth_blockNumber"), 16)
        figures = {method: measure(node, body, folder) for method, body in asked.items()}
        blocks = int(node.result("eth_blockNumber"), 16) - first
    return {
        "connections": CONNECTIONS,
        "load_average_15_min": round(os.getloadavg()[2], 1),
        "blocks_meanwhile": blocks,
        "bars": BARS,
        **figures,
    }


def main() -> int:
    """Measure, print, keep, and tell whether the bars are held."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not here: apt-get install wrk", file=sys.stderr)
        return 2
    with TemporaryDirectory(prefix="cvm-rpc-") as folder:
        found = report(Path(folder))
    print(json.dumps(found))
    path = RESULTS / f"rpc-{datetime.now(UTC):%Y-%m-%d}.json"
    path.write_text(json.dumps(found, indent=2) + "\n")
    slow = [m for m, bar in BARS.items() if found[m]["per_second"] < bar]
    if slow:
        print(f"below the bar: {', '.join(slow)}", file=sys.stderr)
    return int(bool(slow))


if __name__ == "__main__":
    sys.exit(main())
