"""Trilu: the upper or lower triangle of matrices, zero elsewhere."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import flag_attribute
from cvm.inference.operators.constant_lists import any_operand, constant_integer
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.result_type import steps_by_row
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array


@dataclass(frozen=True, slots=True)
class TriluParameters(UnchangedType):
    """The type, which triangle, and the diagonal on which it begins, clamped to the matrix."""

    upper: bool
    diagonal: int


def parse(view: NodeView) -> TriluParameters:
    """Check matrices of any dtype, `upper` (by default 1), and an optional constant k."""
    require_operand_count(view, 1, 2)
    x = any_operand(view, 0)
    if x.rank < 2:
        raise refusal(view, "operand shape", f"{x} holds no matrix")
    k = 0 if view.type_at(1) is None else constant_integer(view, 1, "k")
    rows, columns = x.shape[-2:]
    diagonal = min(max(k, -rows - 1), columns + 1)
    return TriluParameters(x.dtype, x.shape, flag_attribute(view, "upper", True), diagonal)


def trilu(parameters: TriluParameters, x: Array, _k: Array | None = None) -> tuple[Array, ...]:
    """Return Trilu-14: element (i, j) where j - i >= k (upper) or j - i <= k (lower), else +0."""
    rows, columns = parameters.shape[-2:]
    distance = np.arange(columns)[None, :] - np.arange(rows)[:, None]
    k = parameters.diagonal
    kept = distance >= k if parameters.upper else distance <= k
    return (np.where(kept, x, np.zeros((), x.dtype)),)


TRILU = OpSpec("Trilu", 14, frozenset({"upper"}), parse, same_type, steps_by_row(10), trilu)
