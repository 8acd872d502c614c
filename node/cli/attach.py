"""`cvm attach`: a Python console on a running node, over its local socket or HTTP."""

import code
import contextlib
import json
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from models_registry.cli.http_client import BadAnswer, ClientFault, NodeUnreachable, RpcClient
from node.cli.faults import BadArgument, clear_errors
from node.cli.run import Datadir
from node.config import DEFAULT_DATADIR
from node.console import Call, Json, names_of, shown
from node.rpc.rpc_config import IPC_FILE

TIMEOUT_S = 60.0
READ_BYTES = 1 << 16
MISTAKES = (ArithmeticError, AttributeError, LookupError, NameError, TypeError, ValueError)
"""What an expression of the user's own may raise."""

BANNER = """cvm console on {place}: {modules}
Call a method as eth.getBalance("0x…", "latest"), or any by its name as rpc("eth_chainId");
exit with Ctrl-D."""


class SocketClient:
    """Calls methods over a node's local socket, one at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(TIMEOUT_S)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise NodeUnreachable(str(path), error.strerror or str(error)) from error

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def call(self, method: str, *parameters: Json) -> Json:
        """Return a method's result; raises `ClientFault`."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            answer = json.loads(self._line())
        except (OSError, ValueError) as error:
            raise BadAnswer(str(self._path), str(error)) from error
        return result_of(str(self._path), method, answer)

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            part = self._socket.recv(READ_BYTES)
            if not part:
                raise ConnectionResetError("the node closed the connection")
            line += part
        return line


def result_of(place: str, method: str, answer: object) -> Json:
    """Return the result of an answer; raises `BadAnswer`, or `CallFailed` for an error."""
    if not isinstance(answer, dict):
        raise BadAnswer(place, "it is not an object")
    error = answer.get("error")
    if isinstance(error, dict):
        raise CallFailed(method, str(error.get("code")), str(error.get("message")))
    result: Json = answer.get("result")
    return result


class CallFailed(ClientFault):
    """The node answered with an error."""

    def __init__(self, method: str, code_text: str, message: str) -> None:
        super().__init__(f"{method}: {message} (code {code_text})")


class NobodyAttached(BadArgument):
    """No node is at the place that a console was to talk to."""

    def __init__(self, fault: NodeUnreachable) -> None:
        super().__init__(
            f"no node answers at {fault.url} ({fault.reason}): start it, or give the http:// "
            "address, the socket or the --datadir of one that runs"
        )


def attach(
    endpoint: Annotated[
        str | None, typer.Argument(help="http://… or a socket; the data directory's if not given")
    ] = None,
    datadir: Datadir = DEFAULT_DATADIR,
    execute: Annotated[
        str | None, typer.Option("--exec", help="print what this expression gives, and end")
    ] = None,
) -> None:
    """Talk to a running node in Python: eth.blockNumber, cvm.listModels, any method by its name."""
    place = endpoint or str(datadir / IPC_FILE)
    with clear_errors(), contextlib.ExitStack() as cleanup:
        try:
            call = connected(place, cleanup)
            names = names_of(call, modules_of(call))
            if execute is not None:
                typer.echo(shown(evaluated(execute, names)))
                return
            talk(place, names)
        except NodeUnreachable as fault:
            raise NobodyAttached(fault) from fault
        except ClientFault as fault:
            raise BadArgument(str(fault)) from fault


def connected(place: str, cleanup: contextlib.ExitStack) -> Call:
    """Return what calls the methods of a node; raises `ClientFault`."""
    if place.startswith(("http://", "https://")):
        return RpcClient(place, TIMEOUT_S).call
    client = SocketClient(Path(place))
    cleanup.callback(client.close)
    return client.call


def modules_of(call: Call) -> dict[str, tuple[str, ...]]:
    """Return the namespaces that a node answers, with their methods; raises `ClientFault`."""
    modules = call("rpc_modules")
    found: dict[str, list[str]] = {}
    if isinstance(modules, dict):
        found = {name: [] for name in modules}
    document = call("rpc.discover")
    methods = document.get("methods") if isinstance(document, dict) else None
    for method in methods if isinstance(methods, list) else ():
        name = method.get("name") if isinstance(method, dict) else None
        namespace, _underscore, rest = str(name).partition("_")
        if namespace in found and rest:
            found[namespace].append(rest)
    return {name: tuple(sorted(listed)) for name, listed in found.items() if name != "rpc"}


def evaluated(source: str, names: dict[str, object]) -> object:
    """Return what an expression of the user's own gives; raises `BadArgument` or `ClientFault`."""
    try:
        return eval(compile(source, "--exec", "eval"), {**names})
    except (SyntaxError, *MISTAKES) as error:
        raise BadArgument(f"--exec {source!r}: {error}") from error


class Console(code.InteractiveConsole):
    """Python's own, which says in one line what a node refused."""

    def showtraceback(self) -> None:
        """Print what went wrong."""
        fault = sys.exception()
        if isinstance(fault, ClientFault):
            typer.echo(f"error: {fault}", err=True)
        else:
            super().showtraceback()


def talk(place: str, names: dict[str, object]) -> None:
    """Read, run and print until the end of input."""
    with contextlib.suppress(ImportError):
        import readline
        import rlcompleter

        readline.set_completer(rlcompleter.Completer(names).complete)
        readline.parse_and_bind("tab: complete")
    banner = BANNER.format(place=place, modules=" ".join(sorted(names)))
    before, sys.displayhook = sys.displayhook, show
    try:
        Console(names).interact(banner, "")
    finally:
        sys.displayhook = before


def show(value: object) -> None:
    """Print a value of the console."""
    if value is not None:
        typer.echo(shown(value))


def add_commands(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("attach")(attach)
