"""One node as its operator sees it: a tensor type is an input, an array an initializer."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cvm.inference.graph import AttributeValue, NodeView
from cvm.inference.operators.op_spec import ML_DOMAIN, OpSpec
from cvm.inference.operators.table import OPERATORS
from cvm.inference.tensor_type import Array, TensorType, type_of

Operand = TensorType | Array | None


def t(dtype: str, *shape: int) -> TensorType:
    """Return the type of an input that is known only at run time."""
    return TensorType(dtype, shape)


def f32(*values: float) -> Array:
    """Return a constant of rank 1, or of rank 0 for one value."""
    return np.array(values if len(values) != 1 else values[0], np.float32)


def const(dtype: str, value: object) -> Array:
    """Return a constant."""
    return np.array(value, dtype)


def spec_of(op: str) -> OpSpec[Any]:
    """Return an operator; no name stands in two domains."""
    return OPERATORS.get(("", op)) or OPERATORS[ML_DOMAIN, op]


def node(
    op: str, *operands: Operand, attributes: Mapping[str, AttributeValue] | None = None
) -> NodeView:
    """Return a node named `n`."""
    types = tuple(
        operand if operand is None or isinstance(operand, TensorType) else type_of(operand)
        for operand in operands
    )
    constants = tuple(operand if isinstance(operand, np.ndarray) else None for operand in operands)
    return NodeView(op, "n", attributes or {}, types, constants)


def run_node(view: NodeView, *inputs: Array | None) -> Array:
    """Parse a node, run its definition, and return the one output, its type checked."""
    spec = spec_of(view.op_type)
    parameters = spec.parse(view)
    (expected,) = spec.output_types(parameters, view)
    (result,) = spec.run(parameters, *inputs)
    assert type_of(result) == expected
    return result
