"""`--quantize`: 8-bit integer operators that agree with the float model and keep the bounds."""

import sys

import numpy as np
import onnx
import pytest
from onnx import helper

from cvm.inference.tensor_type import Array
from models_registry.cli.prepare import CannotPrepare, Options, parse_input_adapter
from models_registry.cli.prepare.draft import DraftInput
from models_registry.cli.prepare.items import items_of
from tests.unit.models_registry.prepared import (
    operators,
    ordinary,
    prepare,
    ramp,
    run_original,
    run_prepared,
    weights_of,
)

IMAGE = {"x": ramp(1, 3, 8, 8, least=0.0, most=1.0)}
CALIBRATION = {"x": np.concatenate([np.roll(IMAGE["x"], n, axis=3) for n in range(8)])}


def node(op_type: str, inputs: str, output: str, **attributes: int | list[int]) -> onnx.NodeProto:
    return helper.make_node(op_type, inputs.split(), [output], **attributes)  # type: ignore[arg-type]


def small_network() -> onnx.ModelProto:
    """Return two convolutions around a sum, pooling, and two dense layers."""
    weights = {
        "w1": ramp(4, 3, 3, 3, least=-0.3, most=0.3),
        "b1": ramp(4, least=-0.1, most=0.1),
        "w2": ramp(4, 4, 3, 3, least=-0.3, most=0.3),
        "w3": ramp(4, 6, least=-0.5, most=0.5),
        "b3": ramp(6, least=-0.1, most=0.1),
        "w4": ramp(6, 5, least=-0.5, most=0.5),
        "b4": ramp(5),
    }
    nodes = [
        node("Conv", "x w1 b1", "c1", pads=[1, 1, 1, 1]),
        node("Relu", "c1", "r1"),
        node("Conv", "r1 w2", "c2", pads=[1, 1, 1, 1]),
        node("Add", "c2 r1", "sum"),
        node("Relu", "sum", "r2"),
        node("MaxPool", "r2", "p", kernel_shape=[2, 2], strides=[2, 2]),
        node("GlobalAveragePool", "p", "g"),
        node("Flatten", "g", "f"),
        node("Gemm", "f w3 b3", "h"),
        node("Relu", "h", "hr"),
        node("Gemm", "hr w4 b4", "y"),
    ]
    return ordinary(nodes, IMAGE, ["y"], weights, opset=13)


def test_a_small_network_becomes_integer_operators() -> None:
    prepared = prepare(small_network(), Options(calibration=CALIBRATION))
    assert operators(prepared) == [
        "QuantizeLinear",
        "QLinearConv",
        "DequantizeLinear",
        "QLinearConv",
        "DequantizeLinear",
        "Add",
        "QuantizeLinear",
        "MaxPool",
        "DequantizeLinear",
        "GlobalAveragePool",
        "QuantizeLinear",
        "Flatten",
        "Reshape",
        "QLinearConv",
        "Reshape",
        "MatMulInteger",
        "Add",
        "Cast",
        "Mul",
    ]
    assert prepared.notes[-3:] == (
        "quantised on 8 items",
        "lowered 4 products to integers",
        "let 2 nodes work on integers",
    )


def test_the_quantised_network_agrees_with_the_original() -> None:
    model = small_network()
    prepared = prepare(model, Options(calibration=CALIBRATION))
    for row in CALIBRATION["x"]:
        item = {"x": row[None]}
        (found,), (wanted,) = run_prepared(prepared, item), run_original(model, item)
        assert float(np.abs(found - wanted).max()) < 0.02
        assert int(found.argmax()) == int(wanted.argmax())


def test_pixels_go_into_the_first_product_as_they_are() -> None:
    adapter = parse_input_adapter("x=uint8:1/255")
    options = Options(calibration=CALIBRATION, inputs={"x": adapter})
    prepared = prepare(small_network(), options)
    assert operators(prepared)[0] == "QLinearConv"
    assert "removed 1 conversion to float32 and back" in prepared.notes


def test_a_tiny_channel_with_a_large_bias_keeps_the_accumulator_bound() -> None:
    weights = {"w": ramp(4, 3, 3, 3), "b": np.array([0.5, 100, -0.25, 0], np.float32)}
    weights["w"][1] *= np.float32(1e-12)
    nodes = [
        node("Conv", "x w b", "c"),
        node("Relu", "c", "r"),
        node("MaxPool", "r", "y", kernel_shape=[2, 2]),
    ]
    model = ordinary(nodes, IMAGE, ["y"], weights)
    prepared = prepare(model, Options(calibration=CALIBRATION))
    assert "QLinearConv" in operators(prepared)
    (found,), (wanted,) = run_prepared(prepared, IMAGE), run_original(model, IMAGE)
    assert float(np.abs(found - wanted).max()) < 0.5
    (bias,) = (a for name, a in weights_of(prepared).items() if name.endswith("_bias"))
    assert int(np.abs(bias.astype(np.int64)).max()) <= 2**30


def test_a_product_of_two_activations_is_an_integer_product() -> None:
    nodes = [
        node("MatMul", "x w", "a"),
        node("Transpose", "a", "t", perm=[1, 0]),
        node("MatMul", "a t", "s"),
        node("MatMul", "s v", "y"),
    ]
    inputs = {"x": ramp(4, 6)}
    weights = {"w": ramp(6, 5), "v": ramp(4, 3)}
    model = ordinary(nodes, inputs, ["y"], weights)
    prepared = prepare(model, Options(calibration=inputs))
    assert operators(prepared).count("QLinearMatMul") == 2
    (found,), (wanted,) = run_prepared(prepared, inputs), run_original(model, inputs)
    assert float(np.abs(found - wanted).max()) < 0.03 * float(np.abs(wanted).max())


def quantised_file() -> onnx.ModelProto:
    """Return a file that is quantised already: pairs around one convolution."""
    scale, zero = np.array(0.01, np.float32), np.array(100, np.uint8)
    weights: dict[str, Array] = {
        "s": scale,
        "z": zero,
        "q": (np.arange(27).reshape(1, 3, 3, 3) - 13).astype(np.int8),
        "ws": np.array(0.02, np.float32),
        "wz": np.array(0, np.int8),
    }
    nodes = [
        node("QuantizeLinear", "x s z", "xq"),
        node("DequantizeLinear", "xq s z", "xf"),
        node("DequantizeLinear", "q ws wz", "wf"),
        node("Conv", "xf wf", "c"),
        node("QuantizeLinear", "c s z", "cq"),
        node("DequantizeLinear", "cq s z", "cf"),
        node("Neg", "cf", "y"),
    ]
    return ordinary(nodes, IMAGE, ["y"], weights)


def test_a_file_of_pairs_is_lowered_without_being_asked() -> None:
    prepared = prepare(quantised_file())
    assert operators(prepared) == ["QuantizeLinear", "QLinearConv", "DequantizeLinear", "Neg"]
    (found,) = run_prepared(prepared, IMAGE)
    (wanted,) = run_original(quantised_file(), IMAGE)
    assert float(np.abs(found - wanted).max()) <= np.float32(0.01) * 1.001


def test_weights_of_pairs_that_cannot_be_lowered_become_floats() -> None:
    model = quantised_file()
    del model.graph.node[4:]
    model.graph.output[0].name = "c"
    assert operators(prepare(model)) == ["QuantizeLinear", "DequantizeLinear", "Conv"]


def test_without_onnxruntime_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime.quantization", None)
    with pytest.raises(CannotPrepare, match=r"--quantize needs onnxruntime: pip install 'cvm"):
        prepare(small_network(), Options(calibration=CALIBRATION))


INPUTS = [DraftInput("x", "float32", [1, 2])]


@pytest.mark.parametrize(
    ("shape", "count"),
    [((1, 2), 1), ((7, 2), 7), ((7, 1, 2), 7)],
    ids=["one item", "rows", "items"],
)
def test_an_array_holds_items_along_its_first_axis(shape: tuple[int, ...], count: int) -> None:
    items = items_of({"x": np.zeros(shape, np.float32)}, INPUTS, "data")
    assert [item["x"].shape for item in items] == [(1, 2)] * count


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        pytest.param({"z": ramp(1, 2)}, "holds no array 'x'; it holds z", id="name"),
        pytest.param(
            {"x": ramp(2, 3)}, r"has shape \[2, 3\]; the model takes \[1, 2\]", id="shape"
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays: dict[str, Array], reason: str) -> None:
    with pytest.raises(CannotPrepare, match=reason):
        items_of(arrays, INPUTS, "data")


def test_pixels_may_be_the_calibration_of_a_pixel_input() -> None:
    pixels = np.rint(CALIBRATION["x"] * 255).astype(np.uint8)
    adapter = parse_input_adapter("x=uint8:1/255")
    as_pixels = Options(calibration={"x": pixels}, inputs={"x": adapter})
    as_floats = Options(calibration={"x": adapter.to_real(pixels)}, inputs={"x": adapter})
    assert prepare(small_network(), as_pixels).data == prepare(small_network(), as_floats).data


def test_calibration_of_another_width_is_converted() -> None:
    wide = {"x": CALIBRATION["x"].astype(np.float64)}
    found = prepare(small_network(), Options(calibration=wide)).data
    assert found == prepare(small_network(), Options(calibration=CALIBRATION)).data


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_calibration_that_is_not_finite_is_refused(value: float) -> None:
    spoilt = CALIBRATION["x"].copy()
    spoilt[3, 1, 2, 0] = value
    with pytest.raises(CannotPrepare, match="item 3 of array 'x' holds NaN or infinite values"):
        prepare(small_network(), Options(calibration={"x": spoilt}))


def test_the_float_form_is_the_file_without_quantisation() -> None:
    quantised = prepare(small_network(), Options(calibration=CALIBRATION))
    plain = prepare(small_network())
    assert quantised.float_form == plain.data
    assert plain.float_form is None


def test_an_adapter_that_does_not_fit_is_refused_before_the_calibration() -> None:
    adapter = parse_input_adapter("x=uint8:1/255:1,2")
    options = Options(calibration={"x": np.zeros((1, 3, 8, 8), np.uint8)}, inputs={"x": adapter})
    with pytest.raises(CannotPrepare, match="MEAN lists 2 numbers, the input has 3 channels"):
        prepare(small_network(), options)
