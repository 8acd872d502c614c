"""Compile the contracts with stock solc-js and write one artifact per contract.

Run it from anywhere: `python models-registry/contracts/compile.py`. It needs Node.js and the npm
packages of `package.json` in exactly those versions: `npm ci` in this folder, or anywhere else,
with SOLC_DIR naming the folder of the package `solc`, beside which OpenZeppelin lies.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

CONTRACTS_DIR = Path(__file__).resolve().parent
VERSIONS: dict[str, str] = json.loads((CONTRACTS_DIR / "package.json").read_text())["dependencies"]
SOLC, OPENZEPPELIN = "solc", "@openzeppelin/contracts"
ARTIFACTS_DIR = CONTRACTS_DIR / "artifacts"
SOURCES = (
    "AttestationQuorum.sol",
    "CVM.sol",
    "CVMInput.sol",
    "CertificateAbsence.sol",
    "Float32.sol",
    "IModelRegistry.sol",
    "IValidatorSet.sol",
    "InferArray.sol",
    "ModelRegistry.sol",
    "RegistryParameters.sol",
    "StrictRlp.sol",
    "ValidatorSeats.sol",
    "ValidatorSet.sol",
    "VoteEvidence.sol",
    "examples/DigitClassifier.sol",
    "library/AICallback.sol",
    "library/AccessToken.sol",
    "library/AnswerRule.sol",
    "library/DataToken.sol",
    "library/DatasetRegistry.sol",
    "library/Evaluator.sol",
    "library/IInferenceConsumer.sol",
    "library/InferenceReferee.sol",
    "library/ModelRouter.sol",
    "library/Purse.sol",
    "library/RowTree.sol",
    "library/Tournament.sol",
    "library/VerifierEscrow.sol",
    "library/VerifierJobs.sol",
    "testing/CVMProbe.sol",
    "testing/CallbackProbe.sol",
    "testing/GasProbe.sol",
    "testing/ReentrantOwner.sol",
    "testing/TensorProbe.sol",
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
TRANSIENT_STORAGE_WARNING = "2394"
"""What solc says of any use of EIP-1153; it calls OpenZeppelin's, which clears its mark, safe."""

DRIVER = """
const fs = require('fs'), path = require('path');
const {packages, request} = JSON.parse(fs.readFileSync(0, 'utf8'));
const from = [process.env.SOLC_DIR || process.cwd()];
const folders = {}, versions = {}, missing = [];
for (const name of packages) {
  try {
    const file = require.resolve(name + '/package.json', {paths: from});
    folders[name] = path.dirname(file);
    versions[name] = JSON.parse(fs.readFileSync(file, 'utf8')).version;
  } catch (error) { missing.push(name); }
}
const contents = (name) => {
  const owner = packages.find((each) => name.startsWith(each + '/'));
  if (!owner) return {error: name + ' is in no package'};
  return {contents: fs.readFileSync(folders[owner] + name.slice(owner.length), 'utf8')};
};
const compiled = missing.length ? {} : (() => {
  const solc = require(folders['solc']);
  const output = solc.compile(JSON.stringify(request), {import: contents});
  return {compiler: solc.version(), output: JSON.parse(output)};
})();
process.stdout.write(JSON.stringify({missing, versions, ...compiled}));
"""
_AST_ID = re.compile(r"\)\d+(?=_storage|\b)")

Json = dict[str, Any]


class PackagesNotFound(Exception):
    """Node.js or one of the npm packages is not installed."""

    def __init__(self, reason: str) -> None:
        wanted = " and ".join(f"{name}@{version}" for name, version in sorted(VERSIONS.items()))
        super().__init__(
            f"{reason}. Install Node.js, then {wanted}: `npm ci` in {CONTRACTS_DIR.name}/, or set "
            "SOLC_DIR to the folder of solc with OpenZeppelin beside it"
        )


class CompilationFailed(Exception):
    """solc refused the sources, or a package is another version than the pinned one."""


def compile_contracts() -> dict[str, Json]:
    """Return every contract's artifact by name; raises `PackagesNotFound`, `CompilationFailed`."""
    sources = {name: (CONTRACTS_DIR / name).read_text() for name in SOURCES}
    request = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": SETTINGS,
    }
    answer = _run_solc(request)
    output = answer["output"]
    _refuse_diagnostics(output.get("errors", []))
    return {
        name: _artifact(name, source, contract, str(answer["compiler"]), sources[source])
        for source, contracts in sorted(output["contracts"].items())
        for name, contract in sorted(contracts.items())
        if source in sources and Path(source).stem == name
    }


def encode_artifact(artifact: Json) -> str:
    """Return an artifact as the text of its file."""
    return json.dumps(artifact, indent=1, sort_keys=True) + "\n"


def _run_solc(request: Json) -> Json:
    """Compile with the pinned packages; OpenZeppelin's sources are read where they are imported."""
    try:
        done = subprocess.run(
            ["node", "-e", DRIVER],
            input=json.dumps({"packages": [SOLC, OPENZEPPELIN], "request": request}),
            capture_output=True,
            text=True,
            check=False,
            cwd=CONTRACTS_DIR,
            env=dict(os.environ),
        )
    except FileNotFoundError as error:
        raise PackagesNotFound("`node` is not on the path") from error
    if done.returncode != 0:
        raise CompilationFailed(f"node failed: {done.stderr.strip()}")
    answer: Json = json.loads(done.stdout)
    if answer["missing"]:
        raise PackagesNotFound(f"npm packages that are not there: {', '.join(answer['missing'])}")
    if answer["versions"] != VERSIONS:
        raise CompilationFailed(f"found {answer['versions']}; the artifacts are made by {VERSIONS}")
    return answer


def _refuse_diagnostics(diagnostics: list[Json]) -> None:
    """Refuse warnings too: a system contract has none."""
    ours = [entry for entry in diagnostics if entry.get("errorCode") != TRANSIENT_STORAGE_WARNING]
    if ours:
        raise CompilationFailed("\n".join(str(entry["formattedMessage"]) for entry in ours))


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
    except (PackagesNotFound, CompilationFailed) as error:
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
