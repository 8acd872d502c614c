"""The story of VerifierEscrow: a wrong answer, a vain doubt, and a trap that is reported."""

from dataclasses import dataclass

from eth_abi.abi import encode

from cvm.evm.keccak import keccak256
from cvm.inference.backends.table import backend_named
from cvm.inference.engine import run_items
from cvm.inference.model_file import parse_model
from examples.dev_chain import ETHER, Deployed
from examples.story import Measuring, Story, easy_rows
from models_registry.datasets import Dataset
from node.sample_models import sample_model_path

SALT, SECRET = b"\x5a" * 32, b"\x5e" * 32
NO_SEAL = bytes(32)
URI = "ipfs://output"
REWARD, SOLVER_BOND, CHALLENGER_BOND, JACKPOT = ETHER // 10, ETHER, ETHER // 4, ETHER // 2
CLAIM_BLOCKS, ANSWER_BLOCKS, WINDOW_BLOCKS = 40, 10, 20
HEIGHT = 3
"""Eight rows to a job."""


@dataclass(frozen=True, slots=True)
class Work:
    """What every job of the story is on: the first rows of a dataset, and their true answer."""

    escrow: Deployed
    model: bytes
    dataset_id: bytes
    rows: Dataset
    truth: bytes

    def post(self, story: Story, what: str, odds: int, jackpot: int) -> None:
        """Post a job."""
        last = story.chain.height + CLAIM_BLOCKS
        run = (True, 0, HEIGHT, 1 << HEIGHT)
        blocks = (last, ANSWER_BLOCKS, WINDOW_BLOCKS, True, False)
        money = (odds, SOLVER_BOND, CHALLENGER_BOND, jackpot)
        terms = (self.model, self.dataset_id, *run, *blocks, *money)
        sent = self.escrow.send("requester", "post", terms, "", value=REWARD)
        story.tell(f"a requester posts {1 << HEIGHT} digits{what}", sent, "reward 0.1 ether")

    def answer(
        self, story: Story, job: int, solver: str, answer: bytes, *, has_trap: bool = False
    ) -> None:
        """Claim a job and answer it."""
        secret_hash = keccak256(SECRET) if has_trap else NO_SEAL
        sent = self.escrow.send(solver, "claim", job, secret_hash, value=SOLVER_BOND)
        story.tell(f"{solver} claims it under a bond", sent, "1 ether")
        sealed = encode(["uint256", "bytes32", "bytes32"], [job, self.truth, SECRET])
        seal = keccak256(sealed) if has_trap else NO_SEAL
        sent = self.escrow.send(solver, "submitAnswer", job, answer, seal, b"", URI)
        story.tell(f"{solver} answers", sent, "right" if answer == self.truth else "wrong")

    def announce(self, story: Story, job: int, person: str) -> None:
        """Announce a challenge."""
        values = [job, story.chain.address(person), self.truth, SALT]
        hidden = keccak256(encode(["uint256", "address", "bytes32", "bytes32"], values))
        story.tell(f"{person} announces a challenge", self.escrow.send(person, "announce", hidden))

    def challenge(self, story: Story, job: int, person: str, outcome: str) -> None:
        """Challenge an answer: the contract runs the model."""
        batch = self.rows.batch(0, HEIGHT).as_tuple()
        most = self.escrow.view("challengeGas", job)
        bond = CHALLENGER_BOND
        sent = self.escrow.send(person, "challengeRows", job, batch, SALT, value=bond)
        story.expect("truth", self.escrow.event(sent, "Judged")[3], self.truth)
        story.expect("within challengeGas", sent.gas_used <= most, True)
        story.tell(f"{person} challenges, INFER judges", sent, outcome)


def judge(story: Story, measuring: Measuring) -> None:
    """Have a job answered wrong, then right; and another whose wrong answer is a trap."""
    story.title("VerifierEscrow: who answers off the chain, and who watches him?")
    escrow = story.chain.deploy("anyone", "VerifierEscrow", measuring.registry.address)
    rows = easy_rows()
    dataset_id = measuring.register(story, "requester", rows, "digits to read")
    truth = keccak256(answer_off_chain(rows.batch(0, HEIGHT).rows))
    work = Work(escrow, measuring.int8, dataset_id, rows, truth)
    slash(story, work)
    report(story, work)
    purses = {
        "a cheat": 0,
        "a solver": 2 * REWARD + 2 * SOLVER_BOND - JACKPOT + CHALLENGER_BOND,
        "a verifier": SOLVER_BOND // 2 + CHALLENGER_BOND,
        "a doubter": 0,
        "a whistle-blower": JACKPOT // 2 + CHALLENGER_BOND,
    }
    for name, wei in purses.items():
        story.expect(name, escrow.view("owed", story.chain.address(name)), wei)
        story.note(f"{name} may withdraw", outcome=f"{wei / ETHER} ether")
    story.expect("held", story.chain.balance(escrow.address), sum(purses.values()))


def slash(story: Story, work: Work) -> None:
    """Have a wrong answer challenged, the job reopened, and a right answer doubted in vain."""
    work.post(story, "", 0, 0)
    work.answer(story, 0, "a cheat", keccak256(b"nonsense"))
    early = work.escrow.refusal("a cheat", "settle", 0)
    story.note("the cheat wants his money at once", outcome=early)
    work.announce(story, 0, "a verifier")
    batch = work.rows.batch(0, HEIGHT).as_tuple()
    call = (0, batch, SALT)
    copied = work.escrow.refusal("a thief", "challengeRows", *call, value=CHALLENGER_BOND)
    story.note("somebody copies the challenge", outcome=copied)
    work.challenge(story, 0, "a verifier", "half of the bond, half burned")
    work.answer(story, 0, "a solver", work.truth)
    work.challenge(story, 0, "a doubter", "in vain: his bond is the solver's")
    story.expect("answer", work.escrow.view("answerOf", 0), work.truth)


def report(story: Story, work: Work) -> None:
    """Have a solver give the wrong answer that was drawn, and a whistle-blower report it."""
    work.post(story, " with a trap", 1, JACKPOT)
    work.answer(story, 1, "a solver", keccak256(b"as drawn"), has_trap=True)
    work.announce(story, 1, "a whistle-blower")
    work.challenge(story, 1, "a whistle-blower", "wrong: the solver must explain")
    sent = work.escrow.send("a solver", "open", 1, SECRET, work.truth, b"", URI)
    paid = work.escrow.event(sent, "JackpotPaid")[2]
    story.tell("the solver shows that it was drawn", sent, f"jackpot {paid / ETHER} ether")
    story.expect("answer", work.escrow.view("answerOf", 1), work.truth)


def answer_off_chain(rows: bytes) -> bytes:
    """Return what the model gives, as a solver runs it."""
    model = parse_model(sample_model_path("digits_int8.onnx").read_bytes())
    return run_items(backend_named("cpu").plan(model.graph), model, rows)
