"""TopK: the k largest or smallest elements along an axis, and where they stand."""

from dataclasses import dataclass
from math import prod

import numpy as np

from cvm.inference.cost import RUN, SERIAL, Cost
from cvm.inference.exact.ordering import order_keys
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import axis_attribute, flag_attribute
from cvm.inference.operators.constant_lists import constant_integer
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import operand_type, require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, Shape, TensorType

DTYPES = ("float32", "int8", "int32", "int64", "uint8")


@dataclass(frozen=True, slots=True)
class TopKParameters:
    """The data's type, the axis counted from the front, k, and which end is taken."""

    dtype: str
    input_shape: Shape
    axis: int
    k: int
    largest: bool


def parse(view: NodeView) -> TopKParameters:
    """Check numbers, the axis (by default the last), and a constant k of 1 to its length."""
    require_operand_count(view, 2)
    data = operand_type(view, 0, DTYPES)
    axis = axis_attribute(view, -1, data.rank)
    k = constant_integer(view, 1, "k")
    flag_attribute(view, "sorted", True)
    if not 1 <= k <= data.shape[axis]:
        raise refusal(view, "operand value", f"k {k} for axis {axis} of {data}")
    largest = flag_attribute(view, "largest", True)
    return TopKParameters(data.dtype, data.shape, axis, k, largest)


def output_types(parameters: TopKParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return the data's dtype and int64, the axis having length k."""
    axis, shape = parameters.axis, parameters.input_shape
    chosen = (*shape[:axis], parameters.k, *shape[axis + 1 :])
    return TensorType(parameters.dtype, chosen), TensorType("int64", chosen)


def cost(parameters: TopKParameters, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count one comparison for each element, and a heap's depth for each that is kept."""
    depth, size = parameters.k.bit_length(), prod(parameters.input_shape)
    each = 7 + 2 * max(depth - 3, 0)
    slices = size // parameters.input_shape[parameters.axis]
    return Cost(elementwise=SERIAL * (each * size + 8 * depth * outputs[0].size) + 2 * RUN * slices)


def topk(parameters: TopKParameters, data: Array, _k: Array) -> tuple[Array, ...]:
    """Return TopK-11: the first k of the elements in order, and their int64 indices.

    NaN stands above +inf and all NaN are equal; -0 equals +0. Largest first, or smallest first
    without `largest`; of equals the lowest index first. With `sorted` 0, where ONNX leaves the
    order open, the order is the same. The elements' bits are unchanged.
    """
    axis = parameters.axis
    keys = order_keys(data)
    order = (~keys if parameters.largest else keys).argsort(axis=axis, kind="stable")
    chosen = np.take(order, np.arange(parameters.k), axis=axis)
    return np.take_along_axis(data, chosen, axis=axis), chosen.astype(np.int64)


TOPK = OpSpec("TopK", 11, frozenset({"axis", "largest", "sorted"}), parse, output_types, cost, topk)
