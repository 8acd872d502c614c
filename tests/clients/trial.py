"""One node with a model, against which clients are run one after the other."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from node.dev_keys import dev_accounts
from tests.clients.client_table import CLIENTS, Client
from tests.clients.installing import HERE
from tests.clients.outcome import Outcome, judge
from tests.clients.tools import ROOT, Tools
from tests.integration.node_process import register_digits, running

MODELS_REGISTRY = ROOT / "models-registry"
IMAGE = MODELS_REGISTRY / "templates" / "foundry" / "test" / "two.hex"
LABEL = "2"
ARTIFACT = MODELS_REGISTRY / "contracts" / "artifacts" / "DigitClassifier.json"
CONTRACTS = MODELS_REGISTRY / "contracts"
VYPER_SOURCES = CONTRACTS / "vyper"
TEMPLATE = MODELS_REGISTRY / "templates" / "foundry"
CLASSIFIER = CONTRACTS / "examples" / "DigitClassifier.sol"
SOURCES = (
    (CONTRACTS / "CVM.sol", "foundry/src"),
    (CLASSIFIER, "foundry/src/examples"),
    (TEMPLATE / "test" / "CvmNode.sol", "foundry/test"),
    (TEMPLATE / "test" / "Vm.sol", "foundry/test"),
    (IMAGE, "foundry"),
    (CONTRACTS / "CVM.sol", "hardhat/contracts"),
    (CLASSIFIER, "hardhat/contracts/examples"),
)
"""What forge and Hardhat compile and read, and where in their projects."""

OWN_SETTINGS = ("ETH_HASH_BACKEND",)
"""Which this process sets for itself (`cvm.evm.native_dependencies`)."""

CLIENT_TIMEOUT_S = 300
TIMED_OUT = 124


@dataclass(frozen=True, slots=True)
class Trial:
    """A folder of scripts beside npm's packages, and what every client finds in its environment."""

    scripts: Path
    environment: dict[str, str]

    def of(self, client: Client) -> Outcome:
        """Run one client with an account of its own."""
        key = dev_accounts()[1 + CLIENTS.index(client)].to_hex()
        start = monotonic()
        try:
            done = subprocess.run(
                client.command,
                cwd=self.scripts / client.folder,
                env=self.environment | {"CVM_KEY": key},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=CLIENT_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            printed = (late.stdout or b"").decode(errors="replace")
            return judge(client, printed, TIMED_OUT, monotonic() - start)
        return judge(client, done.stdout, done.returncode, monotonic() - start)


@contextmanager
def trial(folder: Path, tools: Tools) -> Iterator[Trial]:
    """Start a node with the digit model, which a page may ask, and lay out the scripts."""
    page = f"http://127.0.0.1:{free_port()}"
    data = ["--datadir", str(folder / "data")]
    with running(folder / "node.log", "dev", *data, "--http.corsdomain", page) as node:
        given = {
            "CVM_RPC": node.url,
            "CVM_WS": node.url.replace("http", "ws", 1),
            "CVM_MODEL": register_digits(node),
            "CVM_PAGE": page,
        }
        yield Trial(lay_out(folder / "scripts", tools), surroundings(tools) | given)


def lay_out(scripts: Path, tools: Tools) -> Path:
    """Copy the scripts to where they find npm's packages, and contracts into their projects."""
    shutil.copytree(HERE / "scripts", scripts)
    (scripts / "node_modules").symlink_to(tools.node_modules)
    for source, place in SOURCES:
        target = scripts / place / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    return scripts


def surroundings(tools: Tools) -> dict[str, str]:
    """Return the part of a client's environment that does not depend on the node."""
    return {name: text for name, text in os.environ.items() if name not in OWN_SETTINGS} | {
        "PATH": os.pathsep.join([*map(str, tools.programs), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
        "CVM_IMAGE": str(IMAGE),
        "CVM_LABEL": LABEL,
        "CVM_ARTIFACT": str(ARTIFACT),
        "CVM_VYPER_SOURCES": str(VYPER_SOURCES),
        "CVM_BROWSER": tools.browser or "",
        "DO_NOT_TRACK": "1",
    }


def free_port() -> int:
    """Return a port of loopback that nothing holds."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
