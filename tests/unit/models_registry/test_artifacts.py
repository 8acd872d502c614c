"""The committed artifacts are what stock solc makes of the committed sources."""

import hashlib
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from cvm.evm.keccak import keccak256
from models_registry import registry_calls
from models_registry.artifact import ArtifactMissing, load_artifact
from models_registry.selectors import selector, topic

CONTRACTS = Path(__file__).parents[3] / "models-registry" / "contracts"
ARTIFACTS = sorted((CONTRACTS / "artifacts").glob("*.json"))


def compile_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("contracts_compile", CONTRACTS / "compile.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_source_has_an_artifact_of_exactly_this_text() -> None:
    sources = {
        str(path.relative_to(CONTRACTS)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in CONTRACTS.rglob("*.sol")
        if "node_modules" not in path.parts
    }
    artifacts = [json.loads(path.read_text()) for path in ARTIFACTS]
    assert {a["sourceName"]: a["sourceSha256"] for a in artifacts} == sources


def test_artifacts_are_what_solc_makes() -> None:
    compiler = compile_module()
    try:
        compiled = compiler.compile_contracts()
    except compiler.PackagesNotFound as error:
        pytest.skip(str(error))
    encoded = {name: compiler.encode_artifact(artifact) for name, artifact in compiled.items()}
    assert encoded == {path.stem: path.read_text() for path in ARTIFACTS}


def test_system_contracts_fit_the_code_limit_and_have_no_immutables() -> None:
    for name in ("ModelRegistry", "ValidatorSet"):
        artifact = load_artifact(name)
        assert len(artifact.deployed_bytecode) <= 24_576
        # The initcode of a contract without constructor and immutables ends with its code.
        assert artifact.bytecode.endswith(artifact.deployed_bytecode)
        assert all(entry["type"] != "constructor" for entry in artifact.abi)


def test_a_contract_that_does_not_exist_is_named() -> None:
    with pytest.raises(ArtifactMissing, match="'Nothing'"):
        load_artifact("Nothing")


def test_functions_and_events_are_those_of_the_contract() -> None:
    abi = load_artifact("ModelRegistry").abi
    signatures = {
        f"{entry['name']}({','.join(field['type'] for field in entry['inputs'])})"
        for entry in abi
        if entry["type"] in ("function", "event")
    }
    used = {
        value
        for name, value in vars(registry_calls).items()
        if name.isupper() and isinstance(value, str) and not name.startswith("_")
    }
    assert len(used) >= 24
    assert used <= signatures


def test_a_selector_is_the_head_of_the_signature_hash() -> None:
    assert selector("transfer(address,uint256)") == bytes.fromhex("a9059cbb")
    assert topic("Transfer(address,address,uint256)") == bytes(
        keccak256(b"Transfer(address,address,uint256)")
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(bytes.fromhex("08c379a0") + bytes(64), id="Error(string)"),
        pytest.param(selector("NotValidator(address)"), id="truncated"),
    ],
)
def test_what_is_no_error_of_the_registry_is_none(data: bytes) -> None:
    assert registry_calls.decode_error(data) is None


@pytest.mark.parametrize(
    "topics",
    [
        pytest.param((), id="no topics"),
        pytest.param((bytes(32),), id="another event"),
    ],
)
def test_what_is_no_event_of_the_registry_is_none(topics: tuple[bytes, ...]) -> None:
    assert registry_calls.decode_event(topics, b"") is None
