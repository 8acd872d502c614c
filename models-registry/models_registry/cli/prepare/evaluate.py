"""Works out what a node makes of known inputs: by the engine's definition, else by ONNX's."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ValueInfoProto, helper
from onnx.reference import ReferenceEvaluator

from cvm.inference.faults import InferenceFault
from cvm.inference.float_environment import default_float_environment
from cvm.inference.model_checks import OPSET
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.tensor_type import Array
from models_registry.cli.prepare.draft import DraftNode
from models_registry.cli.prepare.write_onnx import node_of

_NEVER = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial",
     "Bernoulli", "If", "Loop", "Scan"}
)  # fmt: skip

_ONNX_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What onnx.reference raises for a node that it does not run."""


def engine_values(
    spec: OpSpec[Any], parameters: Any, inputs: Sequence[Array | None]
) -> tuple[Array, ...] | None:
    """Return what the engine's definition makes, or None for an index out of range."""
    absent = (None,) * (spec.operand_count() - len(inputs))
    try:
        with default_float_environment(), np.errstate(all="ignore"):
            return tuple(spec.run(parameters, *inputs, *absent))
    except InferenceFault:
        return None


def onnx_values(node: DraftNode, inputs: Sequence[Array | None]) -> tuple[Array, ...] | None:
    """Return what onnx.reference makes of a node of opset 21 that the engine cannot run.

    Used for constants alone (the shape arithmetic of dtypes and operators that engine 1 lacks);
    None where onnx.reference cannot run it either. A double becomes float32.
    """
    if node.domain or node.op_type in _NEVER or node.subgraphs():
        return None
    names = [name for name in dict.fromkeys(node.inputs) if name]
    graph = helper.make_graph(
        [node_of(node)],
        "one",
        [ValueInfoProto(name=name) for name in names],
        [ValueInfoProto(name=name) for name in node.outputs if name],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    feeds = dict(zip(node.inputs, inputs, strict=True))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = ReferenceEvaluator(model).run(None, {name: feeds[name] for name in names})
    except _ONNX_FAULTS:
        return None
    arrays = [np.asarray(value) for value in found]
    return tuple(a.astype(np.float32) if a.dtype == np.float64 else a for a in arrays)
