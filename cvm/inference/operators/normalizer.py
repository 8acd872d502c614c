"""Normalizer: each row divided by its norm."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import RUN, SERIAL, Cost
from cvm.inference.exact.ordered_sum import ordered_sum
from cvm.inference.exact.ordering import larger
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import string_attribute
from cvm.inference.operators.feature_rows import FeatureRows, as_float_rows, feature_rows
from cvm.inference.operators.op_spec import ML_DOMAIN, OpSpec
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, Shape, TensorType

NORMS = ("L1", "L2", "MAX")
STEPS = 4
"""Per element: a magnitude or square, a sum or comparison, a division."""


@dataclass(frozen=True, slots=True)
class NormalizerParameters:
    """The rows, their shape as given, and the norm."""

    given: FeatureRows
    shape: Shape
    norm: str


def parse(view: NodeView) -> NormalizerParameters:
    """Check the rows and the norm, by default MAX."""
    given = feature_rows(view)
    norm = string_attribute(view, "norm", "MAX")
    if norm not in NORMS:
        raise refusal(view, "attribute value", f"norm {norm!r:.40}; taken: {', '.join(NORMS)}")
    x = view.types[0]
    return NormalizerParameters(given, () if x is None else x.shape, norm)


def output_types(parameters: NormalizerParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return float32 of the input's shape."""
    return (TensorType("float32", parameters.shape),)


def cost(
    parameters: NormalizerParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count the steps of each element."""
    return Cost(elementwise=SERIAL * STEPS * outputs[0].size + RUN * parameters.given.rows)


def normalizer(parameters: NormalizerParameters, x: Array) -> tuple[Array, ...]:
    """Return Normalizer-1 in float32: each row divided by its norm n, every step rounded once.

    * L1: n = ordered_sum of |x|
    * L2: n = sqrt of the ordered_sum of x * x
    * MAX: n = fold of Max over |x| (as onnx.reference and scikit-learn; onnxruntime omits | |)

    A row whose norm is 0 is divided by 1.
    """
    columns = np.ascontiguousarray(np.moveaxis(as_float_rows(parameters.given, x), 1, 0))
    with np.errstate(all="ignore"):
        if parameters.norm == "L2":
            norm = np.asarray(np.sqrt(ordered_sum(columns * columns)))
        elif parameters.norm == "L1":
            norm = ordered_sum(np.abs(columns))
        else:
            sizes = np.abs(columns)
            norm = sizes[0]
            for size in sizes[1:]:
                norm = larger(norm, size)
        quotients = columns / np.where(norm == 0, np.float32(1), norm)
    return (np.ascontiguousarray(np.moveaxis(quotients, 0, 1)).reshape(parameters.shape),)


NORMALIZER = OpSpec(
    "Normalizer",
    1,
    frozenset({"norm"}),
    parse,
    output_types,
    cost,
    normalizer,
    domain=ML_DOMAIN,
)
