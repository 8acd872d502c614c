"""A VerifierEscrow holds exactly what it owes, whatever people do."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.unit.models_registry.escrow_world import (
    FEES,
    OPEN,
    PEOPLE,
    RIGHT,
    SOLVED,
    SOLVER_BOND,
    SOLVING,
    VERIFIER_BOND,
    escrow,
    wrong,
)
from tests.unit.models_registry.library_world import (
    Reverted,
)


class Jobs(RuleBasedStateMachine):
    """Whatever people do with two jobs at once, every wei has one owner."""

    LIVE = (OPEN, SOLVING, SOLVED)

    def __init__(self) -> None:
        super().__init__()
        self.it = escrow()
        self.outputs: dict[int, list[bytes]] = {}
        self.it.post()
        self.it.post()

    @rule(
        function=st.sampled_from(
            ["accept", "accept", "vouch", "expire", "finalize", "withdrawJob"]
        ),
        job=st.integers(0, 1),
    )
    def act(self, function: str, job: int) -> None:
        names = {"accept": "solver", "vouch": "verifier", "withdrawJob": "submitter"}
        values = {"accept": SOLVER_BOND, "vouch": VERIFIER_BOND}
        name = names.get(function, "anyone")
        self.attempt(lambda: self.it.send(name, function, job, value=values.get(function, 0)))

    @rule(job=st.integers(0, 1), bad=st.integers(0, 9))
    def solve(self, job: int, bad: int) -> None:
        outputs = wrong(bad) if bad < len(RIGHT) else RIGHT
        if self.attempt(lambda: self.it.solve(outputs, job)):
            self.outputs[job] = outputs

    @rule(job=st.integers(0, 1), index=st.integers(0, 4))
    def challenge(self, job: int, index: int) -> None:
        if job not in self.outputs:
            return
        self.attempt(lambda: self.it.announce("whistle-blower", index, RIGHT[index], job))
        is_fraud = self.outputs[job][index] != RIGHT[index]
        is_solved = self.it.stage(job) == SOLVED
        shown = self.attempt(
            lambda: self.it.challenge("whistle-blower", index, self.outputs[job], job)
        )
        assert not shown or (is_fraud and is_solved)

    @rule(blocks=st.integers(1, 6))
    def wait(self, blocks: int) -> None:
        self.it.world.height += blocks

    @rule(name=st.sampled_from(PEOPLE))
    def withdraw(self, name: str) -> None:
        user = self.it.world.user(name)
        self.attempt(lambda: self.it.escrow.send(user, "withdraw", user))

    @invariant()
    def every_wei_is_held_for_a_job_or_owed(self) -> None:
        held = sum(self.held(job) for job in (0, 1))
        balance = self.it.world.balance(self.it.escrow.address)
        assert balance == held + sum(self.it.owed(*PEOPLE))

    def held(self, number: int) -> int:
        job = self.it.escrow.view("jobAt", number)
        stage, verifier = job[1], job[4]
        if stage not in self.LIVE:
            return 0
        bonds = SOLVER_BOND if stage != OPEN else 0
        return FEES + bonds + (VERIFIER_BOND if int(verifier, 16) else 0)

    def attempt(self, action: Any) -> bool:
        try:
            action()
        except Reverted:
            return False
        return True


TestJobs = Jobs.TestCase
TestJobs.settings = settings(
    derandomize=True, max_examples=25, stateful_step_count=30, deadline=None
)
