"""`--explain contributions` of linear models, and what `--explain` refuses."""

from fractions import Fraction
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from cvm.inference.backends.table import backend_named
from cvm.inference.engine import run_items
from cvm.inference.model_file import parse_model
from cvm.inference.tensor_bytes import encode_tensors
from cvm.inference.tensor_type import Array
from models_registry.cli.prepare import (
    CannotPrepare,
    Options,
    parse_explain,
    parse_input_adapter,
    parse_output_adapter,
)
from tests.unit.models_registry.prepared import ordinary, prepare, ramp, run_prepared

CONTRIBUTIONS = (parse_explain("contributions"),)

WEIGHTS = np.array([[0.5, -1.25, 3.0, 0.1], [2.0, 0.0, -0.7, 1e-3]], np.float32)
INTERCEPTS = np.array([0.3, -4.0], np.float32)


def floats(*rows: list[float]) -> Array:
    return np.array(rows, np.float32)


def ml_model(op_type: str, outputs: list[str], **attributes: Any) -> onnx.ModelProto:
    """Return a linear model of ai.onnx.ml with the weights above."""
    node = helper.make_node(
        op_type,
        ["x"],
        outputs,
        domain="ai.onnx.ml",
        coefficients=WEIGHTS.reshape(-1).tolist(),
        intercepts=INTERCEPTS.tolist(),
        **attributes,
    )
    return ordinary([node], {"x": np.zeros((1, 4), np.float32)}, outputs, ml_opset=3)


def regressor() -> onnx.ModelProto:
    return ml_model("LinearRegressor", ["y"], targets=2)


def classifier(transform: str) -> onnx.ModelProto:
    labels = {"classlabels_ints": [3, 8], "post_transform": transform}
    return ml_model("LinearClassifier", ["label", "y"], **labels)


def product(
    op_type: str, weights: Array, *, added: Array | None = None, **attributes: Any
) -> onnx.ModelProto:
    """Return Gemm or MatMul of x, and Softmax behind it."""
    names = ["x", "w", *(["b"] if op_type == "Gemm" and added is not None else [])]
    nodes = [helper.make_node(op_type, names, ["p"], **attributes)]
    given = {"w": weights} | ({} if added is None else {"b": added})
    if op_type == "MatMul" and added is not None:
        nodes.append(helper.make_node("Add", ["p", "b"], ["s"]))
    nodes.append(helper.make_node("Softmax", [nodes[-1].output[0]], ["y"]))
    return ordinary(nodes, {"x": np.zeros((1, 4), np.float32)}, ["y"], given)


FORMS = [
    pytest.param(regressor(), 1.0, 1.0, id="LinearRegressor"),
    pytest.param(classifier("NONE"), 1.0, 1.0, id="LinearClassifier"),
    pytest.param(classifier("SOFTMAX"), 1.0, 1.0, id="LinearClassifier, SOFTMAX"),
    pytest.param(
        product("Gemm", WEIGHTS, added=INTERCEPTS, transB=1, alpha=2.0, beta=0.5),
        2.0,
        0.5,
        id="Gemm",
    ),
    pytest.param(product("Gemm", WEIGHTS.T.copy()), 1.0, 0.0, id="Gemm without C"),
    pytest.param(
        product("MatMul", WEIGHTS.T.copy(), added=INTERCEPTS), 1.0, 1.0, id="MatMul and Add"
    ),
    pytest.param(product("MatMul", WEIGHTS.T.copy()), 1.0, 0.0, id="MatMul"),
]


@pytest.mark.parametrize(("model", "alpha", "beta"), FORMS)
def test_float_contributions_are_weight_times_value(
    model: onnx.ModelProto, alpha: float, beta: float
) -> None:
    prepared = prepare(model, Options(explain=CONTRIBUTIONS))
    x = floats([1.5, -2.25, 1e-3, 1000.0])
    found = run_prepared(prepared, {"x": x})[-1]
    told = prepared.explanations[0]
    (unit,) = told.units
    assert found.dtype == np.int64
    assert found.shape == (1, 2, 5)
    exact = WEIGHTS.astype(np.float64) * x.astype(np.float64) * alpha / unit
    # a product in float32 and a product with alpha, then a whole number
    assert (np.abs(found[0, :, :4] - exact) <= 0.5 + 2.0**-22 * np.abs(exact)).all()
    wanted = np.rint(INTERCEPTS.astype(np.float64) * beta / unit)
    assert found[0, :, 4].tolist() == wanted.tolist()
    assert told.rounding == "each lies within half a unit and 2^-22 of itself of the exact product"


def test_the_sum_of_a_float_model_is_its_score_within_the_bound() -> None:
    prepared = prepare(regressor(), Options(explain=CONTRIBUTIONS))
    x = floats([1.5, -2.25, 1e-3, 10.0])
    score, found = run_prepared(prepared, {"x": x})
    unit = prepared.explanations[0].units[0]
    sizes = np.abs(WEIGHTS.astype(np.float64) * x).sum(axis=1) + np.abs(INTERCEPTS)
    bound = 5 * 0.5 * unit + sizes * 2.0**-21
    assert (np.abs(found.sum(axis=2)[0] * unit - score[0]) <= bound).all()


def test_a_missing_float_contributes_nothing() -> None:
    prepared = prepare(regressor(), Options(explain=CONTRIBUTIONS))
    found = run_prepared(prepared, {"x": floats([np.nan, 0.0, 0.0, 0.0])})[-1]
    assert found[0, :, :4].tolist() == [[0] * 4] * 2


ADAPTERS = [
    pytest.param("x=uint8:1/255", id="pixels"),
    pytest.param("x=uint8:0.5:128", id="whole mean"),
    pytest.param("x=uint8:1/127.5:127.5", id="mean between"),
    pytest.param("x=uint8:0.1,0.2,0.4,3:128", id="scale of each"),
    pytest.param("x=uint8:0.1,0.2,0.4,3:1.5,2.5,3.5,4.5", id="mean of each"),
    pytest.param("x=fixed32:1/65536", id="fixed point"),
]


@pytest.mark.parametrize("option", ADAPTERS)
def test_integer_features_have_exact_products(option: str) -> None:
    adapter = parse_input_adapter(option)
    prepared = prepare(regressor(), Options(inputs={"x": adapter}, explain=CONTRIBUTIONS))
    given = np.array([[0, 1, 130, 255]], adapter.dtype)
    found = run_prepared(prepared, {"x": given})[-1]
    unit = Fraction(prepared.explanations[0].units[0])
    scale = np.broadcast_to(adapter.scale.astype(np.float32), (4,))
    mean = np.broadcast_to(adapter.mean, (4,))
    is_zero_point = adapter.mean.size == 1 and float(adapter.mean[0]).is_integer()
    for score in range(2):
        for place in range(4):
            factor = Fraction(float(WEIGHTS[score, place])) * Fraction(float(scale[place]))
            whole = round(factor / unit)
            q = int(given[0, place]) - (int(mean[place]) if is_zero_point else 0)
            offset = 0
            if not is_zero_point:
                shift = np.float32(
                    -mean[place] * adapter.scale.reshape(-1)[place % adapter.scale.size]
                )
                offset = round(
                    Fraction(float(WEIGHTS[score, place])) * Fraction(float(shift)) / unit
                )
            assert int(found[0, score, place]) == whole * q + offset
        assert int(found[0, score, 4]) == round(Fraction(float(INTERCEPTS[score])) / unit)


@pytest.mark.parametrize("option", [param.values[0] for param in ADAPTERS[:5]])
def test_the_sum_over_pixels_is_the_exact_score_within_the_bound(option: Any) -> None:
    adapter = parse_input_adapter(option)
    prepared = prepare(regressor(), Options(inputs={"x": adapter}, explain=CONTRIBUTIONS))
    told = prepared.explanations[0]
    words = told.rounding.split(" ")
    assert " ".join(words[:4] + words[5:]) == "the sum lies within units of the exact score"
    bound, unit = float(words[4]) * 1.01, told.units[0]
    for pixels in ([0, 0, 0, 0], [255, 255, 255, 255], [255, 0, 255, 0], [7, 128, 200, 31]):
        given = np.array([pixels], np.uint8)
        score, found = run_prepared(prepared, {"x": given})
        exact = adapter.to_real(given).astype(np.float64) @ WEIGHTS.T.astype(np.float64)
        exact += INTERCEPTS
        # beside the bound: the float32 roundings of the model's own features
        slack = 2.0**-22 * (np.abs(WEIGHTS) @ (np.abs(adapter.to_real(given[0])) + 4))
        assert (np.abs(found.sum(axis=2) * unit - exact) <= bound * unit + slack).all()
        assert (np.abs(score - exact) <= 1e-5 * (1 + np.abs(exact))).all()


def test_integer_weights_and_features_by_hand() -> None:
    options = Options(
        inputs={"x": parse_input_adapter("x=uint8:0.5:128")},
        explain=(parse_explain("contributions:1/1000"),),
    )
    prepared = prepare(regressor(), options)
    found = run_prepared(prepared, {"x": np.array([[130, 128, 127, 0]], np.uint8)})[-1]
    # weights times 0.5 in thousandths: 250, -625, 1500, 50 and 1000, 0, -350, 1 (above 0.5)
    assert found.tolist() == [[[500, 0, -1500, -6400, 300], [2000, 0, 350, -128, -4000]]]


def test_whole_weights_of_integers_sum_to_the_score_itself() -> None:
    weights = np.array([[3, -5], [127, 2]], np.float32)
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Flatten", ["f"], ["g"]),
        helper.make_node("Gemm", ["g", "w", "b"], ["y"], transB=1),
    ]
    given = {"w": weights, "b": floats([7.0, -1.0])[0]}
    x = np.array([[[100], [-3]]], np.int32)
    prepared = prepare(ordinary(nodes, {"x": x}, ["y"], given), Options(explain=CONTRIBUTIONS))
    score, found = run_prepared(prepared, {"x": x})
    told = prepared.explanations[0]
    assert told.rounding == "the sum is exact"
    assert (found.sum(axis=2) * told.units[0]).tolist() == score.tolist() == [[322.0, 12693.0]]


@pytest.mark.parametrize("adapted", [False, True])
def test_a_quantised_model_is_explained_by_the_terms_of_its_own_sum(adapted: bool) -> None:
    weights = {"w": ramp(3, 6), "b": ramp(3)}
    node = helper.make_node("Gemm", ["x", "w", "b"], ["y"], transB=1)
    model = ordinary([node], {"x": ramp(1, 6)}, ["y"], weights)
    adapter = parse_input_adapter("x=uint8:0.02:128")
    options = Options(
        calibration={"x": ramp(20, 6)},
        inputs={"x": adapter} if adapted else {},
        explain=CONTRIBUTIONS,
    )
    prepared = prepare(model, options)
    x: Array = np.array([[0, 255, 100, 128, 129, 30]], np.uint8) if adapted else ramp(1, 6)
    score, found = run_prepared(prepared, {"x": x})
    told = prepared.explanations[0]
    assert told.rounding == "the sum is the integer sum of the model itself"
    totals = found.sum(axis=2).astype(np.float32)
    assert (totals * np.array(told.units, np.float32)).tobytes() == score.tobytes()
    real = adapter.to_real(x) if adapted else x
    products = weights["w"].astype(np.float64) * np.clip(real, -2, 2)
    assert np.abs(found[0, :, :6] * np.array(told.units)[:, None] - products).max() < 0.05


def test_every_backend_gives_the_same_bytes_of_a_batch() -> None:
    adapter = parse_input_adapter("x=uint8:1/127.5:127.5")
    explained = prepare(regressor(), Options(inputs={"x": adapter}, explain=CONTRIBUTIONS))
    for prepared, dtype in ((explained, "uint8"), (prepare(
        classifier("LOGISTIC"), Options(explain=CONTRIBUTIONS)), "float32")):  # fmt: skip
        model = parse_model(prepared.data)
        assert model.batchable
        items = [np.array([[i, 3 * i, 255 - i, 7]], dtype) for i in range(5)]
        found = [
            run_items(backend_named(name).plan(model.graph), model, encode_tensors(items))
            for name in ("reference", "cpu")
        ]
        assert found[0] == found[1]
        assert len(found[0]) == 5 * model.output_bytes


def test_an_answer_of_integers_is_explained_by_its_scores() -> None:
    options = Options(
        outputs={"y": parse_output_adapter("y=argmax")},
        explain=CONTRIBUTIONS,
    )
    prepared = prepare(regressor(), options)
    winner, found = run_prepared(prepared, {"x": floats([0.0, -1.0, 2.0, 0.0])})
    assert winner.tolist() == [found.sum(axis=2)[0].argmax()] == [0]


def two_layers() -> onnx.ModelProto:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "v"], ["y"]),
    ]
    return ordinary(nodes, {"x": ramp(1, 4)}, ["y"], {"w": ramp(4, 3), "v": ramp(3, 2)})


def network() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("Flatten", ["c"], ["f"]),
        helper.make_node("MatMul", ["f", "v"], ["y"]),
    ]
    weights = {"w": ramp(2, 1, 3, 3), "v": ramp(8, 2)}
    return ordinary(nodes, {"x": ramp(1, 1, 4, 4)}, ["y"], weights)


def products_of_inputs() -> onnx.ModelProto:
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    return ordinary([node], {"x": ramp(1, 4), "w": ramp(4, 2)}, ["y"])


def steps_of_time() -> onnx.ModelProto:
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    return ordinary([node], {"x": ramp(1, 3, 4)}, ["y"], {"w": ramp(4, 2)})


def no_model() -> onnx.ModelProto:
    return ordinary([helper.make_node("Neg", ["x"], ["y"])], {"x": ramp(1, 4)}, ["y"])


@pytest.mark.parametrize(
    ("model", "kind", "reason"),
    [
        pytest.param(network(), "contributions", "this one has Conv", id="CNN"),
        pytest.param(two_layers(), "contributions", "this one has 2 of them: MatMul", id="layers"),
        pytest.param(no_model(), "contributions", "this one has 0 of them: none", id="none"),
        pytest.param(
            products_of_inputs(), "contributions", "multiplies what is no constant", id="inputs"
        ),
        pytest.param(
            steps_of_time(), "contributions", r"which is not \(rows, features\)", id="rank"
        ),
        pytest.param(
            product("Gemm", ramp(1, 2), transA=1),
            "contributions",
            "turns its rows over",
            id="transA",
        ),
        pytest.param(regressor(), "leaves", "a linear model, which has no trees", id="leaves"),
        pytest.param(regressor(), "path", "a linear model, which has no trees", id="path"),
        pytest.param(regressor(), "contributions:1e-12", "or give at least 2.79e-09", id="unit"),
    ],
)
def test_what_cannot_be_explained_is_refused(
    model: onnx.ModelProto, kind: str, reason: str
) -> None:
    with pytest.raises(CannotPrepare, match=reason):
        prepare(model, Options(explain=(parse_explain(kind),)))


def test_a_refusal_names_the_models_that_are_explained() -> None:
    with pytest.raises(CannotPrepare) as refused:
        prepare(network(), Options(explain=CONTRIBUTIONS))
    assert str(refused.value) == (
        "--explain takes one tree ensemble (TreeEnsembleClassifier or -Regressor) or one linear "
        "model (LinearClassifier, LinearRegressor, Gemm, MatMul or MatMulInteger with constant "
        "weights), with nothing around it but what makes its features and reads its scores; this "
        "one has Conv"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "is not of the form leaves, path or contributions", id="nothing"),
        pytest.param("shap", "is not of the form leaves, path or contributions", id="another"),
        pytest.param("leaves:1", "is not of the form leaves, path or contributions", id="unit"),
        pytest.param("contributions:", "'' is no number", id="no unit"),
        pytest.param("contributions:1/0", "'1/0' is no number", id="by zero"),
        pytest.param("contributions:0", "UNIT must be above 0", id="zero"),
        pytest.param("contributions:-1e-3", "UNIT must be above 0", id="negative"),
        pytest.param("contributions:1e400", "'1e400' is no number", id="infinite"),
    ],
)
def test_another_option_is_refused(text: str, reason: str) -> None:
    with pytest.raises(CannotPrepare, match=reason):
        parse_explain(text)
