"""The examples run on a chain in this process, with real models."""

from io import StringIO

import pytest
from rich.console import Console

from examples.certificate import (
    MODEL,
    certify,
    count_off_chain,
    digits,
    main,
)
from examples.contract_stories import tell_all
from examples.dev_chain import NotRefused, TransactionFailed, dev_chain
from examples.story import Story, StoryFailed, dataset_of
from models_registry.contract_abi import ContractAbi


def test_a_certificate_of_real_digits_equals_the_count_off_the_chain() -> None:
    images, labels = digits(100)
    with dev_chain("reference") as chain:
        model_id = chain.register_model(MODEL)
        done = certify(chain, model_id, dataset_of(images, labels), height=5)
    assert (done.correct, done.rows, done.transactions) == (100, 100, 4)
    assert done.correct == count_off_chain(images, labels, "reference")
    assert 10_000 < done.gas_per_row < 16_000


def test_a_wrong_answer_is_counted_as_one() -> None:
    images, labels = digits(40)
    labels = labels.copy()
    labels[7] = (labels[7] + 1) % 10
    with dev_chain("reference") as chain:
        done = certify(chain, chain.register_model(MODEL), dataset_of(images, labels))
    assert (done.correct, done.rows, done.transactions) == (39, 40, 1)


def test_the_command_prints_accuracy_gas_and_the_count_off_the_chain(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["--rows", "16", "--backend", "reference"])
    shown = capsys.readouterr().out
    assert "certified: 16 of 16 right, 100.00 %" in shown
    assert "off the chain the same file reads 16 right: equal" in shown


def test_a_transaction_that_reverts_is_named() -> None:
    with dev_chain("reference") as chain:
        registry = chain.deploy("publisher", "DatasetRegistry")
        with pytest.raises(TransactionFailed, match="publisher: the transaction reverted"):
            registry.send("publisher", "register", bytes(32), 1, 1, 0, "")
        with pytest.raises(TransactionFailed, match="execution reverted: 0x"):
            registry.view("dataset", bytes(32))
        assert (
            ContractAbi("DatasetRegistry").error_name(
                ContractAbi("DatasetRegistry").error("NoDataset", bytes(32))
            )
            == "NoDataset"
        )


def test_every_contract_of_the_library_does_what_its_story_says() -> None:
    written = StringIO()
    story = tell_all(Console(file=written, width=200), "cpu")
    shown = written.getvalue()
    assert [line for line in shown.splitlines() if line and not line.startswith(" ")] == [
        "DatasetRegistry and Evaluator: how well does a model do?",
        "AICallback: who runs a model for me?",
        "ModelRouter: which model should answer?",
        "Tournament: who bets on his model?",
        "VerifierEscrow: who answers off the chain, and who watches him?",
        "DataToken: who pays for rows that he may not see?",
        f"{story.steps} steps in {story.chain.height} blocks, as they must be",
    ]
    assert shown.count(" gas  ") > 30
    refusals = ("NothingNew", "WrongInput", "NotCertified", "NotOver", "NotAnnounced")
    assert [name for name in refusals if name not in story.outcomes] == []


def test_a_story_that_goes_wrong_says_what_it_found() -> None:
    with dev_chain("reference") as chain:
        story = Story(chain, Console(file=StringIO()))
        with pytest.raises(StoryFailed, match="right: 99, not 100"):
            story.expect("right", 99, 100)
        registry = chain.deploy("publisher", "DatasetRegistry")
        with pytest.raises(NotRefused, match="datasetCount"):
            registry.refusal("anyone", "datasetCount")
