"""Recurrent layers have the definition's bits at every feature level."""

import numpy as np
import pytest

from cvm.inference.graph import AttributeValue
from cvm.inference.operators.recurrent_activations import KINDS
from cvm.inference.tensor_type import Array
from tests.unit.inference.cpu.levels import LEVELS
from tests.unit.inference.cpu.one_node import assert_equals_definition, draw, draw_hostile

Attributes = dict[str, AttributeValue]

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
STATES = {"LSTM": 2, "GRU": 1, "RNN": 1}
DEFAULTS = {"LSTM": 3, "GRU": 2, "RNN": 1}
SEQUENCE, BATCH, INPUTS = 5, 3, 7


def operands(op: str, hidden: int, passes: int, batch: int = BATCH) -> list[Array | None]:
    """Return x, w, r, bias, no lengths, initial states and, for an LSTM, peepholes."""
    rows = GATES[op] * hidden
    drawn: list[Array | None] = [
        draw(1, "float32", SEQUENCE, batch, INPUTS) / 16,
        draw(2, "float32", passes, rows, INPUTS) / 64,
        draw(3, "float32", passes, rows, hidden) / 64,
        draw(4, "float32", passes, 2 * rows) / 64,
        None,
    ]
    drawn += [draw(5 + i, "float32", passes, batch, hidden) / 16 for i in range(STATES[op])]
    if op == "LSTM":
        drawn.append(draw(8, "float32", passes, 3 * hidden) / 64)
    return drawn


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("op", list(GATES))
@pytest.mark.parametrize("hidden", [3, 70])
def test_both_directions_with_every_operand(level: str, op: str, hidden: int) -> None:
    inputs = operands(op, hidden, 2)
    assert_equals_definition(level, op, {"direction": "bidirectional"}, inputs, {1, 2})


@pytest.mark.parametrize("op", list(GATES))
@pytest.mark.parametrize("batch", [1, 2])
def test_weights_alone(op: str, batch: int) -> None:
    inputs = operands(op, 33, 1, batch)[:3]
    assert_equals_definition(LEVELS[0], op, {"hidden_size": 33}, inputs, {1, 2})


@pytest.mark.parametrize("op", list(GATES))
def test_lengths_backwards_batch_first(op: str) -> None:
    inputs = operands(op, 4, 1)
    inputs[4] = np.array([2, 5, 1], np.int32)
    attributes: Attributes = {"direction": "reverse"}
    assert_equals_definition(LEVELS[0], op, attributes, inputs, {1, 2, 4})
    for index in (0, *range(5, 5 + STATES[op])):
        array = inputs[index]
        assert array is not None
        inputs[index] = np.ascontiguousarray(np.swapaxes(array, 0, 1))
    assert_equals_definition(LEVELS[0], op, attributes | {"layout": 1}, inputs, {1, 2, 4})


@pytest.mark.parametrize("op", list(GATES))
@pytest.mark.parametrize("name", list(KINDS))
def test_activations(op: str, name: str) -> None:
    attributes: Attributes = {"activations": (name,) * DEFAULTS[op], "clip": np.float32(0.75)}
    if name == "ScaledTanh":
        attributes |= dict.fromkeys(
            ("activation_alpha", "activation_beta"), (np.float32(1.25),) * DEFAULTS[op]
        )
    assert_equals_definition(LEVELS[0], op, attributes, operands(op, 6, 1), {1, 2})


@pytest.mark.parametrize("op", list(GATES))
def test_activation_factors(op: str) -> None:
    count = DEFAULTS[op]
    attributes: Attributes = {
        "activations": ("HardSigmoid",) * count,
        "activation_alpha": tuple(np.float32(0.3 + i) for i in range(count)),
        "activation_beta": (np.float32(-0.1),),
    }
    assert_equals_definition(LEVELS[0], op, attributes, operands(op, 6, 1), {1, 2})


@pytest.mark.parametrize("resets_last", [0, 1])
def test_gru_resets_before_and_after_its_product(resets_last: int) -> None:
    attributes: Attributes = {"linear_before_reset": resets_last}
    for inputs in (operands("GRU", 40, 1), operands("GRU", 40, 1)[:3]):
        assert_equals_definition(LEVELS[0], "GRU", attributes, inputs, {1, 2})


def test_lstm_couples_input_and_forget() -> None:
    inputs = operands("LSTM", 6, 1)
    assert_equals_definition(LEVELS[0], "LSTM", {"input_forget": 1}, inputs, {1, 2})


@pytest.mark.parametrize("op", list(GATES))
def test_hostile_inputs_and_states(op: str) -> None:
    inputs = operands(op, 5, 1)
    inputs[0] = draw_hostile(9, SEQUENCE, BATCH, INPUTS)
    inputs[5] = draw_hostile(10, 1, BATCH, 5)
    assert_equals_definition(LEVELS[0], op, {}, inputs, {1, 2})
    assert_equals_definition(LEVELS[0], op, {"clip": np.float32(0)}, inputs, {1, 2})
