"""Runs what README.md and other documents show, and compares the output where they show it."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Timer
from urllib.request import Request, urlopen

import pytest

from node.local_network import LocalNetwork, NetworkPlan, make_network
from tests.documents import (
    ROOT,
    code_blocks,
    indented_commands,
    output_pattern,
    section,
    shown_commands,
)
from tests.integration.node_process import wait_until
from tests.integration.test_ethereum_commands import GENESIS, made_chain

README = (ROOT / "README.md").read_text(encoding="utf-8")
LIBRARY_README = ROOT / "models-registry" / "contracts" / "library" / "README.md"
LIBRARY = LIBRARY_README.read_text(encoding="utf-8")
OPERATING = (ROOT / "docs" / "OPERATING.md").read_text(encoding="utf-8")
ANY_PEER = re.compile(r"enode://…@127\.0\.0\.1:\d+")
URL = "http://127.0.0.1:8545"
START_TIMEOUT_S = 120
COMMAND_TIMEOUT_S = 300
BINARIES = Path(sys.executable).parent
STAYS = ("cvm dev", "cvm node")
ASKS_A_NODE = ("cvm model register", "cvm model list", "cvm model show")


class Terminal:
    """A shell in an empty home whose nodes listen on free ports."""

    def __init__(self, home: Path, running: ExitStack) -> None:
        self.home = home
        self.url = URL
        self._running = running
        self._exports: list[str] = []
        (home / "models-registry").symlink_to(ROOT / "models-registry")
        cache = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
        self._environment = {
            "PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "XDG_CACHE_HOME": cache,
            "LANG": "C.UTF-8",
        }

    def run(self, line: str) -> str:
        """Run a line to its end, or a node until it answers; return its standard output."""
        if line.startswith("export "):
            self._exports.append(line)
            return ""
        if line.startswith(STAYS):
            return self._start(line)
        if line.startswith(ASKS_A_NODE):
            line += f" --rpc {self.url}"
        return self._finished(["bash", "-c", self._script(line.replace(URL, self.url))])

    def run_python(self, source: str) -> str:
        """Run a program that talks to the node."""
        return self._finished([sys.executable, "-c", source.replace(URL, self.url)])

    def _script(self, line: str) -> str:
        return "\n".join(["set -euo pipefail", *self._exports, line])

    def _finished(self, command: list[str]) -> str:
        done = subprocess.run(
            command,
            cwd=self.home,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _start(self, line: str) -> str:
        line = re.sub(r" --http\.port \d+", "", line) + " --http.port 0"
        shown, self.url = self._running.enter_context(self._node(line))
        return shown

    @contextmanager
    def _node(self, line: str) -> Iterator[tuple[str, str]]:
        """Start a node, give what it prints until it answers and its URL, and stop it at last."""
        log = self.home / "node.log"
        with (
            log.open("a") as errors,
            subprocess.Popen(
                ["bash", "-c", self._script(f"exec {line}")],
                cwd=self.home,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            ) as process,
        ):
            assert process.stdout is not None
            watchdog = Timer(START_TIMEOUT_S, process.kill)
            watchdog.start()
            try:
                shown = ""
                while not (last := process.stdout.readline()).startswith("listening on "):
                    assert last, f"{line} ended early: {log.read_text()}"
                    shown += last
                watchdog.cancel()
                yield shown + last, last.removeprefix("listening on ").strip()
            finally:
                watchdog.cancel()
                process.terminate()
                process.wait(START_TIMEOUT_S)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with ExitStack() as running:
        yield Terminal(tmp_path, running)


def follow(terminal: Terminal, heading: str) -> int:
    """Run every console block of a section; return how many commands ran."""
    count = 0
    for block in code_blocks(section(README, heading), "console"):
        for command in shown_commands(block):
            if command.line.startswith("cast "):
                continue
            printed = terminal.run(command.line)
            shown = f"$ {command.line}\n{command.output}"
            assert output_pattern(command.output).fullmatch(printed), f"{shown}\nbut:\n{printed}"
            count += 1
    return count


@pytest.mark.network
def test_developer_and_author_see_what_the_readme_shows(terminal: Terminal) -> None:
    developer = "Quick start: dApp developer"
    assert follow(terminal, developer) == 2
    (program,) = code_blocks(section(README, developer), "python")
    (printed,) = code_blocks(section(README, developer), "text")
    assert terminal.run_python(program) == printed
    if shutil.which("cast"):
        for block in code_blocks(section(README, developer), "console"):
            for command in shown_commands(block):
                if command.line.startswith("cast "):
                    assert terminal.run(command.line) == command.output
    assert follow(terminal, "Quick start: model author") == 8


@pytest.mark.network
def test_a_model_is_certified_as_the_contracts_document_shows(terminal: Terminal) -> None:
    certify = section(LIBRARY, "Certify a model of your own")
    (program,) = code_blocks(certify, "python")
    (printed,) = code_blocks(certify, "text")
    terminal.run("cvm dev")
    terminal.run("cvm model register models-registry/models/digits_int8.onnx --account dev")
    assert terminal.run_python(program) == printed


@pytest.mark.network
def test_operator_sees_what_the_readme_shows(terminal: Terminal) -> None:
    assert follow(terminal, "Quick start: operator") == 17


def test_a_plain_ethereum_chain_is_imported_as_the_readme_shows(terminal: Terminal) -> None:
    (terminal.home / "genesis.json").write_text(json.dumps(GENESIS))
    (terminal.home / "chain.rlp").write_bytes(b"".join(block.encode() for block in made_chain()))
    assert follow(terminal, "Importing a plain Ethereum chain") == 2


def head(url: str) -> dict[str, str]:
    """Return the newest block of a node."""
    params = ["latest", False]
    asked = {"jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByNumber", "params": params}
    request = Request(url, json.dumps(asked).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=COMMAND_TIMEOUT_S) as response:
        result: dict[str, str] = json.load(response)["result"]
    return result


@pytest.mark.network
def test_an_operator_follows_joins_and_backs_up_a_chain_as_the_document_shows(
    terminal: Terminal,
) -> None:
    home, away = terminal.home, "validator-2"
    places = make_network(home / "net", NetworkPlan(validators=4, period_s=1))
    shutil.copy(home / "net" / "genesis.json", home)
    (home / "first").symlink_to(places[0].datadir)
    init, follow_chain, come_back, export = (
        re.sub(r"--p2p\.port \d+", "--p2p.port 0", ANY_PEER.sub(places[0].enode(), line))
        for line in indented_commands(OPERATING)
    )
    with asyncio.Runner() as runner:
        network = LocalNetwork(places)
        try:
            runner.run(network.start_all([name for name in network.nodes if name != away]))
            terminal.run(init)
            terminal.run(follow_chain)
            wait_until(lambda: int(head(terminal.url)["number"], 16) >= 3)
            terminal.run(come_back)
            seat = (places[2].validator or b"").hex()
            wait_until(lambda: head(terminal.url)["miner"] == f"0x{seat}")
            assert "chain.cvm" in terminal.run(export)
        finally:
            runner.run(network.close())
    assert (home / "chain.cvm").stat().st_size > 0
