"""Constant: a node that gives a value which stands in the file."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, TensorType, type_of

FORMS = frozenset({"value", "value_float", "value_floats", "value_int", "value_ints"})


@dataclass(frozen=True, slots=True)
class ConstantParameters:
    """The value, read-only."""

    value: Array


def parse(view: NodeView) -> ConstantParameters:
    """Check that one of the forms is given: a tensor, a float, an integer, or a list of them."""
    require_operand_count(view, 0)
    if len(view.attributes) != 1:
        raise refusal(
            view, "attribute value", f"give one of {', '.join(sorted(FORMS))}, not several"
        )
    ((form, given),) = view.attributes.items()
    return ConstantParameters(_tensor(view, form, given))


def _tensor(view: NodeView, form: str, given: object) -> Array:
    """Return the value of a form, which must hold what its name says."""
    if form == "value" and isinstance(given, np.ndarray):
        return given
    kind, dtype = (int, "int64") if form.startswith("value_int") else (np.float32, "float32")
    items = given if isinstance(given, tuple) else (given,)
    is_list = form.endswith("s")
    if isinstance(given, tuple) != is_list or not all(isinstance(item, kind) for item in items):
        raise refusal(view, "attribute type", f"{form} does not hold what its name says")
    value = np.array(given, dtype)
    value.flags.writeable = False
    return value


def output_types(parameters: ConstantParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return the value's type."""
    return (type_of(parameters.value),)


def cost(
    _parameters: ConstantParameters, _view: NodeView, _outputs: tuple[TensorType, ...]
) -> Cost:
    """Count nothing: the value is an initializer."""
    return Cost()


def constant(parameters: ConstantParameters) -> tuple[Array, ...]:
    """Return Constant-21: the value."""
    return (parameters.value,)


CONSTANT = OpSpec(
    "Constant", 21, FORMS, parse, output_types, cost, constant, makes_initializer=True
)
