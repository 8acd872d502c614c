"""ModelRouter.sol in the node's own EVM: boards by certificates, and answers of several models."""

from dataclasses import dataclass
from functools import partial

import pytest

from models_registry.datasets import Dataset
from models_registry.selectors import selector
from tests.unit.models_registry.contract_world import (
    Contract,
    FakeModel,
    ItemRefused,
    Reverted,
)
from tests.unit.models_registry.measured import (
    ARGMAX,
    CLASS_OF_BYTE,
    FLOAT32,
    INT8,
    INT32,
    NEAR,
    ROW_BYTES,
    Measured,
    Rule,
    measured,
    model_id,
    reader,
    rows_of,
)

ROWS = rows_of(16)
NUMBER: Rule = (NEAR, INT8, 0, 0, 0)
FLOAT: Rule = (NEAR, FLOAT32, 0, 0, 0)
ANY = bytes(ROW_BYTES)


@dataclass(slots=True)
class Routed:
    """A router over models; model n is wrong on the rows below n."""

    measured: Measured
    router: Contract
    rows_id: bytes

    @property
    def sender(self) -> bytes:
        return self.measured.world.user("anyone")

    def certify(self, number: int) -> None:
        self.measured.certify(model_id(number), self.rows_id, ROWS)

    def enter(self, number: int) -> list[tuple[object, ...]]:
        done = self.router.send(self.sender, "enter", model_id(number), self.rows_id, CLASS_OF_BYTE)
        return [event[1:] for event in self.router.events(done, "Seated")]

    def board(self) -> list[tuple[int, int]]:
        seats = self.router.view("board", self.rows_id, CLASS_OF_BYTE)
        return [(int.from_bytes(model, "big"), correct) for model, correct in seats]

    def board_id(self) -> bytes:
        return bytes(self.router.view("boardId", self.rows_id, CLASS_OF_BYTE))


@pytest.fixture
def it() -> Routed:
    found = measured({model_id(n): reader(n) for n in range(12)})
    router = found.world.deploy("ModelRouter", found.evaluator.address)
    return Routed(found, router, found.register(ROWS))


def entered(it: Routed, *numbers: int) -> None:
    for number in numbers:
        it.certify(number)
        it.enter(number)


def test_a_board_is_in_the_order_of_right_answers(it: Routed) -> None:
    entered(it, 5, 1, 9)
    assert it.board() == [(1, 15), (5, 11), (9, 7)]
    it.certify(4)
    assert it.enter(4) == [(model_id(4), 12, 1)]
    assert it.board() == [(1, 15), (4, 12), (5, 11), (9, 7)]


def test_of_equally_good_models_the_first_stays_ahead(it: Routed) -> None:
    it.measured.world.models[model_id(50)] = reader(5)
    entered(it, 5, 50, 1)
    assert it.board() == [(1, 15), (5, 11), (50, 11)]


def test_a_full_board_drops_its_least_for_a_better_one_only(it: Routed) -> None:
    entered(it, 2, 3, 4, 5, 6, 7, 8, 9)
    it.certify(9 + 1)
    with pytest.raises(Reverted) as caught:
        it.enter(10)
    assert caught.value.data == it.router.error("NotBetter", 6, 7)
    it.measured.world.models[model_id(90)] = reader(9)
    it.certify(90)
    with pytest.raises(Reverted) as equal:
        it.enter(90)
    assert equal.value.data == it.router.error("NotBetter", 7, 7)
    entered(it, 1)
    assert [number for number, _ in it.board()] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_models_that_retired_make_room(it: Routed) -> None:
    entered(it, 2, 3, 4, 5, 6, 7, 8, 9)
    for number in (2, 6, 9):
        it.measured.world.retire(model_id(number))
    it.certify(11)
    done = it.router.send(it.sender, "enter", model_id(11), it.rows_id, CLASS_OF_BYTE)
    left = [model for _, model in it.router.events(done, "Unseated")]
    assert left == [model_id(2), model_id(6), model_id(9)]
    assert [number for number, _ in it.board()] == [3, 4, 5, 7, 8, 11]


@pytest.mark.parametrize("rows", [0, 15], ids=["no row counted", "a row short"])
def test_only_a_complete_certificate_opens_a_board(it: Routed, rows: int) -> None:
    for row in range(rows):
        it.measured.submit(model_id(1), it.rows_id, ROWS, row, 0)
    found = it.measured.certificate_id(model_id(1), it.rows_id)
    with pytest.raises(Reverted) as caught:
        it.enter(1)
    expected = it.router.error("NotCertified", found, rows, 16 if rows else 0)
    assert caught.value.data == expected


def test_a_model_takes_one_seat(it: Routed) -> None:
    entered(it, 3, 1)
    with pytest.raises(Reverted) as caught:
        it.enter(3)
    assert caught.value.data == it.router.error("AlreadySeated", model_id(3), 1)


def test_a_retired_model_takes_none(it: Routed) -> None:
    it.certify(1)
    it.measured.world.retire(model_id(1))
    with pytest.raises(Reverted) as caught:
        it.enter(1)
    assert caught.value.data == selector("ModelNotActive()")


def test_a_question_goes_to_the_best_active_model(it: Routed) -> None:
    entered(it, 9, 1)
    item = b"\x05" + bytes(3)
    call = (it.rows_id, CLASS_OF_BYTE)
    assert it.router.view("infer", *call, item) == (model_id(1), b"\x05")
    it.measured.world.retire(model_id(1))
    assert it.router.view("best", *call) == model_id(9)
    assert it.router.view("infer", *call, item) == (model_id(9), b"\x85")
    it.measured.world.retire(model_id(9))
    with pytest.raises(Reverted) as caught:
        it.router.view("infer", *call, item)
    assert caught.value.data == it.router.error("NoActiveModel", it.board_id())


def test_a_model_error_of_the_best_is_passed_on(it: Routed) -> None:
    entered(it, 1)
    with pytest.raises(Reverted) as caught:
        it.router.view("infer", it.rows_id, CLASS_OF_BYTE, b"\x00")
    assert caught.value.data == selector("BadInputSize()")


def test_a_boards_majority_asks_the_best_active_ones(it: Routed) -> None:
    entered(it, 1, 6, 7, 8)
    item = b"\x05" + bytes(3)  # models above 5 read 0x85 in it
    call = (it.rows_id, CLASS_OF_BYTE)
    assert it.router.view("majority", *call, 1, item) == (5, 1, 1)
    assert it.router.view("majority", *call, 3, item) == (0x85, 2, 3)
    assert it.router.view("majority", *call, 8, item) == (0x85, 3, 4)
    it.measured.world.retire(model_id(7))
    assert it.router.view("majority", *call, 2, item) == (5, 1, 2)


# Ensembles of one's own choice


def says(it: Routed, *outputs: bytes | None) -> list[bytes]:
    """Return models that give these outputs to everything; None refuses."""
    ids = [model_id(100 + i) for i in range(len(outputs))]
    for each, output in zip(ids, outputs, strict=True):
        model = FakeModel(partial(say, output), ROW_BYTES, len(output or b"1"))
        it.measured.world.models[each] = model
    return ids


def say(output: bytes | None, _item: bytes) -> bytes:
    if output is None:
        raise ItemRefused
    return output


@pytest.mark.parametrize(
    ("outputs", "answer"),
    [
        pytest.param((1,), (1, 1, 1), id="one"),
        pytest.param((1, 2, 2), (2, 2, 3), id="two of three"),
        pytest.param((3, 1, 1, 3), (3, 2, 4), id="a tie goes to the first listed"),
        pytest.param((7, 8, 9), (7, 1, 3), id="no two agree"),
        pytest.param((None, 4, None, 4, 5), (4, 2, 3), id="refusals have no vote"),
        pytest.param((255, 255, 0), (255, 2, 3), id="largest class"),
    ],
)
def test_a_majority_is_the_class_with_most_votes(
    it: Routed, outputs: tuple[int | None, ...], answer: tuple[int, int, int]
) -> None:
    ids = says(it, *[None if each is None else bytes([each]) for each in outputs])
    assert it.router.view("majorityOf", ids, CLASS_OF_BYTE, ANY) == answer


def test_a_majority_of_argmax_counts_places(it: Routed) -> None:
    ids = says(it, b"\x01\x02\x03", b"\x09\x02\x03", b"\x00\x00\x01")
    rule = (ARGMAX, INT8, 0, 3, 0)
    assert it.router.view("majorityOf", ids, rule, ANY) == (2, 2, 3)


@pytest.mark.parametrize(
    ("outputs", "answer"),
    [
        pytest.param((5,), (5, 1), id="one"),
        pytest.param((9, 1, 5), (5, 3), id="the middle"),
        pytest.param((9, 1, 5, 4), (4, 4), id="the lower one of two in the middle"),
        pytest.param((-3, 100, -128, 127, 0), (0, 5), id="signed"),
        pytest.param((None, 2, 1, None, 3), (2, 3), id="refusals do not count"),
        pytest.param((7, 7, 7, 1), (7, 4), id="equal ones"),
    ],
)
def test_a_median_is_the_middle_answer(
    it: Routed, outputs: tuple[int | None, ...], answer: tuple[int, int]
) -> None:
    ids = says(
        it, *[None if each is None else each.to_bytes(1, "big", signed=True) for each in outputs]
    )
    assert it.router.view("medianOf", ids, NUMBER, ANY) == answer


def test_a_median_of_floats_is_in_the_order_of_floats(it: Routed) -> None:
    bits = (0x3F800000, 0xC0000000, 0x7FC00000, 0xBF800000, 0x40000000)  # 1, -2, NaN, -1, 2
    ids = says(it, *[each.to_bytes(4, "big") for each in bits])
    assert it.router.view("medianOf", ids, FLOAT, ANY) == (0x3F800000, 5)
    assert it.router.view("medianOf", ids[:2] + ids[3:4], FLOAT, ANY) == (0xBF800000, 3)
    assert it.router.view("medianOf", ids[2:3], FLOAT, ANY) == (0x7FC00000, 1)


def test_a_boards_median_asks_the_best_active_ones(it: Routed) -> None:
    numbers = Dataset([bytes([i]) + bytes(3) for i in range(4)], [0, 1, 2, 3])
    numbers_id = it.measured.register(numbers, label_type=1)  # type: ignore[arg-type]
    for n in (0, 1, 3):
        it.measured.certify(model_id(n), numbers_id, numbers, NUMBER)
        it.router.send(it.sender, "enter", model_id(n), numbers_id, NUMBER)
    item = b"\x02" + bytes(3)  # model 3 reads it as -126
    assert it.router.view("median", numbers_id, NUMBER, 3, item) == (2, 3)
    assert it.router.view("median", numbers_id, NUMBER, 1, item) == (2, 1)


@pytest.mark.parametrize(
    ("function", "rule"), [("majorityOf", NUMBER), ("medianOf", CLASS_OF_BYTE)]
)
def test_classes_have_no_median_and_numbers_no_majority(
    it: Routed, function: str, rule: Rule
) -> None:
    with pytest.raises(Reverted) as caught:
        it.router.view(function, says(it, b"1"), rule, ANY)
    assert caught.value.data == it.router.error("WrongKind", rule[0])


@pytest.mark.parametrize("count", [0, 17])
def test_an_ensemble_has_one_to_sixteen_models(it: Routed, count: int) -> None:
    with pytest.raises(Reverted) as caught:
        it.router.view("majorityOf", [model_id(1)] * count, CLASS_OF_BYTE, ANY)
    assert caught.value.data == it.router.error("BadEnsemble", count, 16)


@pytest.mark.parametrize("count", [0, 9])
def test_a_board_is_asked_for_one_to_eight_models(it: Routed, count: int) -> None:
    with pytest.raises(Reverted) as caught:
        it.router.view("majority", it.rows_id, CLASS_OF_BYTE, count, ANY)
    assert caught.value.data == it.router.error("BadEnsemble", count, 8)


def test_no_answer_at_all_is_an_error(it: Routed) -> None:
    with pytest.raises(Reverted) as caught:
        it.router.view("majorityOf", says(it, None, None), CLASS_OF_BYTE, ANY)
    assert caught.value.data == it.router.error("NoAnswer")


def test_an_output_that_the_rule_does_not_fit_is_refused(it: Routed) -> None:
    with pytest.raises(Reverted) as caught:
        it.router.view("medianOf", says(it, b"123"), (NEAR, INT32, 0, 0, 0), ANY)
    assert caught.value.data == it.router.error("OutsideOutput", 4, 3)


def test_too_little_gas_reverts_and_loses_no_vote(it: Routed) -> None:
    """A caller with less gas gets the same answer or none."""
    ids = says(it, *[b"\x01"] * 3, *[b"\x02"] * 4)
    full = it.router.send(it.sender, "majorityOf", ids, CLASS_OF_BYTE, ANY)
    answers = set()
    for gas in range(full.gas_used // 3, full.gas_used + 2_000, 250):
        try:
            done = it.router.send(it.sender, "majorityOf", ids, CLASS_OF_BYTE, ANY, gas=gas)
        except Reverted:
            continue
        answers.add(it.router.result("majorityOf", done))
    assert answers == {(2, 4, 7)}
