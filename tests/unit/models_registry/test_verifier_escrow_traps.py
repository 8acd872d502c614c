"""VerifierEscrow.sol with traps: wrong answers that the draw asked for, and who reports them."""

from dataclasses import replace
from typing import Any

import pytest

from cvm.evm.keccak import keccak256
from tests.unit.models_registry.contract_world import Reverted, block_hash
from tests.unit.models_registry.verified import (
    ACCUSED,
    ANSWER_BLOCKS,
    ANSWERED,
    CHALLENGER_BOND,
    CLOSED,
    EVERY_TIME,
    JACKPOT,
    OPEN,
    REWARD,
    RIGHT,
    SOLVED,
    SOLVER_BOND,
    START,
    WINDOW_BLOCKS,
    WRONG,
    Terms,
    Verified,
    draw,
    seal_of,
    secret_for,
    verified,
)

SELDOM = Terms(trap_odds=4, jackpot=JACKPOT)
SECRET = secret_for(4, START, drawn=False)
"""With a claim at the first height it draws nothing."""

PAID, BURNED = 2_000, 2_001
"""Of the jackpot."""

WINDOW_END = START + 1 + WINDOW_BLOCKS


@pytest.fixture
def it() -> Verified:
    return verified()


def quiet(it: Verified, answer: bytes, *, sealed: bytes = RIGHT) -> int:
    """Return a job that was answered although nothing was drawn."""
    job = it.post(SELDOM)
    it.claim(job, SECRET)
    it.world.height += 1
    it.answer(job, answer, seal_of(job, sealed, SECRET))
    return job


def test_who_reports_a_trap_gets_the_jackpot_and_the_solver_the_reward(it: Verified) -> None:
    job, secret = it.answered(EVERY_TIME, WRONG)
    it.challenge(job)
    assert it.phase(job) == ACCUSED
    assert it.purses() == (0, 0, CHALLENGER_BOND)
    done = it.open(job, secret, RIGHT)
    assert it.escrow.events(done, "Opened") == [(job, RIGHT, True)]
    assert it.escrow.events(done, "JackpotPaid") == [(job, it.address("challenger"), PAID, BURNED)]
    assert it.escrow.events(done, "Solved") == [(job, it.address("solver"), RIGHT)]
    assert it.purses() == (0, REWARD + SOLVER_BOND - JACKPOT, CHALLENGER_BOND + PAID)
    assert it.world.balance(bytes(20)) == BURNED


def test_a_trap_that_nobody_reports_is_replaced_by_the_true_answer(it: Verified) -> None:
    job, secret = it.answered(EVERY_TIME, WRONG)
    it.world.height = WINDOW_END + 1
    done = it.open(job, secret, RIGHT, uri="ipfs://truth")
    end = it.world.height + WINDOW_BLOCKS
    assert it.escrow.events(done, "Opened") == [(job, RIGHT, True)]
    assert it.escrow.events(done, "Answered") == [
        (job, it.address("solver"), RIGHT, "ipfs://truth", end)
    ]
    it.world.height = end
    with it.refused("NotOver", job, end):
        it.settle(job)
    it.world.height += 1
    it.settle(job)
    assert it.escrow.view("answerOf", job) == RIGHT
    assert it.purses() == (0, REWARD + SOLVER_BOND, 0)


def test_the_answer_after_a_trap_is_judged_like_any_other(it: Verified) -> None:
    other = keccak256(b"\x55")
    job, secret = it.answered(EVERY_TIME, WRONG, truth=other)
    it.world.height = WINDOW_END + 1
    it.open(job, secret, other)
    it.challenge(job)
    assert it.phase(job) == CLOSED
    assert it.purses() == (REWARD, 0, CHALLENGER_BOND + 2_501)


def test_a_right_answer_without_a_trap_is_paid_when_its_seal_is_opened(it: Verified) -> None:
    job = quiet(it, RIGHT)
    it.world.height = WINDOW_END
    with it.refused("NotOver", job, WINDOW_END):
        it.open(job, SECRET, RIGHT)
    it.world.height += 1
    with it.refused("SealNotOpened", job):
        it.settle(job)
    done = it.open(job, SECRET, RIGHT, uri="")
    assert it.escrow.events(done, "Opened") == [(job, RIGHT, False)]
    assert it.phase(job) == SOLVED
    assert it.purses() == (0, REWARD + SOLVER_BOND, 0)


def test_a_right_answer_that_was_challenged_can_be_opened_at_once(it: Verified) -> None:
    job = quiet(it, RIGHT)
    it.challenge(job)
    assert (it.phase(job), it.owed("solver")) == (ANSWERED, CHALLENGER_BOND)
    with it.refused("AlreadyProven", job):
        it.challenge(job)
    it.world.retire(SELDOM.model_id)
    with it.refused("AlreadyProven", job):
        it.annul(job)
    it.open(job, SECRET, RIGHT)
    assert it.purses() == (0, REWARD + SOLVER_BOND + CHALLENGER_BOND, 0)


# Solvers that do not play by the draw


def expect_loss(it: Verified, job: int, to: str) -> None:
    """Expect that the solver can do nothing but lose its bond."""
    it.world.height = WINDOW_END + ANSWER_BLOCKS + 1
    before = it.owed(to)
    done = it.forfeit(job)
    slashed = (job, it.address("solver"), it.address(to), 2_501, 2_502)
    assert it.escrow.events(done, "Slashed") == [slashed]
    assert it.owed(to) == before + 2_501 + (REWARD if to == "requester" else 0)
    assert it.owed("solver") in (0, CHALLENGER_BOND)
    assert it.phase(job) == CLOSED


@pytest.mark.parametrize("sealed", [RIGHT, WRONG], ids=["truth sealed", "lie sealed"])
def test_a_wrong_answer_that_was_not_drawn_is_no_trap(it: Verified, sealed: bytes) -> None:
    job = quiet(it, WRONG, sealed=sealed)
    it.challenge(job)
    with it.refused("NotAsDrawn", job, False):
        it.open(job, SECRET, sealed)
    expect_loss(it, job, "challenger")


def test_a_wrong_answer_that_was_not_drawn_cannot_be_replaced_later(it: Verified) -> None:
    job = quiet(it, WRONG)
    it.world.height = WINDOW_END + 1
    with it.refused("NotAsDrawn", job, False):
        it.open(job, SECRET, RIGHT)
    expect_loss(it, job, "requester")


def test_a_trap_whose_seal_holds_no_truth_is_no_trap(it: Verified) -> None:
    lie = keccak256(b"\x55")
    job, secret = it.answered(EVERY_TIME, WRONG, truth=lie)
    it.challenge(job)
    with it.refused("NotAsDrawn", job, True):
        it.open(job, secret, lie)
    expect_loss(it, job, "challenger")


@pytest.mark.parametrize("challenged", [False, True], ids=["unchallenged", "challenged"])
def test_a_solver_that_gives_no_wrong_answer_when_it_is_drawn_is_not_paid(
    it: Verified, challenged: bool
) -> None:
    job, secret = it.answered(EVERY_TIME, RIGHT)
    if challenged:
        it.challenge(job)
    else:
        it.world.height = WINDOW_END + 1
    with it.refused("NotAsDrawn", job, True):
        it.open(job, secret, RIGHT)
    expect_loss(it, job, "requester")


def test_a_right_answer_with_a_lie_sealed_is_not_replaced_once_it_is_proven(it: Verified) -> None:
    job, secret = it.answered(EVERY_TIME, RIGHT, truth=WRONG)
    it.challenge(job)
    with it.refused("NotAsDrawn", job, True):
        it.open(job, secret, WRONG)


def test_a_job_that_is_reopened_draws_again(it: Verified) -> None:
    job, _ = it.answered(replace(EVERY_TIME, is_reopened=True), WRONG, truth=keccak256(b"\x55"))
    it.challenge(job)
    it.world.height += ANSWER_BLOCKS + 1
    it.forfeit(job)
    assert it.phase(job) == OPEN
    assert it.escrow.view("jobAt", job)[5][1:] == (0, "0x" + "00" * 20, 0, False, False) + (
        (bytes(32),) * 5
    )
    secret = secret_for(1, it.world.height)
    it.claim(job, secret)
    it.world.height += 1
    it.answer(job, WRONG, seal_of(job, RIGHT, secret))
    it.challenge(job)
    it.open(job, secret, RIGHT)
    assert it.escrow.view("answerOf", job) == RIGHT


# What is refused


def test_an_opening_must_be_the_sealed_one(it: Verified) -> None:
    job, secret = it.answered(EVERY_TIME, WRONG)
    it.challenge(job)
    other = b"\x07" * 32
    with it.refused("WrongSecret", keccak256(other), keccak256(secret)):
        it.open(job, other, RIGHT)
    with it.refused("WrongSeal", seal_of(job, WRONG, secret), seal_of(job, RIGHT, secret)):
        it.open(job, secret, WRONG)
    with it.refused("NotTheSolver", it.address("anyone"), it.address("solver")):
        it.open(job, secret, RIGHT, person="anyone")
    with it.refused("OutputMissing", job):
        it.open(job, secret, RIGHT, uri="")
    with it.refused("WrongOutput", WRONG, RIGHT):
        it.open(job, secret, RIGHT, output=b"\x08")
    it.open(job, secret, RIGHT, output=b"\x09", uri="")


def test_an_opening_has_a_last_block(it: Verified) -> None:
    accused, secret = it.answered(EVERY_TIME, WRONG)
    it.challenge(accused)
    last = it.world.height + ANSWER_BLOCKS
    it.world.height = last
    with it.refused("NotOver", accused, last):
        it.forfeit(accused)
    it.world.height += 1
    with it.refused("TooLate", accused, last):
        it.open(accused, secret, RIGHT)
    it.forfeit(accused)
    assert it.phase(accused) == CLOSED


def test_an_opening_after_the_window_has_a_last_block_too(it: Verified) -> None:
    job = quiet(it, RIGHT)
    last = WINDOW_END + ANSWER_BLOCKS
    it.world.height = last
    with it.refused("NotOver", job, last):
        it.forfeit(job)
    it.world.height += 1
    with it.refused("TooLate", job, last):
        it.open(job, SECRET, RIGHT)
    it.world.height = last
    it.open(job, SECRET, RIGHT)


def test_the_hash_of_the_claims_block_is_not_known_in_that_block(it: Verified) -> None:
    job = it.post(EVERY_TIME)
    it.claim(job, SECRET)
    with it.refused("TooEarly", START):
        it.answer(job, WRONG, seal_of(job, RIGHT, SECRET))


def test_the_draw_is_the_hash_of_secret_and_block_even_at_the_longest_answer(it: Verified) -> None:
    terms = replace(EVERY_TIME, answer_blocks=256)
    job = it.post(terms)
    it.claim(job, SECRET)
    it.world.height += 256
    it.answer(job, WRONG, seal_of(job, RIGHT, SECRET))
    assert it.escrow.view("jobAt", job)[5][7] == block_hash(START)


@pytest.mark.parametrize("odds", [1, 2, 7, 2**32 - 1], ids=str)
def test_a_draw_is_a_remainder_of_zero(it: Verified, odds: int) -> None:
    for number in range(20):
        secret, seed = number.to_bytes(32, "big"), block_hash(number)
        is_drawn = draw(secret, seed) % odds == 0
        assert it.escrow.view("isDrawn", secret, seed, odds) is is_drawn
    assert it.escrow.view("sealOf", 3, RIGHT, SECRET) == seal_of(3, RIGHT, SECRET)


def test_a_trap_is_annulled_with_its_model_only_before_it_is_reported(it: Verified) -> None:
    reported, secret = it.answered(EVERY_TIME, WRONG)
    it.world.height = START
    unreported, _ = it.answered(EVERY_TIME, WRONG)
    it.challenge(reported)
    it.world.retire(EVERY_TIME.model_id)
    with it.refused("WrongPhase", reported, ACCUSED):
        it.annul(reported)
    it.annul(unreported)
    it.open(reported, secret, RIGHT)
    assert it.owed("solver") == SOLVER_BOND + REWARD + SOLVER_BOND - JACKPOT


@pytest.mark.parametrize(
    "step",
    [
        lambda it, job: it.challenge(job),
        lambda it, job: it.settle(job),
        lambda it, job: it.claim(job),
        lambda it, job: it.answer(job, RIGHT),
    ],
    ids=["challenge", "settle", "claim", "answer"],
)
def test_an_accused_answer_waits_for_the_opening_alone(it: Verified, step: Any) -> None:
    job, _ = it.answered(EVERY_TIME, WRONG)
    it.challenge(job)
    with pytest.raises(Reverted) as caught:
        step(it, job)
    assert caught.value.data == it.escrow.error("WrongPhase", job, ACCUSED)


def test_a_solver_that_reports_itself_pays_half_the_jackpot(it: Verified) -> None:
    job, secret = it.answered(EVERY_TIME, WRONG)
    it.challenge(job, person="solver")
    it.open(job, secret, RIGHT)
    assert it.owed("solver") == REWARD + SOLVER_BOND + CHALLENGER_BOND - BURNED
