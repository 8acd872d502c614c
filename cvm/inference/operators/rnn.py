"""RNN: the simple recurrent layer."""

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.recurrent import (
    RECURRENT_ATTRIBUTES,
    Pass,
    RecurrentParameters,
    States,
    dots,
    output_types,
    recurrent_cost,
    resolve_recurrent,
    run_recurrent,
)
from cvm.inference.tensor_type import Array, TensorType

STEPS = 3
"""Per new state: the sum of both dot products and two biases."""


def parse(view: NodeView) -> RecurrentParameters:
    """Check x, w, r, bias, sequence_lens and initial_h; f is Tanh by default."""
    return resolve_recurrent(view, 1, ("Tanh",), 1, 6)


def cost(
    parameters: RecurrentParameters, _view: NodeView, _outputs: tuple[TensorType, ...]
) -> Cost:
    """Count two dot products, three additions and one function for each new state."""
    return recurrent_cost(parameters, STEPS, 1)


def rnn(
    parameters: RecurrentParameters,
    x: Array,
    w: Array,
    r: Array,
    bias: Array | None = None,
    _lengths: Array | None = None,
    initial_h: Array | None = None,
) -> tuple[Array, ...]:
    """Return RNN-14 of float32 x (sequence, batch, inputs), each step rounded once.

    Ht = f(((Xt.W + Ht-1.R) + Wb) + Rb), where X.W and H.R are dot products of their own, each
    folded ascending by fma from +0. A bias that is absent is no step. With `clip`, what f takes
    is Min(Max(value, -clip), clip). f may be any function of `recurrent_activations`.
    """
    return run_recurrent(parameters, _step, (x, w, r, bias), (initial_h,))


def _step(passing: Pass, of_input: Array, states: States) -> States:
    """Return the next hidden state."""
    total = of_input + dots(states[0], passing.r)
    return (passing.activated(0, passing.with_biases(total, slice(None))),)


RNN = OpSpec(
    "RNN",
    14,
    RECURRENT_ATTRIBUTES,
    parse,
    output_types,
    cost,
    rnn,
    optional_outputs=True,
)
