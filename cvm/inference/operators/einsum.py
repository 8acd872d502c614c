"""Einsum of two tensors, as far as it is a stack of matrix products."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from string import ascii_letters

import numpy as np

from cvm.inference.cost import SERIAL, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import string_attribute
from cvm.inference.operators.matmul import ordered_product
from cvm.inference.operators.matrix_product import MatrixProductShape
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.operators.product_steps import extents_of, product_cost
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, Shape, TensorType

MAX_EQUATION = 64
"""Characters; three terms of rank 6 need far fewer."""

ELLIPSIS = "..."


@dataclass(frozen=True, slots=True)
class EinsumParameters:
    """How both operands become stacks of matrices, and how the products become the result.

    `a_parts` are the axes of a that make up batch, rows and depth; `b_parts` are those of b for
    batch, depth and columns. The product, shaped `made_shape`, has its axes put into
    `result_order`.
    """

    a_parts: tuple[tuple[int, ...], ...]
    b_parts: tuple[tuple[int, ...], ...]
    product: MatrixProductShape
    made_shape: Shape
    result_order: tuple[int, ...]
    output_shape: Shape


def parse(view: NodeView) -> EinsumParameters:
    """Check two float32 tensors and an equation in which every label is one of four things.

    A label stands in both operands and the result (batch), in one operand and the result (rows,
    columns), or in both operands alone (summed). An ellipsis stands for labels of its own. Other
    forms are refused: one or three operands, a diagonal, a sum over one operand.
    """
    require_operand_count(view, 2)
    a, b = (operand_type(view, index, ("float32",)) for index in (0, 1))
    require_elements(view, 0, a)
    require_elements(view, 1, b)
    terms, result = _terms(view, (a.rank, b.rank))
    lengths: dict[str, int] = {}
    for term, found in zip(terms, (a, b), strict=True):
        if len(term) != found.rank:
            raise refusal(view, "operand shape", f"{found} for the term {term!r}")
        for label, length in zip(term, found.shape, strict=True):
            if lengths.setdefault(label, length) != length:
                raise refusal(view, "operand shape", f"{label!r} is {lengths[label]} and {length}")
    return _parameters(terms[0], terms[1], result, lengths)


def _terms(view: NodeView, ranks: tuple[int, int]) -> tuple[tuple[str, str], str]:
    """Return the labels of both operands, which have these ranks, and of the result."""
    equation = string_attribute(view, "equation", "").replace(" ", "")
    if len(equation) > MAX_EQUATION:
        raise refusal(
            view, "attribute value", f"equation {equation[:MAX_EQUATION]!r}... is too long"
        )
    left, *results = equation.split("->")
    terms, result = left.split(","), "->".join(results)
    if not results:
        known = left.replace(",", "").replace(ELLIPSIS, "")
        result = ELLIPSIS + "".join(sorted(label for label in known if known.count(label) == 1))
    terms, result = _spelled_out(terms, result, ranks)
    known = "".join(terms)
    rule = ""
    if len(terms) != 2:
        rule = "two operands are taken"
    elif not (known + result).isascii() or not (known + result or "a").isalpha():
        rule = (
            "labels are letters a to z and A to Z, with an ellipsis in the result if in an operand"
        )
    elif any(len(set(term)) != len(term) for term in (*terms, result)):
        rule = "a label stands once in a term"
    elif not set(result) <= set(known):
        rule = "the result has a label of no operand"
    elif not set(terms[0]) ^ set(terms[1]) <= set(result):
        rule = "a label of one operand alone must stand in the result"
    if rule:
        raise refusal(view, "attribute value", f"equation {equation!r}: {rule}")
    return (terms[0], terms[1]), result


def _spelled_out(terms: list[str], result: str, ranks: tuple[int, int]) -> tuple[list[str], str]:
    """Write letters of their own for the axes of an ellipsis, as in `numpy.einsum`.

    The axes that the operands have there are counted from the last, so that those that only the
    longer one has stand in the result alone. An ellipsis that cannot be written so stays.
    """
    counts = [
        rank - len(term) + len(ELLIPSIS) if ELLIPSIS in term else 0
        for term, rank in zip(terms, ranks, strict=False)
    ]
    used = "".join(terms)
    free = [letter for letter in ascii_letters if letter not in used]
    longest = max(counts)
    is_kept = ELLIPSIS in result or not any(ELLIPSIS in term for term in terms)
    if not is_kept or min(counts) < 0 or longest > len(free):
        return terms, result
    axes = "".join(free[:longest])
    spelled = [
        term.replace(ELLIPSIS, axes[longest - count :], 1)
        for term, count in zip(terms, counts, strict=False)
    ]
    return spelled + terms[len(spelled) :], result.replace(ELLIPSIS, axes, 1)


def _parameters(a: str, b: str, result: str, lengths: dict[str, int]) -> EinsumParameters:
    """Sort the labels into batch, rows, columns and summed, each in the order of their term."""
    batch = [label for label in a if label in b and label in result]
    rows = [label for label in a if label not in b]
    columns = [label for label in b if label not in a]
    summed = [label for label in a if label in b and label not in result]

    def size(labels: Sequence[str]) -> int:
        return prod(lengths[label] for label in labels)

    stack = (size(batch),)
    made = batch + rows + columns
    return EinsumParameters(
        tuple(tuple(a.index(label) for label in part) for part in (batch, rows, summed)),
        tuple(tuple(b.index(label) for label in part) for part in (batch, summed, columns)),
        MatrixProductShape(
            (*stack, size(rows), size(summed)),
            (*stack, size(summed), size(columns)),
            stack,
            (*stack, size(rows), size(columns)),
        ),
        tuple(lengths[label] for label in made),
        tuple(made.index(label) for label in result),
        tuple(lengths[label] for label in result),
    )


def output_types(parameters: EinsumParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return float32 of the result's labels."""
    return (TensorType("float32", parameters.output_shape),)


def cost(parameters: EinsumParameters, view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count the products, one step to put an output in its place, and two for a moved operand."""
    products = product_cost(extents_of(parameters.product, view, 0, 1))
    moved = sum(
        found.size * 2 * SERIAL
        for found, parts in zip(view.types, (parameters.a_parts, parameters.b_parts), strict=True)
        if found is not None and not lies_in_order(joined(parts))
    )
    return products + Cost(elementwise=outputs[0].size + moved)


def lies_in_order(axes: tuple[int, ...]) -> bool:
    """Say whether the axes of an operand stand as a product wants them."""
    return axes == tuple(range(len(axes)))


def joined(parts: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    """Return the axes of all parts, one part after the other."""
    return tuple(axis for part in parts for axis in part)


def einsum(parameters: EinsumParameters, a: Array, b: Array) -> tuple[Array, ...]:
    """Return Einsum-12 of two float32 tensors as matrix products.

    Each output has one accumulator, from +0: `acc = fma(a, b, acc)` with one rounding, over the
    summed labels in the order in which the first operand writes them, the last one fastest.
    Without a summed label the product is the one term, so that -0 becomes +0.
    """
    shape = parameters.product
    left = a.transpose(joined(parameters.a_parts)).reshape(shape.a_shape)
    right = b.transpose(joined(parameters.b_parts)).reshape(shape.b_shape)
    made = ordered_product(shape, left, right).reshape(parameters.made_shape)
    result = np.ascontiguousarray(made.transpose(parameters.result_order))
    return (result.reshape(parameters.output_shape),)


EINSUM = OpSpec("Einsum", 12, frozenset({"equation"}), parse, output_types, cost, einsum)
