"""VerifierEscrow.sol in the node's own EVM: jobs without traps, and who is paid."""

from dataclasses import astuple, replace
from typing import Any

import pytest
from eth_abi.abi import encode

from cvm.evm.keccak import keccak256
from models_registry.datasets import Dataset
from models_registry.selectors import selector
from tests.unit.models_registry.contract_world import RICH, Reverted
from tests.unit.models_registry.measured import ROW_BYTES, model_id, rows_of
from tests.unit.models_registry.verified import (
    ANSWER_BLOCKS,
    ANSWERED,
    CHALLENGER_BOND,
    CLAIMED,
    CLOSED,
    INPUT,
    LAST_CLAIM,
    MODEL,
    NOTHING,
    OPEN,
    PLAIN,
    REWARD,
    RIGHT,
    SALT,
    SOLVED,
    SOLVER_BOND,
    START,
    URI,
    WINDOW_BLOCKS,
    WRONG,
    Terms,
    Verified,
    verified,
)

BAD_SIZE = selector("BadInputSize()").ljust(32, b"\0")
OUT_OF_RANGE = selector("InputOutOfRange()").ljust(32, b"\0")
MISSING, HEAVY, WIDE = model_id(70), model_id(71), model_id(72)


@pytest.fixture
def it() -> Verified:
    return verified()


# The honest course


def test_a_job_says_everything_and_holds_the_reward(it: Verified) -> None:
    sender = it.world.user("requester")
    done = it.escrow.send(sender, "post", astuple(PLAIN), "ipfs://input", value=REWARD)
    terms = (MODEL, keccak256(INPUT), *astuple(PLAIN)[2:])
    assert it.escrow.events(done, "Posted") == [
        (0, it.address("requester"), terms, REWARD, "ipfs://input")
    ]
    job = it.escrow.view("jobAt", 0)
    assert job[:5] == (terms, it.address("requester"), OPEN, ROW_BYTES, REWARD)
    assert it.escrow.view("jobCount") == 1
    assert it.world.balance(it.escrow.address) == REWARD


def test_an_answer_that_nobody_challenges_is_paid_after_the_window(it: Verified) -> None:
    job = it.post()
    claimed = it.claim(job)
    due = START + ANSWER_BLOCKS
    assert it.escrow.events(claimed, "Claimed") == [(job, it.address("solver"), due)]
    it.world.height = due
    answered = it.answer(job, RIGHT)
    last = due + WINDOW_BLOCKS
    assert it.escrow.events(answered, "Answered") == [(job, it.address("solver"), RIGHT, URI, last)]
    it.world.height = last + 1
    settled = it.settle(job)
    assert it.escrow.events(settled, "Solved") == [(job, it.address("solver"), RIGHT)]
    assert it.escrow.view("answerOf", job) == RIGHT
    assert it.purses() == (0, REWARD + SOLVER_BOND, 0)


def test_what_is_owed_is_withdrawn_to_any_account(it: Verified) -> None:
    job, _ = it.answered(PLAIN, RIGHT)
    it.challenge(job)
    to = it.world.user("somebody")
    it.escrow.send(it.world.user("solver"), "withdraw", to)
    assert it.world.balance(to) == RICH + REWARD + SOLVER_BOND + CHALLENGER_BOND
    assert it.world.balance(it.escrow.address) == 0


def test_a_wrong_answer_gives_half_the_bond_to_the_challenger_and_burns_the_rest(
    it: Verified,
) -> None:
    job, _ = it.answered(PLAIN, WRONG)
    done = it.challenge(job)
    paid, burned = 2_501, 2_502
    assert it.escrow.events(done, "Judged") == [(job, it.address("challenger"), WRONG, RIGHT)]
    assert it.escrow.events(done, "Slashed") == [
        (job, it.address("solver"), it.address("challenger"), paid, burned)
    ]
    assert it.escrow.events(done, "Closed") == [(job,)]
    assert it.purses() == (REWARD, 0, paid + CHALLENGER_BOND)
    assert it.world.balance(bytes(20)) == burned
    assert it.phase(job) == CLOSED


def test_a_right_answer_gets_the_challengers_bond_at_once(it: Verified) -> None:
    job, _ = it.answered(PLAIN, RIGHT)
    done = it.challenge(job)
    assert it.escrow.events(done, "Judged") == [(job, it.address("challenger"), RIGHT, RIGHT)]
    assert it.purses() == (0, REWARD + SOLVER_BOND + CHALLENGER_BOND, 0)
    assert it.phase(job) == SOLVED


def test_a_job_that_is_reopened_takes_another_solver(it: Verified) -> None:
    job, _ = it.answered(replace(PLAIN, is_reopened=True), WRONG)
    done = it.challenge(job)
    assert it.escrow.events(done, "Reopened") == [(job,)]
    assert it.phase(job) == OPEN
    it.claim(job, person="another")
    it.answer(job, RIGHT, person="another")
    it.challenge(job)
    assert it.escrow.view("answerOf", job) == RIGHT
    assert it.owed("another") == REWARD + SOLVER_BOND + CHALLENGER_BOND


def test_a_job_past_its_last_claim_is_not_reopened(it: Verified) -> None:
    job = it.post(replace(PLAIN, is_reopened=True))
    it.world.height = LAST_CLAIM
    it.claim(job)
    it.world.height += 1
    it.answer(job, WRONG)
    it.challenge(job)
    assert it.phase(job) == CLOSED
    assert it.owed("requester") == REWARD


def test_a_requester_takes_back_a_job_that_nobody_has(it: Verified) -> None:
    job = it.post()
    it.escrow.send(it.world.user("requester"), "cancel", job)
    assert (it.phase(job), it.owed("requester")) == (CLOSED, REWARD)


@pytest.mark.parametrize("reopened", [True, False], ids=["reopened", "closed"])
def test_a_solver_that_does_not_answer_loses_its_bond_to_the_requester(
    it: Verified, reopened: bool
) -> None:
    job = it.post(replace(PLAIN, is_reopened=reopened))
    it.claim(job)
    it.world.height += ANSWER_BLOCKS
    with it.refused("NotOver", job, it.world.height):
        it.forfeit(job)
    it.world.height += 1
    with it.refused("TooLate", job, it.world.height - 1):
        it.answer(job, RIGHT)
    it.forfeit(job)
    assert it.owed("requester") == 2_501 + (0 if reopened else REWARD)
    assert it.phase(job) == (OPEN if reopened else CLOSED)


# Challenges are announced


def announcement_of(it: Verified, job: int, person: str, truth: bytes) -> bytes:
    """Return what somebody announces."""
    values = [job, it.world.user(person), truth, SALT]
    return keccak256(encode(["uint256", "address", "bytes32", "bytes32"], values))


def test_a_challenge_cannot_be_copied(it: Verified) -> None:
    job, _ = it.answered(PLAIN, WRONG)
    it.announce(job, RIGHT)
    data = it.escrow.abi.calldata("challenge", job, INPUT, SALT)
    thief = it.world.user("thief")
    with it.refused("NotAnnounced", announcement_of(it, job, "thief", RIGHT)):
        it.world.send(thief, it.escrow.address, data, value=CHALLENGER_BOND)
    it.challenge(job)
    assert (it.owed("thief"), it.owed("challenger")) == (0, 2_501 + CHALLENGER_BOND)


def test_an_announcement_without_the_true_answer_is_worth_nothing(it: Verified) -> None:
    job, _ = it.answered(PLAIN, WRONG)
    with it.refused("NotAnnounced", announcement_of(it, job, "challenger", RIGHT)):
        it.challenge(job, INPUT, keccak256(b"\x55"))


def test_an_announcement_stands_in_an_earlier_block_and_is_made_once(it: Verified) -> None:
    job, _ = it.answered(PLAIN, WRONG)
    announcement = announcement_of(it, job, "challenger", RIGHT)
    thief, height = it.world.user("thief"), it.world.height
    done = it.escrow.send(thief, "announce", announcement)
    assert it.escrow.events(done, "Announced") == [(announcement, it.address("thief"))]
    with it.refused("AlreadyAnnounced", announcement, height):
        it.escrow.send(thief, "announce", announcement)
    with it.refused("AnnouncedTooLate", announcement, height):
        it.challenge(job)
    it.world.height += 1
    it.challenge(job)
    assert it.phase(job) == CLOSED
    assert it.escrow.view("announcedAt", announcement) == 0


# Rows of a dataset


def rows_terms(it: Verified, rows: Dataset, first: int, height: int, items: int) -> Terms:
    """Return a job on rows of a dataset."""
    source = it.measured.register(rows)
    return replace(
        PLAIN, source=source, is_dataset=True, first_row=first, height=height, items=items
    )


@pytest.mark.parametrize(
    ("first", "height", "items", "output"),
    [
        pytest.param(5, 0, 1, b"\x05", id="one row"),
        pytest.param(4, 2, 4, b"\x04\x05\x06\x07", id="a run"),
        pytest.param(8, 3, 3, b"\x08\x09\x0a", id="the last, shorter run"),
    ],
)
def test_rows_of_a_dataset_are_judged_with_their_proof(
    it: Verified, first: int, height: int, items: int, output: bytes
) -> None:
    rows = rows_of(11)
    job, _ = it.answered(it.rows_terms(rows, first, height, items), WRONG)
    done = it.challenge_rows(job, rows, first, height, keccak256(output))
    assert it.escrow.events(done, "Judged")[0][3] == keccak256(output)
    assert it.phase(job) == CLOSED


def test_other_rows_than_the_jobs_are_refused(it: Verified) -> None:
    rows, other = rows_of(11), rows_of(12)
    job, _ = it.answered(it.rows_terms(rows, 4, 1, 2), WRONG)
    with it.refused("WrongRun", 6, 1, 4, 1):
        it.challenge_rows(job, rows, 6, 1)
    with it.refused("WrongRun", 4, 2, 4, 1):
        it.challenge_rows(job, rows, 4, 2)
    with pytest.raises(Reverted) as caught:
        it.challenge_rows(job, other, 4, 1)
    assert caught.value.data[:4] == selector("WrongRows(bytes32,bytes32)")
    assert caught.value.data[-32:] == rows.root
    with it.refused("WrongKindOfInput", job, True):
        it.challenge(job)


def test_a_commitment_is_not_opened_with_rows(it: Verified) -> None:
    job, _ = it.answered(PLAIN, WRONG)
    with it.refused("WrongKindOfInput", job, False):
        it.challenge_rows(job, rows_of(2), 0, 0)


# A model that is retired


@pytest.mark.parametrize("answered", [False, True], ids=["claimed", "answered"])
def test_everybody_gets_his_own_back_when_the_model_can_no_longer_judge(
    it: Verified, answered: bool
) -> None:
    job = it.post()
    it.claim(job)
    if answered:
        it.answer(job, WRONG)
    with it.refused("ModelIsActive", MODEL):
        it.annul(job)
    it.world.retire(MODEL)
    if answered:
        with it.refused("ModelNotActive"):
            it.challenge(job)
    it.annul(job)
    assert it.purses() == (REWARD, SOLVER_BOND, 0)
    assert it.phase(job) == CLOSED


def test_a_model_that_goes_after_the_window_changes_nothing(it: Verified) -> None:
    job, _ = it.answered(PLAIN, RIGHT)
    last = START + 1 + WINDOW_BLOCKS
    it.world.height = last + 1
    it.world.retire(MODEL)
    with it.refused("TooLate", job, last):
        it.annul(job)
    it.settle(job)
    assert it.owed("solver") == REWARD + SOLVER_BOND


def test_a_late_solver_is_not_saved_by_a_model_that_goes(it: Verified) -> None:
    job = it.post()
    it.claim(job)
    it.world.height += ANSWER_BLOCKS + 1
    it.world.retire(MODEL)
    with it.refused("TooLate", job, START + ANSWER_BLOCKS):
        it.annul(job)
    it.forfeit(job)
    assert it.phase(job) == CLOSED


def test_nobody_claims_a_job_of_a_model_that_is_gone(it: Verified) -> None:
    job = it.post()
    it.world.retire(MODEL)
    with it.refused("ModelNotActive"):
        it.claim(job)


# Phases


def at_phase(it: Verified, phase: int) -> int:
    """Return a job without traps in that phase."""
    job = it.post()
    if phase >= CLAIMED:
        it.claim(job)
    if phase >= ANSWERED:
        it.answer(job, RIGHT if phase == SOLVED else WRONG)
    if phase >= SOLVED:
        it.challenge(job)
    assert it.phase(job) == phase
    return job


STEPS: dict[str, set[int]] = {
    "cancel": {OPEN},
    "claim": {OPEN},
    "answer": {CLAIMED},
    "challenge": {ANSWERED},
    "settle": {ANSWERED},
    "forfeit": {CLAIMED},
    "annul": {CLAIMED, ANSWERED},
    "open": set(),
    "answerOf": {SOLVED},
}


@pytest.mark.parametrize(
    ("step", "phase"),
    [
        pytest.param(step, phase, id=f"{step} in phase {phase}")
        for step, right in STEPS.items()
        for phase in (OPEN, CLAIMED, ANSWERED, SOLVED, CLOSED)
        if phase not in right
    ],
)
def test_a_step_in_the_wrong_phase_is_refused_with_the_phase(
    it: Verified, step: str, phase: int
) -> None:
    job = at_phase(it, phase)
    steps: dict[str, Any] = {
        "cancel": lambda: it.escrow.send(it.world.user("requester"), "cancel", job),
        "claim": lambda: it.claim(job),
        "answer": lambda: it.answer(job, RIGHT),
        "challenge": lambda: it.challenge(job),
        "settle": lambda: it.settle(job),
        "forfeit": lambda: it.forfeit(job),
        "annul": lambda: it.annul(job),
        "open": lambda: it.open(job, NOTHING, RIGHT),
        "answerOf": lambda: it.escrow.view("answerOf", job),
    }
    with it.refused("WrongPhase", job, phase):
        steps[step]()


@pytest.mark.parametrize(
    "function", ["jobAt", "challengeGas", "answerOf", "settle", "forfeit", "annul", "cancel"]
)
def test_a_job_that_does_not_exist_is_named(it: Verified, function: str) -> None:
    with it.refused("NoJob", 0):
        it.escrow.send(it.world.user("anyone"), function, 0)


# Re-entrancy


@pytest.mark.parametrize("function", ["withdraw", "settle"])
def test_an_account_that_calls_back_when_it_is_paid_gains_nothing(
    it: Verified, function: str
) -> None:
    other, _ = it.answered(PLAIN, RIGHT)
    probe = it.world.deploy("ReentrantOwner")
    job = it.post()
    bond = it.escrow.abi.calldata("claim", job, NOTHING)
    anyone = it.world.user("anyone")
    probe.send(anyone, "run", it.escrow.address, bond, value=SOLVER_BOND)
    answer = it.escrow.abi.calldata("submitAnswer", job, RIGHT, NOTHING, b"", URI)
    probe.send(anyone, "run", it.escrow.address, answer)
    it.world.height += WINDOW_BLOCKS + 1
    it.settle(job)
    again = {
        "withdraw": it.escrow.abi.calldata("withdraw", probe.address),
        "settle": it.escrow.abi.calldata("settle", job),
    }[function]
    probe.send(anyone, "setCalls", [(0, again)])
    withdraw = it.escrow.abi.calldata("withdraw", probe.address)
    probe.send(anyone, "run", it.escrow.address, withdraw)
    reason = {
        "withdraw": it.escrow.error("ReentrancyGuardReentrantCall"),
        "settle": it.escrow.error("WrongPhase", job, SOLVED),
    }[function]
    assert probe.view("results") == ((False,), (reason,))
    assert it.world.balance(probe.address) == REWARD + SOLVER_BOND
    assert it.world.balance(it.escrow.address) == REWARD + SOLVER_BOND
    it.settle(other)


def test_an_account_that_refuses_ether_holds_up_nobody_but_itself(it: Verified) -> None:
    probe = it.world.deploy("ReentrantOwner")
    anyone = it.world.user("anyone")
    job, _ = it.answered(PLAIN, WRONG)
    call = it.escrow.abi.calldata("challenge", job, INPUT, SALT)
    probe.send(anyone, "setRefusesPayments", True)
    values = [job, probe.address, RIGHT, SALT]
    announcement = keccak256(encode(["uint256", "address", "bytes32", "bytes32"], values))
    it.escrow.send(anyone, "announce", announcement)
    it.world.height += 1
    probe.send(anyone, "run", it.escrow.address, call, value=CHALLENGER_BOND)
    assert it.phase(job) == CLOSED
    owed = 2_501 + CHALLENGER_BOND
    inner = it.escrow.error("PaymentRefused", "0x" + probe.address.hex(), owed)
    withdraw = it.escrow.abi.calldata("withdraw", probe.address)
    with pytest.raises(Reverted) as caught:
        probe.send(anyone, "run", it.escrow.address, withdraw)
    assert caught.value.data == inner
    assert it.escrow.view("owed", probe.address) == owed
