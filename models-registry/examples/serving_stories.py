"""Stories of contracts that serve answers: requests with a callback, and escrow with a referee."""

from eth_abi.abi import encode

from cvm.evm.keccak import keccak256
from cvm.inference.backends.table import backend_named
from cvm.inference.engine import run_items
from cvm.inference.model_file import parse_model
from examples.dev_chain import ETHER, Deployed
from examples.story import Measuring, Story, digits
from models_registry.datasets import Dataset
from node.sample_models import sample_model_path

SALT = b"\x5a" * 32
FEE, CALLBACK_GAS = ETHER // 100, 200_000
ITEMS = 8
BAD_ITEM = 3
SOLVER_FEE, VERIFIER_FEE, SOLVER_BOND, VERIFIER_BOND = ETHER // 10, ETHER // 100, ETHER, ETHER // 2
KEEP, REVERT = 0, 1
"""Modes of CallbackProbe: keep what comes, or revert."""


def call_back(story: Story, measuring: Measuring) -> None:
    """Ask twice through a contract, which reverts at the second answer."""
    story.title("AICallback: who runs a model for me?")
    chain = story.chain
    callbacks = chain.deploy("anyone", "AICallback")
    consumer = chain.deploy("asker", "CallbackProbe", callbacks.address)
    images, labels = digits()
    image = images[0].tobytes()
    for number, mode in enumerate((KEEP, REVERT)):
        consumer.send("asker", "behave", mode)
        call = (measuring.int8, image, CALLBACK_GAS, chain.height + 20)
        sent = consumer.send("asker", "ask", *call, value=FEE)
        story.tell("a contract asks for a digit", sent, "fee 0.01 ether")
        wrong = callbacks.refusal("answerer", "fulfil", number, bytes(784))
        story.note("an answer to another input", outcome=wrong)
        sent = callbacks.send("answerer", "fulfil", number, image)
        is_taken = callbacks.event(sent, "Answered")[3]
        story.expect("callback", is_taken, mode == KEEP)
        story.tell("somebody answers", sent, "called back" if is_taken else "callback reverted")
    label = int.from_bytes(consumer.view("lastOutput")[:8], "big")
    story.expect("label", label, int(labels[0]))
    story.note("what the contract was told", outcome=f"the digit is a {label}")
    sent = callbacks.send("answerer", "withdraw", chain.address("answerer"))
    paid = callbacks.event(sent, "Withdrawn")[2]
    story.expect("both fees", paid, 2 * FEE)
    story.tell("the answerer withdraws both fees", sent, f"{paid / ETHER} ether")


def judge(story: Story, measuring: Measuring) -> None:
    """Have one honest and one dishonest solver answer the same batch."""
    story.title("VerifierEscrow: who answers a batch off the chain, and who watches him?")
    escrow = story.chain.deploy("anyone", "VerifierEscrow")
    images, _ = digits()
    inputs = Dataset([image.tobytes() for image in images[:ITEMS]], [0] * ITEMS)
    right = answers_off_chain(inputs)
    forged = [*right[:BAD_ITEM], bytes(len(right[0])), *right[BAD_ITEM + 1 :]]
    for job, outputs in enumerate((right, forged)):
        post(story, escrow, measuring.int8, inputs)
        sent = escrow.send("solver", "accept", job, value=SOLVER_BOND)
        story.tell("a solver accepts under a bond", sent, "1 ether")
        sent = escrow.send("solver", "solve", job, b"".join(outputs))
        story.tell("the solver answers", sent, "all right" if outputs is right else "one is wrong")
        sent = escrow.send("verifier", "vouch", job, value=VERIFIER_BOND)
        story.tell("a verifier vouches under a bond", sent, "0.5 ether")
        challenge(story, escrow, job, inputs, outputs, right[BAD_ITEM])
    deadline = escrow.view("jobAt", 0)[2]
    story.chain.skip_to(deadline)
    story.tell("the honest job is paid", escrow.send("anyone", "finalize", 0))
    for name, wei in (
        ("solver", SOLVER_BOND + SOLVER_FEE),
        ("verifier", VERIFIER_BOND + VERIFIER_FEE),
        ("whistle-blower", (SOLVER_BOND + VERIFIER_BOND) // 2),
        ("submitter", SOLVER_FEE + VERIFIER_FEE),
    ):
        story.expect(name, escrow.view("owed", story.chain.address(name)), wei)
        story.note(f"the {name} may withdraw", outcome=f"{wei / ETHER} ether")


def post(story: Story, escrow: Deployed, model: bytes, inputs: Dataset) -> None:
    """Post a job of all items."""
    phases = (10, 20)
    terms = (model, inputs.root, len(inputs), *phases, SOLVER_FEE, VERIFIER_FEE)
    sent = escrow.send(
        "submitter",
        "post",
        (*terms, SOLVER_BOND, VERIFIER_BOND),
        value=SOLVER_FEE + VERIFIER_FEE,
    )
    story.tell(f"a submitter posts {len(inputs)} digits", sent, "fees 0.11 ether")


def challenge(
    story: Story, escrow: Deployed, job: int, inputs: Dataset, outputs: list[bytes], right: bytes
) -> None:
    """Announce and make a challenge to one answer; a right one is not to be challenged."""
    name = "whistle-blower"
    types = ["uint256", "address", "uint16", "bytes32", "bytes32"]
    values = [job, story.chain.address(name), BAD_ITEM, keccak256(right), SALT]
    sent = escrow.send(name, "announce", keccak256(encode(types, values)))
    story.tell(f"a whistle-blower announces a challenge of item {BAD_ITEM}", sent)
    given = Dataset(outputs, [0] * len(outputs))
    asked, answered = inputs.batch(BAD_ITEM, 0), given.batch(BAD_ITEM, 0)
    item = (BAD_ITEM, asked.rows, asked.path, answered.rows, answered.path)
    if outputs[BAD_ITEM] == right:
        refusal = escrow.refusal(name, "challenge", job, item, SALT)
        story.expect("refusal", refusal, "NoFraud")
        story.note("INFER gives the same answer: the challenge fails", outcome=refusal)
        return
    copied = escrow.refusal("thief", "challenge", job, item, SALT)
    story.note("somebody copies the challenge", outcome=copied)
    sent = escrow.send(name, "challenge", job, item, SALT)
    reward = escrow.event(sent, "FraudShown")[3]
    story.tell("INFER gives another answer", sent, f"reward {reward / ETHER} ether, as much burned")


def answers_off_chain(inputs: Dataset) -> list[bytes]:
    """Return what the model gives to every item, as a solver runs it."""
    model = parse_model(sample_model_path("digits_int8.onnx").read_bytes())
    plan = backend_named("cpu").plan(model.graph)
    output = run_items(plan, model, inputs.batch(0, inputs.depth).rows)
    width = len(output) // len(inputs)
    return [output[start : start + width] for start in range(0, len(output), width)]
