"""LSTM: the recurrent layer with a cell state."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import flag_attribute
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.recurrent import (
    RECURRENT_ATTRIBUTES,
    Pass,
    RecurrentParameters,
    States,
    dots,
    output_types,
    recurrent_cost,
    require_shape,
    resolve_recurrent,
    run_recurrent,
)
from cvm.inference.tensor_type import Array, TensorType

GATES = 4
"""Input i, output o, forget f, cell c, in this order."""

PEEPHOLES = 3
"""Input i, output o, forget f, in this order."""

STEPS = 22
"""Per new state: four sums of four terms, three peepholes, and four steps of the states."""

FUNCTIONS = 5


@dataclass(frozen=True, slots=True)
class LstmParameters(RecurrentParameters):
    """A resolved layer; `couples_forget` says that the forget gate is 1 - the input gate."""

    couples_forget: bool


def parse(view: NodeView) -> LstmParameters:
    """Check x, w, r, bias, sequence_lens, initial_h, initial_c and peepholes.

    The activations f, g, h are Sigmoid, Tanh, Tanh by default.
    """
    base = resolve_recurrent(view, GATES, ("Sigmoid", "Tanh", "Tanh"), 2, 8)
    require_shape(view, 7, (base.directions, PEEPHOLES * base.hidden))
    return LstmParameters(
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
        flag_attribute(view, "input_forget", False),
    )


def cost(parameters: LstmParameters, _view: NodeView, _outputs: tuple[TensorType, ...]) -> Cost:
    """Count eight dot products, 22 steps and five functions for each new state."""
    return recurrent_cost(parameters, STEPS, FUNCTIONS)


def lstm(
    parameters: LstmParameters,
    x: Array,
    w: Array,
    r: Array,
    bias: Array | None = None,
    _lengths: Array | None = None,
    initial_h: Array | None = None,
    initial_c: Array | None = None,
    peepholes: Array | None = None,
) -> tuple[Array, ...]:
    """Return LSTM-14 of float32 x (sequence, batch, inputs), each step rounded once.

    1. it = f((((Xt.Wi + Ht-1.Ri) + Pi * Ct-1) + Wbi) + Rbi)
    2. ft likewise with Pf; with input_forget ft = 1 - it
    3. ct = g(((Xt.Wc + Ht-1.Rc) + Wbc) + Rbc)
    4. Ct = ft * Ct-1 + it * ct
    5. ot = f((((Xt.Wo + Ht-1.Ro) + Po * Ct) + Wbo) + Rbo)
    6. Ht = ot * h(Ct)

    X.W and H.R are dot products of their own, each folded ascending by fma from +0; no other
    product is fused. Peepholes and biases that are absent are no steps. With `clip`, what the
    gates' f and g take is Min(Max(value, -clip), clip); h takes Ct as it is.
    """

    def step(passing: Pass, of_input: Array, states: States) -> States:
        return _step(passing, of_input, states, parameters.couples_forget)

    initial = (initial_h, initial_c)
    return run_recurrent(parameters, step, (x, w, r, bias), initial, peepholes)


def _step(passing: Pass, of_input: Array, states: States, couples_forget: bool) -> States:
    """Return the next hidden state and the next cell state."""
    h, cell = states
    totals = of_input + dots(h, passing.r)

    def gate(index: int, peephole: int | None, seen: Array) -> Array:
        columns = slice(index * h.shape[1], (index + 1) * h.shape[1])
        values = totals[:, columns]
        if passing.peepholes is not None and peephole is not None:
            first = peephole * h.shape[1]
            values = values + passing.peepholes[first : first + h.shape[1]] * seen
        kind = 1 if peephole is None else 0
        return passing.activated(kind, passing.with_biases(values, columns))

    taken = gate(0, 0, cell)
    kept = np.float32(1) - taken if couples_forget else gate(2, 2, cell)
    new_cell = kept * cell + taken * gate(3, None, cell)
    shown = gate(1, 1, new_cell)
    return (shown * passing.activations[2].apply(new_cell), new_cell)


LSTM = OpSpec(
    "LSTM",
    14,
    RECURRENT_ATTRIBUTES | {"input_forget"},
    parse,
    output_types,
    cost,
    lstm,
    optional_outputs=True,
)
