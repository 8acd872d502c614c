"""What VerifierEscrow.sol refuses, with the values that it compared."""

from dataclasses import replace
from typing import Any

import pytest

from cvm.evm.keccak import keccak256
from models_registry.datasets import Dataset
from models_registry.selectors import selector
from tests.unit.models_registry.contract_world import Reverted
from tests.unit.models_registry.measured import ROW_BYTES, model_id, rows_of
from tests.unit.models_registry.verified import (
    ANSWERED,
    CHALLENGER_BOND,
    CLOSED,
    INPUT,
    JACKPOT,
    LAST_CLAIM,
    NOTHING,
    PLAIN,
    REFUSED,
    RIGHT,
    SALT,
    SINGLE,
    SOLVER_BOND,
    START,
    URI,
    WINDOW_BLOCKS,
    WRONG,
    Verified,
    verified,
)

BAD_SIZE = selector("BadInputSize()").ljust(32, b"\0")
OUT_OF_RANGE = selector("InputOutOfRange()").ljust(32, b"\0")
MISSING, HEAVY, WIDE = model_id(70), model_id(71), model_id(72)


@pytest.fixture
def it() -> Verified:
    return verified()


# What is refused


def test_an_input_that_is_not_the_committed_one_is_refused(it: Verified) -> None:
    job, _ = it.answered(PLAIN, WRONG)
    with it.refused("WrongInput", keccak256(REFUSED), keccak256(INPUT)):
        it.challenge(job, REFUSED)


def test_a_window_includes_its_last_block(it: Verified) -> None:
    job, _ = it.answered(PLAIN, WRONG)
    last = START + 1 + WINDOW_BLOCKS
    it.world.height = last
    it.announce(job, RIGHT)
    with it.refused("NotOver", job, last):
        it.settle(job)
    it.world.height = last + 1
    with it.refused("TooLate", job, last):
        it.challenge(job)
    it.world.height = last
    it.challenge(job)
    assert it.phase(job) == CLOSED


def test_a_claim_is_taken_up_to_its_last_block(it: Verified) -> None:
    late, intime = it.post(), it.post()
    it.world.height = LAST_CLAIM
    it.claim(intime)
    it.world.height += 1
    with it.refused("LastClaimPassed", LAST_CLAIM, LAST_CLAIM + 1):
        it.claim(late)


@pytest.mark.parametrize(
    ("change", "error", "values"),
    [
        pytest.param({"answer_blocks": 0}, "BadBlocks", (0, 1, 256), id="no time to answer"),
        pytest.param({"answer_blocks": 257}, "BadBlocks", (257, 1, 256), id="too long to answer"),
        pytest.param({"window_blocks": 1}, "BadBlocks", (1, 2, 1 << 20), id="no block to announce"),
        pytest.param(
            {"window_blocks": (1 << 20) + 1},
            "BadBlocks",
            ((1 << 20) + 1, 2, 1 << 20),
            id="long window",
        ),
        pytest.param({"last_claim": 99}, "LastClaimPassed", (99, START), id="in the past"),
        pytest.param({"solver_bond": 0}, "NoBond", (), id="no bond"),
        pytest.param({"trap_odds": 3}, "BadTrap", (3, 0, SOLVER_BOND), id="trap without jackpot"),
        pytest.param({"jackpot": 3}, "BadTrap", (0, 3, SOLVER_BOND), id="jackpot without trap"),
        pytest.param(
            {"trap_odds": 3, "jackpot": SOLVER_BOND + 1},
            "BadTrap",
            (3, SOLVER_BOND + 1, SOLVER_BOND),
            id="jackpot above the bond",
        ),
        pytest.param({"model_id": MISSING}, "ModelNotActive", (), id="no model"),
        pytest.param({"items": 0}, "BadInputSize", (), id="no items"),
        pytest.param({"items": 4_097}, "BadInputSize", (), id="too many items"),
        pytest.param({"model_id": SINGLE, "items": 2}, "BadInputSize", (), id="not batchable"),
        pytest.param({"first_row": 1}, "WrongRun", (1, 0, 0, 0), id="row of no dataset"),
        pytest.param({"height": 1}, "WrongRun", (0, 1, 0, 0), id="run of no dataset"),
        pytest.param({"is_dataset": True}, "NoDataset", (keccak256(INPUT),), id="no dataset"),
    ],
)
def test_terms_that_are_none_are_refused_with_their_values(
    it: Verified, change: dict[str, Any], error: str, values: tuple[Any, ...]
) -> None:
    contract = it.measured.datasets if error == "NoDataset" else it.escrow
    with pytest.raises(Reverted) as caught:
        it.post(replace(PLAIN, **change))
    assert caught.value.data == contract.error(error, *values)


def test_rows_that_are_no_items_of_the_model_are_refused(it: Verified) -> None:
    terms = it.rows_terms(rows_of(11), 8, 3, 4)
    with it.refused("WrongItems", 4, 3):
        it.post(terms)
    with it.refused("BadRun", 12, 2, 11):
        it.post(replace(terms, first_row=12, height=2))
    wide = it.rows_terms(Dataset([bytes(5)], [0]), 0, 0, 1)
    with it.refused("WrongRowBytes", 5, ROW_BYTES):
        it.post(wide)


@pytest.mark.parametrize(
    "change",
    [
        {"answer_blocks": 256},
        {"window_blocks": 1 << 20},
        {"window_blocks": 2},
        {"last_claim": START},
        {"trap_odds": 1, "jackpot": SOLVER_BOND},
        {"challenger_bond": 0},
    ],
    ids=[
        "longest answer",
        "longest window",
        "shortest window",
        "last block",
        "largest jackpot",
        "no challenger bond",
    ],
)
def test_terms_at_a_limit_are_taken(it: Verified, change: dict[str, Any]) -> None:
    it.post(replace(PLAIN, **change), uri="u" * 256)
    assert it.escrow.view("jobCount") == 1


def test_every_payment_must_be_exact(it: Verified) -> None:
    job = it.post()
    for value in (0, SOLVER_BOND - 1, SOLVER_BOND + 1):
        with it.refused("WrongPayment", value, SOLVER_BOND):
            it.escrow.send(it.world.user("solver"), "claim", job, NOTHING, value=value)
    it.claim(job)
    it.answer(job, WRONG)
    for value in (0, CHALLENGER_BOND - 1, CHALLENGER_BOND + 1):
        with it.refused("WrongPayment", value, CHALLENGER_BOND):
            it.escrow.send(it.world.user("anyone"), "challenge", job, INPUT, SALT, value=value)


def test_only_the_requester_cancels_and_only_the_solver_answers(it: Verified) -> None:
    job = it.post()
    with it.refused("NotTheRequester", it.address("anyone"), it.address("requester")):
        it.escrow.send(it.world.user("anyone"), "cancel", job)
    it.claim(job)
    with it.refused("NotTheSolver", it.address("anyone"), it.address("solver")):
        it.answer(job, RIGHT, person="anyone")


def test_a_secret_goes_with_traps_and_with_nothing_else(it: Verified) -> None:
    plain, trap = it.post(), it.post(replace(PLAIN, trap_odds=3, jackpot=JACKPOT))
    with it.refused("WrongSecretHash", keccak256(b"\1" * 32), 0):
        it.claim(plain, b"\1" * 32)
    with it.refused("WrongSecretHash", NOTHING, 3):
        it.claim(trap)


@pytest.mark.parametrize(
    ("on_chain", "output", "uri", "error"),
    [
        pytest.param(False, b"", URI, None, id="uri"),
        pytest.param(False, b"\x09", "", None, id="output"),
        pytest.param(True, b"\x09", "", None, id="output on the chain"),
        pytest.param(False, b"", "", ("OutputMissing", 0), id="neither"),
        pytest.param(True, b"", URI, ("OutputMissing", 0), id="uri where the chain is wanted"),
        pytest.param(False, b"\x08", URI, ("WrongOutput", WRONG, RIGHT), id="another output"),
        pytest.param(False, b"\x09", "u" * 257, ("UriTooLong", 257, 256), id="long uri"),
    ],
)
def test_an_answer_comes_with_its_output(
    it: Verified, on_chain: bool, output: bytes, uri: str, error: tuple[Any, ...] | None
) -> None:
    job = it.post(replace(PLAIN, is_on_chain=on_chain))
    it.claim(job)
    if error is None:
        it.answer(job, RIGHT, output=output, uri=uri)
        assert it.phase(job) == ANSWERED
    else:
        with it.refused(*error):
            it.answer(job, RIGHT, output=output, uri=uri)
