"""Files that protobuf reads well and that mean harm: extreme shapes, cycles, other files' paths."""

import random
from collections.abc import Callable, Iterator

import onnx
from onnx import TensorProto, helper

from cvm.inference.operators.table import OPERATORS

NUMBERS = [
    0, 1, 2, 3, 7, -1, -2, 2**16, 2**20, 2**20 + 1, 2**26, 2**31 - 1, 2**31, -(2**31), 2**32,
    2**62, 2**63 - 1, -(2**63),
]  # fmt: skip
FLOATS = [0.0, -0.0, 1.0, -1.0, 1e-45, 3e38, float("inf"), float("-inf"), float("nan"), 0.5]
TEXTS = ["", "SAME_UPPER", "VALID", "linear", "x", "../../etc/passwd", "%s%n", "\0", "é" * 40]
PATHS = ["/etc/passwd", "../secret", "weights.bin", "/dev/zero", "\\\\host\\share"]

Mutation = Callable[[onnx.ModelProto, random.Random], None]


def with_harm(data: bytes, source: random.Random) -> bytes:
    """Return a file with one to three mutations, as protobuf serialises it."""
    model = onnx.ModelProto.FromString(data)
    for _ in range(source.randint(1, 3)):
        source.choice(MUTATIONS)(model, source)
    return bytes(model.SerializeToString(deterministic=True))


def _dims(model: onnx.ModelProto, source: random.Random) -> None:
    """Give a tensor or a declaration another dimension, or one more, or none."""
    shapes = [tensor.dims for tensor in _tensors(model)]
    if shapes and source.random() < 0.5:
        dims = source.choice(shapes)
        if dims and source.random() < 0.7:
            dims[source.randrange(len(dims))] = source.choice(NUMBERS)
        else:
            dims.extend([source.choice(NUMBERS)] * source.choice([1, 1, 5, 200]))
        return
    values = [*model.graph.input, *model.graph.output, *model.graph.value_info]
    if not values:
        return
    entries = source.choice(values).type.tensor_type.shape.dim
    if entries and source.random() < 0.7:
        source.choice(entries).dim_value = source.choice(NUMBERS)
    else:
        entries.add(dim_value=source.choice(NUMBERS))


def _everywhere(model: onnx.ModelProto, source: random.Random) -> None:
    """Give one extent another size wherever a declaration has it, so that shapes still fit."""
    dims = [
        entry
        for value in (*model.graph.input, *model.graph.output)
        for entry in value.type.tensor_type.shape.dim
    ]
    if dims:
        old = source.choice(dims).dim_value
        new = source.choice([1, 2, 16, 100, 1000, 4096, 2**16, 2**20])
        for entry in dims:
            if entry.dim_value == old:
                entry.dim_value = new


def _type(model: onnx.ModelProto, source: random.Random) -> None:
    """Declare another element type, or no tensor at all."""
    tensors = _tensors(model)
    if tensors and source.random() < 0.5:
        source.choice(tensors).data_type = source.randrange(26)
        return
    values = [*model.graph.input, *model.graph.output]
    if not values:
        return
    kind = source.choice(values).type
    match source.randrange(5):
        case 0:
            kind.sequence_type.elem_type.tensor_type.elem_type = 1
        case 1:
            kind.map_type.key_type = TensorProto.INT64
        case 2:
            kind.Clear()
        case _:
            kind.tensor_type.elem_type = source.randrange(26)


def _attribute(model: onnx.ModelProto, source: random.Random) -> None:
    """Change an attribute's numbers, type or name, or add one."""
    node = _node(model, source)
    if node is None:
        return
    known = (
        sorted(OPERATORS[key].attributes)
        if (key := (node.domain, node.op_type)) in OPERATORS
        else ["axis"]
    )
    if not node.attribute or source.random() < 0.3:
        name = source.choice([*known, "unknown"])
        content = source.choice([*NUMBERS, *FLOATS, *TEXTS, [2**62] * 3, [-1, 0], [1.5]])
        node.attribute.append(helper.make_attribute(name, content))
        return
    attribute = source.choice(node.attribute)
    match source.randrange(6):
        case 0:
            attribute.i = source.choice(NUMBERS)
        case 1:
            attribute.f = source.choice(FLOATS)
        case 2 if attribute.ints:
            attribute.ints[source.randrange(len(attribute.ints))] = source.choice(NUMBERS)
        case 3 if attribute.floats:
            attribute.floats[source.randrange(len(attribute.floats))] = source.choice(FLOATS)
        case 4:
            attribute.s = source.choice(TEXTS).encode()
        case _:
            attribute.ints.extend([source.choice(NUMBERS)] * source.choice([1, 2, 1000, 100_000]))


def _wiring(model: onnx.ModelProto, source: random.Random) -> None:
    """Make a node read or make another value: itself, a later one, nothing, a name twice."""
    node = _node(model, source)
    if node is None:
        return
    names = [name for entry in model.graph.node for name in (*entry.input, *entry.output)]
    name = source.choice([*names, "", "nowhere"])
    operands = source.choice([node.input, node.output])
    match source.randrange(4):
        case 0:
            operands.append(name)
        case 1 if operands:
            del operands[source.randrange(len(operands))]
        case 2 if len(model.graph.node) > 1:
            nodes = list(model.graph.node)
            source.shuffle(nodes)
            del model.graph.node[:]
            model.graph.node.extend(nodes)
        case _ if operands:
            operands[source.randrange(len(operands))] = name


def _deep(model: onnx.ModelProto, source: random.Random) -> None:
    """Put a chain behind the first output, as long as the limit of nodes or longer."""
    if not model.graph.output:
        return
    last = model.graph.output[0]
    kind = source.choice(["Relu", "Identity", "Add", "Abs", "Shape", "Transpose", "Softmax"])
    name = last.name
    for index in range(source.choice([1, 10, 500, 2047, 2048, 5000])):
        operands = [name, name] if kind == "Add" else [name]
        name = f"deep{index}"
        model.graph.node.append(helper.make_node(kind, operands, [name]))
    last.name = name


def _operator(model: onnx.ModelProto, source: random.Random) -> None:
    """Make a node another operator, of this engine or not."""
    node = _node(model, source)
    if node is None:
        return
    node.domain, node.op_type = source.choice(
        [*sorted(OPERATORS), ("", "If"), ("", "Loop"), ("", "RandomNormal"), ("com.evil", "Shell")]
    )
    if node.domain and all(entry.domain != node.domain for entry in model.opset_import):
        model.opset_import.append(helper.make_opsetid(node.domain, source.choice([1, 3, 2**31])))


def _weights(model: onnx.ModelProto, source: random.Random) -> None:
    """Fill a weight with hostile bytes, cut it, store it twice, elsewhere, or hand it in."""
    if not model.graph.initializer:
        return
    tensor = source.choice(model.graph.initializer)
    size = len(tensor.raw_data)
    match source.randrange(7):
        case 0 | 1:
            filling = source.choice([b"\x80", b"\xff", b"\x7f", b"\0", b"\x01"])
            tensor.raw_data = filling * size
        case 2:
            tensor.raw_data = tensor.raw_data[: source.randrange(size + 1)]
        case 3:
            tensor.float_data.extend([source.choice(FLOATS)] * source.choice([1, 100]))
        case 4:
            tensor.data_location = TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value=source.choice(PATHS))
            if source.random() < 0.5:
                tensor.ClearField("raw_data")
        case 5:
            model.graph.initializer.append(tensor)
        case _:
            value = helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
            model.graph.input.append(value)
            if source.random() < 0.7:
                model.graph.initializer.remove(tensor)


def _foreign(model: onnx.ModelProto, source: random.Random) -> None:
    """Add what the engine takes nowhere: functions, subgraphs, sparse weights, versions."""
    match source.randrange(7):
        case 0:
            model.functions.add(name="f", domain="d")
        case 1 if (node := _node(model, source)) is not None:
            node.attribute.append(helper.make_attribute("body", model.graph.__deepcopy__({})))
        case 2:
            model.graph.sparse_initializer.add()
        case 3:
            model.ir_version = source.choice(NUMBERS)
        case 4 if model.opset_import:
            source.choice(model.opset_import).version = source.choice(NUMBERS)
        case 5:
            model.graph.doc_string = "x" * source.choice([1, 10**6])
        case _:
            model.metadata_props.add(key="k", value="v" * source.choice([1, 10**6]))


MUTATIONS: list[Mutation] = [
    _dims, _dims, _everywhere, _type, _attribute, _attribute, _wiring, _deep, _operator,
    _weights, _weights, _foreign,
]  # fmt: skip


def _node(model: onnx.ModelProto, source: random.Random) -> onnx.NodeProto | None:
    """Return one of the nodes, if there is any."""
    return source.choice(model.graph.node) if model.graph.node else None


def _tensors(model: onnx.ModelProto) -> list[TensorProto]:
    """Return initializers and the tensors in attributes."""
    return [*model.graph.initializer, *_attribute_tensors(model)]


def _attribute_tensors(model: onnx.ModelProto) -> Iterator[TensorProto]:
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
