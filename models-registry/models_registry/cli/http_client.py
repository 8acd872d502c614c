"""A JSON-RPC client over HTTP that says plainly what went wrong."""

import json
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

from eth_abi.exceptions import DecodingError

from models_registry.cli.json_text import parse_json

MAX_ANSWER_BYTES = 64 * 1024 * 1024
LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")

T = TypeVar("T")


class ClientFault(Exception):
    """The node gave no answer that can be used."""


class BadUrl(ClientFault):
    """The address is not one of a JSON-RPC server."""

    def __init__(self, url: str) -> None:
        super().__init__(f"--rpc {url!r} is not an http:// or https:// address")


class NodeUnreachable(ClientFault):
    """Nobody answers at the address."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"no node answers at {url} ({reason}): start one with `cvm dev`, or give its address "
            "with --rpc"
        )
        self.url = url
        self.reason = reason


class BadAnswer(ClientFault):
    """Who answers at the address does not speak JSON-RPC, or leaves out what was asked for."""

    def __init__(self, url: str, detail: str) -> None:
        super().__init__(f"{url} gave no JSON-RPC answer: {detail}")


class RpcRefused(ClientFault):
    """The node answered with an error; `data` is the revert data where there is some."""

    def __init__(self, method: str, code: int, message: str, data: bytes) -> None:
        super().__init__(f"{method} was refused: {message} (code {code})")
        self.method = method
        self.code = code
        self.message = message
        self.data = data


class RpcClient:
    """Calls the methods of one node, one at a time."""

    def __init__(self, url: str, timeout_s: float = 30.0) -> None:
        """Name the node; raises `BadUrl`. Nothing is sent yet."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadUrl(url)
        self.url = url
        self._timeout_s = timeout_s
        self._next_id = 0
        self._opener = _opener(parts.hostname)

    def call(self, method: str, *parameters: Any) -> Any:
        """Return a method's result; raises `ClientFault`."""
        self._next_id += 1
        request = {
            "jsonrpc": "2.0",
            "id": self._next_id,
            "method": method,
            "params": list(parameters),
        }
        answer = self._answer(json.dumps(request).encode())
        error = answer.get("error")
        if isinstance(error, dict):
            raise RpcRefused(
                method,
                int(error.get("code", 0)),
                str(error.get("message", "no message")),
                _revert_data(error.get("data")),
            )
        if "result" not in answer:
            raise BadAnswer(self.url, f"{method} has neither a result nor an error")
        return answer["result"]

    def ask(self, parse: Callable[[Any], T], method: str, *parameters: Any) -> T:
        """Return what `parse` makes of a method's result; raises `ClientFault`.

        A result that `parse` cannot use is a `BadAnswer`.
        """
        result = self.call(method, *parameters)
        try:
            return parse(result)
        except (ArithmeticError, LookupError, TypeError, ValueError, DecodingError) as error:
            detail = f"{method} has another form than expected: {error!r:.200}"
            raise BadAnswer(self.url, detail) from error

    def _answer(self, body: bytes) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        request = Request(self.url, body, headers)
        try:
            with self._opener.open(request, timeout=self._timeout_s) as response:
                data = response.read(MAX_ANSWER_BYTES + 1)
        except HTTPError as error:
            with error:
                raise BadAnswer(self.url, f"HTTP status {error.code} {error.reason}") from error
        except (URLError, HTTPException, OSError) as error:
            reason = getattr(error, "reason", None) or error
            raise NodeUnreachable(self.url, str(reason) or type(error).__name__) from error
        if len(data) > MAX_ANSWER_BYTES:
            raise BadAnswer(self.url, f"more than {MAX_ANSWER_BYTES} bytes")
        try:
            answer = parse_json(data)
        except ValueError as error:
            raise BadAnswer(self.url, f"{data[:80]!r} is not JSON") from error
        if not isinstance(answer, dict):
            raise BadAnswer(self.url, f"{data[:80]!r} is not an object")
        return answer


def _opener(host: str) -> OpenerDirector:
    """Return what opens addresses; a proxy is never asked for this machine's own."""
    return build_opener(ProxyHandler({})) if host in LOOPBACK_HOSTS else build_opener()


def _revert_data(data: object) -> bytes:
    if isinstance(data, str) and data.startswith("0x"):
        try:
            return bytes.fromhex(data[2:])
        except ValueError:
            return b""
    return b""


def quantity(text: Any) -> int:
    """Return a number as JSON-RPC writes it."""
    return int(text, 16)


def octets(text: Any) -> bytes:
    """Return the bytes of a hex string."""
    return bytes.fromhex(text.removeprefix("0x"))


def hex_text(data: bytes) -> str:
    """Return bytes as JSON-RPC writes them."""
    return "0x" + data.hex()
