"""A Tournament holds exactly what it owes, whatever people do."""

from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.unit.models_registry.contract_world import Reverted
from tests.unit.models_registry.tournament_world import known, played


class Rounds(RuleBasedStateMachine):
    """Whatever people do in two rounds at once, every wei has one owner."""

    NAMES = ("ann", "bob", "cat")

    def __init__(self) -> None:
        super().__init__()
        self.it = played()
        self.it.certify(2, 6, 9)
        self.stakes: dict[tuple[int, str], int] = {}
        self.it.open(prize=977)
        self.it.open(prize=10_000, commit=12, reveal=18, publish=24, score=32)
        self.burned = self.it.burned()

    def attempt(self, function: str, name: str, round_id: int, model: int, stake: int) -> bool:
        actions: dict[str, Callable[[], object]] = {
            "commit": lambda: self.it.commit(name, model, stake, round_id),
            "reveal": lambda: self.it.reveal(name, model, round_id),
            "score": lambda: self.it.score(name, round_id),
            "publish": lambda: self.it.publish(
                self.it.measured.certificate_id(known(model), self.it.rows_id), round_id
            ),
            "settle": lambda: self.it.settle(name, round_id),
            "close": lambda: self.it.close(round_id),
        }
        try:
            actions[function]()
        except Reverted:
            return False
        return True

    @rule(
        function=st.sampled_from(
            ["commit", "commit", "reveal", "reveal", "publish", "score", "settle", "close"]
        ),
        name=st.sampled_from(NAMES),
        round_id=st.integers(0, 1),
        model=st.sampled_from([2, 6, 9]),
        stake=st.integers(1, 5_000),
    )
    def act(self, function: str, name: str, round_id: int, model: int, stake: int) -> None:
        if self.attempt(function, name, round_id, model, stake):
            if function == "commit":
                self.stakes[round_id, name] = stake
            if function == "settle":
                del self.stakes[round_id, name]

    @rule(blocks=st.integers(1, 12))
    def wait(self, blocks: int) -> None:
        self.it.measured.world.height += blocks

    @rule(name=st.sampled_from((*NAMES, "organiser")))
    def withdraw(self, name: str) -> None:
        if self.it.owed(name):
            user = self.it.user(name)
            self.it.tournament.send(user, "withdraw", user)

    @invariant()
    def every_wei_is_a_stake_a_prize_or_owed(self) -> None:
        tournament = self.it.tournament
        prizes = sum(tournament.view("roundAt", round_id)[4] for round_id in (0, 1))
        owed = sum(self.it.owed(name) for name in (*self.NAMES, "organiser"))
        held = self.it.measured.world.balance(tournament.address)
        assert held == sum(self.stakes.values()) + prizes + owed


TestRounds = Rounds.TestCase
TestRounds.settings = settings(
    derandomize=True, max_examples=25, stateful_step_count=40, deadline=None
)
