"""Evaluator.sol in the node's own EVM: proofs, counting, and who can spoil it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_registry.datasets import Dataset, LabelType
from models_registry.selectors import selector
from tests.unit.models_registry.contract_world import Reverted
from tests.unit.models_registry.measured import (
    CLASS_OF_BYTE,
    INDEX,
    INT8,
    ROW_BYTES,
    Measured,
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
