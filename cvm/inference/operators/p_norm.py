"""The p-norm of LpPool and GlobalLpPool: what is added up, and the root of the sum."""

import numpy as np

from cvm.inference.exact.power import pow32
from cvm.inference.graph import NodeView
from cvm.inference.limits import MAX_DIM
from cvm.inference.operators.attributes import int_attribute
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array

P = 2
"""ONNX's default of the attribute `p`."""

POWER_STEPS = 36
POWER_PASSES = 100
"""What the definition takes for the powers and the roots: for each element, and at all."""


def p_attribute(view: NodeView) -> int:
    """Return attribute p, from 1 to 2**20."""
    p = int_attribute(view, "p", P)
    if not 1 <= p <= MAX_DIM:
        raise refusal(view, "attribute value", f"p must lie in [1, {MAX_DIM}], found {p}")
    return p


def powers(x: Array, p: int) -> Array:
    """Return |x|**p: |x| for 1, x * x for 2, else pow32(|x|, p); one rounding."""
    if p == 1:
        return np.abs(x)
    if p == 2:
        return np.asarray(x * x)
    return pow32(np.abs(x), np.asarray(np.float32(p)))


def root(total: Array, p: int) -> Array:
    """Return total**(1/p): as it is for 1, sqrt for 2, else pow32(total, float32(1) / p)."""
    if p == 1:
        return total
    if p == 2:
        return np.asarray(np.sqrt(total))
    return pow32(total, np.asarray(np.float32(1) / np.float32(p)))


def transcendental_steps(p: int) -> int:
    """Return how many transcendental functions a power or a root takes: none for p up to 2."""
    return POWER_STEPS if p > 2 else 0


def definition_passes(p: int, folds: int) -> int:
    """Return the passes of the definition, which works from p of 3 on, its folds included."""
    return POWER_PASSES + folds if p > 2 else 0
