"""What JSON-RPC sees of a real chain: a transaction on its way, calls, estimates, models."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cvm.evm.creation_address import creation_address
from cvm.evm.faults import InvalidTransaction, MalformedTransaction, WrongChainId
from cvm.faults import ModelDataMissing
from models_registry.registry import RegistryStatus
from node.demo_contract import classify_data
from node.execution.call_request import CallRequest, CallResult
from node.execution.execution_chain import ExecutionChain
from node.execution.messages import MAX_TX_GAS, CallJob, EstimateJob
from node.pool.content import PoolStatus
from node.pool.faults import NonceUsed, TransactionTooLarge, TypeNotPooled
from node.pool.limits import MAX_TX_BYTES
from node.rpc.chain_view import TransactionLocation
from node.sample_models import sample_model_path
from node.transaction_pool import TransactionPool
from tests.chain_world import (
    CHAIN_ID,
    FEE_CAP,
    STRANGER,
    USER,
    WEI,
    ChainWorld,
    address_of,
    final_block,
    genesis_document,
    live_chain,
    signed,
)

GENESIS = json.dumps(genesis_document()).encode()
RECIPIENT = b"\xee" * 20


class Live:
    """A chain, its pool, and the view of both; coroutines run on a loop of their own."""

    def __init__(self, folder: Path) -> None:
        self.world = ChainWorld(folder, GENESIS)
        self.pool = TransactionPool(CHAIN_ID)
        self.view = live_chain(self.world, self.pool)

    def close(self) -> None:
        self.view.close()
        self.world.close()

    def submit(self, encoded: bytes) -> bytes:
        return asyncio.run(self.view.submit(encoded))

    def call(self, **fields: Any) -> CallResult:
        return asyncio.run(self.view.execute(CallJob(self.view.head().hash, request(**fields))))

    def estimate(self, **fields: Any) -> int | CallResult:
        return asyncio.run(self.view.execute(EstimateJob(self.view.head().hash, request(**fields))))


def request(**fields: Any) -> CallRequest:
    defaults: dict[str, Any] = {
        "sender": address_of(USER),
        "to": RECIPIENT,
        "gas": None,
        "gas_price": 0,
        "value": 0,
        "data": b"",
    }
    return CallRequest(**(defaults | fields))


def image(index: int = 0) -> bytes:
    images = np.load(sample_model_path("digits_100_images.npy"), allow_pickle=False)
    return bytes(images[index].tobytes())


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    live = Live(tmp_path)
    yield live
    live.close()


def test_a_sent_transaction_waits_and_wakes_the_producer(live: Live) -> None:
    encoded = signed(USER, 0, to=RECIPIENT, gas=21_000)
    tx_hash = live.submit(encoded)
    assert live.view.work.is_set()
    waiting = live.view.pending_transaction(tx_hash)
    assert waiting is not None
    assert waiting.encode() == encoded
    assert live.view.pending_nonce(address_of(USER)) == 1
    assert live.view.transaction_location(tx_hash) is None


def test_an_included_transaction_has_a_place_and_a_receipt(live: Live) -> None:
    encoded = signed(USER, 0, to=RECIPIENT, value=5, gas=21_000)
    checked, _left_out = live.world.propose([encoded])
    tx_hash = bytes(checked.block.transactions[0].hash)
    assert live.view.transaction_location(tx_hash) == TransactionLocation(checked.block.hash, 0)
    assert live.view.receipts(checked.block.hash)[0].cumulative_gas_used == 21_000
    block = live.view.block_by_hash(checked.block.hash)
    assert block is not None
    assert block.size_bytes == len(checked.block.encode())
    assert live.view.state_at(live.view.head()).balance(RECIPIENT) == 5
    assert live.view.pending_nonce(address_of(USER)) == 1


def test_a_block_on_disk_shows_its_transactions_when_it_is_the_head(live: Live) -> None:
    """Else a receipt would be there before the balances that it changed."""
    chain = live.world.chain
    before = chain._head
    checked, _left_out = live.world.propose([signed(USER, 0, to=RECIPIENT, gas=21_000)])
    tx_hash, after = checked.block.transactions[0].hash, chain._head
    chain._head = before
    assert live.view.transaction_location(tx_hash) is None
    chain._head = after
    assert live.view.transaction_location(tx_hash) is not None


@pytest.mark.parametrize(
    ("encoded", "fault"),
    [
        pytest.param(b"", MalformedTransaction, id="nothing"),
        pytest.param(b"\x02\xc0", MalformedTransaction, id="an empty list"),
        pytest.param(b"\2" * (MAX_TX_BYTES + 1), TransactionTooLarge, id="too large to look at"),
        pytest.param(b"\3" * (MAX_TX_BYTES + 1), TypeNotPooled, id="blobs"),
        pytest.param(signed(USER, 0, chain_id=1), WrongChainId, id="another chain"),
    ],
)
def test_a_bad_transaction_is_refused_and_wakes_nobody(
    live: Live, encoded: bytes, fault: type[InvalidTransaction]
) -> None:
    with pytest.raises(fault):
        live.submit(encoded)
    assert len(live.pool) == 0
    assert not live.view.work.is_set()


def test_a_queued_transaction_wakes_the_producer_when_the_gap_is_filled(live: Live) -> None:
    later = live.submit(signed(USER, 1, to=RECIPIENT, gas=21_000))
    assert not live.view.work.is_set()
    assert live.view.pending_nonce(address_of(USER)) == 0
    assert live.view.pool_status() == PoolStatus(0, 1)
    assert live.view.pending_transaction(later) is not None
    live.submit(signed(USER, 0, to=RECIPIENT, gas=21_000))
    assert live.view.work.is_set()
    assert live.view.pending_nonce(address_of(USER)) == 2
    pending = live.view.pool_content().pending[address_of(USER)]
    assert live.view.pool_content_from(address_of(USER)).pending == {address_of(USER): pending}
    assert [tx.nonce for tx in pending] == [0, 1]


def test_a_used_nonce_is_refused(live: Live) -> None:
    live.world.propose([signed(USER, 0, to=RECIPIENT, gas=21_000)])
    with pytest.raises(NonceUsed, match="next nonce 1, tx nonce 0"):
        live.submit(signed(USER, 0, to=RECIPIENT, value=1, gas=21_000))


def test_the_older_state_stays_readable(live: Live) -> None:
    genesis = live.view.head()
    live.world.propose([signed(USER, 0, to=RECIPIENT, value=5, gas=21_000)])
    assert live.view.state_at(genesis).balance(RECIPIENT) == 0
    assert live.view.state_at(genesis).balance(address_of(USER)) == WEI
    assert live.view.state_at(genesis).nonce(address_of(USER)) == 0


def test_a_transfer_is_estimated_at_21000(live: Live) -> None:
    assert live.estimate(value=1) == 21_000


def test_an_estimate_at_genesis_is_enough_in_block_1(live: Live) -> None:
    stores_its_number = bytes.fromhex("435f5500")  # NUMBER PUSH0 SSTORE STOP; 0 costs less than 1
    estimate = live.estimate(to=None, data=stores_its_number)
    assert isinstance(estimate, int)
    live.world.send(None, stores_its_number, gas=estimate)


LOOPS = bytes.fromhex("5b5f56")  # JUMPDEST PUSH0 JUMP


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        pytest.param(
            {"value": WEI + 1, "gas_price": FEE_CAP}, "insufficient funds for transfer", id="value"
        ),
        pytest.param(
            {"sender": address_of(STRANGER), "gas_price": FEE_CAP},
            "insufficient funds for transfer",
            id="no-wei-at-all",
        ),
        pytest.param(
            {"value": WEI - 20_000 * FEE_CAP, "gas_price": FEE_CAP},
            "gas required exceeds allowance (20000)",
            id="too-little-left-for-gas",
        ),
        pytest.param(
            {"to": None, "data": LOOPS, "gas": 90_000},
            "gas required exceeds allowance (90000)",
            id="too-little-asked-for",
        ),
        pytest.param(
            {"to": None, "data": LOOPS},
            "gas required exceeds allowance (16777216)",
            id="more-than-a-transaction-may-have",
        ),
        pytest.param({"to": None, "data": b"\x56"}, "StackUnderflow", id="another-halt"),
    ],
)
def test_an_estimate_that_fails_says_what_is_lacking(
    live: Live, wish: dict[str, Any], words: str
) -> None:
    failed = live.estimate(**wish)
    assert isinstance(failed, CallResult)
    assert failed.error == words


def test_an_estimate_takes_a_limit_below_a_transfers_as_none(live: Live) -> None:
    assert live.estimate(value=1, gas=20_999) == 21_000


def test_a_call_with_a_price_under_the_base_fee_is_an_error_and_no_crash(live: Live) -> None:
    result = live.call(gas_price=1, gas=50_000)
    assert result.error is not None
    assert result.error.startswith("max fee per gas less than block base fee: maxFeePerGas: 1")


def test_a_call_may_use_more_gas_than_a_transaction(live: Live) -> None:
    gas_opcode = bytes.fromhex("5a5f5260205ff3")
    result = live.call(to=None, data=gas_opcode)
    assert int.from_bytes(result.output[:32]) > MAX_TX_GAS


def test_classifying_in_a_call_gives_what_the_transaction_gives(live: Live) -> None:
    model_id = live.world.register_model()
    contract = live.world.deploy_classifier(model_id)
    assert contract == creation_address(address_of(USER), live.world.nonce - 1)
    preview = live.call(to=contract, data=classify_data(image()))
    assert preview.error is None
    label = int(np.load(sample_model_path("digits_100_labels.npy"))[0])
    assert int.from_bytes(preview.output[:32]) == label
    estimate = live.estimate(to=contract, data=classify_data(image()))
    assert isinstance(estimate, int)
    receipt = live.world.classify(contract, image()).executed.receipts[0]
    assert receipt.cumulative_gas_used <= estimate <= receipt.cumulative_gas_used * 102 // 100


def test_calls_leave_no_inference_for_the_next_block(live: Live) -> None:
    contract = live.world.deploy_classifier(live.world.register_model())
    live.call(to=contract, data=classify_data(image()))
    checked, _left_out = live.world.propose()
    assert checked.inferences == ()


def test_a_call_without_the_models_bytes_is_a_local_fault(live: Live, tmp_path: Path) -> None:
    model_id = live.world.register_model()
    contract = live.world.deploy_classifier(model_id)
    head = live.view.head()
    follower = Live(tmp_path / "follower")
    try:
        for number in range(1, int(head.block_number) + 1):
            follower.world.chain.import_block(*final_block(live.world, number))
        message = request(to=contract, data=classify_data(image()))
        with pytest.raises(ModelDataMissing, match=f"0x{model_id.hex()}"):
            asyncio.run(follower.view.execute(CallJob(head.hash, message)))
        with pytest.raises(ModelDataMissing):
            asyncio.run(follower.view.execute(EstimateJob(head.hash, message)))
    finally:
        follower.close()


def test_models_are_listed_with_entry_status_and_quote(live: Live) -> None:
    model_id = live.world.register_model()
    live.world.propose()
    assert list(live.view.model_ids()) == [model_id]
    entry = live.view.model_entry(model_id)
    assert entry is not None
    assert entry.status is RegistryStatus.ACTIVE
    status = live.view.model_status(model_id)
    assert (status.has_bytes, status.missing_chunks, status.refusal) == (True, (), None)
    assert len(status.attestations) == 1
    one, many = live.view.inference_quote(entry, 1), live.view.inference_quote(entry, 10)
    assert one is not None
    assert many is not None
    assert many.compute == 10 * one.compute
    assert many.load == one.load


def test_an_unregistered_model_is_none(live: Live) -> None:
    assert live.view.model_entry(b"\x99" * 32) is None
    status = live.view.model_status(b"\x99" * 32)
    assert (status.has_bytes, status.attestations, status.record) == (False, (), None)


@dataclass(frozen=True, slots=True)
class NotingJob:
    """Notes that it has run."""

    done: list[int]

    def run(self, chain: ExecutionChain) -> None:
        self.done.append(chain.chain_id)


def test_close_waits_for_the_message_under_way(live: Live) -> None:
    job = NotingJob([])

    async def close_meanwhile() -> None:
        running = asyncio.create_task(live.view.execute(job))
        await asyncio.wait([running], timeout=0)
        live.view.close()
        assert job.done == [CHAIN_ID]
        await running

    asyncio.run(close_meanwhile())
