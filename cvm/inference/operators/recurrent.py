"""What LSTM, GRU and RNN share: shapes, directions, lengths, and the order of time steps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import RUN, Cost
from cvm.inference.exact.fused_multiply_add import add_product, widen
from cvm.inference.exact.ordering import larger, smaller
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import (
    flag_attribute,
    float_attribute,
    int_attribute,
    string_attribute,
)
from cvm.inference.operators.operands import (
    constant_operand,
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.operators.recurrent_activations import Activation, resolve_activations
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, Shape, TensorType

RECURRENT_ATTRIBUTES = frozenset(
    {"activation_alpha", "activation_beta", "activations", "clip", "direction", "hidden_size"}
    | {"layout"}
)

DIRECTIONS = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}
"""For each value of `direction`, whether each pass runs backwards."""

BLOCK = 2**14
"""Dot products that are worked on together, so that they stay in a processor's cache."""


@dataclass(frozen=True, slots=True)
class RecurrentParameters:
    """A resolved recurrent layer of one or two passes over the sequence.

    `lengths` has the steps of each item of the batch. `bound` is the attribute clip: what goes
    into the activations of the gates stays within [-bound, bound]. `wanted` says which outputs
    are named.
    """

    gates: int
    sequence: int
    batch: int
    inputs: int
    hidden: int
    is_backward: tuple[bool, ...]
    is_batch_first: bool
    lengths: tuple[int, ...]
    bound: np.float32 | None
    activations: tuple[tuple[Activation, ...], ...]
    wanted: tuple[bool, ...]

    @property
    def directions(self) -> int:
        """Return how many passes there are."""
        return len(self.is_backward)

    @property
    def state_shape(self) -> Shape:
        """Return the shape of an initial or final state."""
        if self.is_batch_first:
            return (self.batch, self.directions, self.hidden)
        return (self.directions, self.batch, self.hidden)

    @property
    def sequence_shape(self) -> Shape:
        """Return the shape of all hidden states."""
        if self.is_batch_first:
            return (self.batch, self.sequence, self.directions, self.hidden)
        return (self.sequence, self.directions, self.batch, self.hidden)


def resolve_recurrent(
    view: NodeView, gates: int, activations: Sequence[str], states: int, most: int
) -> RecurrentParameters:
    """Check the operands and attributes that the recurrent layers share.

    x (sequence, batch, inputs), constant w (directions, gates * hidden, inputs) and r
    (directions, gates * hidden, hidden), bias (directions, 2 * gates * hidden), constant
    sequence_lens (batch), and `states` initial states. Under layout 1 the batch comes first.
    """
    require_operand_count(view, 3, most)
    x, w, r = (operand_type(view, index, ("float32",)) for index in (0, 1, 2))
    for index, found in enumerate((x, w, r)):
        require_elements(view, index, found)
    constant_operand(view, 1, "weights of the input")
    constant_operand(view, 2, "weights of the hidden state")
    is_backward = DIRECTIONS.get(string_attribute(view, "direction", "forward"))
    if is_backward is None:
        found_text = view.attributes["direction"]
        raise refusal(
            view, "attribute value", f"direction must be one of {[*DIRECTIONS]}, got {found_text!r}"
        )
    hidden = r.shape[-1] if r.rank else 0
    if x.rank != 3 or w.rank != 3:
        raise refusal(view, "operand shape", f"x {x} and w {w} must have three axes")
    is_batch_first = flag_attribute(view, "layout", False)
    sequence, batch = x.shape[1::-1] if is_batch_first else x.shape[:2]
    passes = len(is_backward)
    parameters = RecurrentParameters(
        gates,
        sequence,
        batch,
        x.shape[2],
        hidden,
        is_backward,
        is_batch_first,
        _lengths(view, sequence, batch),
        _bound(view),
        resolve_activations(view, activations, passes),
        tuple(view.wants(index) for index in range(1 + states)),
    )
    if int_attribute(view, "hidden_size", hidden) != hidden:
        raise refusal(
            view,
            "attribute value",
            f"hidden_size {view.attributes['hidden_size']} differs from r {r}",
        )
    require_shape(view, 1, (passes, gates * hidden, x.shape[2]))
    require_shape(view, 2, (passes, gates * hidden, hidden))
    require_shape(view, 3, (passes, 2 * gates * hidden))
    for index in range(states):
        require_shape(view, 5 + index, parameters.state_shape)
    return parameters


def require_shape(view: NodeView, index: int, shape: Shape) -> None:
    """Refuse an input that is there but is not float32 of this shape."""
    if view.type_at(index) is None:
        return
    found = operand_type(view, index, ("float32",))
    if found.shape != shape:
        raise refusal(view, "operand shape", f"input {index} must be {list(shape)}, found {found}")


def _lengths(view: NodeView, sequence: int, batch: int) -> tuple[int, ...]:
    """Return the steps of each item, from constant int32 sequence_lens (input 4) if given."""
    if view.type_at(4) is None:
        return (sequence,) * batch
    found = operand_type(view, 4, ("int32",))
    if found.shape != (batch,):
        raise refusal(view, "operand shape", f"sequence_lens must have {batch} values, is {found}")
    lengths = tuple(int(length) for length in constant_operand(view, 4, "sequence_lens"))
    if not all(1 <= length <= sequence for length in lengths):
        raise refusal(
            view, "operand value", f"sequence_lens {lengths!s:.200} must lie in [1, {sequence}]"
        )
    return lengths


def _bound(view: NodeView) -> np.float32 | None:
    """Return the bound of what goes into activations, or None; below 0 is refused."""
    if "clip" not in view.attributes:
        return None
    bound = float_attribute(view, "clip", 0.0)
    if bound < 0:
        raise refusal(view, "attribute value", f"clip must not be below 0, found {bound}")
    return bound


def output_types(parameters: RecurrentParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return the types of the named ones of Y, Y_h and, for an LSTM, Y_c."""
    shapes = (parameters.sequence_shape, parameters.state_shape, parameters.state_shape)
    return tuple(
        TensorType("float32", shape)
        for shape, is_wanted in zip(shapes, parameters.wanted, strict=False)
        if is_wanted
    )


def recurrent_cost(parameters: RecurrentParameters, steps: int, transcendental: int) -> Cost:
    """Count two dot products per gate, and so many steps and functions, for each new state.

    A row of states starts three runs, and two for each gate.
    """
    cells = parameters.directions * sum(parameters.lengths) * parameters.hidden
    depth = parameters.inputs + parameters.hidden
    rows = parameters.directions * parameters.sequence * parameters.batch
    every = rows * parameters.hidden
    return Cost(
        float32_macs=every * parameters.gates * depth,
        elementwise=cells * steps + rows * RUN * (3 + 2 * parameters.gates),
        transcendental=cells * transcendental,
        nodes=1 + parameters.directions * parameters.sequence // 8,
    )


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over the sequence: what its step needs beside the input and the state.

    `r` is (gates * hidden, hidden); the biases are (gates * hidden) each, the peepholes
    (3 * hidden), None where they are absent.
    """

    r: Array
    w_bias: Array | None
    r_bias: Array | None
    peepholes: Array | None
    activations: tuple[Activation, ...]
    bound: np.float32 | None

    def activated(self, index: int, values: Array) -> Array:
        """Return activation `index` of values, clipped first if the node says so."""
        if self.bound is not None:
            values = larger(values, np.asarray(-self.bound))
            values = smaller(values, np.asarray(self.bound))
        return self.activations[index].apply(values)

    def with_biases(self, values: Array, columns: slice) -> Array:
        """Return (values + Wb) + Rb for some columns; an absent bias is no step."""
        for bias in (self.w_bias, self.r_bias):
            if bias is not None:
                values = values + bias[columns]
        return values


States = tuple[Array, ...]
StepRule = Callable[[Pass, Array, States], States]
"""From a pass, W.x of the rows (rows, gates * hidden) and their states: the next states."""


def dots(rows: Array, matrix: Array) -> Array:
    """Return the dot products of rows (n, k) with the rows of a matrix (m, k), as (n, m).

    One accumulator each, from +0: `acc = fma(row, weight, acc)`, k ascending.
    """
    wide_rows, wide_matrix = widen(rows), widen(matrix)
    result = np.zeros((len(rows), len(matrix)), np.float32)
    step = max(1, BLOCK // len(matrix))
    for first in range(0, len(rows), step):
        block = slice(first, first + step)
        for k in range(rows.shape[1]):
            with np.errstate(all="ignore"):
                product = wide_rows[block, k, None] * wide_matrix[:, k]
            result[block] = add_product(product, result[block])
    return result


def run_recurrent(
    parameters: RecurrentParameters,
    step: StepRule,
    operands: tuple[Array, Array, Array, Array | None],
    initial: Sequence[Array | None],
    peepholes: Array | None = None,
) -> tuple[Array, ...]:
    """Return the named outputs: all hidden states, then the last of each state.

    `operands` are x, w, r and the bias. An item of the batch takes as many steps as its length
    says, a backward pass from its last step to its first; Y is +0 after its length. A state
    without an initial value starts at +0.
    """
    x, w, r, bias = operands
    x = np.swapaxes(x, 0, 1) if parameters.is_batch_first else x
    y = np.zeros(
        (parameters.sequence, parameters.directions, parameters.batch, parameters.hidden),
        np.float32,
    )
    shape = (parameters.directions, parameters.batch, parameters.hidden)
    finals = [np.zeros(shape, np.float32) for _ in initial]
    for final, given in zip(finals, initial, strict=True):
        if given is not None:
            final[...] = np.swapaxes(given, 0, 1) if parameters.is_batch_first else given
    for direction in range(parameters.directions):
        of_input = dots(x.reshape(-1, parameters.inputs), w[direction])
        of_input = of_input.reshape(parameters.sequence, parameters.batch, -1)
        passing = _pass(parameters, direction, r, bias, peepholes)
        for rows, places in _schedule(parameters, parameters.is_backward[direction]):
            states = tuple(final[direction, rows] for final in finals)
            with np.errstate(all="ignore"):
                states = step(passing, of_input[places, rows], states)
            for final, state in zip(finals, states, strict=True):
                final[direction, rows] = state
            y[places, direction, rows] = states[0]
    if parameters.is_batch_first:
        y = y.transpose(2, 0, 1, 3)
        finals = [np.swapaxes(final, 0, 1) for final in finals]
    outputs = zip((y, *finals), parameters.wanted, strict=True)
    return tuple(np.ascontiguousarray(output) for output, is_wanted in outputs if is_wanted)


def _pass(
    parameters: RecurrentParameters,
    direction: int,
    r: Array,
    bias: Array | None,
    peepholes: Array | None,
) -> Pass:
    """Return what the steps of one direction need."""
    half = parameters.gates * parameters.hidden
    return Pass(
        r[direction],
        None if bias is None else bias[direction, :half],
        None if bias is None else bias[direction, half:],
        None if peepholes is None else peepholes[direction],
        parameters.activations[direction],
        parameters.bound,
    )


def _schedule(
    parameters: RecurrentParameters, is_backward: bool
) -> list[tuple[list[int], list[int]]]:
    """Return, step by step, the items that still run and the place in the sequence of each."""
    steps = []
    for step in range(max(parameters.lengths)):
        rows = [row for row, length in enumerate(parameters.lengths) if step < length]
        places = [parameters.lengths[row] - 1 - step if is_backward else step for row in rows]
        steps.append((rows, places))
    return steps
