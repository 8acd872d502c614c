"""Compiles Solidity in a test with stock solc-js, where Node.js and the package are installed."""

import json
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from tests.documents import ROOT

SOLC_VERSION = "0.8.30"
CONTRACTS = ROOT / "models-registry" / "contracts"
LIBRARIES = ("CVM.sol", "CVMInput.sol", "Float32.sol", "InferArray.sol")
HEADER = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.30;\n\n"
OUTPUTS = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]
DRIVER = """
const solc = require(process.env.SOLC_DIR || 'solc');
const input = require('fs').readFileSync(0, 'utf8');
process.stdout.write(JSON.stringify({version: solc.version(), output: solc.compile(input)}));
"""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What solc said of some sources: every error and warning, and the code of every contract."""

    diagnostics: tuple[str, ...]
    contracts: dict[str, dict[str, Any]]

    def code(self, name: str) -> bytes:
        """Return the runtime code of a contract."""
        return bytes.fromhex(self.contracts[name]["evm"]["deployedBytecode"]["object"])


@cache
def library_sources() -> dict[str, str]:
    """Return the sources of the libraries that contracts import, by file name."""
    return {name: (CONTRACTS / name).read_text(encoding="utf-8") for name in LIBRARIES}


def compile_sources(sources: dict[str, str]) -> Compiled:
    """Compile sources beside the libraries; skips the test where there is no solc 0.8.30."""
    request = {
        "language": "Solidity",
        "sources": {
            name: {"content": text} for name, text in (library_sources() | sources).items()
        },
        "settings": {
            "evmVersion": "prague",
            "optimizer": {"enabled": True, "runs": 200},
            "outputSelection": {"*": {"*": OUTPUTS}},
        },
    }
    answer = _run_solc(json.dumps(request))
    if not str(answer["version"]).startswith(f"{SOLC_VERSION}+"):
        pytest.skip(f"solc {answer['version']}, these tests want {SOLC_VERSION}")
    output = json.loads(answer["output"])
    return Compiled(
        tuple(str(entry["formattedMessage"]) for entry in output.get("errors", [])),
        {
            name: contract
            for contracts in output.get("contracts", {}).values()
            for name, contract in contracts.items()
        },
    )


def _run_solc(request: str) -> dict[str, Any]:
    try:
        done = subprocess.run(
            ["node", "-e", DRIVER],
            input=request,
            capture_output=True,
            text=True,
            check=False,
            cwd=CONTRACTS,
            env=dict(os.environ),
        )
    except FileNotFoundError:
        pytest.skip("no solc: `node` is not on the path")
    if done.returncode != 0:
        pytest.skip(f"no solc {SOLC_VERSION}: npm install it, or set SOLC_DIR to its folder")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
