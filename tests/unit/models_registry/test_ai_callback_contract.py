"""AICallback.sol in the node's own EVM: who is paid, and what a bad consumer cannot do."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cvm.evm.keccak import keccak256
from models_registry.selectors import selector
from tests.unit.models_registry.contract_world import ContractWorld, Done, Reverted
from tests.unit.models_registry.measured import ROW_BYTES, model_id, reader

MODEL, MISSING = model_id(1), model_id(2)
INPUT = b"\x09" + bytes(ROW_BYTES - 1)
OUTSIDE = bytes(ROW_BYTES - 1) + b"\xff"
KEEP, REVERT, WASTE, FLOOD, FULFIL, WITHDRAW, REQUEST = range(7)
OPEN, ANSWERED, CANCELLED = 1, 2, 3
FEE, CALLBACK_GAS, DEADLINE = 5_000, 200_000, 10


class Asked:
    """AICallback with a consumer that can be told to misbehave."""

    def __init__(self) -> None:
        self.world = ContractWorld({MODEL: reader(0)})
        self.callbacks = self.world.deploy("AICallback")
        self.consumer = self.world.deploy("CallbackProbe", self.callbacks.address)
        self.answerer = self.world.user("answerer")

    def ask(
        self,
        *,
        model: bytes = MODEL,
        data: bytes = INPUT,
        fee: int = FEE,
        gas: int = CALLBACK_GAS,
        deadline: int = DEADLINE,
    ) -> Done:
        return self.consumer.send(
            self.world.user("payer"), "ask", model, data, gas, deadline, value=fee
        )

    def behave(self, mode: int) -> None:
        self.consumer.send(self.answerer, "behave", mode)

    def fulfil(self, request: int = 0, data: bytes = INPUT, gas: int = 10_000_000) -> Done:
        return self.callbacks.send(self.answerer, "fulfil", request, data, gas=gas)

    def status(self, request: int = 0) -> int:
        return int(self.callbacks.view("requestAt", request)[3])

    def error(self, name: str, *values: Any) -> bytes:
        return self.callbacks.error(name, *values)


@pytest.fixture
def it() -> Asked:
    return Asked()


def test_a_request_holds_the_fee_and_says_everything(it: Asked) -> None:
    done = it.ask()
    consumer = "0x" + it.consumer.address.hex()
    assert it.callbacks.events(done, "Requested") == [
        (0, consumer, MODEL, keccak256(INPUT), INPUT, FEE, CALLBACK_GAS, DEADLINE)
    ]
    assert it.callbacks.view("requestAt", 0) == (
        (consumer, DEADLINE, CALLBACK_GAS, OPEN, MODEL, keccak256(INPUT), FEE)
    )
    assert it.callbacks.view("requestCount") == 1
    assert it.world.balance(it.callbacks.address) == FEE


def test_an_answer_calls_back_with_the_models_output_and_pays_the_answerer(it: Asked) -> None:
    it.ask()
    done = it.fulfil()
    assert it.consumer.view("lastOutput") == b"\x09"
    assert it.consumer.view("lastOk") is True
    assert it.callbacks.events(done, "Answered") == [(0, "0x" + it.answerer.hex(), True, True)]
    assert it.status() == ANSWERED
    assert it.callbacks.view("owed", it.answerer) == FEE
    before = it.world.balance(it.answerer)
    it.callbacks.send(it.answerer, "withdraw", it.answerer)
    assert it.world.balance(it.answerer) == before + FEE
    assert it.callbacks.view("owed", it.answerer) == 0


def test_a_request_by_hash_is_answered_with_the_input_that_hashes_to_it(it: Asked) -> None:
    person = it.world.user("a person")
    done = it.callbacks.send(person, "requestHashed", MODEL, keccak256(INPUT), 0, DEADLINE)
    assert it.callbacks.events(done, "Requested")[0][4] == b""
    with pytest.raises(Reverted) as caught:
        it.fulfil(data=OUTSIDE)
    assert caught.value.data == it.error("WrongInput", keccak256(OUTSIDE), keccak256(INPUT))
    answered = it.fulfil()
    assert it.callbacks.events(answered, "Answered") == [(0, "0x" + it.answerer.hex(), True, True)]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        pytest.param(OUTSIDE, "InputOutOfRange()", id="value"),
        pytest.param(b"\x00", "BadInputSize()", id="size"),
    ],
)
def test_an_input_that_the_model_refuses_is_answered_with_the_reason(
    it: Asked, data: bytes, error: str
) -> None:
    it.ask(data=data)
    it.fulfil(data=data)
    assert it.consumer.view("lastOk") is False
    assert it.consumer.view("lastOutput") == selector(error)
    assert it.callbacks.view("owed", it.answerer) == FEE


def test_a_model_that_is_not_active_leaves_the_request_open(it: Asked) -> None:
    it.ask(model=MISSING)
    with pytest.raises(Reverted) as caught:
        it.fulfil()
    assert caught.value.data == selector("ModelNotActive()")
    assert it.status() == OPEN


@pytest.mark.parametrize("mode", [REVERT, WASTE, FULFIL, WITHDRAW], ids=str)
def test_a_callback_that_fails_costs_the_answerer_nothing(it: Asked, mode: int) -> None:
    it.ask(data=INPUT)
    it.behave(mode)
    done = it.fulfil()
    assert it.callbacks.events(done, "Answered") == [(0, "0x" + it.answerer.hex(), True, False)]
    assert it.consumer.view("callCount") == 0
    assert it.callbacks.view("owed", it.answerer) == FEE
    assert it.callbacks.view("owed", it.consumer.address) == 0


def test_a_flood_of_returned_bytes_is_not_copied(it: Asked) -> None:
    it.ask(gas=4_000_000)
    it.behave(FLOOD)
    flooded = it.fulfil().gas_used
    it.ask(gas=4_000_000)
    it.behave(WASTE)
    wasted = it.fulfil(1).gas_used
    assert flooded < 2_400_000  # the memory of a megabyte, once, in the consumer
    assert wasted < 4_000_000 + 150_000


def test_a_callback_may_ask_again(it: Asked) -> None:
    it.ask()
    it.behave(REQUEST)
    it.fulfil()
    assert it.callbacks.view("requestCount") == 2
    assert it.consumer.view("callCount") == 1


def test_the_answerer_cannot_starve_the_callback(it: Asked) -> None:
    """With any gas, the callback gets what it asked for or the whole answer reverts."""
    it.ask(gas=300_000)
    answered = 0
    for gas in range(30_000, 600_000, 10_000):
        try:
            done = it.fulfil(gas=gas)
        except Reverted:
            continue
        assert it.callbacks.events(done, "Answered")[0][3] is True
        assert it.consumer.view("gasGiven") > 295_000
        answered += 1
        break
    assert answered == 1
    assert 320_000 < gas < 500_000


def test_too_little_gas_is_named_with_both_values(it: Asked) -> None:
    it.ask(gas=1_000_000)
    with pytest.raises(Reverted) as caught:
        it.fulfil(gas=900_000)
    assert caught.value.data[:4] == selector("TooLittleGas(uint256,uint256)")
    assert int.from_bytes(caught.value.data[36:], "big") == 1_020_000
    assert int.from_bytes(caught.value.data[4:36], "big") < 900_000


def test_a_request_is_answered_once(it: Asked) -> None:
    it.ask()
    it.fulfil()
    with pytest.raises(Reverted) as caught:
        it.fulfil()
    assert caught.value.data == it.error("NotOpen", 0, ANSWERED)


@pytest.mark.parametrize(
    ("change", "error", "values"),
    [
        pytest.param(
            {"gas": 8_000_001}, "TooMuchCallbackGas", (8_000_001, 8_000_000), id="callback gas"
        ),
        pytest.param({"deadline": 1}, "DeadlineNotAhead", (1, 1), id="deadline"),
    ],
)
def test_a_request_that_cannot_be_served_is_refused(
    it: Asked, change: dict[str, Any], error: str, values: tuple[int, ...]
) -> None:
    with pytest.raises(Reverted) as caught:
        it.ask(**change)
    assert caught.value.data == it.error(error, *values)


def test_a_fee_of_nothing_is_a_fee(it: Asked) -> None:
    it.ask(fee=0)
    done = it.fulfil()
    assert it.callbacks.events(done, "Credited") == []
    assert it.status() == ANSWERED


def test_the_deadline_is_the_last_block_of_answers_and_before_the_first_of_refunds(
    it: Asked,
) -> None:
    it.ask()
    it.ask()
    it.world.height = DEADLINE
    with pytest.raises(Reverted) as early:
        it.consumer.send(it.answerer, "cancel", 0)
    assert early.value.data == it.error("DeadlineNotPassed", 0, DEADLINE)
    it.fulfil(0)
    it.world.height = DEADLINE + 1
    with pytest.raises(Reverted) as late:
        it.fulfil(1)
    assert late.value.data == it.error("DeadlinePassed", 1, DEADLINE)
    done = it.consumer.send(it.answerer, "cancel", 1)
    assert it.callbacks.events(done, "Cancelled") == [(1,)]
    assert it.callbacks.view("owed", it.consumer.address) == FEE
    assert it.status(1) == CANCELLED
    with pytest.raises(Reverted) as again:
        it.consumer.send(it.answerer, "cancel", 1)
    assert again.value.data == it.error("NotOpen", 1, CANCELLED)


def test_only_the_consumer_takes_its_fee_back(it: Asked) -> None:
    it.ask()
    it.world.height = DEADLINE + 1
    with pytest.raises(Reverted) as caught:
        it.callbacks.send(it.answerer, "cancel", 0)
    assert caught.value.data == it.error("NotTheConsumer", it.answerer, it.consumer.address)


@pytest.mark.parametrize(
    ("function", "arguments"), [("requestAt", [0]), ("fulfil", [0, b""]), ("cancel", [0])]
)
def test_a_request_that_does_not_exist_is_named(
    it: Asked, function: str, arguments: list[Any]
) -> None:
    with pytest.raises(Reverted) as caught:
        it.callbacks.send(it.answerer, function, *arguments)
    assert caught.value.data == it.error("NoRequest", 0)


# The purse, which other contracts share


def cancelled(it: Asked) -> None:
    """Leave the consumer with a fee to fetch."""
    it.ask()
    it.world.height = DEADLINE + 1
    it.consumer.send(it.answerer, "cancel", 0)


def test_nothing_owed_is_an_error(it: Asked) -> None:
    with pytest.raises(Reverted) as caught:
        it.callbacks.send(it.answerer, "withdraw", it.answerer)
    assert caught.value.data == it.error("NothingOwed", it.answerer)


@pytest.mark.parametrize("mode", [REVERT, WITHDRAW], ids=["refuses", "enters again"])
def test_a_payment_that_is_refused_stays_owed(it: Asked, mode: int) -> None:
    cancelled(it)
    it.behave(mode)
    with pytest.raises(Reverted) as caught:
        it.consumer.send(it.answerer, "withdrawFrom", it.callbacks.address)
    assert caught.value.data == it.error("PaymentRefused", it.consumer.address, FEE)
    assert it.callbacks.view("owed", it.consumer.address) == FEE
    it.behave(KEEP)
    done = it.consumer.send(it.answerer, "withdrawFrom", it.callbacks.address)
    consumer = "0x" + it.consumer.address.hex()
    assert it.callbacks.events(done, "Withdrawn") == [(consumer, consumer, FEE)]
    assert it.world.balance(it.consumer.address) == FEE
    assert it.world.balance(it.callbacks.address) == 0


class Ledger(RuleBasedStateMachine):
    """Whatever is asked, answered and withdrawn, every wei has one owner."""

    def __init__(self) -> None:
        super().__init__()
        self.it = Asked()
        self.open: dict[int, tuple[int, int]] = {}
        self.owed = {"answerer": 0, "consumer": 0}
        self.count = 0

    @rule(fee=st.integers(0, 1_000), blocks=st.integers(1, 4))
    def ask(self, fee: int, blocks: int) -> None:
        deadline = self.it.world.height + blocks
        self.it.ask(fee=fee, deadline=deadline)
        self.open[self.count] = (fee, deadline)
        self.count += 1

    @rule(mode=st.sampled_from([KEEP, REVERT, WASTE, FULFIL, WITHDRAW]))
    def behave(self, mode: int) -> None:
        self.it.behave(mode)

    @rule(blocks=st.integers(1, 3))
    def wait(self, blocks: int) -> None:
        self.it.world.height += blocks

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def fulfil(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from(sorted(self.open)))
        fee, deadline = self.open[request]
        if self.it.world.height > deadline:
            with pytest.raises(Reverted):
                self.it.fulfil(request)
            return
        self.it.fulfil(request)
        self.owed["answerer"] += fee
        del self.open[request]

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from(sorted(self.open)))
        fee, deadline = self.open[request]
        call = (self.it.answerer, "cancel", request)
        if self.it.world.height <= deadline:
            with pytest.raises(Reverted):
                self.it.consumer.send(*call)
            return
        self.it.consumer.send(*call)
        self.owed["consumer"] += fee
        del self.open[request]

    @rule()
    def withdraw(self) -> None:
        if self.owed["answerer"]:
            self.it.callbacks.send(self.it.answerer, "withdraw", self.it.answerer)
            self.owed["answerer"] = 0

    @invariant()
    def every_wei_is_a_fee_or_owed(self) -> None:
        callbacks = self.it.callbacks
        owed = (
            callbacks.view("owed", self.it.answerer),
            callbacks.view("owed", self.it.consumer.address),
        )
        assert owed == (self.owed["answerer"], self.owed["consumer"])
        held = sum(fee for fee, _ in self.open.values())
        assert self.it.world.balance(callbacks.address) == held + sum(owed)


TestLedger = Ledger.TestCase
TestLedger.settings = settings(
    derandomize=True, max_examples=15, stateful_step_count=25, deadline=None
)


def test_forced_ether_changes_no_account(it: Asked) -> None:
    it.ask()
    it.world.force(it.callbacks.address, 77)
    it.fulfil()
    it.callbacks.send(it.answerer, "withdraw", it.answerer)
    assert it.world.balance(it.callbacks.address) == 77


def test_an_account_without_code_is_answered_too(it: Asked) -> None:
    """A request of an account without code is answered too; its callback runs nothing."""
    person = it.world.user("a person")
    it.callbacks.send(person, "request", MODEL, INPUT, 50_000, DEADLINE, value=3)
    done = it.fulfil()
    assert it.callbacks.events(done, "Answered") == [(0, "0x" + it.answerer.hex(), True, True)]
