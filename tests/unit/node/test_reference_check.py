"""A node that disagrees with a block asks the definition first whether its own backend is wrong."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from cvm.inference.backends.backend import Plan, Trace
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.backends.table import backend_named
from cvm.inference.faults import InputOutOfRange
from cvm.inference.tensor_type import Array
from node import inference_host
from node.divergence import Divergence
from node.inference_host import NodeInferenceHost
from node.sample_models import sample_model_path
from node.storage.model_store import ModelStore
from opcodes import errors, gas
from opcodes.inference_host import InferenceCall

IMAGE = bytes(np.load(sample_model_path("digits_100_images.npy"), allow_pickle=False)[0].tobytes())
OWNER = b"\x0e" * 20
RAN = gas.InferenceGas(gas.INFER_BASE, 0, 1_760, 0, 81)
REFUSED = gas.InferenceGas(gas.INFER_BASE, 0, 0, 0, 0)


class Faulting:
    """Stands for the definition on a model whose every input is out of range."""

    def plan(self, _graph: object) -> Plan:
        return self

    def run(self, _inputs: Sequence[Array], _trace: Trace | None = None) -> tuple[Array, ...]:
        raise InputOutOfRange("gather", 9, 4)


class Counting:
    """Stands for the definition, and counts the items."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.runs = 0

    def plan(self, _graph: object) -> Plan:
        return self

    def run(self, inputs: Sequence[Array], trace: Trace | None = None) -> tuple[Array, ...]:
        self.runs += 1
        return self._plan.run(inputs, trace)


@pytest.fixture
def host(tmp_path: Path) -> NodeInferenceHost:
    return NodeInferenceHost(ModelStore(tmp_path / "models"), ReferenceBackend())


def digit_model(host: NodeInferenceHost) -> bytes:
    return host._store.add_file(sample_model_path("digits_int8.onnx").read_bytes())


def test_a_call_that_was_refused_before_it_ran_needs_no_model(host: NodeInferenceHost) -> None:
    """Anybody can name a model that does not exist; that must not hide who is wrong."""
    call = InferenceCall(b"\x99" * 32, b"", False, REFUSED, b"", errors.MODEL_NOT_ACTIVE)
    assert host.compare_with_reference(call) is None


def test_the_definition_confirms_a_right_output(host: NodeInferenceHost) -> None:
    model_id = digit_model(host)
    output = host.run(model_id, IMAGE)
    call = InferenceCall(model_id, OWNER, True, RAN, IMAGE, output)
    assert host.compare_with_reference(call) is None


def test_a_wrong_output_is_our_own_fault(host: NodeInferenceHost) -> None:
    call = InferenceCall(digit_model(host), OWNER, True, RAN, IMAGE, bytes(48))
    divergence = host.compare_with_reference(call)
    assert divergence == Divergence("reference", call.model_id, None)


def test_an_error_where_the_definition_has_an_output_is_our_own_fault(
    host: NodeInferenceHost,
) -> None:
    call = InferenceCall(digit_model(host), OWNER, False, RAN, IMAGE, errors.INPUT_OUT_OF_RANGE)
    assert host.compare_with_reference(call) is not None


@pytest.mark.parametrize(
    ("ok", "output", "is_wrong"),
    [
        pytest.param(True, bytes(48), True, id="an output"),
        pytest.param(False, errors.INPUT_OUT_OF_RANGE, False, id="the same error"),
    ],
)
def test_where_the_definition_has_an_error(
    host: NodeInferenceHost,
    monkeypatch: pytest.MonkeyPatch,
    ok: bool,
    output: bytes,
    is_wrong: bool,
) -> None:
    call = InferenceCall(digit_model(host), OWNER, ok, RAN, IMAGE, output)
    monkeypatch.setattr(inference_host, "backend_named", lambda _name: Faulting())
    assert (host.compare_with_reference(call) is not None) == is_wrong


def test_the_definition_stops_at_the_next_item_once_nobody_asks(
    host: NodeInferenceHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_id = digit_model(host)
    call = InferenceCall(model_id, OWNER, True, RAN, 3 * IMAGE, bytes(3 * 40))
    counting = Counting(backend_named("reference").plan(host.model(model_id).graph))
    monkeypatch.setattr(inference_host, "backend_named", lambda _name: counting)
    assert host.compare_with_reference(call, lambda: counting.runs == 2) is None
    assert counting.runs == 2


def test_two_threads_that_find_one_fault_name_the_backend_that_had_it(
    host: NodeInferenceHost,
) -> None:
    host._backend = backend_named("cpu")
    host.quarantine()
    host.quarantine()
    assert (host.quarantined, host.backend_name) == ("cpu", "reference")
