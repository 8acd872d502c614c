"""Evaluator.sol in the node's own EVM: proofs, counting, and who can spoil it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_registry.datasets import Dataset, LabelType
from models_registry.registry_calls import selector
from tests.unit.models_registry.library_world import FakeModel, Reverted
from tests.unit.models_registry.measured import (
    ARGMAX,
    CLASS_OF_BYTE,
    FLOAT32,
    INDEX,
    INT8,
    INT32,
    INT64,
    NEAR,
    ROW_BYTES,
    UINT8,
    Measured,
    Rule,
    measured,
    model_id,
    reader,
    rows_of,
)

GOOD, WORSE, SINGLE = model_id(1), model_id(2), model_id(3)
ROWS = rows_of(11)


@pytest.fixture
def it() -> Measured:
    return measured({GOOD: reader(0), WORSE: reader(3), SINGLE: reader(3, is_batchable=False)})


@pytest.fixture
def rows_id(it: Measured) -> bytes:
    return it.register(ROWS)


@pytest.mark.parametrize(
    ("model", "correct"),
    [pytest.param(GOOD, 11, id="all right"), pytest.param(WORSE, 8, id="wrong below 3")],
)
def test_a_certificate_counts_right_answers_of_all_rows(
    it: Measured, rows_id: bytes, model: bytes, correct: int
) -> None:
    found = it.certify(model, rows_id, ROWS)
    assert it.evaluator.view("certificate", found) == (
        (model, rows_id, CLASS_OF_BYTE, 11, 11, correct, 1)
    )
    assert it.evaluator.view("score", found) == (11, correct, 11)


def test_a_run_says_what_it_counted(it: Measured, rows_id: bytes) -> None:
    sender = "0x" + it.world.user("submitter").hex()
    first = it.submit(WORSE, rows_id, ROWS, 0, 2)
    found = it.certificate_id(WORSE, rows_id)
    assert it.evaluator.result("submit", first) == (4, 1)
    assert it.evaluator.events(first, "CertificateOpened") == [
        (found, WORSE, rows_id, CLASS_OF_BYTE)
    ]
    assert it.evaluator.events(first, "RowsEvaluated") == [(found, sender, 0, 4, 4, 1)]
    assert it.evaluator.events(first, "Certified") == []
    assert it.evaluator.view("score", found) == (4, 1, 11)
    second = it.submit(WORSE, rows_id, ROWS, 0, 4)
    assert it.evaluator.events(second, "CertificateOpened") == []
    assert it.evaluator.events(second, "RowsEvaluated") == [(found, sender, 0, 11, 7, 7)]
    assert it.evaluator.events(second, "Certified") == [(found, 8, 11)]


def test_nobody_can_spoil_a_run_by_sending_one_of_its_rows_first(
    it: Measured, rows_id: bytes
) -> None:
    it.submit(GOOD, rows_id, ROWS, 5, 0)
    found = it.certify(GOOD, rows_id, ROWS)
    assert it.evaluator.view("score", found) == (11, 11, 11)


def test_a_row_counts_once(it: Measured, rows_id: bytes) -> None:
    it.submit(GOOD, rows_id, ROWS, 4, 2)
    with pytest.raises(Reverted) as caught:
        it.submit(GOOD, rows_id, ROWS, 6, 1)
    assert caught.value.data == it.evaluator.error("NothingNew", 6, 2)
    found = it.certificate_id(GOOD, rows_id)
    counted = [it.evaluator.view("isCounted", found, row) for row in range(11)]
    assert counted == [False] * 4 + [True] * 4 + [False] * 3


def test_each_rule_has_its_own_count(it: Measured, rows_id: bytes) -> None:
    it.submit(GOOD, rows_id, ROWS, 0, 2)
    assert it.certificate_id(GOOD, rows_id, (INDEX, INT8, 0, 0, 0)) != it.certificate_id(
        GOOD, rows_id
    )
    other = it.certify(GOOD, rows_id, ROWS, (INDEX, INT8, 0, 0, 0))
    assert it.evaluator.view("score", other) == (11, 11, 11)
    assert it.evaluator.view("score", it.certificate_id(GOOD, rows_id)) == (4, 4, 11)


def test_runs_over_the_words_of_the_bitmap_are_counted_exactly(it: Measured) -> None:
    rows = rows_of(700)
    rows_id = it.register(rows)
    it.submit(WORSE, rows_id, rows, 255, 0)
    it.submit(WORSE, rows_id, rows, 512, 8)
    it.submit(WORSE, rows_id, rows, 0, 10)
    found = it.certificate_id(WORSE, rows_id)
    assert it.evaluator.view("score", found) == (700, 700 - 3 * 7, 700)


@settings(derandomize=True, max_examples=15, deadline=None)
@given(
    st.integers(1, 600),
    st.lists(st.tuples(st.integers(0, 599), st.integers(0, 9)), min_size=1, max_size=8),
)
def test_any_order_of_runs_counts_what_a_set_of_rows_counts(
    count: int, runs: list[tuple[int, int]]
) -> None:
    it = measured({WORSE: reader(40)})
    rows = rows_of(count)
    rows_id = it.register(rows)
    seen: set[int] = set()
    for place, tall in runs:
        height = min(tall, rows.depth)
        first = (place % count) >> height << height
        run = set(range(first, min(first + (1 << height), count)))
        if run <= seen:
            with pytest.raises(Reverted):
                it.submit(WORSE, rows_id, rows, first, height)
        else:
            it.submit(WORSE, rows_id, rows, first, height)
        seen |= run
    right = sum(row % 100 >= 40 for row in seen)
    assert it.evaluator.view("score", it.certificate_id(WORSE, rows_id)) == (
        len(seen),
        right,
        count,
    )


# What is not of the dataset


@pytest.mark.parametrize(
    ("change", "error", "values"),
    [
        pytest.param({"first": 1}, "BadRun", (1, 2, 11), id="not aligned"),
        pytest.param({"first": 12}, "BadRun", (12, 2, 11), id="after the last row"),
        pytest.param({"height": 5}, "BadRun", (4, 5, 11), id="higher than the tree"),
        pytest.param({"height": 255}, "BadRun", (4, 255, 11), id="far higher than the tree"),
        pytest.param({"rows": bytes(15)}, "BadRowsLength", (15, 16), id="a byte short"),
        pytest.param({"labels": bytes(40)}, "BadLabelsLength", (40, 32), id="a label too many"),
        pytest.param({"path": (bytes(32),)}, "BadPathLength", (1, 2), id="path too short"),
    ],
)
def test_a_run_of_the_wrong_form_is_refused_with_both_values(
    it: Measured, rows_id: bytes, change: dict[str, Any], error: str, values: tuple[int, ...]
) -> None:
    batch = replace(ROWS.batch(4, 2), **change).as_tuple()
    with pytest.raises(Reverted) as caught:
        it.evaluator.send(it.world.user("submitter"), "submit", GOOD, rows_id, CLASS_OF_BYTE, batch)
    assert caught.value.data == it.evaluator.error(error, *values)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"rows": bytes(16)}, id="other rows"),
        pytest.param({"labels": bytes(32)}, id="other labels"),
        pytest.param({"first": 0}, id="another place"),
        pytest.param({"path": (bytes(32),) * 2}, id="another path"),
    ],
)
def test_rows_that_are_not_of_the_dataset_are_refused(
    it: Measured, rows_id: bytes, change: dict[str, Any]
) -> None:
    batch = replace(ROWS.batch(4, 2), **change).as_tuple()
    with pytest.raises(Reverted) as caught:
        it.evaluator.send(it.world.user("submitter"), "submit", GOOD, rows_id, CLASS_OF_BYTE, batch)
    assert caught.value.data[:4] == selector("WrongRows(bytes32,bytes32)")
    assert caught.value.data[-32:] == ROWS.root


def test_a_dataset_that_does_not_exist_is_named(it: Measured) -> None:
    with pytest.raises(Reverted) as caught:
        it.submit(GOOD, bytes(32), ROWS, 0, 0)
    assert caught.value.data == it.datasets.error("NoDataset", bytes(32))


def test_the_publisher_cannot_give_an_index_two_rows(it: Measured) -> None:
    """The pad after the last row holds a real leaf; no path leads to it as an index of its own."""
    honest, twin = rows_of(3), Dataset([bytes([i]) + bytes(3) for i in range(4)], [0, 1, 2, 2])
    forged = it.datasets.send(
        it.world.user("publisher"), "register", twin.root, 3, ROW_BYTES, LabelType.CLASS, ""
    )
    forged_id = bytes(it.datasets.result("register", forged))
    with pytest.raises(Reverted) as caught:
        it.submit(GOOD, forged_id, twin, 3, 0)
    assert caught.value.data == it.evaluator.error("BadRun", 3, 0, 3)
    it.submit(GOOD, forged_id, twin, 2, 0)
    with pytest.raises(Reverted):
        it.submit(GOOD, forged_id, honest, 2, 0)


# What the model does


def test_a_model_must_be_active_to_open_a_certificate(it: Measured, rows_id: bytes) -> None:
    with pytest.raises(Reverted) as caught:
        it.submit(model_id(9), rows_id, ROWS, 0, 0)
    assert caught.value.data == selector("ModelNotActive()")


def test_a_model_that_retires_is_measured_no_further(it: Measured, rows_id: bytes) -> None:
    it.submit(GOOD, rows_id, ROWS, 0, 1)
    it.world.retire(GOOD)
    for height in (0, 1):
        with pytest.raises(Reverted) as caught:
            it.submit(GOOD, rows_id, ROWS, 2, height)
        assert caught.value.data == selector("ModelNotActive()")
    assert it.evaluator.view("score", it.certificate_id(GOOD, rows_id)) == (2, 2, 11)


def test_rows_that_are_no_item_of_the_input_are_refused(it: Measured) -> None:
    wide = Dataset([bytes(5)], [0])
    wide_id = it.register(wide)
    with pytest.raises(Reverted) as caught:
        it.submit(GOOD, wide_id, wide, 0, 0)
    assert caught.value.data == it.evaluator.error("WrongRowBytes", 5, ROW_BYTES)


def test_a_model_without_batches_is_measured_row_by_row_in_one_transaction(
    it: Measured, rows_id: bytes
) -> None:
    with pytest.raises(Reverted) as caught:
        it.submit(SINGLE, rows_id, ROWS, 0, 4)
    assert caught.value.data == selector("BadInputSize()")
    calls = [
        it.evaluator.abi.calldata("submit", SINGLE, rows_id, CLASS_OF_BYTE, batch.as_tuple())
        for batch in ROWS.batches(0)
    ]
    it.evaluator.send(it.world.user("submitter"), "multicall", calls)
    found = it.certificate_id(SINGLE, rows_id)
    assert it.evaluator.view("score", found) == (11, 8, 11)


REFUSED = Dataset([bytes(4), b"\x01\x00\x00\xff", b"\x02" + bytes(3)], [0, 1, 2])


def test_a_row_that_the_model_refuses_is_wrong_when_it_is_alone(it: Measured) -> None:
    refused_id = it.register(REFUSED)
    with pytest.raises(Reverted) as caught:
        it.certify(GOOD, refused_id, REFUSED)
    assert caught.value.data == selector("InputOutOfRange()")
    for row in range(3):
        it.submit(GOOD, refused_id, REFUSED, row, 0)
    found = it.certificate_id(GOOD, refused_id)
    assert it.evaluator.view("score", found) == (3, 2, 3)
    with pytest.raises(Reverted) as again:
        it.submit(GOOD, refused_id, REFUSED, 1, 0)
    assert again.value.data == it.evaluator.error("NothingNew", 1, 1)


def test_too_little_gas_for_the_model_counts_nothing(it: Measured, rows_id: bytes) -> None:
    """A certificate that is open leaves the inference alone to run out of gas."""
    it.submit(GOOD, rows_id, ROWS, 1, 0)
    full = it.submit(GOOD, rows_id, ROWS, 0, 0).gas_used
    batch = ROWS.batch(2, 0).as_tuple()
    call = (GOOD, rows_id, CLASS_OF_BYTE, batch)
    sender = it.world.user("submitter")
    for gas in range(full // 4, full - 500, 1_500):
        with pytest.raises(Reverted):
            it.evaluator.send(sender, "submit", *call, gas=gas)
    assert it.evaluator.view("score", it.certificate_id(GOOD, rows_id)) == (2, 2, 11)


def test_a_certificate_that_was_never_opened_is_named(it: Measured) -> None:
    with pytest.raises(Reverted) as caught:
        it.evaluator.view("certificate", bytes(32))
    assert caught.value.data == it.evaluator.error("NoCertificate", bytes(32))
    assert it.evaluator.view("score", bytes(32)) == (0, 0, 0)


# Rules

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
