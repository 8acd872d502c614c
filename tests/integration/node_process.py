"""Real processes of the command line, for tests that look from outside."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import Any
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 60
COMMAND_TIMEOUT_S = 120
READY = "listening on "
DEV_ACCOUNT = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
DEV_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"  # public TEST key
SECOND_ACCOUNT = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def environment() -> dict[str, str]:
    """Return the environment of a child: this repository's packages, and no setting of ours."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "models-registry")])
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {
        "PYTHONPATH": path,
        "NO_COLOR": "1",
    }


def cvm(*arguments: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, whatever that is."""
    return subprocess.run(
        [sys.executable, "-m", "node.cli", *arguments],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        timeout=COMMAND_TIMEOUT_S,
        check=False,
    )


def cvm_json(*arguments: str) -> Any:
    """Run a command that must succeed and print JSON."""
    done = cvm(*arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@dataclass(frozen=True, slots=True)
class NodeProcess:
    """A node that answers."""

    url: str
    process: "subprocess.Popen[str]"
    log: Path

    @property
    def port(self) -> str:
        return self.url.rsplit(":", 1)[1].rstrip("/")

    def ask(self, method: str, *params: object) -> Any:
        """Return the whole JSON-RPC answer."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        return self.post(json.dumps(body).encode())

    def post(self, body: bytes) -> Any:
        request = Request(self.url, body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=COMMAND_TIMEOUT_S) as response:
            return json.load(response)

    def result(self, method: str, *params: object) -> Any:
        answer = self.ask(method, *params)
        assert "error" not in answer, answer
        return answer["result"]

    def stop(self, number: int) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_TIMEOUT_S)


@contextmanager
def running(log: Path, *arguments: str) -> Iterator[NodeProcess]:
    """Start `cvm dev` or `cvm node` on a free port; it is stopped in the end."""
    command = [sys.executable, "-m", "node.cli", *arguments, "--http.port", "0"]
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment()
        ) as process,
    ):
        watchdog = Timer(START_TIMEOUT_S, process.kill)
        watchdog.start()
        try:
            url = url_of(process, log)
            watchdog.cancel()
            yield NodeProcess(url, process, log)
        finally:
            watchdog.cancel()
            process.terminate()
            process.wait(STOP_TIMEOUT_S)


def url_of(process: "subprocess.Popen[str]", log: Path) -> str:
    """Read the node's output up to the line that says where it listens."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(READY):
            return line.removeprefix(READY).strip()
    raise AssertionError(f"the node ended before it was ready: {log.read_text()}")


@contextmanager
def dev_node(folder: Path) -> Iterator[NodeProcess]:
    """Run a development chain in a folder."""
    with running(
        folder / "node.log", "dev", "--datadir", str(folder / "data"), "--backend", "reference"
    ) as node:
        yield node


def wait_until(condition: Callable[[], bool]) -> None:
    """Ask again and again, each time over HTTP, until something is so."""
    deadline = monotonic() + START_TIMEOUT_S
    while not condition():
        assert monotonic() < deadline, "it did not happen in time"


def register_digits(node: NodeProcess) -> str:
    """Register the int8 digit model and return its id."""
    path = ROOT / "models-registry" / "models" / "digits_int8.onnx"
    report = cvm_json(
        "model", "register", str(path), "--rpc", node.url, "--account", "dev", "--json"
    )
    assert report["status"] == "active"
    return str(report["modelId"])
