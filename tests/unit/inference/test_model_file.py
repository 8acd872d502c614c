"""What a model file becomes: its graph, weights, sizes and cost."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from cvm.inference.cost import RUN, Cost
from cvm.inference.model_file import parse_model
from cvm.inference.tensor_type import Array, TensorType
from tests.unit.inference.onnx_models import encoded, model_of, two_layers, value


def test_graph_of_a_file_is_the_graph_that_was_written() -> None:
    graph = parse_model(encoded(two_layers())).graph
    assert [(v.name, v.type) for v in graph.inputs] == [("x", TensorType("float32", (1, 3)))]
    assert [(v.name, v.type) for v in graph.outputs] == [("y", TensorType("float32", (1, 2)))]
    assert [(n.name, n.view.op_type, n.inputs, n.outputs) for n in graph.nodes] == [
        ("first", "Gemm", ("x", "w", "c"), ("h",)),
        ("Relu_1", "Relu", ("h",), ("r",)),
        ("last", "MatMul", ("r", "v"), ("y",)),
    ]
    assert graph.constants["v"].tolist() == [[1, 2], [3, 4]]


def test_sizes_are_those_of_one_item() -> None:
    data = encoded(two_layers())
    model = parse_model(data)
    assert (model.engine, model.size_bytes) == (1, len(data))
    assert (model.input_bytes, model.output_bytes, model.batchable) == (12, 8, True)


def test_cost_counts_macs_bytes_nodes_weights_and_peak() -> None:
    cost = parse_model(encoded(two_layers())).cost
    assert cost == Cost(
        float32_macs=6 + 4,
        int8_macs=0,
        elementwise=2
        + 2  # Gemm's bias and Relu
        + (48 - 2) * (3 + 2) * 3 // 2  # products of one row by two columns take as long as 48
        + 2 * RUN  # a tile each
        + (3 + 2) * 32  # rows put in order
        + 2 * 64,
        transcendental=0,
        bytes_moved=(12 + 24 + 8 + 8) + (8 + 8) + (8 + 16 + 8),
        nodes=3,
        weight_bytes=24 + 8 + 16,
        peak_bytes=48 + 20,  # weights, and x with h
    )


def test_leading_dimension_other_than_1_makes_a_model_unbatchable() -> None:
    weights: dict[str, Array] = {"w": np.ones((3, 2), np.float32)}
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    model = model_of([node], [value("x", (2, 3))], [value("y", (2, 2))], weights)
    assert parse_model(encoded(model)).batchable is False


STORED = [
    pytest.param(TensorProto.FLOAT, [1.5, -0.0], np.float32, id="float_data"),
    pytest.param(TensorProto.INT8, [-128, 127], np.int8, id="int8 in int32_data"),
    pytest.param(TensorProto.UINT8, [0, 255], np.uint8, id="uint8 in int32_data"),
    pytest.param(TensorProto.INT32, [-(2**31), 2**31 - 1], np.int32, id="int32_data"),
    pytest.param(TensorProto.INT64, [-(2**63), 2**63 - 1], np.int64, id="int64_data"),
    pytest.param(TensorProto.BOOL, [0, 1], np.bool_, id="bool in int32_data"),
]


@pytest.mark.parametrize(("element_type", "numbers", "dtype"), STORED)
@pytest.mark.parametrize("is_raw", [False, True], ids=["listed", "raw_data"])
def test_weights_are_read_only_in_either_storage_form(
    element_type: int, numbers: list[float], dtype: type[np.generic], is_raw: bool
) -> None:
    model = two_layers()
    expected = np.array(numbers, dtype)
    content = expected.tobytes() if is_raw else numbers
    tensor = helper.make_tensor("extra", element_type, [2], content, raw=is_raw)
    model.graph.initializer.append(tensor)
    array = parse_model(encoded(model)).graph.constants["extra"]
    assert array.dtype == expected.dtype
    assert array.tobytes() == expected.tobytes()
    assert array.flags.writeable is False
    assert array.flags.aligned
    assert array.flags.c_contiguous


def test_constants_may_stand_where_the_host_would_misalign_them() -> None:
    model = two_layers()
    model.producer_name = "odd"  # moves every weight by an odd number of bytes
    assert parse_model(encoded(model)).graph.constants["w"].flags.aligned


def test_remarks_change_nothing() -> None:
    model = two_layers()
    plain = parse_model(encoded(model))
    model.doc_string = "text"
    model.metadata_props.add(key="quantised", value="no")
    model.graph.node[0].doc_string = "text"
    model.graph.value_info.append(value("h", (1, 2)))
    remarked = parse_model(encoded(model))
    assert remarked.cost == plain.cost
    assert [n.view for n in remarked.graph.nodes][1] == [n.view for n in plain.graph.nodes][1]


def test_ml_opset_may_stand_beside_the_default_one() -> None:
    model = two_layers()
    model.opset_import.add(domain="ai.onnx.ml", version=3)
    assert parse_model(encoded(model)).engine == 1
