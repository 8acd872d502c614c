"""Each behaviour does what its name says, as the honest validators see it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from consensus.qbft.events import Relay
from tests.simulation.behaviours import EVERY_BEHAVIOUR, TWO_FACED
from tests.simulation.outcome import Outcome
from tests.simulation.safety import Broken
from tests.simulation.scenarios import honest, one_of_four
from tests.simulation.settings import Work
from tests.simulation.validator import CARRY_OUT
from tests.simulation.world import World

HEIGHTS = 40
Seen = Callable[[Outcome], bool]


def run(behaviour: str, seed: int = 1) -> Outcome:
    return World(one_of_four(behaviour)(HEIGHTS, seed), seed).run()


def later_rounds(outcome: Outcome) -> int:
    return sum(count for number, count in outcome.rounds.items() if number)


SEEN: dict[str, Seen] = {
    "equivocate": lambda outcome: outcome.accusations > 20,
    "withhold": lambda outcome: 0 < later_rounds(outcome) < 13,
    "silent": lambda outcome: later_rounds(outcome) in (13, 14),
    "garbage": lambda outcome: outcome.refused > 500,
    "replay": lambda outcome: outcome.refused > 500,
    "future": lambda outcome: outcome.refused > 100,
    "forge": lambda outcome: outcome.refused > 100,
    "bad-blocks": lambda outcome: later_rounds(outcome) in (13, 14),
    "vote-for-all": lambda outcome: outcome.refused > 500,
    "two-faced": lambda outcome: outcome.packets > 27 * HEIGHTS,
}
"""What each leaves behind. A silent proposer costs one height of three its first round."""


@pytest.mark.parametrize("behaviour", EVERY_BEHAVIOUR)
def test_a_behaviour_is_felt_and_does_no_harm(behaviour: str) -> None:
    outcome = run(behaviour)
    assert SEEN[behaviour](outcome)
    assert (outcome.violations, outcome.decided) == ((), HEIGHTS)


def test_honest_validators_refuse_little_accuse_nobody_and_stay_in_round_0() -> None:
    outcome = World(honest(HEIGHTS, 1), 1).run()
    assert outcome.rounds == {0: HEIGHTS}
    assert (outcome.accusations, outcome.violations) == (0, ())
    assert outcome.refused < 10 * HEIGHTS


def test_one_seed_gives_one_outcome_and_another_a_different_one() -> None:
    assert run("equivocate", seed=5) == run("equivocate", seed=5)
    assert replace(run("equivocate", seed=9), seed=5) != run("equivocate", seed=5)


SPARSE = replace(honest(10, 1), validators=7, reach=1)
"""A ring: a vote passes up to two others on its way."""


SIZES = [(1, ()), (2, ()), (3, ()), (5, (2,)), (10, (1, 4, 7)), (13, (0, 3, 6, 9))]


@pytest.mark.parametrize(("count", "byzantine"), SIZES, ids=[f"{n} validators" for n, _ in SIZES])
def test_any_number_of_validators_endures_f(count: int, byzantine: tuple[int, ...]) -> None:
    settings = replace(
        honest(8, 3), validators=count, byzantine=byzantine, behaviours=("equivocate", "forge")
    )
    outcome = World(settings, 3).run()
    assert (outcome.violations, outcome.decided) == ((), 8)


@pytest.mark.parametrize(
    ("count", "byzantine"),
    [pytest.param(3, (1,), id="1 of 3"), pytest.param(7, (1, 3, 5), id="3 of 7")],
)
def test_more_than_f_that_collude_fork_the_chain(count: int, byzantine: tuple[int, ...]) -> None:
    settings = replace(
        honest(100, 1), validators=count, byzantine=byzantine, behaviours=(TWO_FACED,)
    )
    assert World(settings, 1).run().violations[-1].rule is Broken.FORK


def test_a_block_that_cannot_be_judged_at_first_is_decided_in_a_later_round() -> None:
    settings = replace(honest(10, 1), work=Work(unready=350))
    outcome = World(settings, 1).run()
    assert (outcome.violations, outcome.decided) == ((), 10)
    assert later_rounds(outcome) > 2


def test_what_is_relayed_reaches_a_quorum_through_others() -> None:
    assert World(SPARSE, 1).run().decided == 10


def test_without_relaying_a_ring_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CARRY_OUT, Relay, lambda validator, action: None)
    assert World(SPARSE, 1).run().decided == 0


def test_who_sits_out_follows_the_chain_and_votes_in_the_next_epoch() -> None:
    settings = replace(honest(20, 1), validators=4, epoch_heights=2)
    world = World(settings, 1)
    assert world.run().decided == 20
    proposers = [block.coinbase for block in world.validators[0].store.blocks[1:21]]
    assert {world.members.addresses.index(who) for who in proposers} == {0, 1, 2, 3}
    assert all(who in world.members.at(at) for at, who in enumerate(proposers, start=1))
