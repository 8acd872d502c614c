"""What holds of elementwise operators for any operands: oracles, laws, round trips."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.inference.graph import AttributeValue
from cvm.inference.tensor_type import Array, type_of
from tests.oracle import float32
from tests.unit.inference.operators.nodes import node, run_node

FLOATS = st.floats(width=32)
INT32 = st.integers(-(2**31), 2**31 - 1)
SETTINGS = settings(max_examples=300, derandomize=True, deadline=None)


def run(op: str, *inputs: Array, **attributes: AttributeValue) -> Array:
    return run_node(node(op, *map(type_of, inputs), attributes=attributes), *inputs)


def floats(*values: float) -> Array:
    return np.array(values, np.float32)


def bits(array: Array) -> list[str]:
    return [float32.to_bits(value) for value in array.tolist()]


ORACLES: list[tuple[str, Callable[[float, float], float]]] = [
    ("Sub", float32.subtract),
    ("Div", float32.divide),
    ("Sum", float32.add),
    ("Max", float32.greater_of),
    ("Min", float32.lesser_of),
    ("Mean", lambda a, b: float32.divide(float32.add(a, b), 2.0)),
    ("PRelu", lambda a, b: float32.multiply(b, a) if a < 0 else a),
]


@pytest.mark.parametrize(("op", "oracle"), ORACLES, ids=[op for op, _ in ORACLES])
def test_two_floats_give_what_exact_fractions_give(
    op: str, oracle: Callable[[float, float], float]
) -> None:
    @given(FLOATS, FLOATS)
    @SETTINGS
    def check(a: float, b: float) -> None:
        assert bits(run(op, floats(a), floats(b))) == [float32.to_bits(oracle(a, b))]

    check()


@given(FLOATS, FLOATS)
@SETTINGS
def test_exactly_one_of_less_equal_and_greater_holds_unless_one_is_nan(a: float, b: float) -> None:
    found = [run(op, floats(a), floats(b)).item() for op in ("Less", "Equal", "Greater")]
    assert sum(found) == (0 if math.isnan(a) or math.isnan(b) else 1)
    at_most, at_least = (
        run(op, floats(a), floats(b)).item() for op in ("LessOrEqual", "GreaterOrEqual")
    )
    assert (at_most, at_least) == (found[0] or found[1], found[1] or found[2])


@given(INT32, INT32)
@SETTINGS
def test_quotient_and_remainder_of_integers_give_the_dividend(a: int, b: int) -> None:
    left, right = np.array(a, np.int32), np.array(b, np.int32)
    if b == 0:
        assert [run(op, left, right).item() for op in ("Div", "Mod")] == [0, 0]
        return
    quotient, remainder = run("Div", left, right), run("Mod", left, right, fmod=1)
    with np.errstate(all="ignore"):
        assert (quotient * right + remainder).item() == a
    assert abs(remainder.item()) < abs(b)


@given(st.integers(-128, 127), st.sampled_from([1, 3, 6, 7]))
@SETTINGS
def test_a_byte_survives_every_wider_dtype(value: int, code: int) -> None:
    wide = run("Cast", np.array([value], np.int8), to=code)
    assert run("Cast", wide, to=3).tolist() == [value]


@given(FLOATS)
@SETTINGS
def test_odd_functions_are_odd_and_even_ones_even(x: float) -> None:
    for op in ("Atan", "Asin", "Erf", "Sin", "Sinh", "Tan", "Tanh", "Softsign", "Round"):
        assert bits(run(op, floats(-x))) == bits(run("Neg", run(op, floats(x)))), op
    for op in ("Abs", "Cos", "Cosh"):
        assert bits(run(op, floats(-x))) == bits(run(op, floats(x))), op


@given(FLOATS)
@SETTINGS
def test_composites_equal_the_operators_of_their_function_body(x: float) -> None:
    one, half = floats(1), floats(0.5)
    value = floats(x)
    mish = run("Softplus", value)
    with np.errstate(all="ignore"):
        assert bits(run("Mish", value)) == bits(value * run("Tanh", mish))
        share = one + run("Erf", run("Div", value, run("Sqrt", floats(2))))
        assert bits(run("Gelu", value)) == bits((half * value) * share)
        bent = run("Sub", run("Exp", value), one)
        assert bits(run("Elu", value)) == bits(
            run("Where", run("Less", value, floats(0)), bent, value)
        )
        line = value * floats(0.2) + half
        expected = run("Max", run("Min", line, one), floats(0))
        assert bits(run("HardSigmoid", value)) == bits(expected)


@pytest.mark.parametrize("op", ["And", "Or", "Xor", "Not"])
def test_logic_is_that_of_bits(op: str) -> None:
    a, b = np.array([False, False, True, True]), np.array([False, True, False, True])
    operands = [a] if op == "Not" else [a, b]
    expected = run(f"Bitwise{op}", *(array.astype(np.uint8) for array in operands)) & np.uint8(1)
    assert run(op, *operands).tolist() == expected.astype(bool).tolist()
