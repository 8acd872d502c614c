"""TreeEnsembleRegressor: what the leaves of decision trees hold, folded over the trees."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.exact.ordering import larger, smaller
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import int_attribute, string_attribute
from cvm.inference.operators.feature_rows import FeatureRows, as_float_rows, feature_rows
from cvm.inference.operators.op_spec import ML_DOMAIN, OpSpec
from cvm.inference.operators.post_transform import (
    MAX_TARGETS,
    post_transform_attribute,
    transform_cost,
    transformed,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.tree_ensemble import (
    NODE_ATTRIBUTES,
    NODE_WEIGHT_LISTS,
    TreeEnsemble,
    base_values,
    contributions,
    parse_trees,
    summed,
)
from cvm.inference.tensor_type import Array, TensorType

AGGREGATES = ("SUM", "AVERAGE", "MIN", "MAX")

WEIGHT_LISTS = NODE_WEIGHT_LISTS | {
    "base_values",
    "target_ids",
    "target_nodeids",
    "target_treeids",
    "target_weights",
}


@dataclass(frozen=True, slots=True)
class TreeEnsembleRegressorParameters:
    """The trees over the rows, the fold, a base value for each target, and the transform."""

    given: FeatureRows
    trees: TreeEnsemble
    aggregate: str
    base: Array
    post_transform: str


def parse(view: NodeView) -> TreeEnsembleRegressorParameters:
    """Check the trees, `n_targets`, one base value for each target or none, and the fold."""
    given = feature_rows(view)
    targets = int_attribute(view, "n_targets", 1)
    if not 1 <= targets <= MAX_TARGETS:
        raise refusal(view, "attribute value", f"n_targets {targets} is not 1 to {MAX_TARGETS}")
    aggregate = string_attribute(view, "aggregate_function", "SUM")
    if aggregate not in AGGREGATES:
        known = ", ".join(AGGREGATES)
        raise refusal(view, "attribute value", f"aggregate_function {aggregate!r:.40}; {known}")
    return TreeEnsembleRegressorParameters(
        given,
        parse_trees(view, given.features, "target", targets),
        aggregate,
        base_values(view, targets),
        post_transform_attribute(view, targets),
    )


def output_types(
    parameters: TreeEnsembleRegressorParameters, _view: NodeView
) -> tuple[TensorType, ...]:
    """Return float32 (rows, targets)."""
    return (TensorType("float32", (parameters.given.rows, parameters.base.size)),)


def cost(
    parameters: TreeEnsembleRegressorParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count the walk, the fold and the transform."""
    walk = parameters.trees.walk_cost(parameters.given.rows, parameters.base.size)
    return walk + transform_cost(parameters.post_transform, outputs[0].size)


def tree_ensemble_regressor(
    parameters: TreeEnsembleRegressorParameters, x: Array
) -> tuple[Array, ...]:
    """Return TreeEnsembleRegressor-3: float32 (rows, targets).

    Trees are folded in ascending order of their ids, the weights of one leaf in the file's order:

    * SUM: from the base value, each weight added and rounded once.
    * AVERAGE: from +0, likewise; then divided by float32(trees), then the base value is added.
    * MIN, MAX: a fold of Min or Max over the weights of a target, +0 where it has none; then the
      base value is added.

    How a branch is taken: `tree_ensemble.leaves`. Last comes the transform of `post_transform`.
    """
    rows = as_float_rows(parameters.given, x)
    trees, base = parameters.trees, parameters.base
    with np.errstate(all="ignore"):
        match parameters.aggregate:
            case "SUM":
                result = summed(trees, rows, base)
            case "AVERAGE":
                count = np.asarray(len(trees.roots)).astype(np.float32)
                result = summed(trees, rows, np.zeros_like(base)) / count + base
            case _:
                result = _extremes(parameters, rows) + base
    return (transformed(parameters.post_transform, result),)


def _extremes(parameters: TreeEnsembleRegressorParameters, rows: Array) -> Array:
    """Return the least or greatest weight of each target, +0 where a row collects none."""
    choose = smaller if parameters.aggregate == "MIN" else larger
    result = np.zeros((rows.shape[0], parameters.base.size), np.float32)
    for row, extremes in zip(rows, result, strict=True):
        seen: set[int] = set()
        columns, weights = contributions(parameters.trees, row)
        for column, weight in zip(columns.tolist(), weights, strict=True):
            extremes[column] = choose(extremes[column], weight) if column in seen else weight
            seen.add(column)
    return result


TREE_ENSEMBLE_REGRESSOR = OpSpec(
    "TreeEnsembleRegressor",
    3,
    NODE_ATTRIBUTES
    | WEIGHT_LISTS
    | {
        "aggregate_function",
        "base_values_as_tensor",
        "n_targets",
        "post_transform",
        "target_weights_as_tensor",
    },
    parse,
    output_types,
    cost,
    tree_ensemble_regressor,
    domain=ML_DOMAIN,
    weight_lists=WEIGHT_LISTS,
)
