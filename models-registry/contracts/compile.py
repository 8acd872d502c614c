"""Compile the contracts with stock solc-js and write one artifact per contract.

Run it from anywhere: `python models-registry/contracts/compile.py`. It needs Node.js and the npm
package `solc` in exactly the version below: `npm install solc@0.8.30` in this folder or above it,
or anywhere else with SOLC_DIR naming the folder of the package.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

SOLC_VERSION = "0.8.30"
CONTRACTS_DIR = Path(__file__).resolve().parent
ARTIFACTS_DIR = CONTRACTS_DIR / "artifacts"
SOURCES = (
    "CVM.sol",
    "ModelRegistry.sol",
    "ValidatorSet.sol",
    "examples/DigitClassifier.sol",
    "testing/CVMProbe.sol",
)
SETTINGS = {
    "evmVersion": "prague",
    "optimizer": {"enabled": True, "runs": 200},
    # No hash of the sources in the code: a changed comment leaves the bytecode as it is.
    "metadata": {"bytecodeHash": "none"},
    "outputSelection": {
        "*": {
            "*": [
                "abi",
                "evm.bytecode.object",
                "evm.deployedBytecode.object",
                "storageLayout",
            ]
        }
    },
}
DRIVER = """
const solc = require(process.env.SOLC_DIR || 'solc');
const input = require('fs').readFileSync(0, 'utf8');
process.stdout.write(JSON.stringify({version: solc.version(), output: solc.compile(input)}));
"""
_AST_ID = re.compile(r"\)\d+(?=_storage|\b)")

Json = dict[str, Any]


class SolcNotFound(Exception):
    """Node.js or the npm package `solc` is not installed."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"no solc {SOLC_VERSION}: {reason}. Install Node.js, then `npm install "
            f"solc@{SOLC_VERSION}`, or set SOLC_DIR to the folder of the package"
        )


class CompilationFailed(Exception):
    """solc refused the sources, or is another version than the pinned one."""


def compile_contracts() -> dict[str, Json]:
    """Return the artifact of every contract by name; raises `SolcNotFound`, `CompilationFailed`."""
    sources = {name: (CONTRACTS_DIR / name).read_text() for name in SOURCES}
    request = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": SETTINGS,
    }
    answer = _run_solc(json.dumps(request))
    version = str(answer["version"])
    if not version.startswith(f"{SOLC_VERSION}+"):
        raise CompilationFailed(f"solc {version}; the artifacts are made by {SOLC_VERSION}")
    output = json.loads(answer["output"])
    _refuse_diagnostics(output.get("errors", []))
    return {
        name: _artifact(name, source, contract, version, sources[source])
        for source, contracts in sorted(output["contracts"].items())
        for name, contract in sorted(contracts.items())
        if Path(source).stem == name
    }


def encode_artifact(artifact: Json) -> str:
    """Return an artifact as the text of its file."""
    return json.dumps(artifact, indent=1, sort_keys=True) + "\n"


def _run_solc(request: str) -> Json:
    try:
        done = subprocess.run(
            ["node", "-e", DRIVER],
            input=request,
            capture_output=True,
            text=True,
            check=False,
            cwd=CONTRACTS_DIR,
            env=dict(os.environ),
        )
    except FileNotFoundError as error:
        raise SolcNotFound("`node` is not on the path") from error
    if done.returncode != 0:
        raise SolcNotFound((done.stderr.strip().splitlines() or ["node failed"])[-1])
    answer: Json = json.loads(done.stdout)
    return answer


def _refuse_diagnostics(diagnostics: list[Json]) -> None:
    """Refuse warnings too: a system contract has none."""
    if diagnostics:
        raise CompilationFailed("\n".join(str(entry["formattedMessage"]) for entry in diagnostics))


def _artifact(name: str, source: str, contract: Json, version: str, text: str) -> Json:
    evm = contract["evm"]
    return {
        "contractName": name,
        "sourceName": source,
        "sourceSha256": hashlib.sha256(text.encode()).hexdigest(),
        "compiler": f"solc {version}",
        "evmVersion": SETTINGS["evmVersion"],
        "abi": contract["abi"],
        "bytecode": "0x" + evm["bytecode"]["object"],
        "deployedBytecode": "0x" + evm["deployedBytecode"]["object"],
        "storageLayout": _without_ast_ids(contract["storageLayout"]),
    }


def _without_ast_ids(value: Any) -> Any:
    """Drop the numbers of syntax nodes, which change with every edit of any source."""
    if isinstance(value, dict):
        return {_AST_ID.sub(")", k): _without_ast_ids(v) for k, v in value.items() if k != "astId"}
    if isinstance(value, list):
        return [_without_ast_ids(entry) for entry in value]
    return _AST_ID.sub(")", value) if isinstance(value, str) else value


def main() -> int:
    """Write the artifacts; return the exit status."""
    try:
        artifacts = compile_contracts()
    except (SolcNotFound, CompilationFailed) as error:
        print(error, file=sys.stderr)
        return 1
    ARTIFACTS_DIR.mkdir(exist_ok=True)
    for name, artifact in artifacts.items():
        path = ARTIFACTS_DIR / f"{name}.json"
        path.write_text(encode_artifact(artifact))
        size = len(artifact["deployedBytecode"]) // 2 - 1
        print(f"{path.relative_to(CONTRACTS_DIR)}: {size} bytes of code")
    return 0


if __name__ == "__main__":
    sys.exit(main())
