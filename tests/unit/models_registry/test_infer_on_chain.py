"""`cvm model infer` and `verify`: what they send, how they show it, and where it differs."""

import struct
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models_registry.selectors import selector
from node.cli.model import rerun
from tests.unit.models_registry.fake_node import FakeNode, Refusal
from tests.unit.models_registry.model_cli import DATA, MODEL, result_of, run

pytestmark = pytest.mark.network
NAME = "0x" + MODEL.hex()
TX = "0x" + "7a" * 32
GAS = {
    "base": "0xbb8", "load": "0x10", "compute": "0x20", "royalty": "0x4", "bytes": "0x3",
    "total": "0xbef",
}  # fmt: skip
INTERFACE = {
    "inputs": [{"name": "x", "dtype": "uint8", "shape": ["0x1", "0x2"]}],
    "outputs": [
        {"name": "label", "dtype": "int64", "shape": ["0x1"]},
        {"name": "scores", "dtype": "float32", "shape": ["0x1", "0x3"]},
    ],
    "batchable": True,
}
OUTPUT = struct.pack(">q3f", 1, -0.5, 2.25, float("nan"))


@pytest.fixture
def model(node: FakeNode, url: str) -> str:
    """Return the address of a node whose model answers `OUTPUT`."""
    node.canned = {
        "cvm_modelInterface": INTERFACE,
        "cvm_estimateInference": GAS,
        "eth_call": "0x" + OUTPUT.hex(),
    }
    return url


def test_an_answer_shows_the_best_classes_and_the_gas(
    node: FakeNode, model: str, tmp_path: Path
) -> None:
    (tmp_path / "names").write_text("cat\ndog\nowl\n")
    result = run("infer", NAME, "--input", "[1, 2]", "--labels", tmp_path / "names", "--rpc", model)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        "label int64[1]",
        "  1  dog",
        "scores float32[1,3]",
        "      1  2.25           dog",
        "      0  -0.5           cat",
        "      2  nan            owl",
        "gas 3,055 for a first call: base 3,000, load 16, compute 32, royalty 4, bytes 3",
    ]


def test_the_twin_is_called_with_the_id_and_the_packed_input(
    monkeypatch: pytest.MonkeyPatch, node: FakeNode, model: str
) -> None:
    del node.canned["eth_call"]
    asked: list[Any] = []

    def answer(*given: object) -> str:
        asked.append(given)
        return "0x" + OUTPUT.hex()

    monkeypatch.setattr(node, "_call", answer)
    run("infer", NAME, "--input", "[1, 2]", "--block", "5", "--rpc", model)
    call = {"to": "0x" + "00" * 18 + "0c00", "data": NAME + "0102"}
    assert asked == [(call, "0x5")]


def test_a_program_gets_numbers_hash_and_gas(node: FakeNode, model: str) -> None:
    found = result_of(run("infer", NAME, "--input", "[1, 2]", "--rpc", model, "--json"))
    assert [output["items"] for output in found["outputs"]] == [[[1]], [[-0.5, 2.25, "nan"]]]
    assert found["outputHash"] == "0x" + sha256(OUTPUT).hexdigest()
    assert (found["items"], found["gas"]["total"]) == (1, 3055)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param("ModelNotActive()", "is not ACTIVE: `cvm model status`", id="active"),
        pytest.param("BadInputSize()", "not a number of items", id="size"),
        pytest.param("InputOutOfRange()", "outside what the model can take", id="range"),
    ],
)
def test_what_the_model_refuses_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch, node: FakeNode, model: str, error: str, words: str
) -> None:
    def refuse(*_given: object) -> str:
        raise Refusal(3, "execution reverted", selector(error))

    del node.canned["eth_call"]
    monkeypatch.setattr(node, "_call", refuse)
    result = run("infer", NAME, "--input", "[1, 2]", "--rpc", model)
    assert result.exit_code == 1
    assert words in result.stderr


def test_a_model_that_was_not_active_then_is_told_with_the_block(
    monkeypatch: pytest.MonkeyPatch, node: FakeNode, model: str
) -> None:
    def refuse(*_given: object) -> str:
        raise Refusal(3, "execution reverted", selector("ModelNotActive()"))

    del node.canned["eth_call"]
    monkeypatch.setattr(node, "_call", refuse)
    result = run("infer", NAME, "--input", "[1, 2]", "--block", "5", "--rpc", model)
    assert result.exit_code == 1
    assert "the model was not ACTIVE after block 5" in result.stderr


@pytest.mark.parametrize(
    ("name", "dtype", "lines"),
    [
        pytest.param("scores", "int32", ["      2  9", "      0  7", "      1  -1"], id="by rank"),
        pytest.param("leaves", "int32", ["  7 -1 9"], id="nodes of trees, by tree"),
        pytest.param("best", "int64", ["  7 -1 9"], id="places, best first"),
    ],
)
def test_only_scores_are_ranked(
    node: FakeNode, model: str, name: str, dtype: str, lines: list[str]
) -> None:
    output = {"name": name, "dtype": dtype, "shape": ["0x1", "0x3"]}
    node.canned["cvm_modelInterface"] = INTERFACE | {"outputs": [output]}
    size = {"int32": ">3i", "int64": ">3q"}[dtype]
    node.canned["eth_call"] = "0x" + struct.pack(size, 7, -1, 9).hex()
    result = run("infer", NAME, "--input", "[1, 2]", "--rpc", model)
    assert result.stdout.splitlines()[1:-1] == lines


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(("--input", "[1]"), 2, "shape [1], input 'x' takes [1, 2]", id="input"),
        pytest.param(
            ("--input", "[1, 2]", "--scale", "much"), 2, "--scale 'much' is no number", id="scale"
        ),
        pytest.param(
            ("--input", "[1, 2]", "--labels", "none"), 2, "none: No such file", id="labels"
        ),
    ],
)
def test_a_bad_question_is_refused(
    node: FakeNode, model: str, arguments: tuple[str, ...], code: int, words: str
) -> None:
    result = run("infer", NAME, *arguments, "--rpc", model)
    assert result.exit_code == code
    assert words in result.stderr


@pytest.mark.parametrize(
    ("canned", "words"),
    [
        pytest.param({"eth_call": "0x00"}, "1 bytes are not the model's output", id="output"),
        pytest.param({"cvm_modelInterface": {}}, "has another form", id="interface"),
        pytest.param(
            {"cvm_modelInterface": {**INTERFACE, "inputs": [
                {"name": "x", "dtype": "uint8", "shape": ["0xffffffffff"]}]}},
            "no model has values of shape", id="giant",
        ),
        pytest.param(
            {"cvm_modelInterface": {**INTERFACE, "inputs": [
                {"name": "x", "dtype": "object", "shape": []}]}},
            "no model has values of dtype", id="dtype",
        ),
    ],
)  # fmt: skip
def test_a_node_that_talks_nonsense_is_named(
    node: FakeNode, model: str, canned: dict[str, Any], words: str
) -> None:
    node.canned |= canned
    result = run("infer", NAME, "--input", "[1, 2]", "--rpc", model)
    assert result.exit_code == 1
    assert words in result.stderr


ROW = np.arange(784, dtype=np.float32) / 784
CALL_INPUT = ROW.astype(">f4").tobytes()
TRUE = rerun(DATA, CALL_INPUT, "reference", nodes=True)


def traced(**changes: Any) -> dict[str, Any]:
    """Return what a node says of the model's call, with changes."""
    gas = TRUE.gas
    inference = {
        "index": "0x0",
        "modelId": NAME,
        "owner": "0x" + "0a" * 20,
        "ok": True,
        "hasRun": True,
        "gas": {
            "base": hex(gas.base), "load": hex(gas.load), "compute": hex(gas.compute),
            "royalty": "0x7", "bytes": hex(gas.io_bytes), "total": hex(gas.total + 7),
        },
        "royaltyPaid": "0x70",
        "inputSize": hex(len(CALL_INPUT)),
        "inputHash": "0x" + sha256(CALL_INPUT).hexdigest(),
        "input": "0x" + CALL_INPUT.hex(),
        "outputSize": hex(len(TRUE.output)),
        "outputHash": "0x" + sha256(TRUE.output).hexdigest(),
        "output": "0x" + TRUE.output.hex(),
        "nodes": None,
        **changes,
    }  # fmt: skip
    return {"blockNumber": "0x9", "inferences": [inference]}


NODES = [
    {"name": n.name, "opType": n.op_type, "outputHash": "0x" + n.output_hash.hex()}
    for n in TRUE.nodes
]
FALSE_NODES = [*NODES[:-1], {**NODES[-1], "outputHash": "0x" + "00" * 32}]


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(DATA)
    return path


def verify(url: str, model: Path, *more: str) -> Any:
    return run("verify", TX, "--model", model, "--backend", "reference", "--rpc", url, *more)


def test_an_inference_that_is_the_same_is_said_to_be(
    node: FakeNode, url: str, model_file: Path
) -> None:
    node.canned = {"cvm_traceInference": traced(nodes=NODES)}
    result = verify(url, model_file, "--nodes")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == f"inference 0, block 9, model {NAME}"
    assert [line.split()[:2] for line in lines[1:-1]] == [
        ["input", "same"], ["answered", "same"], ["output", "same"], ["gas", "same"],
        ["nodes", "same"],
    ]  # fmt: skip
    assert lines[-1] == "1 of 1 inferences are the same on this machine's reference"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        pytest.param({"inputHash": "0x" + "00" * 32}, "input", id="input"),
        pytest.param({"outputHash": "0x" + "00" * 32}, "output", id="output"),
        pytest.param({"ok": False}, "answered", id="answered"),
        pytest.param({"gas": {**GAS}}, "gas", id="gas"),
        pytest.param({"nodes": FALSE_NODES}, "nodes", id="nodes"),
    ],
)
def test_what_differs_is_named_with_both_values(
    node: FakeNode, url: str, model_file: Path, changes: dict[str, Any], name: str
) -> None:
    node.canned = {"cvm_traceInference": traced(**changes)}
    result = verify(url, model_file)
    assert result.exit_code == 1
    differing = [line.split()[0] for line in result.stdout.splitlines() if "DIFFERS" in line]
    assert differing == [name]
    assert "0 of 1 inferences are the same" in result.stdout
    told = verify(url, model_file, "--json")
    assert told.exit_code == 1
    assert '"same": false' in told.stdout


def test_a_second_touch_pays_no_load(node: FakeNode, url: str, model_file: Path) -> None:
    gas = traced()["inferences"][0]["gas"]
    gas |= {"load": "0x0", "total": hex(TRUE.gas.total - TRUE.gas.load + 7)}
    node.canned = {"cvm_traceInference": traced(gas=gas)}
    assert verify(url, model_file).exit_code == 0


def test_a_call_that_ran_nothing_is_the_same_everywhere(
    node: FakeNode, url: str, model_file: Path
) -> None:
    node.canned = {"cvm_traceInference": traced(hasRun=False, ok=False, owner=None, input="0x")}
    result = verify(url, model_file)
    assert result.exit_code == 0, result.stderr
    assert "refused before anything ran" in result.stdout


def test_bytes_that_one_answer_cannot_hold_are_asked_for_alone(
    monkeypatch: pytest.MonkeyPatch, node: FakeNode, url: str, model_file: Path
) -> None:
    asked: list[Any] = []

    def trace(_tx: str, options: dict[str, Any]) -> dict[str, Any]:
        asked.append(options)
        return traced() if "index" in options else traced(input=None, output=None)

    monkeypatch.setattr(node, "method", lambda _name: trace)
    assert verify(url, model_file).exit_code == 0
    assert asked == [{"nodes": False}, {"nodes": False, "index": "0x0"}]


def test_the_model_is_fetched_once_where_it_is_not_at_hand(
    monkeypatch: pytest.MonkeyPatch, node: FakeNode, url: str, tmp_path: Path, model_file: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run("push", model_file, "--rpc", url)
    node.canned = {"cvm_traceInference": traced()}
    for _ in range(2):
        done = run("verify", TX, "--backend", "reference", "--rpc", url)
        assert done.exit_code == 0, done.stderr
    assert node.calls.count("cvm_getChunk") == 3


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(("0x12",), 2, "'0x12' is not a transaction hash", id="hash"),
        pytest.param((TX, "--backend", "tpu"), 2, "no backend 'tpu'", id="backend"),
        pytest.param((TX, "--model", "none"), 2, "none: No such file", id="model"),
    ],
)
def test_what_cannot_be_verified_is_said(
    node: FakeNode, url: str, arguments: tuple[str, ...], code: int, words: str, model_file: Path
) -> None:
    node.canned = {"cvm_traceInference": traced()}
    given = arguments if "--model" in arguments else (*arguments, "--model", str(model_file))
    result = run("verify", *given, "--rpc", url)
    assert result.exit_code == code
    assert words in result.stderr


def test_a_file_of_another_model_is_refused(node: FakeNode, url: str, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(DATA + b"x")
    node.canned = {"cvm_traceInference": traced()}
    result = verify(url, tmp_path / "other")
    assert result.exit_code == 2
    assert f"is not model {NAME}, which ran" in result.stderr


def test_a_transaction_without_an_inference_is_said(
    node: FakeNode, url: str, model_file: Path
) -> None:
    node.canned = {"cvm_traceInference": {"blockNumber": "0x9", "inferences": []}}
    result = verify(url, model_file, "--index", "3")
    assert result.exit_code == 1
    assert f"transaction {TX} has no inference with index 3" in result.stderr
