"""The steps of LSTM, GRU and RNN over a sequence whose products with the input are there already.

The weights of the state are packed into panels twice as wide as those of a matrix product: one row
of the state keeps few accumulators busy, and more of them hide the latency of a multiply-add.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from cvm.inference.backends.cpu.feature_level import FeatureLevel
from cvm.inference.backends.cpu.micro_kernel_f32 import dot_tile_f32
from cvm.inference.backends.cpu.scalar_operations import larger, min_f32
from cvm.inference.backends.cpu.transcendental import sigmoid32, tanh32
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel

SIGMOID, TANH, RELU, HARD_SIGMOID, AFFINE, LEAKY_RELU = range(6)

WIDENING = 2
"""A panel of the state's weights holds so many times the columns of a panel of a product."""


class Function(NamedTuple):
    """An activation: its code, its factors, and the bound of what goes into it."""

    code: int
    alpha: np.float32
    beta: np.float32
    is_bounded: bool
    bound: np.float32


class Pass(NamedTuple):
    """Where one direction finds the products of the input, and where it puts its states.

    Distances are in elements: of the products and of Y, from place to place of the sequence and
    from item to item of the batch.
    """

    batch: int
    hidden: int
    steps: int
    is_backward: bool
    input_place: int
    input_item: int
    y_first: int
    y_place: int
    y_item: int


@kernel
def activate(function: Function, values: Array) -> None:
    """Equal `operators.recurrent_activations`, in place, what goes in clipped first."""
    zero, one = np.float32(0), np.float32(1)
    if function.is_bounded:
        for i in range(len(values)):
            values[i] = min_f32(larger(values[i], -function.bound), function.bound)
    alpha, beta = function.alpha, function.beta
    if function.code == SIGMOID:
        for i in range(len(values)):
            values[i] = sigmoid32(values[i])
    elif function.code == TANH:
        for i in range(len(values)):
            values[i] = tanh32(values[i])
    elif function.code == RELU:
        for i in range(len(values)):
            values[i] = larger(values[i], zero)
    elif function.code == HARD_SIGMOID:
        for i in range(len(values)):
            values[i] = min_f32(larger(alpha * values[i] + beta, zero), one)
    elif function.code == AFFINE:
        for i in range(len(values)):
            values[i] = alpha * values[i] + beta
    else:
        for i in range(len(values)):
            value = values[i]
            values[i] = alpha * value if value < zero else value


@kernel
def add_biases(values: Array, first: int, w_bias: Array, r_bias: Array) -> None:
    """Add both biases, those of the columns from `first` on; one that is absent is -0."""
    for i in range(len(values)):
        values[i] = (values[i] + w_bias[first + i]) + r_bias[first + i]


@kernel
def add_peephole(values: Array, peepholes: Array, first: int, cell: Array) -> None:
    """Add the product of a peephole and the cell state; no peepholes at all are no step."""
    if len(peepholes) > 0:
        for i in range(len(values)):
            values[i] = values[i] + peepholes[first + i] * cell[i]


@kernel
def add_input(of_input: Array, first: int, totals: Array) -> None:
    """Add dot products with the state to those with the input."""
    for i in range(len(totals)):
        totals[i] = of_input[first + i] + totals[i]


@kernel
def place_of(frame: Pass, lengths: Array, item: int, step: int) -> int:
    """Return where in the sequence an item of the batch is at a step."""
    return lengths[item] - 1 - step if frame.is_backward else step


@kernel
def store(frame: Pass, place: int, item: int, state: Array, y: Array) -> None:
    """Write a hidden state to Y, unless nobody reads it."""
    if len(y) > 0:
        first = frame.y_first + place * frame.y_place + item * frame.y_item
        for i in range(len(state)):
            y[first + i] = state[i]


@cache
def lstm_pass(level: FeatureLevel) -> Callable[..., None]:
    """Return the kernel that runs one direction of `operators.lstm` at a feature level."""
    lanes, vectors = level.lanes, level.vectors * WIDENING
    width = lanes * vectors

    @kernel
    def lstm_steps(
        of_input: Array,
        panels: Array,
        frame: Pass,
        lengths: Array,
        w_bias: Array,
        r_bias: Array,
        peepholes: Array,
        couples_forget: bool,
        f: Function,
        g: Function,
        h: Function,
        no_bias: Array,
        totals: Array,
        hidden_state: Array,
        cell_state: Array,
        y: Array,
    ) -> None:
        n = frame.hidden
        for index in range(frame.batch * frame.steps):
            step, item = index // frame.batch, index % frame.batch
            if step >= lengths[item]:
                continue
            place = place_of(frame, lengths, item, step)
            for column in range(0, 4 * n, width):
                dot_tile_f32(
                    lanes, vectors, 1, width,
                    hidden_state, item * n, panels, column * n, no_bias, 0,
                    totals, column, width, n,
                )  # fmt: skip
            add_input(
                of_input, place * frame.input_place + item * frame.input_item, totals[: 4 * n]
            )
            cell = cell_state[item * n : (item + 1) * n]
            taken, shown = totals[:n], totals[n : 2 * n]
            kept, fresh = totals[2 * n : 3 * n], totals[3 * n : 4 * n]
            add_peephole(taken, peepholes, 0, cell)
            add_biases(taken, 0, w_bias, r_bias)
            activate(f, taken)
            if couples_forget:
                for i in range(n):
                    kept[i] = np.float32(1) - taken[i]
            else:
                add_peephole(kept, peepholes, 2 * n, cell)
                add_biases(kept, 2 * n, w_bias, r_bias)
                activate(f, kept)
            add_biases(fresh, 3 * n, w_bias, r_bias)
            activate(g, fresh)
            for i in range(n):
                cell[i] = kept[i] * cell[i] + taken[i] * fresh[i]
                fresh[i] = cell[i]
            add_peephole(shown, peepholes, n, cell)
            add_biases(shown, n, w_bias, r_bias)
            activate(f, shown)
            activate(h, fresh)
            state = hidden_state[item * n : (item + 1) * n]
            for i in range(n):
                state[i] = shown[i] * fresh[i]
            store(frame, place, item, state, y)

    return lstm_steps


@cache
def gru_pass(level: FeatureLevel) -> Callable[..., None]:
    """Return the kernel that runs one direction of `operators.gru` at a feature level.

    The panels of the hidden gate start at `last_panels`.
    """
    lanes, vectors = level.lanes, level.vectors * WIDENING
    width = lanes * vectors

    @kernel
    def gru_steps(
        of_input: Array,
        panels: Array,
        last_panels: int,
        frame: Pass,
        lengths: Array,
        w_bias: Array,
        r_bias: Array,
        resets_last: bool,
        f: Function,
        g: Function,
        no_bias: Array,
        totals: Array,
        candidate: Array,
        reset_state: Array,
        hidden_state: Array,
        y: Array,
    ) -> None:
        n = frame.hidden
        for index in range(frame.batch * frame.steps):
            step, item = index // frame.batch, index % frame.batch
            if step >= lengths[item]:
                continue
            place = place_of(frame, lengths, item, step)
            first = place * frame.input_place + item * frame.input_item
            state = hidden_state[item * n : (item + 1) * n]
            for column in range(0, 2 * n, width):
                dot_tile_f32(
                    lanes, vectors, 1, width,
                    hidden_state, item * n, panels, column * n, no_bias, 0,
                    totals, column, width, n,
                )  # fmt: skip
            gates = totals[: 2 * n]
            add_input(of_input, first, gates)
            add_biases(gates, 0, w_bias, r_bias)
            activate(f, gates)
            update, reset, fresh = totals[:n], totals[n : 2 * n], candidate[:n]
            for i in range(n):
                reset_state[i] = state[i] if resets_last else reset[i] * state[i]
            for column in range(0, n, width):
                dot_tile_f32(
                    lanes, vectors, 1, width,
                    reset_state, 0, panels, last_panels + column * n, no_bias, 0,
                    candidate, column, width, n,
                )  # fmt: skip
            if resets_last:
                for i in range(n):
                    fresh[i] = reset[i] * (fresh[i] + r_bias[2 * n + i])
                    fresh[i] = (of_input[first + 2 * n + i] + fresh[i]) + w_bias[2 * n + i]
            else:
                add_input(of_input, first + 2 * n, fresh)
                add_biases(fresh, 2 * n, w_bias, r_bias)
            activate(g, fresh)
            for i in range(n):
                state[i] = (np.float32(1) - update[i]) * fresh[i] + update[i] * state[i]
            store(frame, place, item, state, y)

    return gru_steps


@cache
def rnn_pass(level: FeatureLevel) -> Callable[..., None]:
    """Return the kernel that runs one direction of `operators.rnn` at a feature level."""
    lanes, vectors = level.lanes, level.vectors * WIDENING
    width = lanes * vectors

    @kernel
    def rnn_steps(
        of_input: Array,
        panels: Array,
        frame: Pass,
        lengths: Array,
        w_bias: Array,
        r_bias: Array,
        f: Function,
        no_bias: Array,
        totals: Array,
        hidden_state: Array,
        y: Array,
    ) -> None:
        n = frame.hidden
        for index in range(frame.batch * frame.steps):
            step, item = index // frame.batch, index % frame.batch
            if step >= lengths[item]:
                continue
            place = place_of(frame, lengths, item, step)
            for column in range(0, n, width):
                dot_tile_f32(
                    lanes, vectors, 1, width,
                    hidden_state, item * n, panels, column * n, no_bias, 0,
                    totals, column, width, n,
                )  # fmt: skip
            fresh = totals[:n]
            add_input(of_input, place * frame.input_place + item * frame.input_item, fresh)
            add_biases(fresh, 0, w_bias, r_bias)
            activate(f, fresh)
            state = hidden_state[item * n : (item + 1) * n]
            for i in range(n):
                state[i] = fresh[i]
            store(frame, place, item, state, y)

    return rnn_steps
