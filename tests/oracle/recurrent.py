"""LSTM, GRU and RNN once more, one scalar at a time, on exact fractions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.oracle import transcendental
from tests.oracle.float32 import add, greater_of, lesser_of, multiply, subtract
from tests.oracle.operators import dot
from tests.oracle.tensors import Tensor

Function = Callable[[float], float]
Vector = list[float]

FUNCTIONS: dict[str, Function] = {
    "Sigmoid": transcendental.sigmoid,
    "Tanh": transcendental.tanh,
    "Relu": lambda x: greater_of(x, 0.0),
    "Affine": lambda x: add(multiply(0.5, x), 0.25),
}
"""By ONNX name; Affine with alpha 0.5 and beta 0.25."""


@dataclass
class Layer:
    """One direction of a layer: rows of weights, biases and peepholes, and its functions."""

    w: list[Vector]
    r: list[Vector]
    w_bias: Vector | None
    r_bias: Vector | None
    functions: Sequence[str]
    peepholes: Vector | None = None
    bound: float | None = None
    resets_last: bool = False
    couples: bool = False
    hidden: int = field(init=False)

    def __post_init__(self) -> None:
        self.hidden = len(self.r[0])

    def function(self, index: int, x: float) -> float:
        """Apply a function of a gate."""
        if self.bound is not None:
            x = lesser_of(greater_of(x, -self.bound), self.bound)
        return FUNCTIONS[self.functions[index]](x)

    def biased(self, value: float, row: int) -> float:
        """Add both biases of a row."""
        for bias in (self.w_bias, self.r_bias):
            value = value if bias is None else add(value, bias[row])
        return value


def products(matrix: list[Vector], row: int, values: Vector) -> float:
    """Return one dot product."""
    return dot(list(zip(values, matrix[row], strict=True)))


def rnn_step(layer: Layer, x: Vector, h: Vector, cell: Vector) -> tuple[Vector, Vector]:
    """Return the next state of an RNN."""
    new = []
    for j in range(layer.hidden):
        total = add(products(layer.w, j, x), products(layer.r, j, h))
        new.append(layer.function(0, layer.biased(total, j)))
    return new, cell


def gru_step(layer: Layer, x: Vector, h: Vector, cell: Vector) -> tuple[Vector, Vector]:
    """Return the next state of a GRU."""
    n = layer.hidden
    gates = []
    for row in range(2 * n):
        total = add(products(layer.w, row, x), products(layer.r, row, h))
        gates.append(layer.function(0, layer.biased(total, row)))
    z, reset = gates[:n], gates[n:]
    seen = [multiply(reset[j], h[j]) for j in range(n)]
    new = []
    for j in range(n):
        row = 2 * n + j
        of_input = products(layer.w, row, x)
        if layer.resets_last:
            linear = products(layer.r, row, h)
            linear = linear if layer.r_bias is None else add(linear, layer.r_bias[row])
            total = add(of_input, multiply(reset[j], linear))
            total = total if layer.w_bias is None else add(total, layer.w_bias[row])
        else:
            total = layer.biased(add(of_input, products(layer.r, row, seen)), row)
        candidate = layer.function(1, total)
        new.append(add(multiply(subtract(1.0, z[j]), candidate), multiply(z[j], h[j])))
    return new, cell


def lstm_step(layer: Layer, x: Vector, h: Vector, cell: Vector) -> tuple[Vector, Vector]:
    """Return the next states of an LSTM."""
    n = layer.hidden

    def gate(index: int, kind: int, j: int, seen: float | None) -> float:
        row = index * n + j
        total = add(products(layer.w, row, x), products(layer.r, row, h))
        if layer.peepholes is not None and seen is not None:
            total = add(total, multiply(layer.peepholes[row], seen))
        return layer.function(kind, layer.biased(total, row))

    new_h, new_c = [], []
    for j in range(n):
        i = gate(0, 0, j, cell[j])
        f = subtract(1.0, i) if layer.couples else gate(2, 0, j, cell[j])
        c = add(multiply(f, cell[j]), multiply(i, gate(3, 1, j, None)))
        o = gate(1, 0, j, c)
        new_h.append(multiply(o, FUNCTIONS[layer.functions[2]](c)))
        new_c.append(c)
    return new_h, new_c


Step = Callable[[Layer, Vector, Vector, Vector], tuple[Vector, Vector]]


def run(
    step: Step,
    layers: Sequence[Layer],
    x: Tensor,
    backward: Sequence[bool],
    initial: Sequence[Tensor | None],
    lengths: Sequence[int] | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return Y, Y_h and Y_c of x (sequence, batch, inputs)."""
    sequence, batch, inputs = x.shape
    n, passes = layers[0].hidden, len(layers)
    y = [0.0] * (sequence * passes * batch * n)
    last_h, last_c = [], []
    for d, layer in enumerate(layers):
        for b in range(batch):
            h, c = ([0.0] * n, [0.0] * n)
            if initial[0] is not None:
                h = [initial[0].at((d, b, j)) for j in range(n)]
            if len(initial) > 1 and initial[1] is not None:
                c = [initial[1].at((d, b, j)) for j in range(n)]
            steps = range(sequence if lengths is None else lengths[b])
            for t in reversed(steps) if backward[d] else steps:
                h, c = step(layer, [x.at((t, b, k)) for k in range(inputs)], h, c)
                place = ((t * passes + d) * batch + b) * n
                y[place : place + n] = h
            last_h += h
            last_c += c
    state = (passes, batch, n)
    return (
        Tensor("float32", (sequence, passes, batch, n), y),
        Tensor("float32", state, last_h),
        Tensor("float32", state, last_c),
    )
