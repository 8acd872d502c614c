"""`cvm attach`: methods as Python objects, over HTTP and over the local socket."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.cli.app import build_app
from node.console import Method, Namespace, names_of, shown
from node.rpc.caller import LOCAL_NAMESPACES
from node.rpc.ipc import IpcServer
from node.rpc.server import start_rpc_server
from tests.unit.node.rpc.fake_chain import small_chain
from tests.unit.node.rpc.rpc_caller import shared_node

APP = build_app("attach")
TIMEOUT_S = 30


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, Path]]:
    """Serve a small chain on a thread; give the URL and the socket."""
    ready, stop, found = threading.Event(), threading.Event(), list[str]()
    path = folder / "cvm.ipc"

    async def serve() -> None:
        async with asyncio.timeout(TIMEOUT_S), AsyncExitStack() as stack:
            node = shared_node(small_chain())
            await stack.enter_async_context(IpcServer(node, path, LOCAL_NAMESPACES))
            server = await stack.enter_async_context(await start_rpc_server(node, port=0))
            found.append(server.url)
            ready.set()
            await asyncio.to_thread(stop.wait, TIMEOUT_S)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(TIMEOUT_S)
    try:
        yield found[0], path
    finally:
        stop.set()
        thread.join(TIMEOUT_S)


def run(*arguments: str, typed: str | None = None) -> tuple[int, str, str]:
    done = CliRunner().invoke(APP, ["attach", *arguments], input=typed)
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.network
def test_expressions_are_carried_out_over_both_transports(tmp_path: Path) -> None:
    with serving(tmp_path) as (url, path):
        for place in (url, str(path)):
            assert run(place, "--exec", "eth.chainId")[:2] == (0, "0x539\n")
            assert run(place, "--exec", "int(eth.chainId(), 16) + 1")[1] == "1338\n"
            assert run(place, "--exec", 'rpc("net_version")')[1] == "1337\n"
            number = run(place, "--exec", 'eth.getBlockByNumber("latest", False)["number"]')
            assert number[1].startswith("0x")
        assert run("--datadir", str(tmp_path), "--exec", "eth.chainId")[1] == "0x539\n"


@pytest.mark.network
@pytest.mark.parametrize(
    ("expression", "words"),
    [
        pytest.param("eth.nothing", "the method eth_nothing does not exist", id="a method"),
        pytest.param("eth.getBalance()", "missing value for required argument", id="parameters"),
        pytest.param("eth.(", "--exec 'eth.('", id="syntax"),
        pytest.param("moon.phase", "name 'moon' is not defined", id="a name"),
        pytest.param("1 // 0", "by zero", id="arithmetic"),
    ],
)
def test_what_fails_is_one_line(tmp_path: Path, expression: str, words: str) -> None:
    with serving(tmp_path) as (_url, path):
        code, out, err = run(str(path), "--exec", expression)
    assert (code, out) == (2, "")
    assert words in err
    assert err.startswith("error: ")
    assert "Traceback" not in err


@pytest.mark.network
def test_a_console_reads_runs_and_prints(tmp_path: Path) -> None:
    typed = "eth.chainId\nx = int(eth.chainId(), 16)\nx + 1\neth.nothing()\nx / 0\n"
    with serving(tmp_path) as (_url, path):
        code, out, err = run(str(path), typed=typed)
    assert code == 0
    assert "0x539\n" in out
    assert "1338\n" in out
    assert "error: eth_nothing: the method eth_nothing does not exist" in err
    assert "ZeroDivisionError" in err


def test_nobody_there_is_said(tmp_path: Path) -> None:
    code, _out, err = run("--datadir", str(tmp_path), "--exec", "eth.chainId")
    assert code == 2
    assert f"no node answers at {tmp_path}/cvm.ipc" in err
    assert "the --datadir of one that runs" in err
    assert "--rpc" not in err


def test_a_namespace_shows_what_it_has() -> None:
    asked: list[tuple[object, ...]] = []

    def call(*what: object) -> str:
        asked.append(what)
        return "0x1"

    names = names_of(call, {"eth": ("call", "chainId")})
    eth = names["eth"]
    assert isinstance(eth, Namespace)
    assert dir(eth) == ["call", "chainId"]
    assert repr(eth) == "eth: call chainId"
    assert isinstance(eth.chainId, Method)
    assert (repr(eth.chainId), eth.call("a", 1)) == ("0x1", "0x1")
    assert asked == [("eth_chainId",), ("eth_call", "a", 1)]
    assert not hasattr(eth, "_repr_html_")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("0x1", "0x1", id="a text"),
        pytest.param(True, "true", id="a bool"),
        pytest.param([1], "[\n  1\n]", id="a list"),
        pytest.param({1, 2}, "{1, 2}", id="no JSON"),
    ],
)
def test_values_are_shown(value: object, text: str) -> None:
    assert shown(value) == text
