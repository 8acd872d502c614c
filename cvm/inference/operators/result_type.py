"""The shape and cost rules of operators that move elements or know their result's type early."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from cvm.inference.cost import RUN, Cost
from cvm.inference.graph import NodeView
from cvm.inference.tensor_type import Shape, TensorType

CostRule = Callable[[object, NodeView, tuple[TensorType, ...]], Cost]


@dataclass(frozen=True, slots=True)
class ResultType:
    """The dtype and shape of the one output."""

    dtype: str
    output_shape: Shape


def result_type(parameters: ResultType, _view: NodeView) -> tuple[TensorType, ...]:
    """Return the type that parsing resolved."""
    return (TensorType(parameters.dtype, parameters.output_shape),)


def no_steps(_parameters: object, _view: NodeView, _outputs: tuple[TensorType, ...]) -> Cost:
    """Count nothing: no element changes its place."""
    return Cost()


def steps_each(steps: int, passes: int = 0) -> CostRule:
    """Return the rule that counts these steps for each element that is made, and passes."""

    def cost(_parameters: object, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
        size = sum(output.size for output in outputs)
        return Cost(elementwise=steps * size, nodes=passes)

    return cost


def one_step_each(_parameters: object, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count one step for each element that is put in its place."""
    return Cost(elementwise=sum(output.size for output in outputs))


def steps_by_row(steps: int) -> CostRule:
    """Return the rule that counts these steps for each element, and half a run for each row."""

    def cost(_parameters: object, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
        rows = prod(outputs[0].shape[:-1])
        return Cost(elementwise=steps * outputs[0].size + RUN // 2 * rows)

    return cost
