"""LinearRegressor: dot products with coefficients, plus intercepts."""

from dataclasses import dataclass

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import int_attribute
from cvm.inference.operators.linear_scores import LinearScores, linear_scores, linear_sums
from cvm.inference.operators.op_spec import ML_DOMAIN, OpSpec
from cvm.inference.operators.post_transform import (
    MAX_TARGETS,
    post_transform_attribute,
    transform_cost,
    transformed,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, TensorType

WEIGHT_LISTS = frozenset({"coefficients", "intercepts"})


@dataclass(frozen=True, slots=True)
class LinearRegressorParameters:
    """The scores and their transform."""

    scores: LinearScores
    post_transform: str


def parse(view: NodeView) -> LinearRegressorParameters:
    """Check the rows, `targets`, their coefficients and intercepts, and the transform."""
    targets = int_attribute(view, "targets", 1)
    if not 1 <= targets <= MAX_TARGETS:
        raise refusal(view, "attribute value", f"targets {targets} is not 1 to {MAX_TARGETS}")
    scores = linear_scores(view, targets)
    return LinearRegressorParameters(scores, post_transform_attribute(view, targets))


def output_types(parameters: LinearRegressorParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return float32 (rows, targets)."""
    scores = parameters.scores
    return (TensorType("float32", (scores.given.rows, scores.columns)),)


def cost(
    parameters: LinearRegressorParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count the products, the intercepts and the transform."""
    products = parameters.scores.product_cost()
    return products + transform_cost(parameters.post_transform, outputs[0].size)


def linear_regressor(parameters: LinearRegressorParameters, x: Array) -> tuple[Array, ...]:
    """Return LinearRegressor-1: float32 (rows, targets).

    Each score is a dot product, `acc = fma(x, coefficient, acc)` from +0 with features ascending,
    then + intercept, rounded once; then `post_transform`.
    """
    return (transformed(parameters.post_transform, linear_sums(parameters.scores, x)),)


LINEAR_REGRESSOR = OpSpec(
    "LinearRegressor",
    1,
    WEIGHT_LISTS | {"post_transform", "targets"},
    parse,
    output_types,
    cost,
    linear_regressor,
    domain=ML_DOMAIN,
    weight_lists=WEIGHT_LISTS,
)
