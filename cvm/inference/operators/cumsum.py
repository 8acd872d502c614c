"""CumSum: running sums along an axis."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import SERIAL
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import flag_attribute
from cvm.inference.operators.constant_lists import INDEX_DTYPES, constant_integer, resolve_axis
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import operand_type, require_operand_count
from cvm.inference.operators.result_type import steps_each
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32", "int32", "int64")


@dataclass(frozen=True, slots=True)
class CumSumParameters(UnchangedType):
    """The type, the axis counted from the front, and the two flags."""

    axis: int
    exclusive: bool
    reverse: bool


def parse(view: NodeView) -> CumSumParameters:
    """Check numbers, a constant axis, `exclusive` and `reverse`."""
    require_operand_count(view, 2)
    x = operand_type(view, 0, DTYPES)
    axis = resolve_axis(view, constant_integer(view, 1, "axis", INDEX_DTYPES), x.rank)
    exclusive = flag_attribute(view, "exclusive", False)
    return CumSumParameters(
        x.dtype, x.shape, axis, exclusive, flag_attribute(view, "reverse", False)
    )


def running_sums(parameters: CumSumParameters, x: Array, _axis: Array) -> tuple[Array, ...]:
    """Return CumSum-14: y[i] = total after adding x[i], from the first element to the last.

    The total starts at +0 (so no sum is -0) and takes one element at a time, each addition
    rounded once; integers wrap around. With `exclusive` y[i] is the total before x[i] is added;
    with `reverse` the elements are taken from the last to the first.
    """
    terms = np.moveaxis(x, parameters.axis, 0)
    y = np.zeros(terms.shape, x.dtype)
    total = np.zeros(terms.shape[1:], x.dtype)
    places = range(terms.shape[0])
    with np.errstate(all="ignore"):
        for place in reversed(places) if parameters.reverse else places:
            before, total = total, total + terms[place]
            y[place] = before if parameters.exclusive else total
    return (np.ascontiguousarray(np.moveaxis(y, 0, parameters.axis)),)


CUMSUM = OpSpec(
    "CumSum",
    14,
    frozenset({"exclusive", "reverse"}),
    parse,
    same_type,
    steps_each(5 * SERIAL),
    running_sums,
)
