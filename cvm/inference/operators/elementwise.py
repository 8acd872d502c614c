"""The rules that elementwise operators share: operands, result types and costs."""

from collections.abc import Callable, Collection

from cvm.inference.cost import SERIAL, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.broadcasting import BroadcastParameters, broadcast_shape
from cvm.inference.operators.inner_runs import broadcast_steps, is_stretched
from cvm.inference.operators.operands import operand_type, require_operand_count
from cvm.inference.operators.unchanged_type import UnchangedType
from cvm.inference.tensor_type import TensorType

INTEGERS = ("int8", "int32", "int64", "uint8")
NUMBERS = ("float32", *INTEGERS)

REPEATED = SERIAL // 2
"""Further steps of an element where one operand stays the same in a whole inner loop."""

CostRule = Callable[[object, NodeView, tuple[TensorType, ...]], Cost]


def one_operand(view: NodeView, dtypes: Collection[str]) -> UnchangedType:
    """Check the one operand of an operator that keeps its type."""
    require_operand_count(view, 1)
    x = operand_type(view, 0, dtypes)
    return UnchangedType(x.dtype, x.shape)


def several_operands(view: NodeView, dtypes: Collection[str]) -> BroadcastParameters:
    """Check one or more operands of one dtype out of `dtypes` whose shapes broadcast."""
    count = max(len(view.types), 1)
    require_operand_count(view, count)
    first = operand_type(view, 0, dtypes)
    shape = first.shape
    for index in range(1, count):
        shape = broadcast_shape(view, shape, operand_type(view, index, (first.dtype,)).shape)
    return BroadcastParameters(first.dtype, shape)


def broadcast_type(parameters: BroadcastParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return the common dtype and the broadcast shape."""
    return (TensorType(parameters.dtype, parameters.output_shape),)


def broadcast_bool(parameters: BroadcastParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return bool and the broadcast shape."""
    return (TensorType("bool", parameters.output_shape),)


def steps(
    elementwise: int = 1, transcendental: int = 0, passes: int = 0, *, repeats: bool = True
) -> CostRule:
    """Return the rule that counts these steps for each output, runs, and further passes."""

    def cost(_parameters: object, view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
        size = outputs[0].size
        idle = REPEATED if repeats and is_stretched(view, outputs[0]) else 0
        return Cost(
            elementwise=size * (elementwise + idle) + broadcast_steps(view, outputs[0]),
            transcendental=size * transcendental,
            nodes=passes,
        )

    return cost


def step_per_operand(_parameters: object, view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count one step for each output and operand, and a pass and its runs for each after two."""
    passes = max(len(view.types) - 1, 1)
    runs = passes * broadcast_steps(view, outputs[0])
    idle = REPEATED * outputs[0].size if is_stretched(view, outputs[0]) else 0
    return Cost(elementwise=outputs[0].size * len(view.types) + idle + runs, nodes=passes - 1)
