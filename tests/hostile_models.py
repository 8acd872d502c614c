"""Model files to damage: the digit models, one of each operator, and networks of PyPI packages."""

from collections.abc import Iterator, Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

from cvm.inference.graph import AttributeValue
from cvm.inference.operators.table import OPERATORS
from cvm.inference.tensor_type import TensorType
from cvm.inference.vectors import Vector
from node.sample_models import sample_model_path
from node.self_test_vectors import load_self_test_vectors

ML = "ai.onnx.ml"
VECTORS_OF_EACH = 3
MAX_REAL_BYTES = 16 * 2**20


def sources() -> list[bytes]:
    """Return files that the engine takes: digits, then golden vectors of each operator."""
    files = [sample_model_path(f"digits_{kind}.onnx").read_bytes() for kind in ("float32", "int8")]
    by_operator: dict[tuple[str, str], list[Vector]] = {}
    for vector in load_self_test_vectors():
        if vector.input_arrays():
            by_operator.setdefault((vector.domain, vector.op_type), []).append(vector)
    for group in by_operator.values():
        step = max(1, len(group) // VECTORS_OF_EACH)
        files += [encoded(model_of_vector(vector)) for vector in group[::step][:VECTORS_OF_EACH]]
    return files


def real_files() -> Iterator[bytes]:
    """Yield the strict forms of the smaller networks whose packages are installed."""
    # Only here: a run without these needs neither onnxruntime nor the packages.
    from models_registry.cli.prepare.pipeline import Options, prepare_model
    from tests.real_models import real_models

    for real in real_models():
        if real.missing() or real.too_large or real.calibration is not None:
            continue
        data = real.load()
        graph = onnx.ModelProto.FromString(data).graph
        weights = {tensor.name for tensor in graph.initializer}
        (name,) = [entry.name for entry in graph.input if entry.name not in weights]
        shapes = {name: tuple(real.item().shape)}
        prepared = prepare_model(data, Options(shapes=shapes)).data
        if len(prepared) <= MAX_REAL_BYTES:
            yield prepared


def model_of_vector(vector: Vector) -> onnx.ModelProto:
    """Return a file with one node: the vector's attributes, operands and constants."""
    arrays = dict(enumerate(vector.inputs))
    names = ["" if array is None else f"in{i}" for i, array in arrays.items()]
    while names and not names[-1]:
        names.pop()
    graph = vector.graph(OPERATORS)
    outputs = list(graph.nodes[0].outputs)
    for index in sorted(vector.absent_outputs):
        outputs.insert(index, "")
    node = helper.make_node(vector.op_type, names, outputs, name="n", domain=vector.domain)
    node.attribute.extend(
        _attribute(name, content) for name, content in sorted(vector.attributes.items())
    )
    made = helper.make_graph(
        [node],
        "g",
        [_declared(value.name, value.type) for value in graph.inputs],
        [_declared(value.name, value.type) for value in graph.outputs],
        [numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
    )
    opsets = [helper.make_opsetid("", 21)] + [helper.make_opsetid(ML, 3)] * (vector.domain == ML)
    return helper.make_model(made, opset_imports=opsets, ir_version=10)


def encoded(model: onnx.ModelProto) -> bytes:
    """Return the canonical bytes."""
    return bytes(model.SerializeToString(deterministic=True))


def _declared(name: str, kind: TensorType) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(
        name, helper.np_dtype_to_tensor_dtype(np.dtype(kind.dtype)), kind.shape
    )


def _attribute(name: str, content: AttributeValue) -> onnx.AttributeProto:
    """Return an attribute as an exporter writes it."""
    if isinstance(content, np.ndarray):
        return helper.make_attribute(name, numpy_helper.from_array(content))
    if isinstance(content, Sequence) and not isinstance(content, str):
        kind = onnx.AttributeProto.INTS if not content else None
        plain = [entry if isinstance(entry, str | int) else float(entry) for entry in content]
        return helper.make_attribute(name, plain, attr_type=kind)
    is_plain = isinstance(content, str | int)
    return helper.make_attribute(name, content if is_plain else float(content))
