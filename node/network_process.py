"""One node of a local network: its folder, its process, and what it answers."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

READY = b"listening on "
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 30
CALL_TIMEOUT_S = 5


class NodeDidNotStart(Exception):
    """A process ended, or stayed silent, before it answered."""

    def __init__(self, name: str, log: Path) -> None:
        tail = "\n".join(log.read_text().splitlines()[-12:]) if log.exists() else ""
        super().__init__(f"{name} did not start; the end of {log}:\n{tail}")


class NoAnswer(Exception):
    """A node does not answer, or answers with an error."""


@dataclass(frozen=True, slots=True)
class NodePlace:
    """Where one node of a local network lies and listens; `validator` is its address or None."""

    name: str
    datadir: Path
    http_port: int
    p2p_port: int
    node_id: bytes
    validator: bytes | None

    @property
    def url(self) -> str:
        """Return where it answers JSON-RPC."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def log(self) -> Path:
        """Return the file of everything that it logs, over all its starts."""
        return self.datadir / "node.log"

    def enode(self, port: int | None = None) -> str:
        """Return its enode URL, with another port where a relay stands before it."""
        return f"enode://{self.node_id.hex()}@127.0.0.1:{port or self.p2p_port}"


class NetworkProcess:
    """Runs `cvm node` for one place; starting again goes on with what is on disk."""

    def __init__(self, place: NodePlace, module: str = "node.cli") -> None:
        self.place = place
        self._module = module
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None
        self._drain: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Tell whether the process lives, paused or not."""
        return self._process is not None and self._process.returncode is None

    @property
    def process_id(self) -> int:
        """Return the number of the process that was started last; raises `NodeDidNotStart`."""
        if self._process is None:
            raise NodeDidNotStart(self.place.name, self.place.log)
        return self._process.pid

    async def start(self, arguments: Sequence[str]) -> None:
        """Start and wait until it answers; raises `NodeDidNotStart`."""
        place = self.place
        with place.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", self._module, "node"),
                *("--datadir", str(place.datadir), "--http.port", str(place.http_port)),
                *("--p2p.addr", "127.0.0.1", "--p2p.port", str(place.p2p_port)),
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await self._wait_until_ready()
        except TimeoutError as error:
            await self.kill()
            raise NodeDidNotStart(place.name, place.log) from error

    async def _wait_until_ready(self) -> None:
        output = self._output()
        while line := await output.readline():
            if line.startswith(READY):
                self._drain = asyncio.create_task(drain(output))
                return
        raise NodeDidNotStart(self.place.name, self.place.log)

    def _output(self) -> asyncio.StreamReader:
        output = None if self._process is None else self._process.stdout
        if output is None:
            raise NodeDidNotStart(self.place.name, self.place.log)
        return output

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, if it lives."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def kill(self) -> None:
        """End the process as a power cut would."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Ask the process to stop, and kill it where it does not."""
        await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self.send_signal(number)
        self.send_signal(signal.SIGCONT)
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._process.wait()
        except TimeoutError:
            self.send_signal(signal.SIGKILL)
            await self._process.wait()
        if self._drain is not None:
            await self._drain
        self._process = self._drain = None

    async def call(self, method: str, *params: object) -> Any:  # a JSON value
        """Call a JSON-RPC method; raises `NoAnswer`."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=CALL_TIMEOUT_S)
            self._session = aiohttp.ClientSession(timeout=timeout)
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            async with self._session.post(self.place.url, json=request) as response:
                answer = await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NoAnswer(f"{self.place.name}: {method}: {error!r}") from error
        if "error" in answer:
            raise NoAnswer(f"{self.place.name}: {method}: {answer['error']}")
        return answer["result"]

    async def close(self) -> None:
        """Stop the process and the connection to it."""
        await self.stop()
        if self._session is not None:
            await self._session.close()
            self._session = None


async def drain(output: asyncio.StreamReader) -> None:
    """Read what a process prints, so that it never waits for a reader."""
    while await output.read(1 << 16):
        pass
