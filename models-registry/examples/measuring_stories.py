"""Stories of contracts that measure models: certificates, routing, tournaments, data tokens."""

from eth_abi.abi import encode

from cvm.evm.keccak import keccak256
from examples.dev_chain import ETHER, Deployed
from examples.story import LABEL_RULE, Measuring, Story, digits, easy_rows, hard_rows

SALT = b"\x5a" * 32
PRIZE, STAKE, PRICE = ETHER, 4 * ETHER, ETHER // 10
BENCHMARK, MARGIN, CAP_BASIS_POINTS = 51, 4, 2_500


def begin(story: Story) -> Measuring:
    """Register two models, deploy both contracts, and certify a model on the digits."""
    story.title("DatasetRegistry and Evaluator: how well does a model do?")
    int8 = story.chain.register_model("digits_int8.onnx")
    float32 = story.chain.register_model("digits_float32.onnx")
    story.note("digits_int8 and digits_float32 are ACTIVE")
    registry = story.chain.deploy("publisher", "DatasetRegistry")
    evaluator = story.chain.deploy("publisher", "Evaluator", registry.address)
    measuring = Measuring(int8, float32, registry, evaluator)
    rows = easy_rows()
    dataset_id = measuring.register(story, "publisher", rows, "digits")
    story.expect("right", measuring.certify(story, "anyone", int8, dataset_id, rows), 100)
    call = (int8, dataset_id, LABEL_RULE, rows.batch(0, rows.depth).as_tuple())
    story.note("the same rows again", outcome=evaluator.refusal("anyone", "submit", *call))
    return measuring


def route(story: Story, measuring: Measuring) -> None:
    """Let certificates on hard digits decide which model answers."""
    story.title("ModelRouter: which model should answer?")
    router = story.chain.deploy("anyone", "ModelRouter", measuring.evaluator.address)
    rows = hard_rows()
    dataset_id = measuring.register(story, "publisher", rows, "digits moved down")
    board = (dataset_id, LABEL_RULE)
    early = router.refusal("anyone", "enter", measuring.float32, *board)
    story.note("a model without certificate", outcome=early)
    for model, name in ((measuring.float32, "digits_float32"), (measuring.int8, "digits_int8")):
        measuring.certify(story, "anyone", model, dataset_id, rows)
        sent = router.send("anyone", "enter", model, *board)
        _, _, correct, place = router.event(sent, "Seated")
        story.tell(f"{name} enters the board with {correct}", sent, f"place {place + 1}")
    story.expect("the best", router.view("best", *board), measuring.int8)
    images, labels = digits()
    answer, votes, answers = router.view("majority", *board, 2, images[0].tobytes())
    story.expect("majority", answer, int(labels[0]))
    story.note("the majority of both on a digit", outcome=f"{answer} by {votes} of {answers}")


def compete(story: Story, measuring: Measuring) -> None:
    """Play a round of three entrants, of whom one never reveals."""
    story.title("Tournament: who bets on his model?")
    chain = story.chain
    tournament = chain.deploy("anyone", "Tournament", measuring.evaluator.address)
    rows = hard_rows()
    dataset_id = measuring.register(story, "organiser", rows, "hidden digits")
    start = chain.height
    phases = (start + 12, start + 18, start + 24, start + 30)
    terms = (dataset_id, LABEL_RULE, BENCHMARK, MARGIN, CAP_BASIS_POINTS, *phases, ETHER)
    sent = tournament.send("organiser", "open", terms, value=PRIZE)
    story.tell("the organiser opens a round", sent, "prize 1 ether, benchmark 51 right")
    models = {"ann": measuring.int8, "bob": measuring.float32, "silent": measuring.int8}
    for name, model in models.items():
        types = ["uint256", "address", "bytes32", "bytes32"]
        secret = encode(types, [0, chain.address(name), model, SALT])
        sent = tournament.send(name, "commit", 0, keccak256(secret), value=STAKE)
        story.tell(f"{name} stakes 4 ether on a hidden model", sent)
    chain.skip_to(phases[0])
    for name in ("ann", "bob"):
        story.tell(f"{name} reveals", tournament.send(name, "reveal", 0, models[name], SALT))
    chain.skip_to(phases[1])
    for name in ("ann", "bob"):
        measuring.certify(story, "organiser", models[name], dataset_id, rows)
        sent = tournament.send("anyone", "score", 0, chain.address(name))
        story.tell(f"{name} is scored", sent)
    chain.skip_to(phases[3])
    settle(story, tournament)


def settle(story: Story, tournament: Deployed) -> None:
    """End every entry and the round, and pay the winner."""
    expected = {"ann": (ETHER // 4, 0), "bob": (0, 0), "silent": (0, ETHER)}
    for name, (gain, loss) in expected.items():
        sent = tournament.send("anyone", "settle", 0, story.chain.address(name))
        story.expect(name, tournament.event(sent, "Settled")[2:], (gain, loss))
        outcome = f"+{gain / ETHER} ether, burned {loss / ETHER}"
        story.tell(f"{name} is settled", sent, outcome)
    sent = tournament.send("anyone", "close", 0)
    returned = tournament.event(sent, "RoundClosed")[1]
    story.tell("the round is closed", sent, f"{returned / ETHER} ether back to the organiser")
    sent = tournament.send("ann", "withdraw", story.chain.address("ann"))
    story.tell("ann withdraws", sent, f"{tournament.event(sent, 'Withdrawn')[2] / ETHER} ether")


def sell(story: Story, measuring: Measuring) -> None:
    """Sell one job on a dataset, do it, and be paid."""
    story.title("DataToken: who pays for rows that he may not see?")
    data = story.chain.deploy("anyone", "DataToken", measuring.evaluator.address)
    rows = easy_rows()
    dataset_id = measuring.register(story, "owner", rows, "private digits")
    sent = data.send("owner", "publish", dataset_id, "Private digits", "PDIG", PRICE, 50)
    story.tell("the owner publishes: data NFT and access token", sent, "0.1 ether a job")
    sent = data.send("consumer", "buy", dataset_id, 2, value=2 * PRICE)
    story.tell("the consumer buys two units", sent, "0.2 ether held")
    sent = data.send("consumer", "order", dataset_id, measuring.float32, LABEL_RULE)
    story.tell("the consumer orders a certificate of digits_float32", sent, "one unit waits")
    story.note("the owner wants his money at once", outcome=data.refusal("owner", "finish", 0))
    measuring.certify(story, "owner", measuring.float32, dataset_id, rows)
    sent = data.send("owner", "finish", 0)
    paid = data.event(sent, "Finished")[2]
    story.expect("paid", paid, PRICE)
    story.tell("the job is finished", sent, f"{paid / ETHER} ether to the owner")
    sent = data.send("consumer", "redeem", dataset_id, 1)
    story.tell("the consumer gives his other unit back", sent, "0.1 ether")
    story.expect("held", story.chain.balance(data.address), 2 * PRICE)
