"""Runs `cvm model` in this process against a fake node, with a model of three chunks at hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner, Result

from cvm.inference.faults import InvalidModel
from models_registry.chunks import chunk_proofs, model_id, split_chunks
from models_registry.cli.commands import model_commands
from models_registry.cli.prepare import Options, prepare_model
from models_registry.cli.report import GasQuote, ModelReport, inspect_file
from models_registry.cli.rules import ModelRules
from models_registry.cli.terminal import WallClock
from models_registry.registry import RegistryStatus, read_entry
from node.cli.model import rerun
from tests.unit.models_registry.fake_node import FakeNode
from tests.unit.models_registry.registry_chain import marked_test_key

OWNER_KEY = marked_test_key(77)
KEY_VARIABLE = "TEST_OWNER_KEY"
URI = "https://example.org/model"


def model_of_three_chunks() -> bytes:
    """Return a checked model of 627 kB: one MatMul with 784 x 200 weights."""
    weights = np.arange(784 * 200, dtype=np.float32).reshape(784, 200)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 784])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 200])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    assert isinstance(model, onnx.ModelProto)
    return prepare_model(model.SerializeToString(), Options()).data


DATA = model_of_three_chunks()
MODEL = model_id(DATA)
CHUNKS = split_chunks(DATA)
PROOFS = chunk_proofs(DATA)


class FakeClock:
    """Time that passes by one second at every pause."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def pause(self) -> None:
        self._now += 1.0


def price(report: ModelReport) -> GasQuote:
    return GasQuote(3000, report.size_bytes // 32, report.cost.macs // 100, 12)


def refuse_odd(report: ModelReport, royalty_gas: int) -> None:
    if royalty_gas % 2:
        raise InvalidModel("an even royalty", f"{royalty_gas} gas")


def use_fake_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands' clock go on by a second whenever they wait."""
    clock = FakeClock()
    monkeypatch.setattr(WallClock, "now", lambda _self: clock.now())
    monkeypatch.setattr(WallClock, "pause", lambda _self: clock.pause())


def run(*arguments: object, dev_key: bytes | None = None, stdin: str = "") -> Result:
    rules = ModelRules(
        inspect_file, inspect_file, refuse_odd, price, lambda _data, _items: [], rerun, dev_key
    )
    environment = {KEY_VARIABLE: "0x" + OWNER_KEY.to_bytes().hex(), "OTHER": "0x1234"}
    app = model_commands(rules)
    words = [str(argument) for argument in arguments]
    return CliRunner().invoke(app, words, input=stdin, env=environment)


def register(model_file: Path, url: str, *more: str) -> Result:
    key = ("--key-env", KEY_VARIABLE)
    return run("register", model_file, "--rpc", url, *key, "--uri", URI, "--json", *more)


def result_of(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def transactions(node: FakeNode) -> int:
    return node.calls.count("eth_sendRawTransaction")


def status(node: FakeNode) -> RegistryStatus | None:
    entry = read_entry(node.chain.storage, MODEL, node.chain.height)
    return None if entry is None else entry.status
