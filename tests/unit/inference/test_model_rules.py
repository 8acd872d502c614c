"""What a model file must be: each rule has a file that breaks it, and the reason is checked."""

from collections.abc import Callable, Sequence

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from cvm.inference.faults import InvalidModel
from cvm.inference.model_file import parse_model
from tests.unit.inference.onnx_models import encoded, two_layers, value

Change = Callable[[onnx.ModelProto], object]


def _set(target: Callable[[onnx.ModelProto], object], name: str, new: object) -> Change:
    return lambda model: setattr(target(model), name, new)


def _graph(model: onnx.ModelProto) -> onnx.GraphProto:
    return model.graph


def _first(model: onnx.ModelProto) -> onnx.NodeProto:
    node: onnx.NodeProto = model.graph.node[0]
    return node


def _weight(model: onnx.ModelProto) -> onnx.TensorProto:
    tensor: onnx.TensorProto = model.graph.initializer[0]
    return tensor


def _input_type(model: onnx.ModelProto) -> onnx.TypeProto:
    declared: onnx.TypeProto = model.graph.input[0].type
    return declared


def _dim(model: onnx.ModelProto) -> onnx.TensorShapeProto.Dimension:
    dim: onnx.TensorShapeProto.Dimension = _input_type(model).tensor_type.shape.dim[0]
    return dim


def _dims_of_weight(*dims: int) -> Change:
    def change(model: onnx.ModelProto) -> None:
        del _weight(model).dims[:]
        _weight(model).dims.extend(dims)

    return change


def _attribute(name: str, number: object) -> Change:
    return lambda model: _first(model).attribute.append(helper.make_attribute(name, number))


def _reverse_nodes(model: onnx.ModelProto) -> None:
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(reversed(nodes))


def _cycle(model: onnx.ModelProto) -> None:
    model.graph.node[0].input[0] = "y"


def _weights_with(number: float) -> Change:
    weight = np.array([[0, 1], [2, number], [4, 5]], np.float32)
    return lambda model: _weight(model).CopyFrom(numpy_helper.from_array(weight, "w"))


def _extra(tensor: onnx.TensorProto) -> Change:
    return lambda model: model.graph.initializer.append(tensor)


def _tensor(
    element_type: int,
    dims: list[int],
    *,
    raw_data: bytes | None = None,
    float_data: Sequence[float] = (),
    int32_data: Sequence[int] = (),
    int64_data: Sequence[int] = (),
) -> onnx.TensorProto:
    return onnx.TensorProto(
        name="extra",
        data_type=element_type,
        dims=dims,
        raw_data=raw_data,
        float_data=float_data,
        int32_data=int32_data,
        int64_data=int64_data,
    )


def _many_nodes(model: onnx.ModelProto) -> None:
    model.graph.node.extend(
        helper.make_node("Relu", ["h"], [f"unused{index}"]) for index in range(2046)
    )


def _subgraph(model: onnx.ModelProto) -> None:
    _first(model).attribute.append(helper.make_attribute("body", model.graph.__deepcopy__({})))


def _external(model: onnx.ModelProto) -> None:
    _weight(model).external_data.add(key="location", value="/etc/passwd")


def _large_weights(model: onnx.ModelProto) -> None:
    """Add a product of 2**33 + 2**25 multiply-accumulates."""
    model.graph.input.append(value("big", (2**16, 2**9)))
    model.graph.input.append(value("wide", (2**9, 2**8 + 1)))
    model.graph.node.append(helper.make_node("MatMul", ["big", "wide"], ["product"]))


def _much_memory(model: onnx.ModelProto) -> None:
    """Keep two tensors of 2**26 float32 elements alive: 512 MiB and what else there is."""
    model.graph.input.append(value("big", (2**6, 2**20)))
    model.graph.node.append(helper.make_node("Relu", ["big"], ["big1"]))
    model.graph.node.append(helper.make_node("Relu", ["big1"], ["big2"]))
    model.graph.output.append(value("big2", (2**6, 2**20)))


REFUSED = [
    pytest.param(_set(lambda m: m, "ir_version", 7), "IR version", "7, not 8 to 14", id="old IR"),
    pytest.param(lambda m: m.ClearField("opset_import"), "opset", "[]", id="no opset"),
    pytest.param(_set(lambda m: m.opset_import[0], "version", 20), "opset", "('', 20)", id="opset"),
    pytest.param(
        lambda m: m.opset_import.add(domain="com.microsoft", version=1),
        "opset",
        "com.microsoft",
        id="foreign opset",
    ),
    pytest.param(
        lambda m: m.opset_import.add(domain="", version=21), "opset", "[('', 21), ('', 21)]",
        id="opset twice",
    ),
    pytest.param(lambda m: m.ClearField("graph"), "graph", "nodes, inputs", id="no graph"),
    pytest.param(lambda m: m.graph.ClearField("node"), "graph", "nodes, inputs", id="no nodes"),
    pytest.param(lambda m: m.graph.ClearField("output"), "graph", "outputs", id="no outputs"),
    pytest.param(lambda m: m.functions.add(name="f"), "refused field", "functions", id="function"),
    pytest.param(
        lambda m: m.training_info.add(), "refused field", "training_info", id="training"
    ),
    pytest.param(
        lambda m: m.graph.sparse_initializer.add(), "refused field", "sparse_initializer",
        id="sparse weight",
    ),
    pytest.param(_subgraph, "refused field", "g in OnnxAttribute", id="subgraph attribute"),
    pytest.param(_external, "refused field", "external_data", id="external data"),
    pytest.param(
        _set(_weight, "data_location", 1), "external data", "data_location 1", id="location"
    ),
    pytest.param(
        _set(_first, "overload", "o"), "refused field", "overload", id="function overload"
    ),
    pytest.param(_set(_dim, "dim_param", "N"), "refused field", "dim_param", id="named dim"),
    pytest.param(
        lambda m: _input_type(m).sequence_type.elem_type.tensor_type.SetInParent(),
        "refused field", "sequence_type", id="sequence input",
    ),
    pytest.param(lambda m: _dim(m).Clear(), "dimension", "a dimension 0", id="dim without value"),
    pytest.param(_set(_dim, "dim_value", -1), "dimension", "a dimension -1", id="negative dim"),
    pytest.param(
        _set(_dim, "dim_value", 2**20 + 1), "dimension", "1048577, not 1 to 1048576", id="dim"
    ),
    pytest.param(
        lambda m: m.graph.input.append(value("z", (2**10, 2**10, 2**7))),
        "elements", "134217728 elements, limit 67108864", id="elements",
    ),
    pytest.param(
        lambda m: m.graph.input.append(value("z", [1] * 7)), "rank", "rank 7, limit 6", id="rank"
    ),
    pytest.param(
        lambda m: m.graph.input.append(value("z", (1,), TensorProto.STRING)),
        "element type", "has type 8", id="string input",
    ),
    pytest.param(
        lambda m: _input_type(m).tensor_type.ClearField("shape"),
        "value type", "'x' is not declared", id="input without shape",
    ),
    pytest.param(_set(_first, "op_type", "Loop"), "operator", "Loop node 'first'", id="operator"),
    pytest.param(
        _set(_first, "domain", "ai.onnx.ml"), "operator", "domain 'ai.onnx.ml'", id="domain"
    ),
    pytest.param(_attribute("gamma", 1.0), "attribute", "unknown 'gamma'", id="attribute"),
    pytest.param(
        lambda m: [_attribute("transA", 0)(m), _attribute("transA", 0)(m)],
        "attribute", "'transA' stands twice", id="attribute twice",
    ),
    pytest.param(
        _attribute("alpha", float("nan")), "attribute", "a NaN or an infinity", id="NaN attribute"
    ),
    pytest.param(_attribute("alpha", 1), "attribute type", "alpha must be a float", id="int alpha"),
    pytest.param(
        lambda m: _first(m).attribute.add(name="transA", type=2), "attribute",
        "'transA' of type 2 fills []", id="attribute without value",
    ),
    pytest.param(
        lambda m: _first(m).attribute.add(name="transA", type=2, i=0, f=1.0), "attribute",
        "fills ['f', 'i']", id="attribute with two values",
    ),
    pytest.param(
        lambda m: _first(m).attribute.add(name="transA", type=1, i=0), "attribute",
        "of type 1 fills ['i']", id="attribute of another type",
    ),
    pytest.param(_reverse_nodes, "input", "made by nothing that stands before", id="not sorted"),
    pytest.param(_cycle, "input", "'y' is made by nothing", id="cycle"),
    pytest.param(
        lambda m: _first(m).input.__setitem__(0, "nowhere"), "input", "'nowhere'",
        id="unknown input",
    ),
    pytest.param(
        lambda m: _first(m).output.append("more"), "outputs", "names 2, makes 1", id="outputs"
    ),
    pytest.param(
        lambda m: _first(m).output.__setitem__(0, "x"), "value name", "twice: 'x'", id="name twice"
    ),
    pytest.param(
        lambda m: _first(m).output.__setitem__(0, ""), "value name", "empty", id="empty name"
    ),
    pytest.param(
        lambda m: m.graph.input.append(value("w", (3, 2))), "value name", "twice: 'w'",
        id="weight that is an input",
    ),
    pytest.param(
        _set(lambda m: m.graph.output[0], "name", "x"), "graph output", "'x' is made by no node",
        id="output that is an input",
    ),
    pytest.param(
        lambda m: m.graph.output.append(value("y", (1, 2))), "value name", "twice: 'y'",
        id="output twice",
    ),
    pytest.param(
        lambda m: m.graph.output[0].CopyFrom(value("y", (2, 1))), "declared type",
        "declared as float32[2,1], inferred float32[1,2]", id="declared output type",
    ),
    pytest.param(
        lambda m: m.graph.value_info.append(value("h", (1, 3))), "declared type",
        "value_info 'h' is declared as float32[1,3]", id="declared inner type",
    ),
    pytest.param(
        lambda m: m.graph.value_info.append(value("zz", (1, 3))), "value name",
        "'zz' is made by nothing", id="declared unknown",
    ),
    pytest.param(_weights_with(float("nan")), "finite weights", "'w' holds a NaN", id="NaN weight"),
    pytest.param(_weights_with(float("-inf")), "finite weights", "infinity", id="infinite weight"),
    pytest.param(_dims_of_weight(3, 3), "tensor size", "24 bytes, float32[3,3]", id="weight size"),
    pytest.param(_dims_of_weight(2**20, 2**20), "elements", "limit 67108864", id="huge weight"),
    pytest.param(_dims_of_weight(0), "dimension", "a dimension 0", id="empty weight"),
    pytest.param(
        _extra(_tensor(TensorProto.DOUBLE, [1], raw_data=bytes(8))), "element type", "type 11",
        id="double weight",
    ),
    pytest.param(
        _extra(_tensor(TensorProto.FLOAT, [1])), "tensor storage", "fills []", id="no storage"
    ),
    pytest.param(
        _extra(_tensor(TensorProto.FLOAT, [1], raw_data=bytes(4), float_data=[0])),
        "tensor storage", "['raw_data', 'float_data']", id="two storages",
    ),
    pytest.param(
        _extra(_tensor(TensorProto.FLOAT, [1], int32_data=[0])), "tensor storage",
        "fills ['int32_data']", id="storage of another dtype",
    ),
    pytest.param(
        _extra(_tensor(TensorProto.INT8, [1], int32_data=[128])), "integer range",
        "lists 128 as int8", id="listed integer",
    ),
    pytest.param(
        _extra(_tensor(TensorProto.INT64, [3], int64_data=[1, 2])), "tensor size",
        "lists 2 values, int64[3]", id="listed too few",
    ),
    pytest.param(
        _extra(_tensor(TensorProto.INT64, [2**20], int64_data=[1] * (2**20 + 1))),
        "listed integers", "1048577 bytes", id="listed too many",
    ),
    pytest.param(
        _extra(_tensor(TensorProto.BOOL, [2], raw_data=b"\x01\x02")), "bool weights", "a byte 2",
        id="bool weight",
    ),
    pytest.param(_many_nodes, "node count", "2049 nodes, limit 2048", id="nodes"),
    pytest.param(
        lambda m: m.graph.node.append(helper.make_node("Sum", ["x"] * 16_374, ["s"])),
        "operand total", "16385 inputs and outputs of nodes, limit 16384", id="operands",
    ),
    pytest.param(_large_weights, "MACs", "limit 8589934592", id="MACs"),
    pytest.param(_much_memory, "memory", "limit 536870912", id="memory"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "rule", "detail"), REFUSED)
def test_file_that_breaks_a_rule_is_refused_with_the_value(
    change: Change, rule: str, detail: str
) -> None:
    model = two_layers()
    change(model)
    with pytest.raises(InvalidModel) as caught:
        parse_model(encoded(model))
    assert (caught.value.rule, detail in caught.value.detail) == (rule, True), caught.value


def test_file_of_as_many_operands_as_allowed_is_taken() -> None:
    model = two_layers()
    model.graph.node.append(helper.make_node("Sum", ["x"] * 16_373, ["s"]))
    assert parse_model(encoded(model)).graph.nodes[-1].output_types[0].shape == (1, 3)


def test_file_over_the_size_limit_is_refused_unread() -> None:
    with pytest.raises(InvalidModel, match="file size: 67108865 bytes, limit 67108864"):
        parse_model(bytes(64 * 2**20 + 1))


def test_fault_in_a_node_without_a_name_says_where_it_stands() -> None:
    model = two_layers()
    model.graph.node[1].op_type = "Bespoke"
    with pytest.raises(
        InvalidModel, match=r"Bespoke node 'Bespoke_1': unknown in domain ''; known: .*Gemm"
    ):
        parse_model(encoded(model))
