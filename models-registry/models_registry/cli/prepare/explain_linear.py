"""Explains linear models: each weight times its feature, as int64, beside the intercept.

* A quantised product (MatMulInteger) has integer weights w and features q - zero: their products
  and the bias are the terms of its own sum, so nothing is rounded.
* Integer features, (q - zero) * scale + offset of an input of 8 or 32 bits: the weight in units,
  W = rint(w * scale / unit), times q - zero, plus rint(w * offset / unit). Products are exact.
* Float features x: rint(x * W) with W = w / unit, a product rounded once and then to a whole
  number; a NaN gives 0, what leaves int64 saturates.

|W| <= 2**30 and everything added <= 2**60 keep an integer product of 32 bits within an int64.
"""

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from cvm.inference.tensor_type import Array
from models_registry.cli.prepare.counted import counted
from models_registry.cli.prepare.draft import DraftNode, FreshNames
from models_registry.cli.prepare.explained_node import ExplainedNode, feature_names
from models_registry.cli.prepare.explanation import CONTRIBUTIONS, Explanation, Wanted
from models_registry.cli.prepare.faults import CannotPrepare
from models_registry.cli.prepare.linear_form import (
    LinearForm,
    WholeFeatures,
    linear_form,
    whole_features,
)

CHOSEN_BITS = 23
"""A chosen unit gives the largest weight this many bits."""

MAX_WEIGHT = 2.0**30
MAX_ADDED = 2.0**60

INT64 = {"to": int(TensorProto.INT64)}


@dataclass(slots=True)
class _Writer:
    """Appends nodes to the draft; every value gets a fresh name."""

    found: ExplainedNode
    fresh: FreshNames

    def constant(self, part: str, array: Array) -> str:
        """Return the name of a new constant."""
        name = self.fresh.take(f"{CONTRIBUTIONS}_{part}")
        self.found.draft.constants[name] = array
        return name

    def node(self, op_type: str, inputs: list[str], part: str, **attributes: int) -> str:
        """Append a node and return the name of what it makes."""
        name = self.fresh.take(f"{CONTRIBUTIONS}_{part}")
        self.found.draft.nodes.append(DraftNode(op_type, inputs, [name], dict(attributes)))
        return name

    def rows(self, name: str) -> str:
        """Return a value with an axis for the scores: (rows, 1, features)."""
        shape = np.array([self.found.rows, 1, self.found.features], np.int64)
        return self.node("Reshape", [name, self.constant("rows_shape", shape)], "rows")


def explain_linear(found: ExplainedNode, wanted: Wanted, fresh: FreshNames) -> Explanation:
    """Add the output to the draft and return what it means; raises `CannotPrepare`."""
    if wanted.kind != CONTRIBUTIONS:
        raise CannotPrepare(
            f"--explain {wanted.kind}: {found.node.label()} is a linear model, which has no trees; "
            f"--explain {CONTRIBUTIONS} explains it"
        )
    form, whole = linear_form(found), whole_features(found)
    if form.is_whole and wanted.unit is not None:
        raise CannotPrepare(
            f"--explain {CONTRIBUTIONS}: {found.node.label()} is quantised and has its own units"
        )
    unit = 1.0 if form.is_whole else _unit(form, whole, wanted.unit)
    writer = _Writer(found, fresh)
    if whole is None:
        products, rounding = _float_products(writer, form.weights / unit)
    else:
        products, rounding = _whole_products(writer, form, whole, unit)
    intercepts = np.rint(form.intercepts / unit).astype(np.int64)[:, :, None]
    output = fresh.take(CONTRIBUTIONS)
    base = writer.constant("intercepts", intercepts)
    found.draft.nodes.append(DraftNode("Concat", [products, base], [output], {"axis": 2}))
    found.draft.outputs.append(output)
    scores, features = form.weights.shape
    shape = (found.rows, scores, features + 1)
    meaning = (
        f"of {counted(features, 'feature')} to {counted(scores, 'score')} of "
        f"{found.node.label()}{_before(found)}; place {features} holds the intercept, and the sum "
        "of all places is the score"
    )
    units = form.units if form.is_whole else (unit,)
    names = feature_names(found)
    return Explanation(CONTRIBUTIONS, output, "int64", shape, meaning, units, rounding, names)


def _before(found: ExplainedNode) -> str:
    """Say which transform of the scores comes behind the explained ones."""
    transform = found.node.text("post_transform", "NONE")
    return "" if transform == "NONE" else f", before {transform}"


def _unit(form: LinearForm, whole: WholeFeatures | None, given: float | None) -> float:
    """Return what 1 stands for: what was asked for, or a power of two that keeps the bits."""
    scale = np.ones(1) if whole is None else whole.scale
    offset = np.zeros(1) if whole is None else whole.offset
    weight = float(np.abs(form.weights * scale).max())
    added = max(float(np.abs(form.intercepts).max()), float(np.abs(form.weights * offset).max()))
    if given is None:
        least = max(weight / 2.0**CHOSEN_BITS, added / MAX_ADDED)
        return float(2.0 ** np.ceil(np.log2(least))) if least else 1.0
    if weight / given > MAX_WEIGHT or added / given > MAX_ADDED:
        least = max(weight / MAX_WEIGHT, added / MAX_ADDED)
        raise CannotPrepare(
            f"--explain {CONTRIBUTIONS}:{given:.9g}: weights or intercepts leave their integers; "
            f"leave UNIT out, or give at least {least:.3g}"
        )
    return given


def _float_products(writer: _Writer, weights: Array) -> tuple[str, str]:
    """Return the value that holds rint(x * W), and how it was rounded."""
    rows = writer.rows(_as_float(writer))
    factors = writer.constant("weights", weights.astype(np.float32)[None])
    rounded = writer.node("Round", [writer.node("Mul", [rows, factors], "real")], "whole")
    products = writer.node("Cast", [rounded], "products", **INT64)
    return products, "each lies within half a unit and 2^-22 of itself of the exact product"


def _as_float(writer: _Writer) -> str:
    found = writer.found
    if found.types[found.source].dtype == "float32":
        return found.source
    return writer.node("Cast", [found.source], "features", to=int(TensorProto.FLOAT))


def _whole_products(
    writer: _Writer, form: LinearForm, whole: WholeFeatures, unit: float
) -> tuple[str, str]:
    """Return the value that holds (q - zero) * W and the share of the offset, and its rounding."""
    value = writer.rows(writer.node("Cast", [whole.name], "features", **INT64))
    if whole.zero.any():
        zero = writer.constant("zero", whole.zero.astype(np.int64)[None, None])
        value = writer.node("Sub", [value, zero], "centred")
    exact = form.weights * whole.scale / unit
    weights = np.rint(exact)
    name = writer.constant("weights", weights.astype(np.int64)[None])
    value = writer.node("Mul", [value, name], "products")
    shares = form.weights * whole.offset / unit
    if shares.any():
        name = writer.constant("offsets", np.rint(shares).astype(np.int64)[None])
        value = writer.node("Add", [value, name], "shifted")
    if form.is_whole:
        return value, "the sum is the integer sum of the model itself"
    error = np.abs(weights - exact)
    fixed = np.abs(np.rint(shares) - shares).sum(axis=1)
    fixed += np.abs(np.rint(form.intercepts / unit) - form.intercepts / unit).max(axis=0)
    return value, _rounding_text(error, fixed, whole)


def _rounding_text(error: Array, fixed: Array, whole: WholeFeatures) -> str:
    """Say how far the sum of a score may lie from the exact one."""
    if not error.any() and not fixed.any():
        return "the sum is exact"
    if whole.dtype == "int32":
        return (
            f"the sum lies within {error.max():.3g} units for each 1 of each input, and "
            f"{fixed.max():.3g} units, of the exact score"
        )
    limits = np.iinfo(whole.dtype)
    reach = np.maximum(whole.zero - limits.min, limits.max - whole.zero)
    worst = float(((error * reach).sum(axis=1) + fixed).max())
    return f"the sum lies within {worst:.3g} units of the exact score"
