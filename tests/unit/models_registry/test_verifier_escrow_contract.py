"""VerifierEscrow.sol in the node's own EVM: who is paid, who is slashed, and by what proof."""

from collections.abc import Callable
from typing import Any

import pytest

from models_registry.datasets import Dataset
from models_registry.registry_calls import selector
from tests.unit.models_registry.escrow_world import (
    CHALLENGE_BLOCKS,
    FEES,
    FRAUD,
    INPUTS,
    ITEMS,
    LATE,
    MISSING,
    MODEL,
    NOBODY,
    OPEN,
    PAID,
    PEOPLE,
    RIGHT,
    SALT,
    SOLVE_BLOCKS,
    SOLVED,
    SOLVER_BOND,
    SOLVER_FEE,
    SOLVING,
    VERIFIER_BOND,
    VERIFIER_FEE,
    VOID,
    WITHDRAWN,
    Escrow,
    escrow,
    wrong,
)
from tests.unit.models_registry.library_world import (
    Reverted,
)


@pytest.fixture
def it() -> Escrow:
    return escrow()


def test_right_answers_that_nobody_challenged_are_paid(it: Escrow) -> None:
    it.solved(RIGHT, is_vouched=True)
    it.world.height += CHALLENGE_BLOCKS + 1
    done = it.send("anyone", "finalize", 0)
    assert it.escrow.events(done, "Ended") == [(0, PAID)]
    assert it.owed(*PEOPLE) == (
        0,
        SOLVER_FEE + SOLVER_BOND,
        VERIFIER_FEE + VERIFIER_BOND,
        0,
    )


def test_a_job_without_verifier_gives_his_fee_back(it: Escrow) -> None:
    it.solved(RIGHT)
    it.world.height += CHALLENGE_BLOCKS + 1
    it.send("anyone", "finalize", 0)
    assert it.owed(*PEOPLE) == (VERIFIER_FEE, SOLVER_FEE + SOLVER_BOND, 0, 0)


def test_the_answers_are_published_with_their_root(it: Escrow) -> None:
    it.post()
    it.accept()
    done = it.solve(RIGHT)
    root = Dataset(RIGHT, [0] * 5).root
    assert it.escrow.events(done, "Solved") == [(0, root, b"".join(RIGHT), 1 + CHALLENGE_BLOCKS)]


@pytest.mark.parametrize("index", range(5))
@pytest.mark.parametrize("is_vouched", [False, True], ids=["alone", "vouched"])
def test_one_wrong_answer_takes_the_bonds(it: Escrow, index: int, is_vouched: bool) -> None:
    it.solved(wrong(index), is_vouched=is_vouched)
    it.announce("whistle-blower", index, RIGHT[index])
    burned = it.world.balance(NOBODY)
    done = it.challenge("whistle-blower", index, wrong(index))
    bonds = SOLVER_BOND + (VERIFIER_BOND if is_vouched else 0)
    whistle_blower = "0x" + it.world.user("whistle-blower").hex()
    assert it.escrow.events(done, "FraudShown") == [(0, whistle_blower, index, bonds // 2)]
    assert it.owed(*PEOPLE) == (FEES, 0, 0, bonds // 2)
    assert it.world.balance(NOBODY) - burned == bonds - bonds // 2
    assert it.world.balance(it.escrow.address) == FEES + bonds // 2
    assert it.stage() == FRAUD


@pytest.mark.parametrize("index", range(5))
def test_a_right_answer_cannot_be_challenged(it: Escrow, index: int) -> None:
    it.solved(RIGHT)
    it.announce("whistle-blower", index, RIGHT[index])
    with pytest.raises(Reverted) as caught:
        it.challenge("whistle-blower", index, RIGHT)
    assert caught.value.data == it.error("NoFraud", 0, index)
    assert it.stage() == SOLVED


def test_a_challenge_cannot_be_copied(it: Escrow) -> None:
    it.solved(wrong(1))
    it.announce("whistle-blower", 1, RIGHT[1])
    with pytest.raises(Reverted) as caught:
        it.challenge("thief", 1, wrong(1))
    assert caught.value.data[:4] == selector("NotAnnounced(bytes32)")
    it.challenge("whistle-blower", 1, wrong(1))
    assert it.owed("thief", "whistle-blower") == (0, SOLVER_BOND // 2)


def test_a_challenge_is_announced_in_an_earlier_block(it: Escrow) -> None:
    it.solved(wrong(1))
    it.announce("whistle-blower", 1, RIGHT[1])
    it.world.height -= 1
    with pytest.raises(Reverted) as caught:
        it.challenge("whistle-blower", 1, wrong(1))
    assert caught.value.data[:4] == selector("AnnouncedTooLate(bytes32,uint256)")


def test_an_announcement_without_the_right_answer_is_worth_nothing(it: Escrow) -> None:
    """Nobody can reserve every item of a job without doing the work."""
    it.solved(wrong(1))
    it.announce("thief", 1, b"\x63")
    with pytest.raises(Reverted) as caught:
        it.challenge("thief", 1, wrong(1))
    assert caught.value.data[:4] == selector("NotAnnounced(bytes32)")


def test_an_announcement_is_made_once(it: Escrow) -> None:
    it.send("whistle-blower", "announce", SALT)
    with pytest.raises(Reverted) as caught:
        it.send("thief", "announce", SALT)
    assert caught.value.data == it.error("AlreadyAnnounced", SALT, 1)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param({"input": b"\x01\x03"}, "WrongRows(bytes32,bytes32)", id="other input"),
        pytest.param({"output": b"\x62"}, "WrongRows(bytes32,bytes32)", id="other output"),
        pytest.param({"place": 2}, "WrongRows(bytes32,bytes32)", id="other place"),
        pytest.param({"place": 5}, "BadRun(uint256,uint256,uint256)", id="after the last"),
        pytest.param({"input_path": ()}, "BadPathLength(uint256,uint256)", id="no input path"),
        pytest.param(
            {"output_path": (SALT,) * 4}, "BadPathLength(uint256,uint256)", id="long output path"
        ),
    ],
)
def test_only_what_was_asked_and_answered_can_be_challenged(
    it: Escrow, change: dict[str, Any], error: str
) -> None:
    it.solved(wrong(1))
    it.announce("whistle-blower", 1, RIGHT[1])
    with pytest.raises(Reverted) as caught:
        it.challenge("whistle-blower", 1, wrong(1), **change)
    assert caught.value.data[:4] == selector(error)


def test_a_challenge_with_too_little_gas_decides_nothing(it: Escrow) -> None:
    it.solved(RIGHT)
    it.announce("whistle-blower", 1, RIGHT[1])
    given = Dataset(RIGHT, [0] * 5)
    item = (1, ITEMS[1], INPUTS.batch(1, 0).path, RIGHT[1], given.batch(1, 0).path)
    sender = it.world.user("whistle-blower")
    for gas in range(5_000, 80_000, 500):
        with pytest.raises(Reverted):
            it.escrow.send(sender, "challenge", 0, item, SALT, gas=gas)
    assert it.stage() == SOLVED


def test_a_late_solver_loses_his_bond(it: Escrow) -> None:
    it.post()
    it.accept()
    it.world.height += SOLVE_BLOCKS
    with pytest.raises(Reverted) as early:
        it.send("anyone", "expire", 0)
    assert early.value.data == it.error("DeadlineNotPassed", 0, 1 + SOLVE_BLOCKS)
    it.world.height += 1
    with pytest.raises(Reverted) as late:
        it.solve(RIGHT)
    assert late.value.data == it.error("DeadlinePassed", 0, 1 + SOLVE_BLOCKS)
    burned = it.world.balance(NOBODY)
    it.send("anyone", "expire", 0)
    assert it.owed(*PEOPLE) == (FEES, 0, 0, 0)
    assert it.world.balance(NOBODY) - burned == SOLVER_BOND
    assert it.stage() == LATE


def test_a_model_that_retires_gives_everybody_his_own_money(it: Escrow) -> None:
    it.solved(wrong(1), is_vouched=True)
    it.announce("whistle-blower", 1, RIGHT[1])
    it.world.retire(MODEL)
    with pytest.raises(Reverted) as caught:
        it.challenge("whistle-blower", 1, wrong(1))
    assert caught.value.data == selector("ModelNotActive()")
    it.world.height += CHALLENGE_BLOCKS + 1
    it.send("anyone", "finalize", 0)
    assert it.owed(*PEOPLE) == (FEES, SOLVER_BOND, VERIFIER_BOND, 0)
    assert it.stage() == VOID


def test_an_offer_that_nobody_accepted_goes_back(it: Escrow) -> None:
    it.post()
    with pytest.raises(Reverted) as caught:
        it.send("solver", "withdrawJob", 0)
    assert caught.value.data == it.error(
        "NotTheSubmitter", it.world.user("solver"), it.world.user("submitter")
    )
    it.send("submitter", "withdrawJob", 0)
    assert it.owed("submitter") == (FEES,)
    with pytest.raises(Reverted) as accepted:
        it.accept()
    assert accepted.value.data == it.error("WrongStage", 0, WITHDRAWN, OPEN)


def test_deadlines_are_the_last_blocks(it: Escrow) -> None:
    it.post()
    it.accept()
    it.world.height += SOLVE_BLOCKS
    it.solve(wrong(1))
    it.world.height += CHALLENGE_BLOCKS - 1
    last = it.world.height + 1
    with pytest.raises(Reverted) as early:
        it.send("anyone", "finalize", 0)
    assert early.value.data == it.error("DeadlineNotPassed", 0, last)
    it.announce("whistle-blower", 1, RIGHT[1])
    it.world.height += 1
    attempts: list[Callable[[], object]] = [
        lambda: it.challenge("whistle-blower", 1, wrong(1)),
        lambda: it.send("verifier", "vouch", 0, value=VERIFIER_BOND),
    ]
    for attempt in attempts:
        with pytest.raises(Reverted) as late:
            attempt()
        assert late.value.data == it.error("DeadlinePassed", 0, last)
    it.world.height -= 1
    it.challenge("whistle-blower", 1, wrong(1))
    assert it.stage() == FRAUD


def test_each_role_is_somebody_and_pays(it: Escrow) -> None:
    it.post()
    with pytest.raises(Reverted) as bond:
        it.send("solver", "accept", 0, value=SOLVER_BOND - 1)
    assert bond.value.data == it.error("WrongPayment", SOLVER_BOND - 1, SOLVER_BOND)
    it.accept()
    with pytest.raises(Reverted) as solver:
        it.send("thief", "solve", 0, b"".join(RIGHT))
    assert solver.value.data == it.error(
        "NotTheSolver", it.world.user("thief"), it.world.user("solver")
    )
    with pytest.raises(Reverted) as length:
        it.solve(RIGHT[1:])
    assert length.value.data == it.error("BadOutputsLength", 4, 5)
    it.solve(RIGHT)
    with pytest.raises(Reverted) as own:
        it.send("solver", "vouch", 0, value=VERIFIER_BOND)
    assert own.value.data == it.error("SolverCannotVouch", it.world.user("solver"))
    with pytest.raises(Reverted) as verifier_bond:
        it.send("verifier", "vouch", 0, value=1)
    assert verifier_bond.value.data == it.error("WrongPayment", 1, VERIFIER_BOND)
    it.send("verifier", "vouch", 0, value=VERIFIER_BOND)
    with pytest.raises(Reverted) as second:
        it.send("another", "vouch", 0, value=VERIFIER_BOND)
    assert second.value.data == it.error("AlreadyVouched", it.world.user("verifier"))


@pytest.mark.parametrize(
    ("change", "error", "values"),
    [
        pytest.param({"items": 0}, "BadItems", (0, 4096), id="no items"),
        pytest.param({"items": 4097}, "BadItems", (4097, 4096), id="too many items"),
        pytest.param({"solve": 0}, "BadPhases", (0, CHALLENGE_BLOCKS), id="no time to solve"),
        pytest.param({"challenge": 1}, "BadPhases", (SOLVE_BLOCKS, 1), id="none to announce"),
        pytest.param({"solver_bond": 0}, "NoBond", (), id="no solver's bond"),
        pytest.param({"verifier_bond": 0}, "NoBond", (), id="no verifier's bond"),
        pytest.param({"value": FEES + 1}, "WrongPayment", (FEES + 1, FEES), id="too much"),
        pytest.param({"solver_fee": 0}, "WrongPayment", (FEES, VERIFIER_FEE), id="no fee"),
    ],
)
def test_terms_that_make_no_job_are_refused(
    it: Escrow, change: dict[str, int], error: str, values: tuple[int, ...]
) -> None:
    with pytest.raises(Reverted) as caught:
        it.post(**change)
    assert caught.value.data == it.error(error, *values)


def test_a_job_needs_an_active_model(it: Escrow) -> None:
    with pytest.raises(Reverted) as caught:
        it.post(model=MISSING)
    assert caught.value.data == selector("ModelNotActive()")


def test_a_job_for_nothing_is_a_job(it: Escrow) -> None:
    it.post(value=0, solver_fee=0, verifier_fee=0)
    it.accept()
    it.solve(RIGHT)
    it.world.height += CHALLENGE_BLOCKS + 1
    it.send("anyone", "finalize", 0)
    assert it.owed(*PEOPLE) == (0, SOLVER_BOND, 0, 0)


ACTIONS = ["withdrawJob", "solve", "vouch", "expire", "finalize"]


@pytest.mark.parametrize("function", [*ACTIONS, "accept"])
def test_what_does_not_fit_the_stage_is_refused(it: Escrow, function: str) -> None:
    it.solved(RIGHT)
    it.world.height += CHALLENGE_BLOCKS + 1
    it.send("anyone", "finalize", 0)
    needed = {"withdrawJob": OPEN, "accept": OPEN, "solve": SOLVING, "expire": SOLVING}
    arguments = [0, b"".join(RIGHT)] if function == "solve" else [0]
    with pytest.raises(Reverted) as caught:
        it.send("solver", function, *arguments)
    assert caught.value.data == it.error("WrongStage", 0, PAID, needed.get(function, SOLVED))


def test_a_job_that_does_not_exist_is_named(it: Escrow) -> None:
    for function in ("accept", "jobAt", "finalize"):
        with pytest.raises(Reverted) as caught:
            it.send("anyone", function, 0)
        assert caught.value.data == it.error("NoJob", 0)
    assert it.escrow.view("jobCount") == 0
