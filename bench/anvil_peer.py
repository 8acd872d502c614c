"""A running anvil (revm) that is asked for the time of one call."""

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Sequence
from threading import Event, Thread
from typing import IO, Any

GAS = 10**9
EMPTY = b"\xee" * 20
READY_S = 20.0


class Anvil:
    """One anvil process on a loopback port of its own."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self._process = process
        self._url = f"http://127.0.0.1:{port}"

    @classmethod
    def start(
        cls, hardfork: str = "prague", gas_limit: int = 2 * GAS, options: Sequence[str] = ()
    ) -> "Anvil":
        """Start anvil with a gas limit that any program fits, and await its first answer."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = ["anvil", "--port", str(port), "--gas-limit", str(gas_limit)]
        command += ["--hardfork", hardfork, *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        peer, listens = cls(process, port), Event()
        Thread(target=read_all, args=(process.stdout, listens), daemon=True).start()
        if not listens.wait(READY_S):
            peer.close()
            raise TimeoutError(f"anvil does not listen after {READY_S} s: {' '.join(command)}")
        peer.deploy(EMPTY, b"\x00")
        return peer

    def ask(self, method: str, *parameters: Any) -> Any:
        """Return the result of a JSON-RPC call."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters})
        request = urllib.request.Request(
            self._url, body.encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            reply = json.load(answer)
        if "error" in reply:
            raise RuntimeError(f"anvil: {method}: {reply['error']}")
        return reply["result"]

    def ask_all(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[dict[str, Any]]:
        """Return the replies to many calls in one request, each with `result` or `error`."""
        body = [
            {"jsonrpc": "2.0", "id": place, "method": method, "params": list(parameters)}
            for place, (method, parameters) in enumerate(calls)
        ]
        if not body:
            return []
        request = urllib.request.Request(
            self._url, json.dumps(body).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            replies: list[dict[str, Any]] = json.load(answer)
        return sorted(replies, key=lambda reply: int(reply["id"]))

    def deploy(self, address: bytes, code: bytes) -> None:
        """Put code at an address."""
        self.ask("anvil_setCode", f"0x{address.hex()}", f"0x{code.hex()}")

    def call_seconds(self, address: bytes) -> float:
        """Return how long a call of a contract takes, less that of an empty one."""
        return max(self._seconds(address) - min(self._seconds(EMPTY) for _ in range(3)), 1e-6)

    def _seconds(self, address: bytes) -> float:
        message = {"to": f"0x{address.hex()}", "gas": hex(GAS)}
        start = time.perf_counter()
        self.ask("eth_call", message, "latest")
        return time.perf_counter() - start

    def close(self) -> None:
        """Stop the process."""
        self._process.terminate()
        self._process.wait(timeout=10)
        if self._process.stdout is not None:
            self._process.stdout.close()  # its reader has met the end


def read_all(output: IO[bytes] | None, listens: Event) -> None:
    """Read what anvil prints to its end, and tell when it listens."""
    for line in output or ():
        if line.startswith(b"Listening on"):
            listens.set()
