"""LSTM, GRU and RNN: the products of the inputs, then `kernels/recurrent.cu` for all steps."""

import numpy as np

from cvm.inference.backends.cuda.composition import Composer, Tensor, bits_of
from cvm.inference.backends.cuda.device import Kernel
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder, Place, Word
from cvm.inference.backends.cuda.products_f32 import add_plain_product
from cvm.inference.operators.gru import GruParameters
from cvm.inference.operators.lstm import LstmParameters
from cvm.inference.operators.matrix_product import MatrixProductShape
from cvm.inference.operators.recurrent import RecurrentParameters
from cvm.inference.operators.recurrent_activations import KINDS, Activation
from cvm.inference.tensor_type import Array

KINDS_IN_ORDER = tuple(KINDS)
"""As in `enum Kind` of the kernels."""

MAX_ACTIVATIONS, MAX_DIRECTIONS = 3, 2


def build_lstm(builder: LaunchBuilder) -> None:
    """Launch LSTM-14."""
    by: LstmParameters = builder.node.parameters
    _build(builder, by, "lstm", 2, by.couples_forget)


def build_gru(builder: LaunchBuilder) -> None:
    """Launch GRU-14."""
    by: GruParameters = builder.node.parameters
    _build(builder, by, "gru", 1, by.resets_last)


def build_rnn(builder: LaunchBuilder) -> None:
    """Launch RNN-14."""
    by: RecurrentParameters = builder.node.parameters
    _build(builder, by, "rnn", 1, False)


def _build(
    builder: LaunchBuilder, by: RecurrentParameters, kernel: str, states: int, option: bool
) -> None:
    """Append the products, the first states, and the steps; `states` is 2 with a cell state."""
    composer = Composer(builder)
    of_input = _products_of_input(composer, by)
    y, *finals = _outputs(composer, by, 1 + states)
    for index, final in enumerate(finals):
        _begin(composer, final, composer.optional(5 + index))
    if y is not None and min(by.lengths) < by.sequence:
        composer.fill(composer.number(0), y)
    blocks = by.directions * by.batch
    turned = np.ascontiguousarray(_constant(builder, 2).transpose(0, 2, 1))
    words: list[Word] = [
        None if y is None else y.place,
        *(None if final is None else final.place for final in (*finals, None)[:2]),
        composer.scratch("float32", blocks, 2, by.hidden).place,
        of_input.place,
        builder.table(turned),
        builder.optional(3),
        _peepholes(builder, states),
        builder.table(np.array(by.lengths, np.int32)),
    ]
    words += [by.sequence, by.batch, by.hidden, by.gates, *_steps(by)]
    words += [int(by.bound is not None), bits_of(by.bound or 0.0), int(option), *_passes(by)]
    builder.add(Kernel("recurrent", kernel), blocks, words)


def _constant(builder: LaunchBuilder, index: int) -> Array:
    """Return weights, which are an initializer."""
    value = builder.constant(index)
    if value is None:
        raise TypeError(f"{builder.node.name!r}: input {index} is no initializer")
    return value


def _products_of_input(composer: Composer, by: RecurrentParameters) -> Tensor:
    """Return the products (directions, sequence, batch, gates * hidden) of all inputs with W."""
    x = composer.operand(0)
    x = composer.permuted(x, (1, 0, 2)) if by.is_batch_first else x
    rows, columns = by.sequence * by.batch, by.gates * by.hidden
    w = composer.constant(np.ascontiguousarray(_constant(composer.builder, 1).transpose(0, 2, 1)))
    made = composer.scratch("float32", by.directions, rows, columns)
    shape = MatrixProductShape((rows, by.inputs), (by.inputs, columns), (), (rows, columns))
    for direction in range(by.directions):
        y = made.part(direction * rows * columns, rows, columns)
        weights = w.part(direction * by.inputs * columns, by.inputs, columns)
        add_plain_product(composer.builder, shape, y.place, x.place, weights.place)
    return made


def _outputs(composer: Composer, by: RecurrentParameters, count: int) -> list[Tensor | None]:
    """Return all hidden states, None where they are not wanted, and the last states."""
    found: list[Tensor | None] = []
    named = 0
    for index in range(count):
        if by.wanted[index]:
            found.append(composer.result(named))
            named += 1
        else:
            found.append(composer.scratch("float32", *by.state_shape) if index else None)
    return found


def _begin(composer: Composer, state: Tensor | None, given: Tensor | None) -> None:
    """Append the first value of a state: the one that is given, or +0."""
    if state is None:
        return
    if given is None:
        composer.fill(composer.number(0), state)
    else:
        composer.copy(given, state)


def _peepholes(builder: LaunchBuilder, states: int) -> Place | None:
    """Return the peepholes, which only an LSTM has."""
    return builder.optional(7) if states > 1 else None


def _steps(by: RecurrentParameters) -> tuple[int, ...]:
    """Return how far apart the steps, passes and items of Y lie, and those of the states."""
    batch, directions, hidden = by.batch, by.directions, by.hidden
    if by.is_batch_first:
        return (
            directions * hidden,
            hidden,
            by.sequence * directions * hidden,
            hidden,
            (directions * hidden),
        )
    return directions * batch * hidden, batch * hidden, hidden, batch * hidden, hidden


def _passes(by: RecurrentParameters) -> list[int]:
    """Return the fields of `Pass` of both directions."""
    words: list[int] = []
    for is_backward, activations in zip(by.is_backward, by.activations, strict=True):
        words.append(int(is_backward))
        for activation in activations:
            words += _activation(activation)
        words += (0, 0, 0) * (MAX_ACTIVATIONS - len(activations))
    unused = MAX_DIRECTIONS - by.directions
    return words + [0] * (unused * (1 + 3 * MAX_ACTIVATIONS))


def _activation(by: Activation) -> tuple[int, int, int]:
    """Return the fields of `Activation`."""
    return KINDS_IN_ORDER.index(by.name), bits_of(by.alpha), bits_of(by.beta)
