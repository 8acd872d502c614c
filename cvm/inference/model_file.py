"""Reads a model file: ONNX bytes that anybody may have written become a checked model."""

from dataclasses import dataclass

from cvm.inference.cost import Cost
from cvm.inference.graph import Graph, Value
from cvm.inference.graph_builder import build_graph
from cvm.inference.limits import CHAIN_LIMITS, SizeLimits
from cvm.inference.model_checks import (
    check_file_size,
    check_ir_version,
    check_names,
    check_opsets,
    checked_graph,
)
from cvm.inference.onnx_messages import OnnxModel, attribute_tensors
from cvm.inference.operators.table import OPERATORS
from cvm.inference.protobuf_wire import MessageReader
from cvm.inference.weights import check_listed_integers, decode_tensor

ENGINE = 1


@dataclass(frozen=True, slots=True)
class Model:
    """A file that keeps every rule of its engine; sizes are bytes of one item.

    `batchable` says that every graph input and output has a leading dimension of 1, so that
    a call may hold many items, each run by itself.
    """

    graph: Graph
    engine: int
    size_bytes: int
    batchable: bool
    input_bytes: int
    output_bytes: int

    @property
    def cost(self) -> Cost:
        """Return what one item costs."""
        return self.graph.cost


def parse_model(data: bytes, limits: SizeLimits = CHAIN_LIMITS) -> Model:
    """Check a model file and return its graph, sizes and cost.

    The rules are those of EXACT engine 1: one self-contained ONNX file of opset 21 in canonical
    bytes, with the listed operators and attributes only, fixed shapes, finite weights, and the
    bounds of `limits`. Raises `InvalidModel` with the rule and the value, and nothing else,
    whatever the bytes are; it allocates only what it has checked to be within bounds.
    """
    check_file_size(len(data), limits.file_bytes)
    message = MessageReader(data).read(OnnxModel)
    check_ir_version(message)
    check_opsets(message)
    onnx_graph = checked_graph(message)
    check_names(onnx_graph)
    check_listed_integers(onnx_graph.initializer + attribute_tensors(onnx_graph))
    constants = {
        tensor.name: decode_tensor(tensor, limits.elements) for tensor in onnx_graph.initializer
    }
    graph = build_graph(onnx_graph, constants, OPERATORS, limits)
    return Model(
        graph=graph,
        engine=ENGINE,
        size_bytes=len(data),
        batchable=all(_has_leading_one(value) for value in graph.inputs + graph.outputs),
        input_bytes=sum(value.type.size_bytes for value in graph.inputs),
        output_bytes=sum(value.type.size_bytes for value in graph.outputs),
    )


def _has_leading_one(value: Value) -> bool:
    """Return whether a value's first dimension is 1."""
    return value.type.shape[:1] == (1,)
