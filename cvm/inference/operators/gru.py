"""GRU: the gated recurrent layer."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import int_attribute
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.recurrent import (
    RECURRENT_ATTRIBUTES,
    Pass,
    RecurrentParameters,
    States,
    StepRule,
    dots,
    output_types,
    recurrent_cost,
    resolve_recurrent,
    run_recurrent,
)
from cvm.inference.tensor_type import Array, TensorType

GATES = 3
"""Update z, reset r, hidden h, in this order."""

STEPS = 14
"""Per new state: three sums of four terms, the reset, and four steps to mix old and new."""


@dataclass(frozen=True, slots=True)
class GruParameters(RecurrentParameters):
    """A resolved layer; `resets_last` says that H.R is computed before the reset gate acts."""

    resets_last: bool


def parse(view: NodeView) -> GruParameters:
    """Check x, w, r, bias, sequence_lens and initial_h; f, g are Sigmoid, Tanh by default."""
    base = resolve_recurrent(view, GATES, ("Sigmoid", "Tanh"), 1, 6)
    return GruParameters(
        base.gates,
        base.sequence,
        base.batch,
        base.inputs,
        base.hidden,
        base.is_backward,
        base.is_batch_first,
        base.lengths,
        base.bound,
        base.activations,
        base.wanted,
        int_attribute(view, "linear_before_reset", 0) != 0,
    )


def cost(parameters: GruParameters, _view: NodeView, _outputs: tuple[TensorType, ...]) -> Cost:
    """Count six dot products, fourteen steps and three functions for each new state."""
    return recurrent_cost(parameters, STEPS, GATES)


def gru(
    parameters: GruParameters,
    x: Array,
    w: Array,
    r: Array,
    bias: Array | None = None,
    _lengths: Array | None = None,
    initial_h: Array | None = None,
) -> tuple[Array, ...]:
    """Return GRU-14 of float32 x (sequence, batch, inputs), each step rounded once.

    1. zt = f(((Xt.Wz + Ht-1.Rz) + Wbz) + Rbz), and rt likewise
    2. ht = g(((Xt.Wh + (rt * Ht-1).Rh) + Wbh) + Rbh), or with linear_before_reset
       ht = g((Xt.Wh + rt * (Ht-1.Rh + Rbh)) + Wbh)
    3. Ht = (1 - zt) * ht + zt * Ht-1

    X.W and H.R are dot products of their own, each folded ascending by fma from +0. A bias that
    is absent is no step. With `clip`, what f and g take is Min(Max(value, -clip), clip).
    """
    step: StepRule = _step_resetting_last if parameters.resets_last else _step
    return run_recurrent(parameters, step, (x, w, r, bias), (initial_h,))


def _gates(passing: Pass, of_input: Array, h: Array) -> tuple[Array, Array]:
    """Return the update and the reset gate."""
    hidden = h.shape[1]
    both = slice(2 * hidden)
    total = of_input[:, both] + dots(h, passing.r[both])
    gates = passing.activated(0, passing.with_biases(total, both))
    return gates[:, :hidden], gates[:, hidden:]


def _mixed(update: Array, candidate: Array, h: Array) -> Array:
    """Return (1 - z) * candidate + z * h."""
    return np.asarray((np.float32(1) - update) * candidate + update * h)


def _step(passing: Pass, of_input: Array, states: States) -> States:
    """Return the next hidden state; the reset gate acts before the dot product."""
    (h,) = states
    update, reset = _gates(passing, of_input, h)
    last = slice(2 * h.shape[1], None)
    total = of_input[:, last] + dots(reset * h, passing.r[last])
    return (_mixed(update, passing.activated(1, passing.with_biases(total, last)), h),)


def _step_resetting_last(passing: Pass, of_input: Array, states: States) -> States:
    """Return the next hidden state; the reset gate acts after the dot product and its bias."""
    (h,) = states
    update, reset = _gates(passing, of_input, h)
    last = slice(2 * h.shape[1], None)
    linear = dots(h, passing.r[last])
    if passing.r_bias is not None:
        linear = linear + passing.r_bias[last]
    total = of_input[:, last] + reset * linear
    if passing.w_bias is not None:
        total = total + passing.w_bias[last]
    return (_mixed(update, passing.activated(1, total), h),)


GRU = OpSpec(
    "GRU",
    14,
    RECURRENT_ATTRIBUTES | {"linear_before_reset"},
    parse,
    output_types,
    cost,
    gru,
    optional_outputs=True,
)
