"""SVMRegressor: a weighted sum of kernels, or the side of a boundary (one class)."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import flag_attribute, int_attribute
from cvm.inference.operators.feature_rows import FeatureRows, as_float_rows, feature_rows
from cvm.inference.operators.linear_scores import dot_rows
from cvm.inference.operators.op_spec import ML_DOMAIN, OpSpec
from cvm.inference.operators.post_transform import post_transform_attribute
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.support_vectors import SupportVectors, kernels, support_vectors
from cvm.inference.operators.weight_lists import float_list, require_length
from cvm.inference.tensor_type import Array, TensorType

MAX_SUPPORTS = 2**22
WEIGHT_LISTS = frozenset({"coefficients", "rho", "support_vectors"})


@dataclass(frozen=True, slots=True)
class SvmRegressorParameters:
    """The machine, one float32 coefficient for each vector, and rho; or, without vectors, a line.

    Without a machine the coefficients are those of the features.
    """

    given: FeatureRows
    machine: SupportVectors | None
    coefficients: Array
    rho: np.float32
    one_class: bool


def parse(view: NodeView) -> SvmRegressorParameters:
    """Check the rows, `n_supports` vectors (or none), their coefficients, and one rho."""
    given = feature_rows(view)
    post_transform_attribute(view, 1)
    supports = int_attribute(view, "n_supports", 0)
    if not 0 <= supports <= MAX_SUPPORTS:
        raise refusal(view, "attribute value", f"n_supports {supports} is not 0 to {MAX_SUPPORTS}")
    if int_attribute(view, "n_targets", 1) > 1:
        raise refusal(view, "attribute value", "n_targets is more than 1; no runtime makes more")
    coefficients, rho = float_list(view, "coefficients"), float_list(view, "rho")
    require_length(view, {"rho": rho}, 1)
    require_length(view, {"coefficients": coefficients}, supports or given.features)
    machine = support_vectors(view, supports, given.features) if supports else None
    one_class = flag_attribute(view, "one_class", False)
    return SvmRegressorParameters(given, machine, coefficients, rho[0], one_class)


def output_types(parameters: SvmRegressorParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return float32 (rows, 1)."""
    return (TensorType("float32", (parameters.given.rows, 1)),)


def cost(
    parameters: SvmRegressorParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count the kernels, their weighted sum, rho, and the comparison of one class."""
    rows, stored = parameters.given.rows, parameters.coefficients.nbytes
    total = Cost(
        float32_macs=rows * parameters.coefficients.size,
        elementwise=outputs[0].size * (1 + int(parameters.one_class)),
        bytes_moved=stored,
        weight_bytes=stored,
    )
    return total if parameters.machine is None else total + parameters.machine.kernel_cost(rows)


def svm_regressor(parameters: SvmRegressorParameters, x: Array) -> tuple[Array, ...]:
    """Return SVMRegressor-1: float32 (rows, 1).

    y = dot product of kernels and coefficients, `acc = fma(kernel, coefficient, acc)` from +0 in
    the order of the support vectors; then + rho, rounded once. The kernels are those of
    `support_vectors.kernels`; without support vectors the features stand in their place. With
    `one_class`, y is 1 where it is above 0, else -1.
    """
    weights = parameters.coefficients.reshape(1, -1)
    y = np.empty((parameters.given.rows, 1), np.float32)
    for index, row in enumerate(as_float_rows(parameters.given, x)):
        terms = row.reshape(1, -1)
        if parameters.machine is not None:
            terms = kernels(parameters.machine, terms)
        with np.errstate(all="ignore"):
            y[index] = dot_rows(terms, weights)[0] + parameters.rho
    if parameters.one_class:
        return (np.where(y > 0, np.float32(1), np.float32(-1)),)
    return (y,)


SVM_REGRESSOR = OpSpec(
    "SVMRegressor",
    1,
    WEIGHT_LISTS
    | {"kernel_params", "kernel_type", "n_supports", "n_targets", "one_class", "post_transform"},
    parse,
    output_types,
    cost,
    svm_regressor,
    domain=ML_DOMAIN,
    weight_lists=WEIGHT_LISTS,
)
