"""`--input` and `--output`: integers in front of and behind a float model."""

import numpy as np
import onnx
import pytest
from onnx import helper

from cvm.inference.tensor_type import Array
from models_registry.cli.prepare import (
    CannotPrepare,
    Options,
    parse_input_adapter,
    parse_output_adapter,
)
from tests.unit.models_registry.prepared import operators, ordinary, prepare, ramp, run_prepared

PIXELS = np.arange(24, dtype=np.uint8).reshape(1, 3, 2, 4) * 10


def network() -> onnx.ModelProto:
    return ordinary([helper.make_node("Identity", ["x"], ["y"])], {"x": ramp(1, 3, 2, 4)}, ["y"])


def scores() -> onnx.ModelProto:
    return ordinary([helper.make_node("Neg", ["x"], ["y"])], {"x": ramp(1, 5)}, ["y"])


@pytest.mark.parametrize(
    ("option", "made", "factor", "mean"),
    [
        pytest.param("x=uint8", ["DequantizeLinear"], [1], [0], id="pixels"),
        pytest.param("x=uint8:1/255", ["DequantizeLinear"], [1 / 255], [0], id="scale"),
        pytest.param(
            "x=uint8:1/127.5:127.5",
            ["DequantizeLinear", "Add"],
            [1 / 127.5],
            [127.5],
            id="fraction",
        ),
        pytest.param("x=uint8:0.5:128", ["DequantizeLinear"], [0.5], [128], id="whole mean"),
        pytest.param("x=uint8:0.5:127.5", ["DequantizeLinear", "Add"], [0.5], [127.5], id="mean"),
        pytest.param(
            "x=uint8:0.1,0.2,0.4:1.5,2.5,3.5",
            ["DequantizeLinear", "Add"],
            [0.1, 0.2, 0.4],
            [1.5, 2.5, 3.5],
            id="channels",
        ),
        pytest.param(
            "x=uint8:2:1.5,2.5,3.5", ["DequantizeLinear", "Add"], [2], [1.5, 2.5, 3.5], id="means"
        ),
    ],
)
def test_a_pixel_becomes_its_distance_from_the_mean_times_the_scale(
    option: str, made: list[str], factor: list[float], mean: list[float]
) -> None:
    adapter = parse_input_adapter(option)
    prepared = prepare(network(), Options(inputs={"x": adapter}))
    assert operators(prepared) == made
    shape = (-1, 1, 1)
    wanted = (PIXELS - np.array(mean).reshape(shape)) * np.array(factor).reshape(shape)
    (found,) = run_prepared(prepared, {"x": PIXELS})
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(adapter.to_real(PIXELS), wanted, rtol=1e-6)
    assert (adapter.to_integers(adapter.to_real(PIXELS)) == PIXELS).all()


def test_a_fixed_point_input_is_a_multiple_of_its_scale() -> None:
    options = Options(inputs={"x": parse_input_adapter("x=fixed32:1/65536")})
    integers = np.array([[65536, -32768, 1, 0, 2**30]], np.int32)
    (found,) = run_prepared(prepare(scores(), options), {"x": integers})
    assert found.tolist() == [[-1.0, 0.5, -(2.0**-16), 0.0, -16384.0]]


VALUES: Array = np.array([[0.5, -2.0, 3.0, -7.25, 1e9]], np.float32)


@pytest.mark.parametrize(
    ("option", "operator", "expected"),
    [
        pytest.param("y=argmax", "ArgMax", [3], id="argmax"),
        pytest.param("y=argmax:0", "ArgMax", [0, 0, 0, 0, 0], id="argmax of an axis"),
        pytest.param("y=topk:3", "TopK", [[3, 1, 0]], id="topk"),
        pytest.param(
            "y=fixed32:0.25", "Cast", [[-2, 8, -12, 29, -(2**31)]], id="fixed32 saturates"
        ),
    ],
)
def test_an_output_is_integers(option: str, operator: str, expected: list[int]) -> None:
    prepared = prepare(scores(), Options(outputs={"y": parse_output_adapter(option)}))
    assert operators(prepared)[-1] == operator
    found = run_prepared(prepared, {"x": VALUES})[-1]
    assert found.dtype.kind == "i"
    assert found.tolist() == expected


def test_values_and_indices_of_one_output_can_both_be_read() -> None:
    nodes = [helper.make_node("Neg", ["x"], ["y"]), helper.make_node("Exp", ["y"], ["z"])]
    model = ordinary(nodes, {"x": ramp(1, 5)}, ["y", "z"])
    prepared = prepare(model, Options(outputs={"y": parse_output_adapter("y=argmax")}))
    assert [array.shape for array in run_prepared(prepared, {"x": ramp(1, 5)})] == [(1,), (1, 5)]


@pytest.mark.parametrize(
    "text",
    ["x", "=uint8", "x=uint16", "x=uint8:1:2:3", "x=fixed32", "x=fixed32:1:2", "x=argmax"],
)
def test_another_input_option_is_refused(text: str) -> None:
    with pytest.raises(CannotPrepare, match=r"is not of the form NAME=uint8\[:SCALE\[:MEAN\]\]"):
        parse_input_adapter(text)


@pytest.mark.parametrize("text", ["x=uint8:a", "x=uint8:1/0", "x=fixed32:", "x=uint8:1,,2"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(CannotPrepare, match="is no number"):
        parse_input_adapter(text)


@pytest.mark.parametrize("text", ["x=uint8:0", "x=uint8:-1", "x=fixed32:1,2"])
def test_a_scale_is_above_zero(text: str) -> None:
    with pytest.raises(CannotPrepare, match="SCALE must be above 0"):
        parse_input_adapter(text)


@pytest.mark.parametrize(
    "text", ["y", "y=softmax", "y=topk", "y=topk:0", "y=topk:1:a", "y=fixed32:0", "y=argmax:11"]
)
def test_another_output_option_is_refused(text: str) -> None:
    with pytest.raises(CannotPrepare, match=r"is not of the form NAME=argmax\[:AXIS\]"):
        parse_output_adapter(text)


@pytest.mark.parametrize(
    ("inputs", "outputs", "reason"),
    [
        pytest.param("z=uint8", None, "--input names 'z'; the inputs are x", id="input"),
        pytest.param(None, "z=argmax", "--output names 'z'; the outputs are y", id="output"),
        pytest.param("x=uint8:1,2", None, "SCALE lists 2 numbers, the input has 5", id="channels"),
        pytest.param(None, "y=topk:6", r"float32\[1,5\] holds fewer", id="topk"),
        pytest.param(None, "y=argmax:2", r"float32\[1,5\] has no axis 2", id="axis"),
    ],
)
def test_adapters_that_do_not_fit_the_model_are_refused(
    inputs: str | None, outputs: str | None, reason: str
) -> None:
    given = {} if inputs is None else {inputs[0]: parse_input_adapter(inputs)}
    wanted = {} if outputs is None else {outputs[0]: parse_output_adapter(outputs)}
    with pytest.raises(CannotPrepare, match=reason):
        prepare(scores(), Options(inputs=given, outputs=wanted))


def test_integers_stay_as_they_are() -> None:
    model = ordinary([helper.make_node("Neg", ["x"], ["y"])], {"x": np.zeros(3, np.int32)}, ["y"])
    with pytest.raises(CannotPrepare, match="the input is int32, not float32"):
        prepare(model, Options(inputs={"x": parse_input_adapter("x=uint8")}))
