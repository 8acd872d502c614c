"""DataToken.sol and AccessToken.sol in the node's own EVM: who may sell, who is paid, and when."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from models_registry.selectors import selector
from tests.unit.models_registry.contract_world import RICH, Contract, Done, Reverted
from tests.unit.models_registry.measured import (
    CLASS_OF_BYTE,
    Measured,
    Rule,
    measured,
    model_id,
    reader,
    rows_of,
)

ROWS = rows_of(8)
PRICE, JOB_BLOCKS = 700, 10
MODEL, OTHER, MISSING = model_id(1), model_id(2), model_id(3)
OPEN, DONE, CANCELLED = 1, 2, 3


@dataclass(slots=True)
class Sold:
    """A DataToken with one dataset that is not published yet."""

    measured: Measured
    data: Contract
    rows_id: bytes

    def user(self, name: str) -> bytes:
        return self.measured.world.user(name)

    def send(self, name: str, function: str, *arguments: Any, value: int = 0) -> Done:
        return self.data.send(self.user(name), function, *arguments, value=value)

    def publish(
        self,
        *,
        name: str = "publisher",
        price: int = PRICE,
        blocks: int = JOB_BLOCKS,
        rows_id: bytes | None = None,
    ) -> Contract:
        done = self.send(name, "publish", rows_id or self.rows_id, "Digits", "DIG", price, blocks)
        token = bytes.fromhex(self.data.result("publish", done)[2:])
        return Contract(self.measured.world, token, "AccessToken")

    def buy(self, name: str, units: int, value: int | None = None) -> Done:
        due = PRICE * units if value is None else value
        return self.send(name, "buy", self.rows_id, units, value=due)

    def order(self, name: str, model: bytes = MODEL, rule: Rule = CLASS_OF_BYTE) -> int:
        done = self.send(name, "order", self.rows_id, model, rule)
        return int(self.data.result("order", done))

    def certify(self, model: bytes = MODEL) -> bytes:
        return self.measured.certify(model, self.rows_id, ROWS)

    def owed(self, name: str) -> int:
        return int(self.data.view("owed", self.user(name)))

    def status(self, job: int = 0) -> int:
        return int(self.data.view("jobAt", job)[2])

    def balance(self) -> int:
        return self.measured.world.balance(self.data.address)

    def error(self, name: str, *values: Any) -> bytes:
        return self.data.error(name, *values)


def sold() -> Sold:
    found = measured({MODEL: reader(2), OTHER: reader(3)})
    data = found.world.deploy("DataToken", found.evaluator.address)
    return Sold(found, data, found.register(ROWS))


@pytest.fixture
def it() -> Sold:
    return sold()


def number(rows_id: bytes) -> int:
    return int.from_bytes(rows_id, "big")


def test_publishing_mints_the_nft_and_makes_a_token_of_whole_units(it: Sold) -> None:
    token = it.publish()
    assert it.data.view("ownerOf", number(it.rows_id)) == "0x" + it.user("publisher").hex()
    assert it.data.view("offerOf", it.rows_id) == ("0x" + token.address.hex(), JOB_BLOCKS, PRICE)
    assert [token.view(each) for each in ("name", "symbol", "decimals", "totalSupply")] == [
        "Digits",
        "DIG",
        0,
        0,
    ]
    assert token.view("issuer") == "0x" + it.data.address.hex()
    assert it.data.view("name") == "CVM datasets"


def test_only_the_publisher_of_a_dataset_publishes_it_once(it: Sold) -> None:
    with pytest.raises(Reverted) as thief:
        it.publish(name="thief")
    assert thief.value.data == it.error("NotThePublisher", it.user("thief"), it.user("publisher"))
    it.publish()
    with pytest.raises(Reverted) as again:
        it.publish()
    assert again.value.data == it.error("AlreadyPublished", it.rows_id)


def test_a_dataset_that_does_not_exist_is_not_published(it: Sold) -> None:
    with pytest.raises(Reverted) as caught:
        it.publish(rows_id=b"\x01" * 32)
    assert caught.value.data == it.measured.datasets.error("NoDataset", b"\x01" * 32)


def test_a_job_needs_time(it: Sold) -> None:
    with pytest.raises(Reverted) as caught:
        it.publish(blocks=0)
    assert caught.value.data == it.error("NoJobBlocks")


def test_bought_units_are_backed_by_their_price(it: Sold) -> None:
    token = it.publish()
    done = it.buy("consumer", 3)
    assert it.data.events(done, "Bought") == [(it.rows_id, "0x" + it.user("consumer").hex(), 3)]
    assert token.view("balanceOf", it.user("consumer")) == 3
    assert it.balance() == 3 * PRICE
    assert it.owed("publisher") == 0


def test_unused_units_are_given_back_for_their_price(it: Sold) -> None:
    token = it.publish()
    it.buy("consumer", 3)
    it.send("consumer", "redeem", it.rows_id, 2)
    assert token.view("totalSupply") == 1
    assert it.owed("consumer") == 2 * PRICE
    with pytest.raises(Reverted) as caught:
        it.send("consumer", "redeem", it.rows_id, 2)
    assert caught.value.data == token.error("ERC20InsufficientBalance", it.user("consumer"), 1, 2)


def test_a_unit_is_worth_its_price_to_whoever_holds_it(it: Sold) -> None:
    token = it.publish()
    it.buy("consumer", 1)
    token.send(it.user("consumer"), "transfer", it.user("friend"), 1)
    it.send("friend", "redeem", it.rows_id, 1)
    assert (it.owed("friend"), it.owed("consumer")) == (PRICE, 0)


@pytest.mark.parametrize(
    ("units", "value", "error", "values"),
    [
        pytest.param(0, 0, "NoUnits", (), id="nothing"),
        pytest.param(2, 2 * PRICE - 1, "WrongPayment", (2 * PRICE - 1, 2 * PRICE), id="too little"),
        pytest.param(2, 2 * PRICE + 1, "WrongPayment", (2 * PRICE + 1, 2 * PRICE), id="too much"),
    ],
)
def test_units_cost_exactly_their_price(
    it: Sold, units: int, value: int, error: str, values: tuple[int, ...]
) -> None:
    it.publish()
    with pytest.raises(Reverted) as caught:
        it.buy("consumer", units, value)
    assert caught.value.data == it.error(error, *values)


def test_a_price_that_overflows_is_refused(it: Sold) -> None:
    it.publish(price=2**255)
    with pytest.raises(Reverted) as caught:
        it.buy("consumer", 2, 0)
    assert caught.value.data[:4] == selector("Panic(uint256)")


def test_free_units_are_units(it: Sold) -> None:
    token = it.publish(price=0)
    it.buy("consumer", 4, 0)
    it.order("consumer")
    it.certify()
    it.send("anyone", "finish", 0)
    assert token.view("totalSupply") == 3
    assert it.owed("publisher") == 0


def test_nothing_is_redeemed_for_nothing(it: Sold) -> None:
    it.publish()
    with pytest.raises(Reverted) as caught:
        it.send("consumer", "redeem", it.rows_id, 0)
    assert caught.value.data == it.error("NoUnits")


def test_a_finished_job_uses_the_unit_and_pays_the_owner_of_the_nft(it: Sold) -> None:
    token = it.publish()
    it.send("publisher", "transferFrom", it.user("publisher"), it.user("heir"), number(it.rows_id))
    it.buy("consumer", 1)
    assert it.order("consumer") == 0
    assert token.view("balanceOf", it.data.address) == 1
    found = it.certify()
    done = it.send("anyone", "finish", 0)
    assert it.data.events(done, "Finished") == [(0, "0x" + it.user("heir").hex(), PRICE)]
    assert token.view("totalSupply") == 0
    assert (it.owed("heir"), it.owed("publisher")) == (PRICE, 0)
    consumer = "0x" + it.user("consumer").hex()
    assert it.data.view("jobAt", 0) == ((consumer, 1 + JOB_BLOCKS, DONE, it.rows_id, found))
    heir = it.user("heir")
    it.data.send(heir, "withdraw", heir)
    assert it.measured.world.balance(heir) == RICH + PRICE
    assert it.balance() == 0


def test_a_job_is_finished_by_its_whole_certificate_only(it: Sold) -> None:
    it.publish()
    it.buy("consumer", 1)
    it.order("consumer")
    it.measured.submit(MODEL, it.rows_id, ROWS, 0, 2)
    it.certify(OTHER)
    found = it.measured.certificate_id(MODEL, it.rows_id)
    with pytest.raises(Reverted) as caught:
        it.send("publisher", "finish", 0)
    assert caught.value.data == it.error("NotCertified", found, 4, 8)


def test_a_job_that_is_not_done_in_time_gives_the_unit_back(it: Sold) -> None:
    token = it.publish()
    it.buy("consumer", 1)
    it.order("consumer")
    it.measured.world.height += JOB_BLOCKS
    with pytest.raises(Reverted) as early:
        it.send("consumer", "cancel", 0)
    assert early.value.data == it.error("DeadlineNotPassed", 0, 1 + JOB_BLOCKS)
    it.measured.world.height += 1
    it.send("anyone", "cancel", 0)
    assert token.view("balanceOf", it.user("consumer")) == 1
    assert it.status() == CANCELLED
    for function in ("cancel", "finish"):
        with pytest.raises(Reverted) as again:
            it.send("anyone", function, 0)
        assert again.value.data == it.error("NotOpen", 0, CANCELLED)


def test_a_job_that_is_done_cannot_be_cancelled(it: Sold) -> None:
    it.publish()
    it.buy("consumer", 1)
    it.order("consumer")
    found = it.certify()
    it.measured.world.height += JOB_BLOCKS + 1
    with pytest.raises(Reverted) as caught:
        it.send("consumer", "cancel", 0)
    assert caught.value.data == it.error("AlreadyCertified", found)
    it.send("publisher", "finish", 0)
    assert it.status() == DONE


def test_what_is_known_already_is_not_ordered(it: Sold) -> None:
    it.publish()
    it.buy("consumer", 1)
    found = it.certify()
    with pytest.raises(Reverted) as caught:
        it.order("consumer")
    assert caught.value.data == it.error("AlreadyCertified", found)


def test_an_order_needs_a_unit_and_an_active_model(it: Sold) -> None:
    token = it.publish()
    with pytest.raises(Reverted) as missing:
        it.order("consumer", MISSING)
    assert missing.value.data == selector("ModelNotActive()")
    with pytest.raises(Reverted) as unit:
        it.order("consumer")
    assert unit.value.data == token.error("ERC20InsufficientBalance", it.user("consumer"), 0, 1)
    assert it.data.view("jobCount") == 0


def test_a_unit_that_waits_in_a_job_is_nobody_elses(it: Sold) -> None:
    token = it.publish()
    it.buy("consumer", 1)
    it.order("consumer")
    for name in ("consumer", "thief"):
        with pytest.raises(Reverted) as caught:
            it.send(name, "redeem", it.rows_id, 1)
        assert caught.value.data == token.error("ERC20InsufficientBalance", it.user(name), 0, 1)


def test_what_was_not_published_is_not_sold(it: Sold) -> None:
    attempts: list[Callable[[], object]] = [
        lambda: it.buy("consumer", 1),
        lambda: it.send("consumer", "redeem", it.rows_id, 1),
        lambda: it.order("consumer"),
        lambda: it.data.view("offerOf", it.rows_id),
    ]
    for attempt in attempts:
        with pytest.raises(Reverted) as caught:
            attempt()
        assert caught.value.data == it.error("NotPublished", it.rows_id)


@pytest.mark.parametrize("function", ["finish", "cancel", "jobAt"])
def test_a_job_that_does_not_exist_is_named(it: Sold, function: str) -> None:
    with pytest.raises(Reverted) as caught:
        it.send("anyone", function, 0)
    assert caught.value.data == it.error("NoJob", 0)


@pytest.mark.parametrize(("function", "count"), [("mint", 1), ("burn", 1), ("move", 2)])
def test_only_the_issuer_makes_burns_and_takes_units(it: Sold, function: str, count: int) -> None:
    token = it.publish()
    it.buy("consumer", 1)
    thief = it.user("thief")
    arguments = [it.user("consumer"), thief][:count]
    with pytest.raises(Reverted) as caught:
        token.send(thief, function, *arguments, 1)
    assert caught.value.data == token.error("NotTheIssuer", thief, it.data.address)


def test_the_nft_answers_to_erc721(it: Sold) -> None:
    assert it.data.view("supportsInterface", bytes.fromhex("80ac58cd")) is True
    assert it.data.view("supportsInterface", bytes.fromhex("ffffffff")) is False


class Market(RuleBasedStateMachine):
    """Whatever is bought, used and given back, every unit is backed and every wei owned."""

    NAMES = ("ann", "bob", "publisher")

    def __init__(self) -> None:
        super().__init__()
        self.it = sold()
        self.token = self.it.publish(blocks=3)
        self.jobs = 0

    @rule(name=st.sampled_from(NAMES), units=st.integers(0, 3))
    def buy(self, name: str, units: int) -> None:
        self.attempt(lambda: self.it.buy(name, units))

    @rule(name=st.sampled_from(NAMES), units=st.integers(0, 3))
    def redeem(self, name: str, units: int) -> None:
        self.attempt(lambda: self.it.send(name, "redeem", self.it.rows_id, units))

    @rule(name=st.sampled_from(NAMES), to=st.sampled_from(NAMES))
    def transfer(self, name: str, to: str) -> None:
        user = self.it.user
        self.attempt(lambda: self.token.send(user(name), "transfer", user(to), 1))

    @rule(name=st.sampled_from(NAMES), model=st.sampled_from([MODEL, OTHER]))
    def order(self, name: str, model: bytes) -> None:
        if self.attempt(lambda: self.it.order(name, model)):
            self.jobs += 1

    @rule(model=st.sampled_from([MODEL, OTHER]), row=st.integers(0, 7))
    def evaluate(self, model: bytes, row: int) -> None:
        self.attempt(lambda: self.it.measured.submit(model, self.it.rows_id, ROWS, row, 0))

    @rule(function=st.sampled_from(["finish", "cancel"]), job=st.integers(0, 3))
    def end(self, function: str, job: int) -> None:
        self.attempt(lambda: self.it.send("anyone", function, job))

    @rule(blocks=st.integers(1, 3))
    def wait(self, blocks: int) -> None:
        self.it.measured.world.height += blocks

    @rule(name=st.sampled_from(NAMES))
    def withdraw(self, name: str) -> None:
        self.attempt(lambda: self.it.send(name, "withdraw", self.it.user(name)))

    @invariant()
    def every_unit_is_backed_and_every_open_job_holds_one(self) -> None:
        owed = sum(self.it.owed(name) for name in self.NAMES)
        assert self.it.balance() == PRICE * self.token.view("totalSupply") + owed
        waiting = sum(self.it.status(job) == OPEN for job in range(self.jobs))
        assert self.token.view("balanceOf", self.it.data.address) == waiting

    def attempt(self, action: Any) -> bool:
        try:
            action()
        except Reverted:
            return False
        return True


TestMarket = Market.TestCase
TestMarket.settings = settings(
    derandomize=True, max_examples=25, stateful_step_count=40, deadline=None
)


def test_rows_of_another_publisher_are_another_dataset(it: Sold) -> None:
    """Copying the rows does not let anybody sell them under the publisher's id."""
    copied = it.measured.register(ROWS, sender="thief")
    assert copied != it.rows_id
    it.publish(name="thief", rows_id=copied)
    assert it.data.view("ownerOf", number(copied)) == "0x" + it.user("thief").hex()
