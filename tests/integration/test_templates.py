"""The templates work as they are copied, and the client scripts call a model, on a dev chain."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from models_registry.artifact import load_artifact
from tests.documents import ROOT
from tests.integration.node_process import (
    DEV_ACCOUNT,
    DEV_KEY,
    NodeProcess,
    dev_node,
    register_digits,
)

pytestmark = [pytest.mark.network, pytest.mark.slow]
TEMPLATES = ROOT / "models-registry" / "templates"
CLIENTS = TEMPLATES / "clients"
TWO = TEMPLATES / "hardhat" / "test" / "two.hex"
OLDEST_NODE_OF_HARDHAT = (22, 13)
TIMEOUT_S = 300
SOLC = """#!/bin/sh
if [ "$1" = --version ]; then
  echo "Version: $(node -e "process.stdout.write(require('$SOLC_DIR').version())" |
    sed s/Emscripten.clang/Linux.g++/)"
else
  exec node -e "const input = require('fs').readFileSync(0, 'utf8');
    process.stdout.write(require('$SOLC_DIR').compile(input))"
fi
"""
"""Stands in for the native solc that forge would download, with the same answers from solc-js."""


def node_modules() -> Path | None:
    """Return the folder of npm packages that the environment names, or that of the repository."""
    named = os.environ.get("CVM_NODE_MODULES")
    places = [Path(named)] if named else []
    return next(filter(Path.is_dir, [*places, ROOT / "node_modules"]), None)


def tool(name: str, package: str) -> str:
    """Return where a program is; skips the test where it is nowhere."""
    modules = node_modules()
    local = None if modules is None else modules / ".bin" / name
    found = shutil.which(name) or (str(local) if local is not None and local.exists() else None)
    if found is None:
        pytest.skip(
            f"no {name} on PATH: `npm install {package}` and set CVM_NODE_MODULES to the "
            "node_modules folder"
        )
    return found


def packages(*names: str) -> Path:
    """Return the node_modules folder that holds some packages; skips the test without it."""
    modules = node_modules()
    if modules is None or not all((modules / name).is_dir() for name in names):
        pytest.skip(f"not in CVM_NODE_MODULES: {' '.join(names)}; npm installs them")
    return modules


@dataclass(frozen=True, slots=True)
class Chain:
    """A dev chain with the digit model, and the address of a DigitClassifier on it."""

    node: NodeProcess
    classifier: str

    def run(self, folder: Path, *command: str, **more: str) -> str:
        """Run a command that must succeed; return what it prints."""
        done = subprocess.run(
            command,
            cwd=folder,
            env=dict(os.environ) | {"CVM_RPC": self.node.url, "CVM_KEY": DEV_KEY} | more,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    web3 = pytest.importorskip("web3", reason="web3.py is not installed: pip install web3")
    with dev_node(tmp_path_factory.mktemp("dev")) as node:
        model_id = register_digits(node)
        w3: Any = web3.Web3(web3.Web3.HTTPProvider(node.url))
        account = w3.eth.account.from_key(DEV_KEY)
        artifact = load_artifact("DigitClassifier")
        factory = w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        nonce = w3.eth.get_transaction_count(DEV_ACCOUNT, "pending")
        built = factory.constructor(model_id).build_transaction(
            {"from": DEV_ACCOUNT, "nonce": nonce}
        )
        sent = w3.eth.send_raw_transaction(account.sign_transaction(built).raw_transaction)
        receipt = w3.eth.wait_for_transaction_receipt(sent, timeout=60, poll_latency=0.05)
        yield Chain(node, str(receipt["contractAddress"]))


def copied(template: str, folder: Path) -> Path:
    return Path(shutil.copytree(TEMPLATES / template, folder / template))


@pytest.fixture
def foundry(tmp_path: Path) -> tuple[str, Path, dict[str, str]]:
    """Return forge, a copy of the template, and what lets forge find a compiler."""
    forge = tool("forge", "@foundry-rs/forge")
    modules = packages("solc")
    solc = tmp_path / "solc"
    solc.write_text(SOLC)
    solc.chmod(0o755)
    settings = {"FOUNDRY_SOLC": str(solc), "FOUNDRY_OFFLINE": "true"}
    settings["SOLC_DIR"] = os.environ.get("SOLC_DIR", str(modules / "solc"))
    return forge, copied("foundry", tmp_path), settings


def test_the_foundry_template_passes_its_tests(
    chain: Chain, foundry: tuple[str, Path, dict[str, str]]
) -> None:
    forge, folder, settings = foundry
    printed = chain.run(folder, forge, "test", **settings)
    assert "4 tests passed, 0 failed, 0 skipped" in printed


def test_the_foundry_template_deploys_and_cast_calls_it(
    chain: Chain, foundry: tuple[str, Path, dict[str, str]]
) -> None:
    forge, folder, settings = foundry
    cast = tool("cast", "@foundry-rs/cast")
    script = ["script", "script/Deploy.s.sol", "--rpc-url", "cvm", "--private-key", DEV_KEY]
    printed = chain.run(folder, forge, *script, "--broadcast", **settings)
    found = re.search(r"reader: contract DigitReader (0x[0-9a-fA-F]{40})", printed)
    assert found is not None
    image = (folder / "test" / "two.hex").read_text().strip()
    call = ["call", "--rpc-url", chain.node.url, found[1], "preview(bytes)(int64,int32)", image]
    label, _score = chain.run(folder, cast, *call).split("\n", 1)
    assert label == "2"


@pytest.fixture
def hardhat(tmp_path: Path) -> Path:
    """Return a copy of the template with its packages."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on PATH")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    major, minor, _patch = version.removeprefix("v").split(".")
    if (int(major), int(minor)) < OLDEST_NODE_OF_HARDHAT:
        pytest.skip(f"Hardhat 3 needs Node.js 22.13 or later, this is {version.strip()}")
    modules = packages(
        "hardhat",
        "@nomicfoundation/hardhat-viem",
        "@nomicfoundation/hardhat-node-test-runner",
        "solc",
        "viem",
    )
    folder = copied("hardhat", tmp_path)
    (folder / "node_modules").symlink_to(modules.resolve())
    return folder


def test_the_hardhat_template_passes_its_tests_and_deploys(chain: Chain, hardhat: Path) -> None:
    npm = tool("npm", "npm")
    printed = chain.run(hardhat, npm, "test", DO_NOT_TRACK="1")
    assert "4 passing" in printed
    assert "failing" not in printed
    assert "DigitReader is at 0x" in chain.run(hardhat, npm, "run", "deploy", DO_NOT_TRACK="1")


def test_cast_classifies(chain: Chain) -> None:
    path = f"{Path(tool('cast', '@foundry-rs/cast')).parent}{os.pathsep}{os.environ['PATH']}"
    printed = chain.run(CLIENTS, "./classify.sh", chain.classifier, str(TWO), PATH=path)
    assert printed == "preview 2\nstored 2\n"


@pytest.mark.parametrize("library", ["ethers", "viem"])
def test_a_script_in_javascript_classifies(chain: Chain, library: str, tmp_path: Path) -> None:
    node = tool("node", "node")
    (tmp_path / "node_modules").symlink_to(packages(library).resolve())
    script = f"classify_{library}.mjs"
    shutil.copy(CLIENTS / script, tmp_path / script)
    printed = chain.run(tmp_path, node, script, chain.classifier, str(TWO))
    assert printed == "preview 2\nstored 2\n"


def test_web3_classifies(chain: Chain) -> None:
    script = [str(CLIENTS / "classify_web3.py"), chain.classifier, str(TWO)]
    assert chain.run(CLIENTS, sys.executable, *script) == "preview 2\nstored 2\n"
