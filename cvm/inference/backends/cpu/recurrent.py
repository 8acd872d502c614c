"""LSTM, GRU and RNN: how a layer is planned, direction by direction."""

from typing import Any

import numpy as np

from cvm.inference.backends.cpu import definition
from cvm.inference.backends.cpu.gemm_f32 import multiply_f32
from cvm.inference.backends.cpu.panels import pack_rows, pack_strided
from cvm.inference.backends.cpu.recurrent_kernels import (
    AFFINE,
    HARD_SIGMOID,
    LEAKY_RELU,
    RELU,
    SIGMOID,
    TANH,
    WIDENING,
    Function,
    Pass,
    gru_pass,
    lstm_pass,
    rnn_pass,
)
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.operators.gru import GruParameters
from cvm.inference.operators.lstm import LstmParameters
from cvm.inference.operators.recurrent import RecurrentParameters
from cvm.inference.tensor_type import Array

CODES = {
    "Sigmoid": SIGMOID,
    "Tanh": TANH,
    "Relu": RELU,
    "HardSigmoid": HARD_SIGMOID,
    "Affine": AFFINE,
    "LeakyRelu": LEAKY_RELU,
}
"""The activations that have kernels; a layer with another one runs by its definition."""

NOTHING = np.zeros(0, np.float32)


class Layer:
    """The parts of a recurrent layer that its directions share while it is planned."""

    def __init__(self, builder: StepBuilder) -> None:
        self.builder = builder
        self.parameters: RecurrentParameters = builder.node.parameters
        self.level = builder.level
        self.width = self.level.width * WIDENING
        p = self.parameters
        self.rows, self.columns = p.sequence * p.batch, p.gates * p.hidden
        self.of_input = builder.scratch("float32", self.rows * self.columns)
        self.left_size = 1 if self.rows == 1 else self.level.rows
        padded = -(-self.rows // self.left_size) * self.left_size
        self.left = builder.scratch("float32", padded * p.inputs)
        self.totals = builder.scratch("float32", self.columns + self.width)
        self.tile = builder.scratch("float32", self.level.rows * self.level.width)
        self.no_bias = np.full(self.level.rows, -0.0, np.float32)
        self.lengths = np.array(p.lengths, np.int64)
        results = iter(builder.results)
        self.outputs = [next(results) if wanted else None for wanted in p.wanted]
        self.y = NOTHING if self.outputs[0] is None else flat(self.outputs[0])

    def add_product_with_input(self, direction: int) -> None:
        """Plan the dot products of every place and item with the weights of the input."""
        p, builder = self.parameters, self.builder
        if direction == 0:
            source = flat(builder.operand(0))
            extents = (1, self.rows, p.inputs, self.left_size)
            builder.add(pack_strided, source, p.inputs, 1, *extents, self.left)
        weights = np.asarray(builder.constant(1))[direction]
        one = np.zeros(1, np.int64)
        right = flat(pack_rows(weights, self.level.width))
        product = (self.rows, self.columns, p.inputs)
        builder.add(
            multiply_f32(self.level),
            *(self.left, one, right, one, *product, self.no_bias, self.tile, self.of_input),
        )

    def panels(self, direction: int, first: int, last: int) -> Array:
        """Return the weights of the state for some gates, packed."""
        n = self.parameters.hidden
        weights = np.asarray(self.builder.constant(2))[direction, first * n : last * n]
        return flat(pack_rows(weights, self.width))

    def biases(self, direction: int) -> tuple[Array, Array]:
        """Return both biases of a direction; adding the -0 of an absent one changes no bit."""
        operand = self.builder.optional(3)
        if operand is None:
            absent = np.full(self.columns, -0.0, np.float32)
            return absent, absent
        return operand[direction, : self.columns], operand[direction, self.columns :]

    def state(self, direction: int, index: int) -> Array:
        """Plan the initial value of state `index` (hidden, cell) and return its buffer."""
        p = self.parameters
        buffer = np.zeros(p.batch * p.hidden, np.float32)
        operand = self.builder.optional(5 + index)
        if operand is None:
            self.builder.add(np.copyto, buffer, np.float32(0))
        else:
            own = operand[:, direction] if p.is_batch_first else operand[direction]
            self.builder.add(np.copyto, buffer.reshape(p.batch, p.hidden), own)
        return buffer

    def add_final(self, direction: int, index: int, buffer: Array) -> None:
        """Plan the copy of a final state to its output, if it has a name."""
        p, output = self.parameters, self.outputs[1 + index]
        if output is not None:
            own = output[:, direction] if p.is_batch_first else output[direction]
            self.builder.add(np.copyto, own, buffer.reshape(p.batch, p.hidden))

    def frame(self, direction: int) -> Pass:
        """Return where a direction reads and writes."""
        p = self.parameters
        n, passes = p.hidden, p.directions
        if p.is_batch_first:
            places = (self.columns, p.sequence * self.columns)
            y_places = (direction * n, passes * n, p.sequence * passes * n)
        else:
            places = (p.batch * self.columns, self.columns)
            y_places = (direction * p.batch * n, passes * p.batch * n, n)
        steps = max(p.lengths)
        return Pass(p.batch, n, steps, p.is_backward[direction], *places, *y_places)

    def functions(self, direction: int, bounded: int) -> list[Function]:
        """Return the activations of a direction; the first `bounded` of them clip."""
        bound = self.parameters.bound
        return [
            Function(
                CODES[activation.name],
                activation.alpha,
                activation.beta,
                bound is not None and index < bounded,
                np.float32(0) if bound is None else bound,
            )
            for index, activation in enumerate(self.parameters.activations[direction])
        ]


def has_kernel(builder: StepBuilder) -> bool:
    """Say whether every activation has a kernel and there is room for what a layer packs."""
    p: RecurrentParameters = builder.node.parameters
    names = {activation.name for passing in p.activations for activation in passing}
    rows, columns = p.sequence * p.batch, p.gates * p.hidden
    scratch = rows * (columns + p.inputs) + builder.level.rows * p.inputs + columns
    weights = p.directions * columns * (p.inputs + p.hidden)
    padding = p.directions * WIDENING * builder.level.width * (p.inputs + p.hidden)
    return names <= CODES.keys() and builder.allows(4 * scratch, 4 * (weights + padding))


def prepared_layer(builder: StepBuilder) -> Layer | None:
    """Return a layer to plan, Y cleared if sequences are shorter, or None for the definition."""
    if not has_kernel(builder):
        definition.build(builder)
        return None
    layer = Layer(builder)
    if min(layer.parameters.lengths) < layer.parameters.sequence and len(layer.y):
        builder.add(np.copyto, layer.y, np.float32(0))
    return layer


def build_lstm(builder: StepBuilder) -> None:
    """Plan an LSTM."""
    layer = prepared_layer(builder)
    if layer is None:
        return
    parameters: LstmParameters = builder.node.parameters
    peepholes = builder.optional(7)
    for direction in range(parameters.directions):
        layer.add_product_with_input(direction)
        states = [layer.state(direction, index) for index in (0, 1)]
        builder.add(
            lstm_pass(layer.level),
            layer.of_input,
            layer.panels(direction, 0, parameters.gates),
            layer.frame(direction),
            layer.lengths,
            *layer.biases(direction),
            NOTHING if peepholes is None else peepholes[direction],
            parameters.couples_forget,
            *layer.functions(direction, 2),
            layer.no_bias,
            layer.totals,
            *states,
            layer.y,
        )
        for index, state in enumerate(states):
            layer.add_final(direction, index, state)


def build_gru(builder: StepBuilder) -> None:
    """Plan a GRU."""
    layer = prepared_layer(builder)
    if layer is None:
        return
    parameters: GruParameters = builder.node.parameters
    padded: Any = builder.scratch("float32", parameters.hidden + layer.width)
    reset_state: Any = builder.scratch("float32", parameters.hidden)
    for direction in range(parameters.directions):
        layer.add_product_with_input(direction)
        state = layer.state(direction, 0)
        gates, last = layer.panels(direction, 0, 2), layer.panels(direction, 2, 3)
        builder.add(
            gru_pass(layer.level),
            layer.of_input,
            np.concatenate([gates, last]),
            gates.size,
            layer.frame(direction),
            layer.lengths,
            *layer.biases(direction),
            parameters.resets_last,
            *layer.functions(direction, 2),
            layer.no_bias,
            layer.totals,
            padded,
            reset_state,
            state,
            layer.y,
        )
        layer.add_final(direction, 0, state)


def build_rnn(builder: StepBuilder) -> None:
    """Plan an RNN."""
    layer = prepared_layer(builder)
    if layer is None:
        return
    for direction in range(layer.parameters.directions):
        layer.add_product_with_input(direction)
        state = layer.state(direction, 0)
        builder.add(
            rnn_pass(layer.level),
            layer.of_input,
            layer.panels(direction, 0, 1),
            layer.frame(direction),
            layer.lengths,
            *layer.biases(direction),
            *layer.functions(direction, 1),
            layer.no_bias,
            layer.totals,
            state,
            layer.y,
        )
        layer.add_final(direction, 0, state)
