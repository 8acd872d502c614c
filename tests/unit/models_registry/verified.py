"""A VerifierEscrow with its people, and jobs to post there, for tests of the library."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field, replace

import pytest
from eth_abi.abi import encode

from cvm.evm.keccak import keccak256
from models_registry.datasets import Dataset
from tests.unit.models_registry.contract_world import (
    Contract,
    ContractWorld,
    Done,
    Reverted,
    block_hash,
)
from tests.unit.models_registry.measured import ROW_BYTES, Measured, measured, model_id, reader

NONE, OPEN, CLAIMED, ANSWERED, ACCUSED, SOLVED, CLOSED = range(7)

MODEL, SINGLE = model_id(1), model_id(2)
INPUT = b"\x09" + bytes(ROW_BYTES - 1)
RIGHT, WRONG = keccak256(b"\x09"), keccak256(b"\x08")
REFUSED = bytes(ROW_BYTES - 1) + b"\xff"
URI = "ipfs://output"
NOTHING = bytes(32)
SALT = b"\x5a" * 32

REWARD, SOLVER_BOND, CHALLENGER_BOND, JACKPOT = 1_001, 5_003, 307, 4_001
START, LAST_CLAIM, ANSWER_BLOCKS, WINDOW_BLOCKS = 100, 130, 10, 20


@dataclass(frozen=True, slots=True)
class Terms:
    """What a job asks, in the order of the ABI."""

    model_id: bytes = MODEL
    source: bytes = keccak256(INPUT)
    is_dataset: bool = False
    first_row: int = 0
    height: int = 0
    items: int = 1
    last_claim: int = LAST_CLAIM
    answer_blocks: int = ANSWER_BLOCKS
    window_blocks: int = WINDOW_BLOCKS
    is_reopened: bool = False
    is_on_chain: bool = False
    trap_odds: int = 0
    solver_bond: int = SOLVER_BOND
    challenger_bond: int = CHALLENGER_BOND
    jackpot: int = 0


PLAIN = Terms()
EVERY_TIME = Terms(trap_odds=1, jackpot=JACKPOT)
"""Odds of one in one: the solver must give a wrong answer."""


@dataclass(slots=True)
class Verified:
    """The escrow; each step is somebody's transaction, by default with the right bond."""

    measured: Measured
    escrow: Contract
    terms: dict[int, Terms] = field(default_factory=dict)

    @property
    def world(self) -> ContractWorld:
        """Return the world that the escrow is in."""
        return self.measured.world

    def address(self, person: str) -> str:
        """Return somebody's address as the ABI decodes it."""
        return "0x" + self.world.user(person).hex()

    def post(self, terms: Terms = PLAIN, *, reward: int = REWARD, uri: str = "") -> int:
        """Post a job and return its id."""
        sender = self.world.user("requester")
        done = self.escrow.send(sender, "post", astuple(terms), uri, value=reward)
        job = int(self.escrow.result("post", done))
        self.terms[job] = terms
        return job

    def claim(self, job: int, secret: bytes = NOTHING, *, person: str = "solver") -> Done:
        """Claim a job with a secret where it has traps."""
        secret_hash = keccak256(secret) if secret != NOTHING else NOTHING
        bond = self.terms[job].solver_bond
        return self.escrow.send(self.world.user(person), "claim", job, secret_hash, value=bond)

    def answer(
        self,
        job: int,
        answer: bytes,
        seal: bytes = NOTHING,
        *,
        output: bytes = b"",
        uri: str = URI,
        person: str = "solver",
    ) -> Done:
        """Say what the model answers."""
        sender = self.world.user(person)
        return self.escrow.send(sender, "submitAnswer", job, answer, seal, output, uri)

    def announce(self, job: int, truth: bytes, *, person: str = "challenger") -> None:
        """Announce a challenge, in the block before."""
        sender = self.world.user(person)
        types = ["uint256", "address", "bytes32", "bytes32"]
        announcement = keccak256(encode(types, [job, sender, truth, SALT]))
        if self.escrow.view("announcedAt", announcement) == 0:
            self.world.height -= 1
            self.escrow.send(sender, "announce", announcement)
            self.world.height += 1

    def challenge(
        self,
        job: int,
        data: bytes = INPUT,
        truth: bytes = RIGHT,
        *,
        gas: int = 10_000_000,
        person: str = "challenger",
    ) -> Done:
        """Announce and bring a challenge of an answer on a committed input."""
        self.announce(job, truth, person=person)
        bond, sender = self.terms[job].challenger_bond, self.world.user(person)
        return self.escrow.send(sender, "challenge", job, data, SALT, value=bond, gas=gas)

    def challenge_rows(
        self, job: int, rows: Dataset, first: int, height: int, truth: bytes = RIGHT
    ) -> Done:
        """Announce and bring a challenge of an answer on rows of a dataset."""
        self.announce(job, truth)
        batch = rows.batch(first, height).as_tuple()
        bond, sender = self.terms[job].challenger_bond, self.world.user("challenger")
        return self.escrow.send(sender, "challengeRows", job, batch, SALT, value=bond)

    def open(
        self,
        job: int,
        secret: bytes,
        truth: bytes,
        *,
        output: bytes = b"",
        uri: str = URI,
        person: str = "solver",
    ) -> Done:
        """Open a seal."""
        sender = self.world.user(person)
        return self.escrow.send(sender, "open", job, secret, truth, output, uri)

    def settle(self, job: int) -> Done:
        """Pay a solver whose window is over."""
        return self.escrow.send(self.world.user("anyone"), "settle", job)

    def forfeit(self, job: int) -> Done:
        """Take the bond of a late solver."""
        return self.escrow.send(self.world.user("anyone"), "forfeit", job)

    def annul(self, job: int) -> Done:
        """End a job whose model is gone."""
        return self.escrow.send(self.world.user("anyone"), "annul", job)

    def answered(self, terms: Terms, answer: bytes, *, truth: bytes = RIGHT) -> tuple[int, bytes]:
        """Post, claim and answer a job a block later; returns it and the solver's secret."""
        job = self.post(terms)
        secret = secret_for(terms.trap_odds, self.world.height) if terms.trap_odds else NOTHING
        self.claim(job, secret)
        self.world.height += 1
        self.answer(job, answer, seal_of(job, truth, secret) if terms.trap_odds else NOTHING)
        return job, secret

    @contextmanager
    def refused(self, error: str, *values: object) -> Iterator[None]:
        """Expect a revert with exactly this error of the escrow."""
        with pytest.raises(Reverted) as caught:
            yield
        assert caught.value.data == self.escrow.error(error, *values)

    def rows_terms(self, rows: Dataset, first: int, height: int, items: int) -> Terms:
        """Register a dataset and return the terms of a job on a run of its rows."""
        source = self.measured.register(rows)
        return replace(
            PLAIN, source=source, is_dataset=True, first_row=first, height=height, items=items
        )

    def phase(self, job: int) -> int:
        """Return where a job stands."""
        return int(self.escrow.view("jobAt", job)[2])

    def owed(self, person: str) -> int:
        """Return what somebody may withdraw."""
        return int(self.escrow.view("owed", self.world.user(person)))

    def purses(self) -> tuple[int, int, int]:
        """Return what requester, solver and challenger may withdraw."""
        return self.owed("requester"), self.owed("solver"), self.owed("challenger")


def secret_for(odds: int, height: int, *, drawn: bool = True) -> bytes:
    """Return a secret that does, or does not, draw a trap with a claim at that height."""
    seed, number = block_hash(height), 1
    while (draw(number.to_bytes(32, "big"), seed) % odds == 0) != drawn:
        number += 1
    return number.to_bytes(32, "big")


def draw(secret: bytes, seed: bytes) -> int:
    """Return the number whose remainder decides."""
    return int.from_bytes(keccak256(secret + seed), "big")


def seal_of(job: int, truth: bytes, secret: bytes) -> bytes:
    """Return what binds a solver to the true answer."""
    return keccak256(encode(["uint256", "bytes32", "bytes32"], [job, truth, secret]))


def verified() -> Verified:
    """Deploy the escrow in a new world."""
    it = measured({MODEL: reader(0), SINGLE: reader(0, is_batchable=False)})
    it.world.height = START
    return Verified(it, it.world.deploy("VerifierEscrow", it.datasets.address))
