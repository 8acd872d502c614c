"""AnswerRule.sol through the Evaluator: what outputs say, and which rules are none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_registry.datasets import Dataset, LabelType
from tests.unit.models_registry.contract_world import FakeModel, Reverted
from tests.unit.models_registry.measured import (
    ARGMAX,
    FLOAT32,
    INDEX,
    INT8,
    INT32,
    INT64,
    NEAR,
    UINT8,
    Rule,
    measured,
    model_id,
)

ECHO = model_id(7)
LARGEST = 2**32 - 1


def judged(output: bytes, label: int, rule: Rule, label_type: LabelType) -> bool:
    """Tell whether a model with that output is right by that rule."""
    it = measured({ECHO: FakeModel(lambda item: item, len(output), len(output))})
    row = Dataset([output], [label])
    row_id = it.register(row, label_type)
    done = it.submit(ECHO, row_id, row, 0, 0, rule)
    return bool(it.evaluator.result("submit", done)[1])


def floats(*bits: int) -> bytes:
    return b"".join(each.to_bytes(4, "big") for each in bits)


ONE, TWO, MINUS_TWO, INFINITY, NAN = 0x3F800000, 0x40000000, 0xC0000000, 0x7F800000, 0x7FC00000
MINUS_ZERO, SUBNORMAL, LARGE = 0x80000000, 1, 0x74000000


@pytest.mark.parametrize(
    ("output", "rule", "answer"),
    [
        pytest.param(b"\x07", (INDEX, UINT8, 0, 0, 0), 7, id="uint8"),
        pytest.param(b"\xff", (INDEX, UINT8, 0, 0, 0), 255, id="uint8 above 127"),
        pytest.param(b"\xff", (INDEX, INT8, 0, 0, 0), -1, id="int8 below 0"),
        pytest.param(b"\x00\x80\x00\x00\x00", (INDEX, INT32, 1, 0, 0), -(2**31), id="int32"),
        pytest.param(bytes(3) + b"\xff" * 8, (INDEX, INT64, 3, 0, 0), -1, id="int64 at offset"),
        pytest.param(b"\x01\x05\x04", (ARGMAX, UINT8, 0, 3, 0), 1, id="largest of uint8"),
        pytest.param(b"\xff\x05\xfe", (ARGMAX, INT8, 0, 3, 0), 1, id="largest of int8"),
        pytest.param(b"\x05\x05\x05", (ARGMAX, UINT8, 0, 3, 0), 0, id="the lowest of a tie"),
        pytest.param(b"\x09\x01\x05", (ARGMAX, UINT8, 1, 2, 0), 1, id="from an offset on"),
        pytest.param(
            b"\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xfe",
            (ARGMAX, INT32, 0, 3, 0),
            1,
            id="largest of int32",
        ),
        pytest.param(
            b"\x80" + bytes(7) + b"\x7f" + b"\xff" * 7, (ARGMAX, INT64, 0, 2, 0), 1, id="of int64"
        ),
        pytest.param(floats(ONE, TWO, MINUS_TWO), (ARGMAX, FLOAT32, 0, 3, 0), 1, id="of float32"),
        pytest.param(floats(MINUS_TWO, 0xBF800000), (ARGMAX, FLOAT32, 0, 2, 0), 1, id="negative"),
        pytest.param(floats(MINUS_ZERO, 0), (ARGMAX, FLOAT32, 0, 2, 0), 0, id="-0 equals 0"),
        pytest.param(floats(INFINITY, NAN), (ARGMAX, FLOAT32, 0, 2, 0), 1, id="NaN is largest"),
        pytest.param(
            floats(ONE, 0xFFC00000, NAN), (ARGMAX, FLOAT32, 0, 3, 0), 1, id="the first NaN"
        ),
        pytest.param(floats(SUBNORMAL, 0), (ARGMAX, FLOAT32, 0, 2, 0), 0, id="subnormal"),
    ],
)
def test_a_class_is_read_from_the_output(output: bytes, rule: Rule, answer: int) -> None:
    assert judged(output, answer, rule, LabelType.CLASS)
    assert not judged(output, answer + 1, rule, LabelType.CLASS)
    assert not judged(output, answer - 1, rule, LabelType.CLASS)


INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


@pytest.mark.parametrize(
    ("output", "label", "tolerance", "is_right"),
    [
        pytest.param(10, 10, 0, True, id="equal"),
        pytest.param(10, 11, 0, False, id="one off without tolerance"),
        pytest.param(10, 13, 3, True, id="below, at the tolerance"),
        pytest.param(10, 7, 3, True, id="above, at the tolerance"),
        pytest.param(10, 14, 3, False, id="past the tolerance"),
        pytest.param(INT64_MIN, INT64_MAX, 2**64 - 1, True, id="farthest apart"),
        pytest.param(INT64_MAX, INT64_MIN, 2**64 - 2, False, id="farthest apart but one"),
    ],
)
def test_a_whole_number_is_right_within_the_tolerance(
    output: int, label: int, tolerance: int, is_right: bool
) -> None:
    rule = (NEAR, INT64, 0, 0, tolerance)
    data = output.to_bytes(8, "big", signed=True)
    assert judged(data, label, rule, LabelType.INTEGER) is is_right


@pytest.mark.parametrize(
    ("output", "label", "tolerance", "is_right"),
    [
        pytest.param(ONE, ONE, 0, True, id="equal"),
        pytest.param(ONE, ONE + 1, 0, False, id="one bit off"),
        pytest.param(MINUS_ZERO, 0, 0, True, id="-0 equals 0"),
        pytest.param(ONE, TWO, ONE, True, id="at the tolerance"),
        pytest.param(ONE, TWO + 1, ONE, False, id="one bit past it"),
        pytest.param(MINUS_TWO, TWO, 0x40800000, True, id="over zero"),
        pytest.param(MINUS_TWO, TWO, 0x407FFFFF, False, id="over zero, one bit short"),
        pytest.param(SUBNORMAL, 0, SUBNORMAL, True, id="smallest difference"),
        pytest.param(2, 0, SUBNORMAL, False, id="twice the smallest"),
        pytest.param(0x00800000, 0x007FFFFF, SUBNORMAL, True, id="normal beside subnormal"),
        pytest.param(LARGE - 1, 0xF3FFFFFF, LARGE - 1, False, id="largest apart, half"),
        pytest.param(LARGE - 1, LARGE - 1, 0, True, id="largest that is compared"),
        pytest.param(LARGE, LARGE, 0, False, id="too large"),
        pytest.param(ONE, LARGE, LARGE - 1, False, id="label too large"),
        pytest.param(INFINITY, INFINITY, 0, False, id="infinity"),
        pytest.param(NAN, NAN, 0, False, id="NaN"),
        pytest.param(ONE, ONE + 2**32, 0, False, id="label of more than 32 bits"),
        pytest.param(ONE, ONE - 2**63, 0, False, id="label below 0"),
    ],
)
def test_a_float_is_right_within_the_tolerance_exactly(
    output: int, label: int, tolerance: int, is_right: bool
) -> None:
    rule = (NEAR, FLOAT32, 0, 0, tolerance)
    assert judged(floats(output), label, rule, LabelType.FLOAT32) is is_right


@settings(derandomize=True, max_examples=40, deadline=None)
@given(*[st.integers(0, LARGE - 1)] * 3, st.booleans())
def test_float_distances_agree_with_fractions(a: int, b: int, most: int, negative: bool) -> None:
    signed = a | MINUS_ZERO if negative else a
    distance = abs((-1 if negative else 1) * units(a) - units(b))
    rule = (NEAR, FLOAT32, 0, 0, most)
    is_right = judged(floats(signed), b, rule, LabelType.FLOAT32)
    assert is_right is (distance <= units(most))


def units(bits: int) -> int:
    """Return a float32 in units of 2**-149."""
    exponent, fraction = bits >> 23, bits & 0x7FFFFF
    return fraction if exponent == 0 else (fraction | 0x800000) << (exponent - 1)


@pytest.mark.parametrize(
    ("rule", "label_type", "error", "values"),
    [
        pytest.param(
            (INDEX, FLOAT32, 0, 0, 0), 0, "IndexNotInteger", (FLOAT32,), id="index as float"
        ),
        pytest.param((ARGMAX, UINT8, 0, 1, 0), 0, "BadClasses", (1, 65536), id="one class"),
        pytest.param(
            (ARGMAX, UINT8, 0, 65537, 0), 0, "BadClasses", (65537, 65536), id="too many classes"
        ),
        pytest.param(
            (INDEX, UINT8, 0, 2, 0), 0, "BadClasses", (2, 65536), id="classes without argmax"
        ),
        pytest.param((INDEX, UINT8, 0, 0, 1), 0, "BadTolerance", (1,), id="tolerance of a class"),
        pytest.param(
            (NEAR, FLOAT32, 0, 0, LARGE), 2, "BadTolerance", (LARGE,), id="large tolerance"
        ),
        pytest.param(
            (NEAR, FLOAT32, 0, 0, MINUS_ZERO), 2, "BadTolerance", (MINUS_ZERO,), id="negative"
        ),
        pytest.param((INDEX, INT64, 1, 0, 0), 0, "OutsideOutput", (9, 8), id="past the output"),
        pytest.param((ARGMAX, INT32, 0, 3, 0), 0, "OutsideOutput", (12, 8), id="classes past it"),
        pytest.param(
            (INDEX, UINT8, LARGEST, 0, 0), 0, "OutsideOutput", (2**32, 8), id="largest offset"
        ),
        pytest.param(
            (INDEX, UINT8, 0, 0, 0), 1, "WrongLabels", (INDEX, UINT8, 1), id="class of numbers"
        ),
        pytest.param(
            (NEAR, INT32, 0, 0, 0), 2, "WrongLabels", (NEAR, INT32, 2), id="integer of floats"
        ),
        pytest.param(
            (NEAR, FLOAT32, 0, 0, 0), 1, "WrongLabels", (NEAR, FLOAT32, 1), id="float of integers"
        ),
    ],
)
def test_a_rule_that_is_none_is_refused_with_its_values(
    rule: Rule, label_type: int, error: str, values: tuple[int, ...]
) -> None:
    it = measured({ECHO: FakeModel(lambda item: item, 8, 8)})
    row = Dataset([bytes(8)], [0])
    row_id = it.register(row, LabelType(label_type))
    with pytest.raises(Reverted) as caught:
        it.submit(ECHO, row_id, row, 0, 0, rule)
    assert caught.value.data == it.evaluator.error(error, *values)
