"""Tournament.sol in the node's own EVM: phases, scores, what is paid and what is burned."""

from collections.abc import Callable

import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.keccak import keccak256
from tests.unit.models_registry.contract_world import Reverted
from tests.unit.models_registry.measured import CLASS_OF_BYTE, INDEX, INT8, rows_of
from tests.unit.models_registry.tournament_world import (
    BENCHMARK,
    CAP,
    COMMIT_END,
    MARGIN,
    PRIZE,
    PUBLISH_END,
    REVEAL_END,
    ROWS,
    SALT,
    SCORE_END,
    STAKE,
    Played,
    known,
    played,
)


@pytest.fixture
def it() -> Played:
    return played()


def test_a_round_is_what_the_organiser_promised(it: Played) -> None:
    terms = (
        it.rows_id,
        CLASS_OF_BYTE,
        BENCHMARK,
        MARGIN,
        CAP,
        COMMIT_END,
        REVEAL_END,
        PUBLISH_END,
        SCORE_END,
        100,
    )
    organiser = "0x" + it.user("organiser").hex()
    assert it.open() == 0
    assert it.tournament.view("roundAt", 0) == (
        (organiser, False, False, PRIZE, PRIZE, 0, 0, terms)
    )
    assert it.tournament.view("roundCount") == 1


@pytest.mark.parametrize(
    ("model", "gain", "loss"),
    [
        pytest.param(0, 2_500, 0, id="far above the benchmark: the cap"),
        pytest.param(4, 2_500, 0, id="the margin above: the cap"),
        pytest.param(6, 1_250, 0, id="half of the margin above"),
        pytest.param(7, 625, 0, id="one row above"),
        pytest.param(8, 0, 0, id="at the benchmark"),
        pytest.param(9, 0, 625, id="one row below"),
        pytest.param(12, 0, 2_500, id="the margin below: the cap"),
        pytest.param(16, 0, 2_500, id="nothing right: the cap"),
    ],
)
def test_a_stake_moves_with_the_distance_from_the_benchmark(
    it: Played, model: int, gain: int, loss: int
) -> None:
    it.open()
    it.play({"ann": model})
    burned = it.burned()
    assert it.settle("ann") == (gain, loss)
    assert it.owed("ann") == STAKE + gain - loss
    assert it.burned() - burned == loss
    assert it.close() == PRIZE - gain
    assert it.owed("organiser") == PRIZE - gain


def test_a_prize_that_is_too_small_is_shared_in_proportion(it: Played) -> None:
    it.open(prize=1_000)
    it.play({"ann": 4, "bob": 6, "cat": 9})  # 2,500 and 1,250 earned, of 1,000
    assert it.settle("ann") == (666, 0)
    assert it.settle("bob") == (333, 0)
    assert it.settle("cat") == (0, 625)
    assert it.close() == 0
    assert it.tournament.view("roundAt", 0)[4] == 1  # lost in rounding


def test_a_tie_is_paid_equally(it: Played) -> None:
    it.open(prize=3_001)
    it.play({"ann": 5, "bob": 5})
    assert it.settle("ann") == it.settle("bob") == (1_500, 0)


def test_a_round_without_a_prize_only_burns(it: Played) -> None:
    it.open(prize=0)
    it.play({"ann": 0, "bob": 16})
    assert it.settle("ann") == (0, 0)
    assert it.settle("bob") == (0, 2_500)
    assert it.close() == 0


def test_whoever_does_not_reveal_ends_as_the_worst(it: Played) -> None:
    it.open()
    it.commit("silent", 0)
    it.play({"ann": 6})
    assert it.settle("silent") == (0, 2_500)
    assert it.owed("silent") == STAKE - 2_500


def test_a_revealed_model_that_is_not_scored_ends_as_the_worst(it: Played) -> None:
    it.open()
    it.commit("ann", 6)
    it.commit("bob", 0)
    it.at(COMMIT_END + 1)
    it.reveal("ann", 6)
    it.reveal("bob", 0)
    it.at(REVEAL_END + 1)
    it.certify(6)
    it.score("ann")
    it.at(SCORE_END + 1)
    assert it.settle("bob") == (0, 2_500)


def test_withheld_rows_cost_the_organiser_the_prize(it: Played) -> None:
    it.open(prize=1_001)
    it.commit("ann", 0, 300)
    it.commit("bob", 16, 600)
    it.commit("silent", 1, 500)
    it.at(COMMIT_END + 1)
    it.reveal("ann", 0)
    it.reveal("bob", 16)
    it.at(PUBLISH_END + 1)
    it.certify(0)
    with pytest.raises(Reverted) as caught:
        it.score("ann")
    assert caught.value.data == it.error("RowsWithheld", 0, PUBLISH_END)
    it.at(SCORE_END + 1)
    assert it.settle("ann") == (333, 0)
    assert it.settle("bob") == (667, 0)
    assert it.settle("silent") == (0, 0)
    assert it.close() == 0


def test_entries_that_nobody_can_score_do_not_take_the_prize(it: Played) -> None:
    it.open()
    no_model = bytes.fromhex("ee" * 32)
    secret = ["uint256", "address", "bytes32", "bytes32"]
    commitment = keccak256(encode(secret, [0, it.user("thief"), no_model, SALT]))
    it.tournament.send(it.user("thief"), "commit", 0, commitment, value=STAKE)
    it.at(COMMIT_END + 1)
    it.tournament.send(it.user("thief"), "reveal", 0, no_model, SALT)
    it.at(REVEAL_END + 1)
    it.certify(3)
    it.publish(it.measured.certificate_id(known(3), it.rows_id))
    it.at(SCORE_END + 1)
    assert it.settle("thief") == (0, 2_500)
    assert it.close() == PRIZE


def test_a_certificate_of_any_model_and_rule_shows_that_the_rows_are_out(it: Played) -> None:
    it.open()
    it.commit("ann", 4)
    it.at(COMMIT_END + 1)
    it.reveal("ann", 4)
    it.at(PUBLISH_END)
    shown = it.measured.certify(known(3), it.rows_id, ROWS, (INDEX, INT8, 0, 0, 0))
    done = it.publish(shown)
    assert it.tournament.events(done, "RowsPublished") == [(0, shown)]
    assert it.tournament.view("roundAt", 0)[1] is True
    it.at(SCORE_END)
    it.certify(4)
    it.score("ann")


def test_rows_are_not_shown_by_a_part_of_them_or_by_others(it: Played) -> None:
    it.open()
    others = rows_of(8)
    other_id = it.measured.register(others)
    it.at(REVEAL_END + 1)
    it.measured.submit(known(3), it.rows_id, ROWS, 0, 3)
    part = it.measured.certificate_id(known(3), it.rows_id)
    other = it.measured.certify(known(3), other_id, others)
    refusals = {
        part: it.error("NotCertified", part, 8, 16),
        other: it.error("OtherDataset", other_id, it.rows_id),
        bytes(32): it.measured.evaluator.error("NoCertificate", bytes(32)),
    }
    for certificate, error in refusals.items():
        with pytest.raises(Reverted) as caught:
            it.publish(certificate)
        assert caught.value.data == error


def test_rows_are_shown_in_their_phase(it: Played) -> None:
    it.open()
    it.certify(3)
    shown = it.measured.certificate_id(known(3), it.rows_id)
    it.at(REVEAL_END)
    with pytest.raises(Reverted) as early:
        it.publish(shown)
    assert early.value.data == it.error("PhaseNotBegun", REVEAL_END, REVEAL_END + 1)
    it.at(PUBLISH_END + 1)
    with pytest.raises(Reverted) as late:
        it.publish(shown)
    assert late.value.data == it.error("PhaseOver", PUBLISH_END + 1, PUBLISH_END)


def test_a_round_that_nobody_entered_gives_the_prize_back(it: Played) -> None:
    it.open()
    it.at(SCORE_END + 1)
    assert it.close() == PRIZE


def test_a_round_in_which_nobody_revealed_gives_everything_back(it: Played) -> None:
    it.open()
    it.commit("ann", 0)
    it.at(SCORE_END + 1)
    assert it.close() == PRIZE
    assert it.settle("ann") == (0, 0)
    assert it.owed("ann") == STAKE


def test_rows_published_in_time_can_be_scored_until_the_end(it: Played) -> None:
    it.open()
    for name, model in (("ann", 4), ("bob", 6)):
        it.commit(name, model)
    it.at(COMMIT_END + 1)
    for name, model in (("ann", 4), ("bob", 6)):
        it.reveal(name, model)
    it.at(PUBLISH_END)
    it.certify(4, 6)
    it.score("ann")
    it.at(SCORE_END)
    done = it.score("bob")
    assert it.tournament.events(done, "Scored") == [(0, "0x" + it.user("bob").hex(), 10)]


# Phases and refusals


def test_phases_end_with_their_last_block(it: Played) -> None:
    it.open()
    it.at(COMMIT_END)
    it.commit("ann", 4)
    it.at(COMMIT_END + 1)
    with pytest.raises(Reverted) as late:
        it.commit("bob", 4)
    assert late.value.data == it.error("PhaseOver", COMMIT_END + 1, COMMIT_END)
    it.at(REVEAL_END + 1)
    with pytest.raises(Reverted) as unrevealed:
        it.reveal("ann", 4)
    assert unrevealed.value.data == it.error("PhaseOver", REVEAL_END + 1, REVEAL_END)
    it.at(SCORE_END + 1)
    with pytest.raises(Reverted) as unscored:
        it.score("ann")
    assert unscored.value.data == it.error("PhaseOver", SCORE_END + 1, SCORE_END)


def test_phases_begin_after_the_one_before(it: Played) -> None:
    it.open()
    it.commit("ann", 4)
    attempts: list[tuple[int, int, Callable[[], object]]] = [
        (COMMIT_END, COMMIT_END + 1, lambda: it.reveal("ann", 4)),
        (REVEAL_END, REVEAL_END + 1, lambda: it.score("ann")),
        (SCORE_END, SCORE_END + 1, lambda: it.settle("ann")),
        (SCORE_END, SCORE_END + 1, it.close),
    ]
    for height, first, attempt in attempts:
        it.at(height)
        with pytest.raises(Reverted) as caught:
            attempt()
        assert caught.value.data == it.error("PhaseNotBegun", height, first)


@pytest.mark.parametrize(
    "phases",
    [(1, 20, 30, 40), (10, 10, 30, 40), (10, 20, 20, 40), (10, 20, 30, 30)],
    ids=["commit", "reveal", "publish", "score"],
)
def test_every_phase_has_a_block(it: Played, phases: tuple[int, ...]) -> None:
    names = ("commit", "reveal", "publish", "score")
    with pytest.raises(Reverted) as caught:
        it.open(**dict(zip(names, phases, strict=True)))
    assert caught.value.data == it.error("BadPhases", 1, *phases)


@pytest.mark.parametrize(
    ("change", "error", "values"),
    [
        pytest.param({"benchmark": 17}, "BadBenchmark", (17, 16), id="benchmark above all rows"),
        pytest.param({"margin": 0}, "BadMargin", (0, 16), id="no margin"),
        pytest.param({"margin": 17}, "BadMargin", (17, 16), id="margin above all rows"),
        pytest.param({"cap": 0}, "BadCap", (0, 10_000), id="no cap"),
        pytest.param({"cap": 10_001}, "BadCap", (10_001, 10_000), id="cap above the stake"),
    ],
)
def test_terms_that_make_no_round_are_refused(
    it: Played, change: dict[str, int], error: str, values: tuple[int, ...]
) -> None:
    with pytest.raises(Reverted) as caught:
        it.open(**change)
    assert caught.value.data == it.error(error, *values)


def test_a_round_needs_a_dataset(it: Played) -> None:
    with pytest.raises(Reverted) as caught:
        it.open(rows=bytes(32))
    assert caught.value.data == it.measured.datasets.error("NoDataset", bytes(32))


@pytest.mark.parametrize(("least", "stake", "needed"), [(100, 99, 100), (0, 0, 1)])
def test_a_stake_below_the_least_is_refused(
    it: Played, least: int, stake: int, needed: int
) -> None:
    it.open(least=least)
    with pytest.raises(Reverted) as caught:
        it.commit("ann", 4, stake)
    assert caught.value.data == it.error("StakeTooSmall", stake, needed)


def test_an_account_enters_once(it: Played) -> None:
    it.open()
    it.commit("ann", 4)
    with pytest.raises(Reverted) as caught:
        it.commit("ann", 5)
    assert caught.value.data == it.error("AlreadyCommitted", 0, it.user("ann"))


def test_a_commitment_opens_only_with_what_it_hides(it: Played) -> None:
    it.open()
    it.commit("ann", 4)
    it.at(COMMIT_END + 1)
    for model, salt in ((5, SALT), (4, bytes(32))):
        with pytest.raises(Reverted) as caught:
            it.reveal("ann", model, salt=salt)
        assert caught.value.data[:4] == it.error("WrongCommitment", bytes(32), bytes(32))[:4]
    it.reveal("ann", 4)
    with pytest.raises(Reverted) as again:
        it.reveal("ann", 4)
    assert again.value.data == it.error("AlreadyRevealed", known(4))


def test_a_copied_commitment_opens_for_nobody_else(it: Played) -> None:
    it.open()
    it.commit("ann", 4)
    copied = it.tournament.view("entryOf", 0, it.user("ann"))[4]
    it.tournament.send(it.user("thief"), "commit", 0, copied, value=STAKE)
    it.at(COMMIT_END + 1)
    with pytest.raises(Reverted) as caught:
        it.reveal("thief", 4)
    assert caught.value.data[:4] == it.error("WrongCommitment", bytes(32), bytes(32))[:4]


def test_no_model_cannot_be_revealed_again_and_again(it: Played) -> None:
    """A model id of zero would count its stake at every reveal."""
    it.open()
    it.commit("ann", 0)
    secret = encode(
        ["uint256", "address", "bytes32", "bytes32"], [0, it.user("bob"), bytes(32), SALT]
    )
    it.tournament.send(it.user("bob"), "commit", 0, keccak256(secret), value=STAKE)
    it.at(COMMIT_END + 1)
    with pytest.raises(Reverted) as caught:
        it.tournament.send(it.user("bob"), "reveal", 0, bytes(32), SALT)
    assert caught.value.data == it.error("NoModel")


def test_only_a_complete_certificate_scores(it: Played) -> None:
    it.open()
    it.commit("ann", 4)
    it.commit("silent", 4)
    it.at(COMMIT_END + 1)
    it.reveal("ann", 4)
    it.at(REVEAL_END + 1)
    it.measured.submit(known(4), it.rows_id, ROWS, 0, 3)
    found = it.measured.certificate_id(known(4), it.rows_id)
    with pytest.raises(Reverted) as partial:
        it.score("ann")
    assert partial.value.data == it.error("NotCertified", found, 8, 16)
    it.measured.submit(known(4), it.rows_id, ROWS, 8, 3)
    it.score("ann")
    with pytest.raises(Reverted) as again:
        it.score("ann")
    assert again.value.data == it.error("AlreadyScored", 0, it.user("ann"))
    with pytest.raises(Reverted) as silent:
        it.score("silent")
    assert silent.value.data == it.error("NotRevealed", 0, it.user("silent"))


def test_an_entry_and_a_round_end_once(it: Played) -> None:
    it.open()
    it.play({"ann": 4})
    it.settle("ann")
    with pytest.raises(Reverted) as settled:
        it.settle("ann")
    assert settled.value.data == it.error("AlreadySettled", 0, it.user("ann"))
    it.close()
    with pytest.raises(Reverted) as closed:
        it.close()
    assert closed.value.data == it.error("AlreadyClosed", 0)


def test_what_does_not_exist_is_named(it: Played) -> None:
    with pytest.raises(Reverted) as no_round:
        it.commit("ann", 4)
    assert no_round.value.data == it.error("NoRound", 0)
    it.open()
    with pytest.raises(Reverted) as no_entry:
        it.tournament.view("entryOf", 0, it.user("ann"))
    assert no_entry.value.data == it.error("NoEntry", 0, it.user("ann"))


@settings(derandomize=True, max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 16), st.integers(100, 10**24)), min_size=1, max_size=6),
    st.integers(0, 10**22),
    st.integers(1, 10_000),
)
def test_gains_never_exceed_the_prize_and_losses_never_the_stake(
    entries: list[tuple[int, int]], prize: int, cap: int
) -> None:
    it = played()
    it.open(prize=prize, cap=cap)
    names = [f"entrant {i}" for i in range(len(entries))]
    for name, (model, stake) in zip(names, entries, strict=True):
        it.commit(name, model, stake)
    it.at(COMMIT_END + 1)
    for name, (model, _) in zip(names, entries, strict=True):
        it.reveal(name, model)
    it.at(REVEAL_END + 1)
    it.certify(*sorted({model for model, _ in entries}))
    for name in names:
        it.score(name)
    it.at(SCORE_END + 1)
    returned = it.close()
    outcomes = [it.settle(name) for name in names]
    assert sum(gain for gain, _ in outcomes) + returned <= prize
    assert prize - sum(gain for gain, _ in outcomes) - returned < len(entries)
    for (_, stake), (gain, loss) in zip(entries, outcomes, strict=True):
        assert gain * loss == 0
        assert loss <= stake * cap // 10_000
        assert gain <= stake * cap // 10_000
