"""Each step of `prepare` on a graph that is just large enough to need it."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from cvm.inference.tensor_type import Array
from models_registry.cli.prepare import CannotPrepare, Options
from models_registry.cli.prepare.draft import Draft, DraftNode
from models_registry.cli.prepare.ml_rules import convert_ml_node
from models_registry.cli.prepare.names import repair_names
from tests.unit.models_registry.prepared import (
    operators,
    ordinary,
    prepare,
    ramp,
    run_original,
    run_prepared,
    weights_of,
)

X = {"x": ramp(2, 3)}
IMAGE = {"x": ramp(1, 4, 5, 5)}


def node(op_type: str, inputs: str, outputs: str = "y", **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op_type, inputs.split(), outputs.split(), **attributes)


def bits(array: Array) -> list[int]:
    return list(array.reshape(-1).view(np.uint32).tolist())


def test_a_value_that_is_made_twice_keeps_what_each_reader_saw() -> None:
    draft = Draft(
        [],
        ["t"],
        [
            DraftNode("Neg", ["c"], ["t"]),
            DraftNode("Abs", ["t"], ["u"]),
            DraftNode("Exp", ["u"], ["t"]),
            DraftNode("Log", ["t"], ["v"]),
        ],
        {"c": ramp(2)},
    )
    assert repair_names(draft) == ["renamed values that are made twice: t"]
    assert [(n.inputs, n.outputs) for n in draft.nodes] == [
        (["c"], ["t"]),
        (["t"], ["u"]),
        (["u"], ["t_2"]),
        (["t_2"], ["v"]),
    ]
    assert draft.outputs == ["t_2"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(["x"], ["Relu"], id="one"),
        pytest.param(["x", "z"], ["Add", "Relu"], id="two"),
        pytest.param(["x", "z", "x"], ["Sum", "Relu"], id="three"),
    ],
)
def test_a_sum_of_two_values_becomes_an_add(names: list[str], expected: list[str]) -> None:
    nodes = [helper.make_node("Sum", names, ["s"]), helper.make_node("Relu", ["s"], ["y"])]
    x: Array = np.array([[1, -2]], np.float32)
    prepared = prepare(ordinary(nodes, {"x": x, "z": x}, ["y"]))
    assert operators(prepared) == expected


def test_nodes_that_nothing_reads_are_dropped() -> None:
    model = ordinary([node("Relu", "x"), node("Exp", "x", "unused")], X, ["y"])
    prepared = prepare(model)
    assert operators(prepared) == ["Relu"]
    assert prepared.notes == ("dropped 1 node that nothing reads",)


def test_both_halves_of_a_split_stay_when_one_is_read() -> None:
    model = ordinary(
        [node("Split", "x", "a b", axis=1, num_outputs=2), node("Relu", "a")],
        {"x": ramp(1, 4)},
        ["y"],
    )
    assert operators(prepare(model)) == ["Split", "Relu"]


def test_a_function_of_the_file_is_inlined() -> None:
    body = [helper.make_node("Mul", ["a", "a"], ["s"]), helper.make_node("Neg", ["s"], ["b"])]
    square = helper.make_function(
        "mine", "NegSquare", ["a"], ["b"], body, [helper.make_opsetid("", 21)]
    )
    model = ordinary([helper.make_node("NegSquare", ["x"], ["y"], domain="mine")], X, ["y"])
    model.functions.append(square)
    model.opset_import.append(helper.make_opsetid("mine", 1))
    prepared = prepare(model)
    assert operators(prepared) == ["Mul", "Neg"]
    assert bits(run_prepared(prepared, X)[0]) == bits(-(X["x"] * X["x"]))


def test_an_operator_after_opset_21_becomes_its_definition() -> None:
    weights = {"scale": ramp(3, least=0.5)}
    model = ordinary([node("RMSNormalization", "x scale")], X, ["y"], weights, opset=23)
    found = run_prepared(prepare(model), X)
    np.testing.assert_allclose(found[0], run_original(model, X)[0], rtol=1e-5)


def test_a_default_reaches_the_definition_of_an_operator() -> None:
    model = ordinary([node("Shrink", "x")], X, ["y"])
    assert bits(run_prepared(prepare(model), X)[0]) == bits(run_original(model, X)[0])


def test_an_absent_input_does_not_keep_an_operator_from_its_definition() -> None:
    inputs = {
        name: ramp(1, 2, 4, 8) * (i + 1) for i, name in enumerate(("q", "k", "v", "pk", "pv"))
    }
    attention = helper.make_node(
        "Attention", ["q", "k", "v", "", "pk", "pv"], ["y", "ck", "cv"], is_causal=1
    )
    model = ordinary([attention], inputs, ["y"], opset=23)
    found = run_prepared(prepare(model), inputs)
    np.testing.assert_allclose(found[0], run_original(model, inputs)[0], rtol=1e-5, atol=1e-6)


def test_a_part_of_a_split_without_elements_is_left_out() -> None:
    nodes = [node("Split", "x lengths", "a b c", axis=1), node("Concat", "c b a", axis=1)]
    prepared = prepare(ordinary(nodes, X, ["y"], {"lengths": np.array([1, 0, 2], np.int64)}))
    assert operators(prepared) == ["Split", "Concat"]
    assert run_prepared(prepared, X)[0].tolist() == np.roll(X["x"], -1, axis=1).tolist()


def test_an_output_that_the_engine_does_not_make_is_refused() -> None:
    pool = node("MaxPool", "x", "y places", kernel_shape=[2, 2])
    with pytest.raises(CannotPrepare, match="outputs: 2 are read, engine 1 makes 1"):
        prepare(ordinary([pool], IMAGE, ["y", "places"]))


def test_an_attribute_that_opset_21_lacks_is_refused() -> None:
    quantise = node("QuantizeLinear", "x s", precision=int(TensorProto.FLOAT16))
    model = ordinary([quantise], X, ["y"], {"s": np.array(0.5, np.float32)}, opset=23)
    with pytest.raises(CannotPrepare, match="attribute 'precision' has no form in opset 21"):
        prepare(model)


def test_external_data_is_embedded(tmp_path: Path) -> None:
    weights = {"w": ramp(3, 400)}
    model = ordinary([node("MatMul", "x w")], X, ["y"], weights)
    path = tmp_path / "model.onnx"
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    stored = onnx.load_model_from_string(path.read_bytes())
    prepared = prepare(stored, Options(folder=tmp_path))
    assert bits(weights_of(prepared)["w"]) == bits(weights["w"])


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/hostname", "absent.bin"])
def test_external_data_comes_from_the_folder_of_the_file_alone(
    tmp_path: Path, location: str
) -> None:
    (tmp_path / "weights.bin").write_bytes(bytes(24))
    folder = tmp_path / "inside"
    folder.mkdir()
    model = ordinary([node("Add", "x w")], X, ["y"], {"w": ramp(2, 3)})
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    with pytest.raises(CannotPrepare, match="external data of initializer 'w' cannot be read"):
        prepare(model, Options(folder=folder))


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_other_floats_become_float32(dtype: str) -> None:
    element_type = {"float64": 11, "float16": 10, "bfloat16": 16}[dtype]
    weight = numpy_helper.from_array(np.array([0.5, -1.5, 2.0], np.float32))
    values = numpy_helper.to_array(weight).astype(helper.tensor_dtype_to_np_dtype(element_type))
    nodes = [
        node("Cast", "x", "wide", to=element_type),
        node("Mul", "wide w", "product"),
        node("Cast", "product", "y", to=int(TensorProto.FLOAT)),
    ]
    prepared = prepare(ordinary(nodes, X, ["y"], {"w": values}))
    assert operators(prepared) == ["Mul"]
    assert f"converted {dtype} to float32" in prepared.notes
    expected = X["x"] * np.array([0.5, -1.5, 2.0], np.float32)
    assert bits(run_prepared(prepared, X)[0]) == bits(expected)


def test_an_input_of_doubles_is_float32() -> None:
    prepared = prepare(ordinary([node("Neg", "x")], {"x": ramp(2).astype(np.float64)}, ["y"]))
    graph = onnx.load_model_from_string(prepared.data).graph
    assert graph.input[0].type.tensor_type.elem_type == TensorProto.FLOAT


def test_an_infinite_mask_becomes_the_largest_float() -> None:
    mask = np.array([0, -np.inf, 0], np.float32)
    nodes = [node("Add", "x mask", "masked"), node("Softmax", "masked", axis=-1)]
    model = ordinary(nodes, X, ["y"], {"mask": mask})
    prepared = prepare(model)
    assert "made infinite weights the largest float32: mask" in prepared.notes
    np.testing.assert_allclose(run_prepared(prepared, X)[0], run_original(model, X)[0], rtol=1e-6)


def test_a_weight_that_is_no_number_is_refused() -> None:
    weights = {"w": np.array([1, np.nan, 0], np.float32)}
    with pytest.raises(CannotPrepare, match="weight 'w' holds a NaN"):
        prepare(ordinary([node("Add", "x w")], X, ["y"], weights))


def test_texts_are_refused() -> None:
    words = numpy_helper.from_array(np.array(["yes", "no"], object), "words")
    model = ordinary([node("Relu", "x")], X, ["y"])
    model.graph.initializer.append(words)
    with pytest.raises(CannotPrepare, match="initializer 'words' holds texts"):
        prepare(model)


def test_a_sparse_weight_becomes_dense() -> None:
    values = numpy_helper.from_array(np.array([5, 7], np.float32), "w")
    places = numpy_helper.from_array(np.array([1, 3], np.int64), "w_places")
    model = ordinary([node("Add", "x w")], {"x": ramp(4)}, ["y"])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, [4]))
    assert weights_of(prepare(model))["w"].tolist() == [0, 5, 0, 7]


def branch(name: str, op_type: str) -> onnx.GraphProto:
    nodes = [
        helper.make_node("Constant", [], ["c"], value_float=2.0),
        helper.make_node(op_type, ["x", "c"], ["inner"]),
    ]
    return helper.make_graph(nodes, name, [], [onnx.ValueInfoProto(name="inner")])


@pytest.mark.parametrize(
    ("condition", "expected"),
    [pytest.param(True, "Add", id="then"), pytest.param(False, "Mul", id="else")],
)
def test_an_if_over_a_known_shape_becomes_the_taken_branch(condition: bool, expected: str) -> None:
    nodes = [
        node("Shape", "x", "shape"),
        node("Gather", "shape zero", "rows"),
        node("Equal", "rows wanted", "known"),
        helper.make_node(
            "If",
            ["known"],
            ["y"],
            then_branch=branch("then", "Add"),
            else_branch=branch("else", "Mul"),
        ),
    ]
    weights = {"zero": np.array(0, np.int64), "wanted": np.array(2 if condition else 9, np.int64)}
    prepared = prepare(ordinary(nodes, X, ["y"], weights))
    assert operators(prepared) == [expected]
    assert "put the taken branch in the place of 1 If" in prepared.notes


def test_two_ifs_with_the_same_names_inside_do_not_meet() -> None:
    nodes = [
        helper.make_node(
            "If",
            ["yes"],
            [output],
            then_branch=branch("then", "Add"),
            else_branch=branch("else", "Mul"),
        )
        for output in ("a", "b")
    ]
    model = ordinary([*nodes, node("Sub", "a b")], X, ["y"], {"yes": np.array(True)})
    assert bits(run_prepared(prepare(model), X)[0]) == [0] * 6


def test_an_if_over_an_input_is_refused_with_the_reason() -> None:
    inputs = {**X, "flag": np.array([True])}
    model = ordinary(
        [
            helper.make_node(
                "If",
                ["flag"],
                ["y"],
                then_branch=branch("then", "Add"),
                else_branch=branch("else", "Mul"),
            )
        ],
        inputs,
        ["y"],
    )
    with pytest.raises(CannotPrepare, match=r"does not have the operators If \(1\); If: it runs"):
        prepare(model)


def test_every_operator_that_is_lacking_is_named() -> None:
    nodes = [
        node("NonZero", "x", "a"),
        helper.make_node("Gelu", ["x"], ["b"], domain="com.microsoft"),
        node("Multinomial", "x", "c"),
    ]
    model = ordinary(nodes, X, ["a", "b", "c"])
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    with pytest.raises(CannotPrepare) as caught:
        prepare(model)
    assert "operators Multinomial (1), NonZero (1), com.microsoft.Gelu (1)" in str(caught.value)
    assert "NonZero: the shape of its output depends on data" in str(caught.value)


def test_an_operator_that_the_engine_lacks_folds_over_constants() -> None:
    nodes = [node("NonZero", "mask", "places"), node("GatherND", "x chosen")]
    nodes.insert(1, node("Transpose", "places", "chosen", perm=[1, 0]))
    weights = {"mask": np.array([[1, 0, 1], [0, 1, 0]], np.int64)}
    prepared = prepare(ordinary(nodes, X, ["y"], weights))
    assert operators(prepared) == ["GatherND"]
    x = X["x"]
    assert bits(run_prepared(prepared, X)[0]) == bits(np.array([x[0, 0], x[0, 2], x[1, 1]]))


def test_folding_gives_the_bits_of_the_operator() -> None:
    weights = {"w": ramp(3), "k": ramp(3, least=0.1, most=0.9)}
    unfolded = ordinary(
        [node("Exp", "w"), node("Add", "x w", "z")], {"x": ramp(3)}, ["y", "z"], weights
    )
    folded = prepare(unfolded)
    assert operators(folded) == ["Add", "Identity"]
    kept = ordinary([node("Exp", "x")], {"x": weights["w"]}, ["y"])
    (expected,) = run_prepared(prepare(kept), {"x": weights["w"]})
    assert bits(run_prepared(folded, {"x": ramp(3)})[0]) == bits(expected)


def filled(shape: list[int]) -> tuple[list[onnx.NodeProto], dict[str, Array]]:
    value = numpy_helper.from_array(np.array([0.01], np.float32))
    made = helper.make_node("ConstantOfShape", ["shape"], ["w"], value=value)
    return [made], {"shape": np.array(shape, np.int64)}


def test_a_large_constant_of_a_small_node_is_not_written_out() -> None:
    nodes, weights = filled([512, 1024])
    prepared = prepare(
        ordinary([*nodes, node("MatMul", "x w")], {"x": ramp(1, 512)}, ["y"], weights)
    )
    assert operators(prepared) == ["ConstantOfShape", "MatMul"]
    assert len(prepared.data) < 1000


def test_a_large_constant_is_written_out_where_an_operator_wants_a_constant() -> None:
    nodes, weights = filled([128, 256, 3, 3])
    inputs = {"x": ramp(1, 256, 4, 4)}
    prepared = prepare(ordinary([*nodes, node("Conv", "x w")], inputs, ["y"], weights))
    assert operators(prepared) == ["Conv"]
    assert weights_of(prepared)["w"].shape == (128, 256, 3, 3)


def test_an_output_that_is_a_constant_or_an_input_is_made_by_an_identity() -> None:
    nodes = [node("Identity", "x"), node("Identity", "w", "z"), node("Relu", "x", "r")]
    prepared = prepare(ordinary(nodes, X, ["y", "z", "r"], {"w": ramp(2)}))
    assert operators(prepared) == ["Identity", "Relu", "Identity"]


def test_nodes_that_hand_on_are_removed() -> None:
    nodes = [
        node("Identity", "x", "a"),
        node("Dropout", "a", "b"),
        node("Relu", "b", "c"),
        node("Identity", "c", "d"),
        node("Cast", "d", "y", to=int(TensorProto.FLOAT)),
    ]
    prepared = prepare(ordinary(nodes, X, ["y"]))
    assert operators(prepared) == ["Relu"]


def batch_norm_weights(channels: int) -> dict[str, Array]:
    names = ("scale", "offset", "mean", "variance")
    return {name: ramp(channels, least=0.5) * (i + 1) for i, name in enumerate(names)}


def normalise(value: str, output: str = "y") -> onnx.NodeProto:
    return node("BatchNormalization", f"{value} scale offset mean variance", output)


@pytest.mark.parametrize(
    ("product", "weights", "channels", "inputs"),
    [
        pytest.param(
            node("Conv", "x w b", "p", group=2),
            {"w": ramp(6, 2, 3, 3), "b": ramp(6)},
            6,
            IMAGE,
            id="Conv with groups",
        ),
        pytest.param(node("Conv", "x w", "p"), {"w": ramp(6, 4, 3, 3)}, 6, IMAGE, id="no bias"),
        pytest.param(
            node("ConvTranspose", "x w", "p", group=2),
            {"w": ramp(4, 3, 2, 2)},
            6,
            IMAGE,
            id="ConvTranspose with groups",
        ),
        pytest.param(
            node("Gemm", "x w b", "p", transB=1, beta=0.5, alpha=2.0),
            {"w": ramp(5, 3), "b": ramp(1, 5)},
            5,
            X,
            id="Gemm",
        ),
    ],
)
def test_batch_normalisation_is_folded_into_the_product_before(
    product: onnx.NodeProto, weights: dict[str, Array], channels: int, inputs: dict[str, Array]
) -> None:
    nodes = [product, normalise("p")]
    model = ordinary(nodes, inputs, ["y"], {**weights, **batch_norm_weights(channels)}, opset=15)
    prepared = prepare(model)
    assert operators(prepared) == [product.op_type]
    np.testing.assert_allclose(
        run_prepared(prepared, inputs)[0], run_original(model, inputs)[0], rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize(
    "arithmetic",
    [
        pytest.param(node("Mul", "p c"), id="p * c"),
        pytest.param(node("Div", "p c"), id="p / c"),
        pytest.param(node("Add", "c p"), id="c + p"),
        pytest.param(node("Sub", "p c"), id="p - c"),
        pytest.param(node("Sub", "c p"), id="c - p"),
    ],
)
@pytest.mark.parametrize(
    ("made", "weights"),
    [
        pytest.param(node("Conv", "x w b", "p"), {"w": ramp(6, 4, 3, 3), "b": ramp(6)}, id="Conv"),
        pytest.param(normalise("x", "p"), batch_norm_weights(4), id="BatchNormalization"),
    ],
)
@pytest.mark.parametrize("shape", [(), (-1, 1, 1), (1, -1, 1, 1)], ids=["one", "CHW", "NCHW"])
def test_constants_of_channels_are_folded_into_the_operator_before(
    arithmetic: onnx.NodeProto,
    made: onnx.NodeProto,
    weights: dict[str, Array],
    shape: tuple[int, ...],
) -> None:
    channels = 6 if made.op_type == "Conv" else 4
    constant = ramp(channels if shape else 1, least=0.25, most=3.0).reshape(shape)
    model = ordinary([made, arithmetic], IMAGE, ["y"], {**weights, "c": constant})
    prepared = prepare(model)
    assert operators(prepared) == [made.op_type]
    np.testing.assert_allclose(
        run_prepared(prepared, IMAGE)[0], run_original(model, IMAGE)[0], rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(
    ("arithmetic", "shape"),
    [
        pytest.param(node("Mul", "p c"), (3,), id="another axis"),
        pytest.param(node("Div", "c p"), (), id="c / p"),
        pytest.param(node("Mul", "p x"), (), id="no constant"),
    ],
)
def test_other_arithmetic_stays(arithmetic: onnx.NodeProto, shape: tuple[int, ...]) -> None:
    inputs = {"x": ramp(1, 4, 3, 3)}
    weights = {"w": ramp(4, 4, 1, 1), "c": np.full(shape, 2, np.float32)}
    prepared = prepare(ordinary([node("Conv", "x w", "p"), arithmetic], inputs, ["y"], weights))
    assert operators(prepared) == ["Conv", arithmetic.op_type]


def test_weights_that_two_products_share_are_not_folded() -> None:
    nodes = [
        node("Conv", "x w", "p"),
        node("Mul", "p c", "a"),
        node("Conv", "a w", "y"),
    ]
    weights = {"w": ramp(4, 4, 1, 1), "c": np.array(2, np.float32)}
    assert operators(prepare(ordinary(nodes, IMAGE, ["y"], weights))) == ["Conv", "Mul", "Conv"]


def test_batch_normalisation_stays_where_the_product_has_another_reader() -> None:
    nodes = [node("Conv", "x w", "p"), normalise("p", "n"), node("Add", "n p")]
    weights = {"w": ramp(6, 4, 3, 3), **batch_norm_weights(6)}
    prepared = prepare(ordinary(nodes, IMAGE, ["y"], weights))
    assert operators(prepared) == ["Conv", "BatchNormalization", "Add"]


def test_training_outputs_of_batch_normalisation_are_dropped() -> None:
    trained = node("BatchNormalization", "x scale offset mean variance", "y m v sm sv")
    model = ordinary([trained], IMAGE, ["y"], batch_norm_weights(4), opset=9)
    assert operators(prepare(model)) == ["BatchNormalization"]


def test_thresholds_in_doubles_keep_every_comparison_with_float32() -> None:
    third = 1 / 3
    tree = DraftNode(
        "TreeEnsembleRegressor",
        ["x"],
        ["y"],
        {
            "nodes_modes": ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "LEAF"),
            "nodes_values_as_tensor": np.array([third, third, third, third, 0.1]),
        },
        domain="ai.onnx.ml",
    )
    assert convert_ml_node(tree) == []
    below, above = np.float32(0.33333331), np.float32(0.33333334)
    assert float(below) < third < float(above)
    values = tree.attributes["nodes_values"]
    assert values == (below, above, above, below, np.float32(0.1))


def test_labels_that_are_texts_become_places() -> None:
    classifier = DraftNode(
        "LinearClassifier",
        ["x"],
        ["label", "scores"],
        {"classlabels_strings": ("cat", "dog")},
        "pets",
        "ai.onnx.ml",
    )
    assert convert_ml_node(classifier) == [
        "LinearClassifier node 'pets' gives places in the labels cat, dog instead of texts"
    ]
    assert classifier.attributes == {"classlabels_ints": (0, 1)}


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        pytest.param(
            ordinary([node("Relu", "x")], X, ["y"], opset=6),
            "opset 6 is older than 7",
            id="opset 6",
        ),
        pytest.param(
            ordinary([normalise("x")], IMAGE, ["y"], batch_norm_weights(4), opset=8),
            "spatial=0 has no form since opset 9",
            id="spatial",
        ),
        pytest.param(
            ordinary(
                [
                    node(
                        "Resize",
                        "x roi scales",
                        coordinate_transformation_mode="tf_half_pixel_for_nn",
                    )
                ],
                IMAGE,
                ["y"],
                {"roi": ramp(1)[:0], "scales": np.array([1, 1, 2, 2], np.float32)},
                opset=11,
            ),
            "tf_half_pixel_for_nn without nearest_mode floor",
            id="tf_half_pixel_for_nn",
        ),
        pytest.param(
            ordinary(
                [helper.make_node("TreeEnsemble", ["x"], ["y"], domain="ai.onnx.ml")],
                X,
                ["y"],
                ml_opset=5,
            ),
            "TreeEnsemble node 'y' of ai.onnx.ml 5 has no form",
            id="TreeEnsemble",
        ),
        pytest.param(
            ordinary(
                [helper.make_node("Constant", [], ["c"], value_string="a"), node("Relu", "x")],
                X,
                ["y"],
            ),
            "Constant node '' holds texts",
            id="text constant",
        ),
    ],
)
def test_what_has_no_strict_form_is_told(model: onnx.ModelProto, reason: str) -> None:
    if "spatial" in reason:
        model.graph.node[0].attribute.append(helper.make_attribute("spatial", 0))
    with pytest.raises(CannotPrepare, match=reason):
        prepare(model)


def test_an_output_that_is_an_input_gets_a_name_of_its_own() -> None:
    prepared = prepare(ordinary([node("Relu", "x")], X, ["y", "x"]))
    assert "output x, which is an input, is called x_output" in prepared.notes
    assert bits(run_prepared(prepared, X)[1]) == bits(X["x"])
