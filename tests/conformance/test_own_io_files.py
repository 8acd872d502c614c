"""Our own `.io` files: each request about models and inferences has its recorded answer."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cvm.inference.backends.table import backend_named
from node.rpc.caller import Caller
from node.rpc.methods import METHODS
from tests.rpc_compat.own_suite import own_files, own_judge
from tests.vectors.rpc.record import caller_of, exchange, imported

INFERENCE_METHODS = {
    "cvm_backends",
    "cvm_estimateInference",
    "cvm_getCommitCertificate",
    "cvm_getInferences",
    "cvm_getModel",
    "cvm_infer",
    "cvm_listModels",
    "cvm_modelInterface",
    "cvm_modelStatus",
    "cvm_putChunk",
    "cvm_traceInference",
    "cvm_verifyInference",
}
FILES = {file.name: file for file in own_files()}
FIRST_DIGITS = {"one": [7], "batch": [2, 1]}
"""What the first three images of MNIST's test set show."""


@pytest.fixture(scope="module", params=["reference", "cpu"])
def caller(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Caller]:
    folder: Path = tmp_path_factory.mktemp("recorded")
    backend = backend_named(request.param)
    with closing(imported(folder, backend)) as world, caller_of(world) as caller:
        yield caller


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_request_has_its_answer(caller: Caller, name: str) -> None:
    file, judge = FILES[name], own_judge()
    for sent, expected in file.exchanges:
        found = judge.reason(
            sent, expected, exchange(caller, sent), is_schema_enough=file.is_speconly
        )
        assert found is None


def test_every_method_about_inferences_has_files() -> None:
    methods = {name.partition("/")[0] for name in FILES}
    assert methods >= INFERENCE_METHODS
    assert methods <= set(METHODS)
    for name, file in FILES.items():
        assert file.exchanges[0][0]["method"] == name.partition("/")[0]


@pytest.mark.parametrize("name", sorted(FIRST_DIGITS))
def test_the_recorded_model_reads_the_digits(name: str) -> None:
    ((_sent, answer),) = FILES[f"cvm_infer/{name}.io"].exchanges
    output = bytes.fromhex(answer["result"]["output"][2:])
    item = len(output) // len(FIRST_DIGITS[name])
    labels = [int.from_bytes(output[at : at + 8]) for at in range(0, len(output), item)]
    assert labels == FIRST_DIGITS[name]


def test_an_answer_that_differs_in_one_bit_is_found() -> None:
    file = FILES["cvm_infer/one.io"]
    ((sent, expected),) = file.exchanges
    output = expected["result"]["output"]
    wrong = {**expected, "result": {**expected["result"], "output": output[:-1] + "7"}}
    found = own_judge().reason(sent, expected, wrong, is_schema_enough=False)
    assert found is not None
    assert found.startswith(".result.output is ")
