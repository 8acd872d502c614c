"""Builds small ordinary ONNX files, prepares them, and runs the original and the result."""

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from cvm.inference.backends.table import backend_named
from cvm.inference.model_file import parse_model
from cvm.inference.tensor_type import Array
from models_registry.cli.prepare import Options, PreparedModel, prepare_model

Weights = Mapping[str, Array]


def ordinary(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Array],
    outputs: Sequence[str],
    weights: Weights | None = None,
    *,
    opset: int = 21,
    ml_opset: int | None = None,
) -> onnx.ModelProto:
    """Return a file whose inputs have the types of the given arrays; outputs have no type."""
    graph = helper.make_graph(
        list(nodes),
        "ordinary",
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
            )
            for name, array in inputs.items()
        ],
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    if ml_opset is not None:
        opsets.append(helper.make_opsetid("ai.onnx.ml", ml_opset))
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return model


def prepare(model: onnx.ModelProto, options: Options | None = None) -> PreparedModel:
    """Prepare a file and check the result by every rule of the engine."""
    prepared = prepare_model(model.SerializeToString(), options or Options())
    parse_model(prepared.data)
    return prepared


def operators(prepared: PreparedModel) -> list[str]:
    """Return the operators of a prepared file, in order."""
    return [node.op_type for node in onnx.load_model_from_string(prepared.data).graph.node]


def weights_of(prepared: PreparedModel) -> dict[str, Array]:
    """Return the weights of a prepared file by name."""
    graph = onnx.load_model_from_string(prepared.data).graph
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}


def run_prepared(prepared: PreparedModel, inputs: Mapping[str, Array]) -> list[Array]:
    """Run a prepared file on the reference backend."""
    graph = parse_model(prepared.data).graph
    given = [inputs[value.name].astype(value.type.dtype) for value in graph.inputs]
    return list(backend_named("reference").plan(graph).run(given))


def run_original(model: onnx.ModelProto, inputs: Mapping[str, Array]) -> list[Array]:
    """Run an ordinary file on onnxruntime, without its optimisations."""
    settings = onnxruntime.SessionOptions()
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    settings.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        typed(model).SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
    return [np.asarray(value) for value in session.run(None, dict(inputs))]


def typed(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a file whose outputs say that they are tensors, as onnxruntime wants to be told."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    inferred = onnx.shape_inference.infer_shapes(copy)
    for value, found in zip(copy.graph.output, inferred.graph.output, strict=True):
        element_type = found.type.tensor_type.elem_type or TensorProto.FLOAT
        value.type.tensor_type.elem_type = element_type
    return copy


def ramp(*shape: int, least: float = -2.0, most: float = 2.0) -> Array:
    """Return values that rise evenly and are then mixed, so that no axis is like another."""
    count = int(np.prod(shape))
    places = (np.arange(count) * 7919) % count if count % 7919 else np.arange(count)
    values = least + (most - least) * places / max(count - 1, 1)
    return np.asarray(values.astype(np.float32).reshape(shape))
