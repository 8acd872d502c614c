"""The client of ethereumjs as a process of its own, found in the folders of CVM_NODE_MODULES."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from socket import socket
from threading import Condition, Thread
from typing import IO, Any
from urllib.request import Request, urlopen

import pytest

from tests.integration.node_process import wait_until

CLIENT = "@ethereumjs/client"
STARTED = "Client started successfully"
START_TIMEOUT_S = 300
RPC_TIMEOUT_S = 60


def client_script() -> Path:
    """Return the client's command, or skip the test with what is missing."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    for folder in filter(None, os.environ.get("CVM_NODE_MODULES", "").split(os.pathsep)):
        script = Path(folder) / CLIENT / "dist/esm/bin/cli.js"
        if script.exists():
            return script
    pytest.skip(f"CVM_NODE_MODULES names no folder with {CLIENT}: npm install {CLIENT}@0.10.5")


class Lines:
    """What a process says, kept in a file; a test waits for words in it."""

    def __init__(self, source: IO[str], kept: Path) -> None:
        self._source = source
        self._kept = kept
        self._lines: list[str] = []
        self._more = Condition()
        self._is_over = False
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with self._kept.open("w") as kept:
            for line in self._source:
                kept.write(line)
                with self._more:
                    self._lines.append(line)
                    self._more.notify_all()
        with self._more:
            self._is_over = True
            self._more.notify_all()

    def wait_for(self, words: str, timeout_s: float) -> str:
        """Return the first line with some words in it."""

        def found() -> str | None:
            return next((line for line in self._lines if words in line), None)

        with self._more:
            self._more.wait_for(lambda: self._is_over or found() is not None, timeout_s)
            line = found()
        if line is None:
            pytest.fail(f"the client did not say {words!r}: {self._lines[-5:]}")
        return line


@dataclass(frozen=True, slots=True)
class EthereumJs:
    """A running client: its JSON-RPC with the engine methods, and what it says."""

    rpc_port: int
    engine_port: int
    lines: Lines

    def call(self, method: str, *params: object) -> Any:
        """Return the result of a JSON-RPC method."""
        answer = self.ask(method, *params)
        assert "error" not in answer, answer
        return answer["result"]

    def ask(self, method: str, *params: object) -> Any:
        """Return the whole answer."""
        port = self.engine_port if method.startswith("engine_") else self.rpc_port
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        request = Request(
            f"http://127.0.0.1:{port}",
            json.dumps(body).encode(),
            {"content-type": "application/json"},
        )
        with urlopen(request, timeout=RPC_TIMEOUT_S) as response:
            return json.load(response)

    @property
    def enode(self) -> str:
        """Return where it listens for peers."""
        url: str = self.call("admin_nodeInfo")["enode"]
        return url.replace("0.0.0.0", "127.0.0.1")


@contextmanager
def ethereumjs(folder: Path, genesis: Path, *blocks: Path) -> Iterator[EthereumJs]:
    """Run the client on a genesis file; `blocks` are files that it imports first."""
    rpc_port, engine_port, port = free_ports(3)
    command = ["node", str(client_script()), "--gethGenesis", str(genesis)]
    command += ["--dataDir", str(folder), "--port", str(port), "--discDns", "false"]
    command += ["--discV4", "false", "--logFile", "false", "--rpc", "--rpcPort", str(rpc_port)]
    command += ["--rpcAddr", "127.0.0.1", "--rpcEngine", "--rpcEngineAddr", "127.0.0.1"]
    command += ["--rpcEnginePort", str(engine_port), "--rpcEngineAuth", "false"]
    for path in blocks:
        command += ["--loadBlocksFromRlp", str(path)]
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "client.log"
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder
    )
    assert process.stdout is not None
    try:
        lines = Lines(process.stdout, log)
        lines.wait_for(STARTED, START_TIMEOUT_S)
        for each in (rpc_port, engine_port):  # it says so before it listens
            wait_until(partial(is_open, each))
        yield EthereumJs(rpc_port, engine_port, lines)
    finally:
        process.kill()
        process.wait(RPC_TIMEOUT_S)
        process.stdout.close()


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on: the client takes none by itself."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def is_open(port: int) -> bool:
    """Tell whether somebody listens on a port."""
    with socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
