"""No wei appears or goes in VerifierEscrow.sol, whatever people do in whatever order."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.unit.models_registry.contract_world import Done, Reverted
from tests.unit.models_registry.verified import (
    ACCUSED,
    ANSWERED,
    CLAIMED,
    INPUT,
    NOTHING,
    OPEN,
    PLAIN,
    RIGHT,
    WRONG,
    Terms,
    seal_of,
    verified,
)

PEOPLE = ("requester", "solver", "challenger")
TERMS = (
    PLAIN,
    replace(PLAIN, is_reopened=True, solver_bond=1, challenger_bond=0),
    replace(PLAIN, trap_odds=2, jackpot=4_001, is_reopened=True),
    replace(PLAIN, trap_odds=1, jackpot=5_003),
)
ANSWERS = st.sampled_from([RIGHT, WRONG])
JOBS = st.integers(0, 3)
SECRETS = st.integers(1, 4)


class EscrowMachine(RuleBasedStateMachine):
    """Steps that mostly fit the phase of a job, and some that do not."""

    def __init__(self) -> None:
        super().__init__()
        self.it = verified()
        self.count = 0
        self.secrets: dict[int, bytes] = {}
        self.sealed: dict[int, bytes] = {}
        self.put_in = 0
        self.withdrawn = 0
        self.forced = 0
        self.reasons: set[str | None] = set()

    def attempt(self, step: object, value: int = 0) -> Done | None:
        """Take a step that may be refused, and note the ether that went in."""
        assert callable(step)
        try:
            done = step()
        except Reverted as reverted:
            self.reasons.add(self.it.escrow.abi.error_name(reverted.data))
            return None
        self.put_in += value
        assert isinstance(done, Done)
        return done

    def terms(self, job: int) -> Terms:
        return self.it.terms[job]

    @precondition(lambda self: self.count < 4)
    @rule(terms=st.sampled_from(TERMS), reward=st.integers(0, 9))
    def post(self, terms: Terms, reward: int) -> None:
        last = self.it.world.height + 30
        self.it.post(replace(terms, last_claim=last), reward=reward)
        self.count += 1
        self.put_in += reward

    @precondition(lambda self: self.count)
    @rule(job=JOBS, secret=SECRETS)
    def claim(self, job: int, secret: int) -> None:
        job %= self.count
        terms = self.terms(job)
        word = secret.to_bytes(32, "big") if terms.trap_odds else NOTHING
        if self.attempt(lambda: self.it.claim(job, word), terms.solver_bond):
            self.secrets[job] = word

    @precondition(lambda self: self.count)
    @rule(job=JOBS, answer=ANSWERS, sealed=ANSWERS)
    def answer(self, job: int, answer: bytes, sealed: bytes) -> None:
        job %= self.count
        seal = seal_of(job, sealed, self.secrets.get(job, NOTHING))
        if self.attempt(lambda: self.it.answer(job, answer, seal)):
            self.sealed[job] = sealed

    @precondition(lambda self: self.count)
    @rule(job=JOBS, gas=st.sampled_from([70_000, 10_000_000, 10_000_000]))
    def challenge(self, job: int, gas: int) -> None:
        job %= self.count
        try:
            self.it.challenge(job, INPUT, gas=gas)
        except Reverted:
            return
        self.put_in += self.terms(job).challenger_bond

    @invariant()
    def every_refusal_has_a_reason(self) -> None:
        assert None not in self.reasons

    @precondition(lambda self: self.count)
    @rule(job=JOBS)
    def open(self, job: int) -> None:
        job %= self.count
        secret, sealed = self.secrets.get(job, NOTHING), self.sealed.get(job, RIGHT)
        self.attempt(lambda: self.it.open(job, secret, sealed))

    @precondition(lambda self: self.count)
    @rule(job=JOBS, step=st.sampled_from(["settle", "forfeit", "annul", "cancel"]))
    def end(self, job: int, step: str) -> None:
        job %= self.count
        sender = self.it.world.user("requester")
        self.attempt(lambda: self.it.escrow.send(sender, step, job))

    @rule(blocks=st.sampled_from([1, 1, 2, 11, 21]))
    def wait(self, blocks: int) -> None:
        self.it.world.height += blocks

    @rule(person=st.sampled_from(PEOPLE))
    def withdraw(self, person: str) -> None:
        account = self.it.world.user(person)
        owed = self.it.owed(person)
        to = self.it.world.user("somewhere")
        if self.attempt(lambda: self.it.escrow.send(account, "withdraw", to)):
            self.withdrawn += owed
            assert self.it.owed(person) == 0

    @rule(wei=st.integers(1, 9))
    def force(self, wei: int) -> None:
        self.it.world.force(self.it.escrow.address, wei)
        self.forced += wei

    @invariant()
    def every_wei_is_somebodys(self) -> None:
        held = sum(self.it.owed(person) for person in PEOPLE)
        for job in range(self.count):
            terms, _, phase, _, reward, _ = self.it.escrow.view("jobAt", job)
            held += reward if phase in (OPEN, CLAIMED, ANSWERED, ACCUSED) else 0
            held += terms[12] if phase in (CLAIMED, ANSWERED, ACCUSED) else 0
        balance = self.it.world.balance(self.it.escrow.address)
        assert balance == held + self.forced
        burned = self.it.world.balance(bytes(20))
        assert self.put_in == held + self.withdrawn + burned


EscrowMachine.TestCase.settings = settings(
    derandomize=True, max_examples=25, stateful_step_count=40, deadline=None
)
TestEscrowMachine = EscrowMachine.TestCase
