"""VerifierEscrow.sol as a judge: refused inputs, gas, and models that are retired."""

from dataclasses import replace

import pytest

from cvm.evm.keccak import keccak256
from models_registry.selectors import selector
from tests.unit.models_registry.contract_world import ITEM_GAS, FakeModel, Reverted
from tests.unit.models_registry.measured import ROW_BYTES, model_id, rows_of
from tests.unit.models_registry.verified import (
    ANSWERED,
    CLOSED,
    INPUT,
    MODEL,
    PLAIN,
    REFUSED,
    RIGHT,
    SALT,
    SOLVED,
    WRONG,
    Verified,
    verified,
)

BAD_SIZE = selector("BadInputSize()").ljust(32, b"\0")
OUT_OF_RANGE = selector("InputOutOfRange()").ljust(32, b"\0")
MISSING, HEAVY, WIDE = model_id(70), model_id(71), model_id(72)


@pytest.fixture
def it() -> Verified:
    return verified()


# What the model refuses


@pytest.mark.parametrize(
    ("data", "truth"),
    [
        pytest.param(REFUSED, OUT_OF_RANGE, id="a value out of range"),
        pytest.param(INPUT + b"\0", BAD_SIZE, id="a byte too many"),
        pytest.param(b"", BAD_SIZE, id="no input"),
        pytest.param(INPUT + INPUT, BAD_SIZE, id="an item more than the job says"),
    ],
)
def test_the_answer_to_what_the_model_refuses_is_the_error(
    it: Verified, data: bytes, truth: bytes
) -> None:
    terms = replace(PLAIN, source=keccak256(data), is_on_chain=True)
    right, _ = it.answered(terms, truth)
    it.challenge(right, data)
    wrong = it.post(terms)
    it.claim(wrong)
    it.answer(wrong, RIGHT, output=b"\x09")
    it.challenge(wrong, data, truth)
    assert (it.phase(right), it.phase(wrong)) == (SOLVED, CLOSED)


def test_a_batch_is_judged_as_a_whole(it: Verified) -> None:
    data = INPUT + b"\x07" + bytes(ROW_BYTES - 1)
    terms = replace(PLAIN, source=keccak256(data), items=2)
    job, _ = it.answered(terms, keccak256(b"\x09\x07"))
    it.challenge(job, data)
    assert it.phase(job) == SOLVED


# Gas: too little judges nobody


@pytest.mark.parametrize("honest", [True, False], ids=["right answer", "wrong answer"])
def test_no_amount_of_gas_makes_a_challenge_end_otherwise_than_it_should(
    it: Verified, honest: bool
) -> None:
    job, _ = it.answered(PLAIN, RIGHT if honest else WRONG)
    before = it.purses()
    failures = set()
    for gas in range(1_000, 240_000, 1_500):
        try:
            done = it.challenge(job, gas=gas)
        except Reverted as reverted:
            failures.add(reverted.data[:4])
            assert (it.phase(job), it.purses()) == (ANSWERED, before)
        else:
            assert it.escrow.events(done, "Judged")[0][3] == RIGHT
            break
    assert selector("TooLittleGas(uint256,uint256)") in failures
    assert it.phase(job) == (SOLVED if honest else CLOSED)


def test_an_inference_that_runs_out_of_gas_judges_nobody(it: Verified) -> None:
    """The model costs more than MODELINFO said: prices of another fork, as it were."""
    job, _ = it.answered(PLAIN, RIGHT)
    it.world.models[MODEL] = replace(it.world.models[MODEL], hidden_gas=1_000_000)
    with it.refused("InferenceOutOfGas"):
        it.challenge(job, gas=500_000)
    assert it.phase(job) == ANSWERED
    it.challenge(job, gas=2_000_000)
    assert it.phase(job) == SOLVED


@pytest.mark.parametrize(
    ("model", "items", "fits"),
    [
        pytest.param(MODEL, 4_096, True, id="largest batch"),
        pytest.param(HEAVY, 1, False, id="compute of an item"),
        pytest.param(WIDE, 1, True, id="input at the limit of calldata"),
        pytest.param(WIDE, 2, False, id="input past it"),
    ],
)
def test_a_job_that_no_transaction_could_challenge_is_refused(
    it: Verified, model: bytes, items: int, fits: bool
) -> None:
    it.world.models[HEAVY] = FakeModel(lambda item: item, ROW_BYTES, 1, gas=14_000_000)
    it.world.models[WIDE] = FakeModel(lambda item: item, 300_000, 1)
    terms = replace(PLAIN, model_id=model, items=items)
    if fits:
        it.post(terms)
    else:
        with pytest.raises(Reverted) as caught:
            it.post(terms)
        assert caught.value.data[:4] == selector("TooMuchGas(uint256,uint256)")
        assert int.from_bytes(caught.value.data[4:36], "big") > 1 << 24


@pytest.mark.parametrize("count", [1, 64, 1_024], ids=str)
def test_a_challenge_takes_no_more_gas_than_the_contract_says(it: Verified, count: int) -> None:
    rows = rows_of(count)
    job, _ = it.answered(it.rows_terms(rows, 0, rows.depth, count), WRONG)
    most = it.escrow.view("challengeGas", job)
    truth = keccak256(bytes(i % 100 for i in range(count)))
    done = it.challenge_rows(job, rows, 0, rows.depth, truth)
    data = it.escrow.abi.calldata("challengeRows", job, rows.batch(0, rows.depth).as_tuple(), SALT)
    assert done.gas_used + 21_000 + 16 * len(data) <= most <= 500_000 + 4_500 * count
    assert ITEM_GAS * count < done.gas_used
