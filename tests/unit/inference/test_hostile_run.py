"""Damaged files are refused with a rule, or run: in little time and memory, opening no file."""

import random
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.faults import InvalidModel
from cvm.inference.model_file import Model, parse_model
from tests import hostile_run
from tests.hostile_models import encoded, sources
from tests.hostile_run import drawn_file, outcome_of, outcomes
from tests.unit.inference.onnx_models import model_of, two_layers, value
from tests.wire_mutations import Field, split

DATA = encoded(two_layers())


def test_300_damaged_files_are_refused_with_a_rule_or_run() -> None:
    found = list(outcomes(300, seed=1))
    assert [outcome for outcome in found if outcome.problem] == []
    assert [outcome.index for outcome in found] == list(range(300))
    kinds = [outcome.kind for outcome in found]
    assert kinds.count("refused") > 150
    assert kinds.count("ran") > 10
    assert len({outcome.rule for outcome in found}) > 15


def test_every_source_of_damage_is_a_file_that_is_read() -> None:
    refused = []
    for data in sources():
        try:
            parse_model(data)
        except InvalidModel as fault:
            refused.append(fault.rule)
    assert sorted(refused) == ["dimension", "dimension", "finite weights"]


def test_the_parts_of_a_file_make_the_file() -> None:
    fields = split(DATA)
    assert fields is not None
    assert b"".join(field.encoded() for field in fields) == DATA
    assert split(b"\x0a\x05ab") is None
    assert split(b"\x0a\x02ab") == [Field(1, 2, b"ab")]


def test_an_index_fixes_the_file() -> None:
    files = [DATA, encoded(model_of([], [], []))]
    drawn = [drawn_file(files, [], random.Random(f"3/{index}")) for index in range(50)]
    again = [drawn_file(files, [], random.Random(f"3/{index}")) for index in range(50)]
    assert drawn == again
    assert len(set(drawn)) > 40


def test_reading_that_opens_a_file_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def opening(data: bytes) -> Model:
        Path(__file__).read_bytes()
        return parse_model(data)

    monkeypatch.setattr(hostile_run, "parse_model", opening)
    outcome = outcome_of(0, DATA, ReferenceBackend())
    assert (outcome.kind, outcome.problem[:6]) == ("ran", "open (")


def test_reading_that_takes_more_memory_than_allowed_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def large(data: bytes) -> Model:
        bytes(2 * hostile_run.MAX_BYTES)
        return parse_model(data)

    monkeypatch.setattr(hostile_run, "parse_model", large)
    with pytest.raises(MemoryError):
        outcome_of(0, DATA, ReferenceBackend())


def test_reading_that_takes_too_long_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostile_run, "MAX_SECONDS", 0.0)
    outcome = outcome_of(0, DATA, ReferenceBackend())
    assert outcome.problem.startswith("took ")


def chain(nodes: int) -> onnx.ModelProto:
    """Return so many Relu nodes, one behind the other."""
    names = ["x", *(f"v{index}" for index in range(nodes))]
    made = [helper.make_node("Relu", [names[i]], [names[i + 1]]) for i in range(nodes)]
    return model_of(made, [value("x", (1, 4))], [value(names[-1], (1, 4))])


def doubling(nodes: int) -> onnx.ModelProto:
    """Return nodes that each hold twice the elements of the one before."""
    names = ["x", *(f"v{index}" for index in range(nodes))]
    made = [
        helper.make_node("Concat", [names[i], names[i]], [names[i + 1]], axis=1)
        for i in range(nodes)
    ]
    return model_of(made, [value("x", (1, 1))], [value(names[-1], (1, 2**nodes))])


def lowest_weights() -> onnx.ModelProto:
    """Return an integer convolution whose weights are all -128, as many as an int32 cannot sum."""
    channels = 2**16 + 300
    weights = {"w": np.full((1, channels, 1, 1), -128, np.int8)}
    node = helper.make_node("ConvInteger", ["x", "w"], ["y"])
    inputs = [value("x", (1, channels, 1, 1), onnx.TensorProto.UINT8)]
    return model_of([node], inputs, [value("y", (1, 1, 1, 1), 6)], weights)


def tiled(count: int) -> onnx.ModelProto:
    """Return a small file that unpacks its input a great many times."""
    repeats = np.array([1, count], np.int64)
    node = helper.make_node("Tile", ["x", "r"], ["y"])
    declared = value("y", (1, min(2**10 * count, 2**62)))
    model = model_of([node], [value("x", (1, 2**10))], [declared])
    model.graph.initializer.append(numpy_helper.from_array(repeats, "r"))
    return model


def own_output() -> onnx.ModelProto:
    node = helper.make_node("Add", ["x", "y"], ["y"])
    return model_of([node], [value("x", (1, 2))], [value("y", (1, 2))])


def two_in_a_circle() -> onnx.ModelProto:
    nodes = [helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])]
    return model_of(nodes, [value("x", (1, 2))], [value("b", (1, 2))])


def kept_elsewhere() -> onnx.ModelProto:
    model = two_layers()
    model.graph.initializer[0].external_data.add(key="location", value="/etc/passwd")
    model.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    model.graph.initializer[0].ClearField("raw_data")
    return model


HAND_MADE = [
    pytest.param(own_output(), "refused", "input", id="node that reads itself"),
    pytest.param(two_in_a_circle(), "refused", "input", id="circle of two"),
    pytest.param(kept_elsewhere(), "refused", "refused field", id="weights in another file"),
    pytest.param(chain(2_049), "refused", "node count", id="too deep"),
    pytest.param(chain(2_048), "ran", "", id="as deep as allowed"),
    pytest.param(doubling(30), "refused", "dimension", id="doubling 30 times"),
    pytest.param(tiled(2**50), "refused", "dimension", id="tiled 2**50 times"),
    pytest.param(tiled(2**62), "refused", "dimension", id="tiled beyond 64 bits"),
    pytest.param(tiled(2**10), "ran", "", id="tiled as often as allowed"),
    pytest.param(lowest_weights(), "refused", "accumulator bound", id="weights of -128"),
]


@pytest.mark.parametrize(("model", "kind", "rule"), HAND_MADE)
def test_hand_made_file(model: onnx.ModelProto, kind: str, rule: str) -> None:
    outcome = outcome_of(0, encoded(model), ReferenceBackend())
    assert (outcome.kind, outcome.rule, outcome.problem) == (kind, rule, "")
