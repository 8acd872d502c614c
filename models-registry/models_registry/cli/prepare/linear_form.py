"""Reads a linear model of a draft: its weights, its intercepts, and the integers that it reads."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.operators.linear_scores import LinearScores
from cvm.inference.tensor_type import Array
from models_registry.cli.prepare.draft import DraftNode
from models_registry.cli.prepare.explained_node import EXPLAINABLE, SAME_ORDER, ExplainedNode
from models_registry.cli.prepare.faults import CannotPrepare

WHOLE_DTYPES = ("uint8", "int8", "int32")
"""Integers of which a product with an integer weight fits an int64."""


@dataclass(frozen=True, slots=True)
class LinearForm:
    """Scores = features . weights + intercepts, as float64: (scores, features), (rows, scores).

    `units` is empty, or by score what 1 stands for where weights and intercepts are the integers
    of a quantised product.
    """

    weights: Array
    intercepts: Array
    is_whole: bool = False
    units: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class WholeFeatures:
    """Features that are (q - zero) * scale + offset of integers q, value `name`.

    `zero`, `scale` and `offset` are float64, one number for each feature.
    """

    name: str
    dtype: str
    zero: Array
    scale: Array
    offset: Array


def linear_form(found: ExplainedNode) -> LinearForm:
    """Return weights and intercepts; raises `CannotPrepare` where they are no constants."""
    node = found.node
    if node.domain:
        scores: LinearScores = found.parameters.scores
        return _form(found, scores.coefficients, scores.intercepts)
    weights = found.draft.constants.get(node.input_at(1))
    if weights is None or weights.ndim > 2:
        raise CannotPrepare(f"{EXPLAINABLE}; {node.label()} multiplies what is no constant matrix")
    if node.op_type == "MatMulInteger":
        return _integer_form(found, weights)
    if node.op_type == "MatMul":
        columns = weights.reshape(found.features, -1)
        added = _constant_behind(found, node.outputs[0], "Add")
        return _form(found, columns.T, None if added is None else added[0])
    return _gemm_form(found, weights)


def _form(found: ExplainedNode, weights: Array, intercepts: Array | None) -> LinearForm:
    shape = (found.rows, len(weights))
    given = np.zeros(1) if intercepts is None or not intercepts.size else intercepts
    try:
        full = np.broadcast_to(given.astype(np.float64), shape)
    except ValueError:
        full = np.zeros(shape)  # a later Add makes more of the scores; it is no intercept
    return LinearForm(weights.astype(np.float64), full)


def _gemm_form(found: ExplainedNode, weights: Array) -> LinearForm:
    """Return Gemm's: alpha and beta belong to weights and intercepts."""
    node = found.node
    if node.integer("transA", 0):
        raise CannotPrepare(f"{EXPLAINABLE}; {node.label()} turns its rows over (transA)")
    scores = weights if node.integer("transB", 0) else weights.T
    form = _form(found, scores, _gemm_intercepts(found))
    alpha, beta = float(node.number("alpha", 1.0)), float(node.number("beta", 1.0))
    return LinearForm(form.weights * alpha, form.intercepts * beta)


def _gemm_intercepts(found: ExplainedNode) -> Array | None:
    name = found.node.input_at(2)
    if name and name not in found.draft.constants:
        raise CannotPrepare(f"{EXPLAINABLE}; {found.node.label()} adds what is no constant")
    return found.draft.constants[name] if name else None


def _integer_form(found: ExplainedNode, weights: Array) -> LinearForm:
    """Return the integers of a quantised product, and its units where a Mul gives them."""
    node = found.node
    zero = _zero_point(found, 3).astype(np.int64)
    centred = (weights.astype(np.int64) - zero).reshape(found.features, -1)
    added = _constant_behind(found, node.outputs[0], "Add")
    form = _form(found, centred.T, None if added is None else added[0])
    last = node.outputs[0] if added is None else added[1].outputs[0]
    real = _only_reader(found, last)
    scaled = None
    if real is not None and real.op_type == "Cast":
        scaled = _constant_behind(found, real.outputs[0], "Mul")
    units = np.ones(1) if scaled is None else scaled[0].astype(np.float64).reshape(-1)
    is_by_score = units.size in (1, len(form.weights))
    return LinearForm(
        form.weights, form.intercepts, True, tuple(units.tolist()) if is_by_score else (1.0,)
    )


def _zero_point(found: ExplainedNode, index: int) -> Array:
    """Return a zero point of MatMulInteger, 0 where it is absent."""
    name = found.node.input_at(index)
    if name and name not in found.draft.constants:
        raise CannotPrepare(f"{EXPLAINABLE}; {found.node.label()} has a zero point of the run")
    return found.draft.constants[name] if name else np.zeros(())


def _only_reader(found: ExplainedNode, name: str) -> DraftNode | None:
    readers = [node for node in found.draft.nodes if name in node.inputs]
    return readers[0] if len(readers) == 1 and name not in found.draft.outputs else None


def _constant_behind(
    found: ExplainedNode, name: str, op_type: str
) -> tuple[Array, DraftNode] | None:
    """Return the constant that the only reader of a value adds or multiplies by."""
    reader = _only_reader(found, name)
    if reader is None or not reader.is_default(op_type):
        return None
    others = [other for other in reader.inputs if other != name]
    constant = found.draft.constants.get(others[0]) if len(others) == 1 else None
    return None if constant is None else (constant, reader)


def whole_features(found: ExplainedNode) -> WholeFeatures | None:
    """Return the integers behind the features, None where they are floats."""
    if found.node.op_type == "MatMulInteger":
        return _whole(found, found.source, _zero_point(found, 2), np.ones(()), np.zeros(()))
    makers, constants = found.draft.makers(), found.draft.constants
    name, offset = found.source, np.zeros(())
    while (maker := makers.get(name)) is not None and not _is_whole(found, name):
        if maker.op_type in SAME_ORDER and not offset.any():
            name = maker.inputs[0]
        elif maker.op_type == "Add" and not offset.any() and maker.inputs[1] in constants:
            name, offset = maker.inputs[0], constants[maker.inputs[1]].astype(np.float64)
        else:
            return _behind_conversion(found, maker, offset)
    return _whole(found, name, np.zeros(()), np.ones(()), offset)


def _behind_conversion(
    found: ExplainedNode, maker: DraftNode, offset: Array
) -> WholeFeatures | None:
    """Return the integers that a Cast or DequantizeLinear of constants makes floats of."""
    constants, name = found.draft.constants, maker.inputs[0]
    if maker.op_type == "Cast":
        return _whole(found, name, np.zeros(()), np.ones(()), offset)
    if maker.op_type != "DequantizeLinear" or maker.input_at(1) not in constants:
        return None
    scale = constants[maker.inputs[1]].astype(np.float64)
    if scale.ndim > 1:
        return None
    zero = constants.get(maker.input_at(2), np.zeros(())).astype(np.float64)
    rank = found.types[name].rank
    if scale.size > 1:
        axis = maker.integer("axis", 1) % rank
        shape = [1] * rank
        shape[axis] = scale.size
        scale = scale.reshape(shape)
        zero = zero.reshape(shape) if zero.size > 1 else zero
    return _whole(found, name, zero, scale, offset)


def _whole(
    found: ExplainedNode, name: str, zero: Array, scale: Array, offset: Array
) -> WholeFeatures | None:
    """Return integers if they are some, and each row has the same scales."""
    known = found.types[name]
    if not _is_whole(found, name) or known.size != found.rows * found.features:
        return None
    parts = []
    for part in (zero, scale, offset):
        full = np.broadcast_to(
            part.astype(np.float64).reshape(_at_most(part, known.rank)), known.shape
        )
        by_row = full.reshape(found.rows, found.features)
        if (by_row != by_row[:1]).any():
            return None
        parts.append(by_row[0])
    return WholeFeatures(name, known.dtype, *parts)


def _is_whole(found: ExplainedNode, name: str) -> bool:
    return found.types[name].dtype in WHOLE_DTYPES


def _at_most(part: Array, rank: int) -> tuple[int, ...]:
    """Return a shape without the leading axes of length 1 that would raise the rank."""
    return part.shape[max(part.ndim - rank, 0) :]
