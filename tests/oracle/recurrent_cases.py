"""Vectors of LSTM, GRU and RNN."""

import math
from collections.abc import Sequence

from tests.oracle import recurrent
from tests.oracle.case import case
from tests.oracle.elementwise_cases import MINUS_ZERO
from tests.oracle.recurrent import Layer, Step
from tests.oracle.tensors import Json, Tensor, f32, ints, spread

Sizes = tuple[int, ...]

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
STEPS: dict[str, Step] = {
    "LSTM": recurrent.lstm_step,
    "GRU": recurrent.gru_step,
    "RNN": recurrent.rnn_step,
}
FUNCTIONS = {"LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh"), "RNN": ("Tanh",)}


def fractions(shape: Sizes, seed: int) -> Tensor:
    """Return irregular values between -1 and 1."""
    data = [math.fmod(value, 1.0) for value in spread("float32", shape, seed).data]
    return Tensor("float32", shape, data)


class Case:
    """The operands of one vector, hidden size 3 and two inputs, two items and four places."""

    def __init__(self, op: str, direction: str = "forward", hidden: int = 3) -> None:
        self.op, self.direction = op, direction
        self.backward = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[
            direction
        ]
        self.passes, self.hidden = len(self.backward), hidden
        rows = GATES[op] * hidden
        self.x = fractions((4, 2, 2), 501)
        self.w = fractions((self.passes, rows, 2), 502)
        self.r = fractions((self.passes, rows, hidden), 503)
        self.bias: Tensor | None = None
        self.peepholes: Tensor | None = None
        self.lengths: tuple[int, ...] | None = None
        self.initial: list[Tensor | None] = [None] * (2 if op == "LSTM" else 1)

    def with_bias(self) -> "Case":
        """Add biases."""
        self.bias = fractions((self.passes, 2 * GATES[self.op] * self.hidden), 504)
        return self

    def with_states(self) -> "Case":
        """Add initial states."""
        shape = (self.passes, 2, self.hidden)
        self.initial = [fractions(shape, 505 + index) for index in range(len(self.initial))]
        return self

    def with_peepholes(self) -> "Case":
        """Add peepholes."""
        self.peepholes = fractions((self.passes, 3 * self.hidden), 508)
        return self

    def layers(
        self, functions: Sequence[str] | None, bound: float | None, resets_last: bool, couples: bool
    ) -> list[Layer]:
        """Return each direction for the oracle."""
        layers = []
        rows = GATES[self.op] * self.hidden
        for d in range(self.passes):
            bias = None if self.bias is None else [self.bias.at((d, j)) for j in range(2 * rows)]
            peepholes = None
            if self.peepholes is not None:
                peepholes = [self.peepholes.at((d, j)) for j in range(3 * self.hidden)]
            layers.append(
                Layer(
                    [[self.w.at((d, j, k)) for k in range(2)] for j in range(rows)],
                    [[self.r.at((d, j, k)) for k in range(self.hidden)] for j in range(rows)],
                    None if bias is None else bias[:rows],
                    None if bias is None else bias[rows:],
                    functions or FUNCTIONS[self.op],
                    peepholes,
                    bound,
                    resets_last,
                    couples,
                )
            )
        return layers

    def vector(
        self,
        name: str,
        functions: Sequence[str] | None = None,
        bound: float | None = None,
        absent: Sequence[int] = (),
        **attributes: object,
    ) -> Json:
        """Return the vector; outputs in `absent` have no name."""
        resets_last = attributes.get("linear_before_reset") == 1
        layers = self.layers(functions, bound, resets_last, attributes.get("input_forget") == 1)
        outputs = list(
            recurrent.run(STEPS[self.op], layers, self.x, self.backward, self.initial, self.lengths)
        )[: 1 + len(self.initial)]
        lengths = None if self.lengths is None else ints("int32", (2,), *self.lengths)
        inputs = [self.x, self.w, self.r, self.bias, lengths, *self.initial]
        if self.op == "LSTM":
            inputs.append(self.peepholes)
        given: dict[str, object] = {"direction": self.direction, **attributes}
        if functions is not None:
            given["activations"] = list(functions) * self.passes
        if bound is not None:
            given["clip"] = {"float": bound}
        made = case(name, self.op, inputs, outputs, given, [1, 2, 4])
        made["outputs"] = [
            None if index in absent else entry for index, entry in enumerate(made["outputs"])
        ]
        while made["outputs"][-1] is None:
            made["outputs"].pop()
        return made


def lengths_case(op: str) -> Json:
    """Return a vector whose items end at different places, in both directions."""
    made = Case(op, "bidirectional").with_bias().with_states()
    made.lengths = (2, 4)
    return made.vector("both directions, sequences of two lengths")


def batch_first(op: str) -> Json:
    """Return a vector in layout 1."""
    made = Case(op).with_states().vector("layout 1", layout=1, hidden_size=3)
    for name, index in [("inputs", 0), ("outputs", 0), *(("outputs", i + 1) for i in (0, 1))]:
        if index < len(made[name]):
            made[name][index] = _swapped(made[name][index], name == "outputs" and index == 0)
    for index in range(5, len(made["inputs"])):
        if made["inputs"][index] is not None:
            made["inputs"][index] = _swapped(made["inputs"][index], False)
    return made


def _swapped(entry: Json, is_sequence: bool) -> Json:
    """Return (batch, sequence, passes, n) for Y, else the first two axes exchanged."""
    shape, key = entry["shape"], "bits" if "bits" in entry else "data"
    order = (2, 0, 1, 3) if is_sequence else (1, 0, 2)
    values = entry[key]
    new_shape = [shape[axis] for axis in order]
    moved = []
    for place in range(math.prod(shape)):
        rest, index = place, [0] * len(shape)
        for axis in range(len(shape) - 1, -1, -1):
            index[order[axis]] = rest % new_shape[axis]
            rest //= new_shape[axis]
        flat = 0
        for length, part in zip(shape, index, strict=True):
            flat = flat * length + part
        moved.append(values[flat])
    return {**entry, "shape": new_shape, key: moved}


def lstm_cases() -> list[Json]:
    """Return the vectors of LSTM."""
    return [
        Case("LSTM").vector("weights alone"),
        Case("LSTM", "reverse").with_bias().with_states().with_peepholes().vector("everything"),
        lengths_case("LSTM"),
        batch_first("LSTM"),
        Case("LSTM").with_bias().vector("the last state alone", absent=(0, 2)),
        Case("LSTM").with_peepholes().vector("coupled forget gate", input_forget=1),
        Case("LSTM")
        .with_bias()
        .vector(
            "other functions, clipped",
            ("Affine", "Relu", "Affine"),
            0.5,
            activation_alpha=[{"float": 0.5}, {"float": 0.5}],
            activation_beta=[{"float": 0.25}, {"float": 0.25}],
        ),
    ]


def gru_cases() -> list[Json]:
    """Return the vectors of GRU."""
    return [
        Case("GRU").vector("weights alone"),
        Case("GRU", "reverse").with_bias().with_states().vector("everything"),
        Case("GRU").with_bias().with_states().vector("reset last", linear_before_reset=1),
        lengths_case("GRU"),
        batch_first("GRU"),
        Case("GRU").with_bias().vector("clipped", bound=0.25, absent=(1,)),
    ]


def rnn_cases() -> list[Json]:
    """Return the vectors of RNN."""
    one = f32((1, 1, 1), 1)
    negative = f32((1, 1, 1), MINUS_ZERO)
    return [
        Case("RNN").vector("weights alone"),
        Case("RNN", "reverse").with_bias().with_states().vector("everything"),
        lengths_case("RNN"),
        batch_first("RNN"),
        Case("RNN").with_bias().vector("Relu, clipped", ("Relu",), 0.5),
        case(
            "dot products start at +0, absent biases are no steps",
            "RNN",
            [negative, one, one, None, None, negative],
            [f32((1, 1, 1, 1), 0), f32((1, 1, 1), 0)],
            constants=[1, 2],
        ),
    ]
