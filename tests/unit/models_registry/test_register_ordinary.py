"""`cvm model register` of an ordinary file, what it costs and whether it asks, and `push`."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models_registry.chunks import model_id
from models_registry.cli import terminal
from models_registry.cli.prepare import Options, prepare_model
from models_registry.registry import RegistryStatus
from tests.unit.models_registry.fake_node import FakeNode
from tests.unit.models_registry.model_cli import (
    DATA,
    KEY_VARIABLE,
    MODEL,
    OWNER_KEY,
    register,
    result_of,
    run,
    status,
    transactions,
)
from tests.unit.models_registry.registry_chain import DEADLINE, address_of

pytestmark = pytest.mark.network
KEY = ("--key-env", KEY_VARIABLE)


def ordinary_model() -> bytes:
    """Return an opset 13 file with a symbolic batch, which no chain takes as it is."""
    weights = np.arange(12, dtype=np.float32).reshape(4, 3)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    assert isinstance(model, onnx.ModelProto)
    return bytes(model.SerializeToString())


ORDINARY = ordinary_model()
STRICT = prepare_model(ORDINARY, Options()).data


@pytest.fixture
def ordinary(tmp_path: Path) -> Path:
    path = tmp_path / "ordinary.onnx"
    path.write_bytes(ORDINARY)
    return path


def test_an_ordinary_file_is_prepared_and_registered(
    node: FakeNode, url: str, ordinary: Path
) -> None:
    result = register(ordinary, url)
    answer = result_of(result)
    assert answer["modelId"] == "0x" + model_id(STRICT).hex()
    assert answer["status"] == "active"
    assert "not in the strict form yet" in result.stderr
    assert "converted opset 13 to 21" in result.stderr
    assert node.chunks[model_id(STRICT)] == {0: STRICT}


def test_the_prepared_file_can_be_kept(
    node: FakeNode, url: str, ordinary: Path, tmp_path: Path
) -> None:
    result_of(register(ordinary, url, "-o", str(tmp_path / "strict.onnx")))
    assert (tmp_path / "strict.onnx").read_bytes() == STRICT


def test_gas_is_told_before_the_question_and_once_in_the_result(
    node: FakeNode, url: str, ordinary: Path
) -> None:
    result = run("register", ordinary, "--rpc", url, *KEY, "--yes")
    told, _cost, _rest = result.stderr.partition("registering costs")
    assert "gas         3," in told
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["model", "gas", "status"]


def test_an_ordinary_file_is_refused_where_nothing_may_be_prepared(
    node: FakeNode, url: str, ordinary: Path
) -> None:
    result = register(ordinary, url, "--no-prepare")
    assert result.exit_code == 2
    assert "`cvm model prepare FILE -o NEW`" in result.stderr
    assert node.calls == []


@pytest.mark.parametrize("command", ["status", "show", "royalty"])
def test_an_ordinary_file_names_the_model_that_it_was_registered_as(
    node: FakeNode, url: str, ordinary: Path, command: str
) -> None:
    result_of(register(ordinary, url))
    result = run(command, ordinary, "--rpc", url, "--json")
    assert result_of(result)["modelId"] == "0x" + model_id(STRICT).hex()
    assert f"prepared without options it is model 0x{model_id(STRICT).hex()}" in result.stderr


def test_the_library_of_an_ordinary_file_calls_its_strict_form(ordinary: Path) -> None:
    result = run("bind", ordinary)
    assert f"MODEL_ID = 0x{model_id(STRICT).hex()};" in result.stdout
    assert "library Ordinary {" in result.stdout


def test_a_text_file_is_no_model(node: FakeNode, url: str) -> None:
    result = run("status", __file__, "--rpc", url)
    assert result.exit_code == 2
    assert "the file is not ONNX" in result.stderr
    assert node.calls == []


def test_options_of_the_preparation_are_passed_on(node: FakeNode, url: str, ordinary: Path) -> None:
    answer = result_of(register(ordinary, url, "--output", "y=argmax"))
    assert [value["dtype"] for value in answer["outputs"]] == ["int64"]


def test_a_strict_file_is_registered_as_it_is(node: FakeNode, url: str, model_file: Path) -> None:
    result = register(model_file, url)
    assert result_of(result)["modelId"] == "0x" + MODEL.hex()
    assert "preparing" not in result.stderr


def ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "is_interactive", lambda: True)


def test_a_person_reads_the_cost_and_is_asked(
    monkeypatch: pytest.MonkeyPatch, node: FakeNode, url: str, model_file: Path
) -> None:
    ask(monkeypatch)
    result = run("register", model_file, "--rpc", url, *KEY, stdin="y\n")
    assert result.exit_code == 0, result.stderr
    deposit, fee = len(DATA) * 10 * 10**9, len(DATA) * 10**9
    assert f"a deposit of 0.00{deposit // 10**9}".rstrip("0") in result.stderr
    assert f"a fee of 0.000{fee // 10**9}".rstrip("0") in result.stderr
    assert "about 650,000 gas (0.00065 ether now)" in result.stderr
    assert "Go on? [y/N]" in result.stderr
    assert status(node) is RegistryStatus.ACTIVE


def test_nothing_is_sent_where_a_person_says_no(
    monkeypatch: pytest.MonkeyPatch, node: FakeNode, url: str, model_file: Path
) -> None:
    ask(monkeypatch)
    result = run("register", model_file, "--rpc", url, *KEY, stdin="n\n")
    assert result.exit_code == 2
    assert "nothing was sent" in result.stderr
    assert transactions(node) == 0
    assert node.chunks == {}


def test_nothing_is_sent_where_nobody_can_be_asked(
    node: FakeNode, url: str, model_file: Path
) -> None:
    result = run("register", model_file, "--rpc", url, *KEY)
    assert result.exit_code == 2
    assert "There is nobody to ask: --yes does it without asking" in result.stderr
    assert transactions(node) == 0


def test_a_registered_model_costs_nothing_more_and_nobody_is_asked(
    node: FakeNode, url: str, model_file: Path
) -> None:
    node.signers = ()
    assert register(model_file, url, "--timeout", "3").exit_code == 1
    node.signers = FakeNode().signers
    result = run("register", model_file, "--rpc", url, *KEY)
    assert result.exit_code == 0, result.stderr
    assert "registering costs" not in result.stderr
    assert "already registered" in result.stderr


def test_an_overdue_model_is_expired_and_registered_again(
    node: FakeNode, url: str, model_file: Path
) -> None:
    node.signers = ()
    assert register(model_file, url, "--timeout", "3").exit_code == 1
    node.chain.height += DEADLINE + 1
    node.signers = FakeNode().signers
    sent = result_of(register(model_file, url))["transactions"]
    assert list(sent) == ["expire", "commit", "register", "activate"]


def test_an_account_that_cannot_pay_is_told_before_anything_is_sent(
    node: FakeNode, url: str, model_file: Path
) -> None:
    poor = FakeNode.__name__.encode().ljust(32, b"\1")
    result = run("register", model_file, "--rpc", url, "--account", "dev", "--json", dev_key=poor)
    assert result.exit_code == 1
    assert "has 0 ether, the registration costs 0.00690" in result.stderr
    assert transactions(node) == 0
    assert node.chunks == {}


def test_push_sends_the_bytes_and_nothing_else(node: FakeNode, url: str, model_file: Path) -> None:
    result = run("push", model_file, "--rpc", url)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == (
        f"model id    0x{MODEL.hex()}\nchunks      3 of 3 sent, the node has the whole model\n"
    )
    assert (len(node.chunks[MODEL]), transactions(node), status(node)) == (3, 0, None)


def test_push_goes_on_where_it_stopped(node: FakeNode, url: str, model_file: Path) -> None:
    node.breaks_after = {"cvm_putChunk": 2}
    assert run("push", model_file, "--rpc", url).exit_code == 1
    node.breaks_after = {}
    result = run("push", model_file, "--rpc", url, "--json")
    assert json.loads(result.stdout) == {"modelId": "0x" + MODEL.hex(), "chunks": 3, "sent": 1}


def test_push_refuses_what_no_validator_would_take(
    node: FakeNode, url: str, ordinary: Path
) -> None:
    result = run("push", ordinary, "--rpc", url)
    assert result.exit_code == 2
    assert "`cvm model prepare FILE -o NEW`" in result.stderr
    assert node.calls == []


def test_the_owner_of_a_model_of_somebody_else_is_named(
    node: FakeNode, url: str, model_file: Path
) -> None:
    register(model_file, url)
    other = "0x" + address_of(OWNER_KEY).hex()
    stranger = b"\2" * 32
    result = run(
        "register", model_file, "--rpc", url, "--account", "dev", "--yes", dev_key=stranger
    )
    assert result.exit_code == 0, result.stderr
    assert f"already registered, by {other}, who owns it" in result.stderr
