"""Building a block and checking one: what is taken, what is left out, what is refused."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from consensus.block import Block, decode_block
from consensus.block_execution import (
    BlockRunner,
    CheckedBlock,
    LeftOut,
    Parent,
    Proposal,
)
from consensus.faults import (
    BodyRootWrong,
    ExecutionDisagrees,
    HeaderFieldWrong,
    InferenceGasExceeded,
    InvalidTransactionInBlock,
)
from consensus.fork_schedule import Machines
from cvm.evm.faults import (
    BlockGasExceeded,
    InsufficientFunds,
    NonceTooHigh,
    NonceTooLow,
    TransactionVetoed,
    WrongChainId,
)
from cvm.evm.header import BlockHeader
from cvm.evm.list_root import list_root
from cvm.evm.private_key import PrivateKey
from cvm.evm.transaction import BLOB
from cvm.evm.transaction_decoding import decode_transaction
from cvm.evm.transaction_signing import UnsignedTransaction
from cvm.faults import DeviceFault, ModelDataMissing
from models_registry.addresses import MODEL_REGISTRY, VALIDATOR_SET
from models_registry.genesis import ValidatorParameters
from opcodes import gas
from tests.evm_world import (
    CALL,
    MODEL_ID,
    POP,
    RECORD,
    REVERT,
    FakeHost,
    infer_code,
    no_hash,
    push,
    registry_storage,
)
from tests.memory_chain import MemoryStates
from tests.memory_state import MemoryState
from tests.unit.consensus.headers import CERTIFICATE, PARAMETERS, parent_header
from tests.unit.evm.signing import RECIPIENT, address_of, raw

KEYS = [PrivateKey(bytes([0x80 + index]) * 32) for index in range(5)]  # TEST keys
PROPOSER = b"\xcb" * 20
CONTRACT, REVERTING, CATCHING, TWICE = (bytes([byte]) * 20 for byte in range(0xC0, 0xC4))
ITEMS = 100
INFERENCE = (
    gas.INFER_BASE + 200 + ITEMS * gas.compute_gas(RECORD.cost) + gas.io_gas(400) + gas.io_gas(800)
)
"""Inference gas of one call of CONTRACT."""
PROPOSAL = Proposal(PROPOSER, 0)
BATCH = infer_code(in_size=4 * ITEMS, out_size=0) + POP
FEE_CAP = 10**10


class Chain:
    """A parent block in memory on which blocks are built and checked."""

    def __init__(
        self,
        cap: int = PARAMETERS.block_inference_gas,
        block_gas_limit: int = PARAMETERS.block_gas_limit,
        host: FakeHost | None = None,
        royalty_gas: int = 0,
    ) -> None:
        state = MemoryState()
        for key in KEYS:
            state.put(address_of(key), balance=10**18)
        for address, code in self.contracts().items():
            state.put(address, nonce=1, code=code)
        state.put(MODEL_REGISTRY, nonce=1, storage=registry_storage(royalty_gas=royalty_gas))
        state.put(VALIDATOR_SET, nonce=1, storage=ValidatorParameters().storage([PROPOSER]))
        self.host = host or FakeHost()
        self.states = MemoryStates()
        parameters = replace(PARAMETERS, block_inference_gas=cap, block_gas_limit=block_gas_limit)
        self.runner = BlockRunner(parameters, Machines(self.host), self.states)
        root = self.states.start(state.changes())
        self.parent = self.parent_of(parent_header(state_root=root))

    def contracts(self) -> dict[bytes, bytes]:
        call = push(0) * 5 + push(REVERTING) + push(5_000_000) + CALL
        return {
            CONTRACT: BATCH,
            TWICE: BATCH + BATCH,
            REVERTING: BATCH + push(0) + push(0) + REVERT,
            CATCHING: call,
        }

    @staticmethod
    def parent_of(header: BlockHeader) -> Parent:
        return Parent(header, CERTIFICATE, no_hash)

    def build(self, *raws: bytes, proposal: Proposal = PROPOSAL) -> tuple[CheckedBlock, LeftOut]:
        return self.runner.build(self.parent, proposal, map(decode_transaction, raws))


def send(index: int, **fields: Any) -> bytes:
    """Return a transaction of one of the keys."""
    return raw(2, key=KEYS[index], **({"fee_cap": FEE_CAP} | fields))


def infer(index: int, **fields: Any) -> bytes:
    return send(index, **({"to": CONTRACT, "gas": 1_000_000} | fields))


def taken(checked: CheckedBlock) -> list[bytes]:
    return [tx.encode() for tx in checked.block.transactions]


def reasons(left_out: LeftOut) -> list[type[Exception]]:
    return [type(fault) for _tx, fault in left_out]


def with_header(block: Block, **fields: Any) -> Block:
    return Block(replace(block.header, **fields), block.transactions)


def test_what_is_built_passes_the_check() -> None:
    chain = Chain()
    built, left_out = chain.build(send(0, value=5), infer(1), infer(2))
    assert left_out == ()
    checked = chain.runner.check(decode_block(built.block.encode()), chain.parent)
    assert checked.update.root == built.block.header.state_root
    assert checked.update == built.update
    assert checked.executed == built.executed
    assert checked.inferences == built.inferences


def test_an_empty_block_passes_the_check() -> None:
    chain = Chain()
    built, _left_out = chain.build()
    assert chain.runner.check(built.block, chain.parent).executed.gas_used == 0


def test_the_proposer_decides_coinbase_time_and_extra_data() -> None:
    built, _left_out = Chain().build(proposal=Proposal(PROPOSER, 5_000, b"hello"))
    header = built.block.header
    assert (header.coinbase, header.timestamp, header.extra_data) == (PROPOSER, 5_000, b"hello")


def test_a_proposer_with_a_slow_clock_takes_the_earliest_time() -> None:
    built, _left_out = Chain().build(proposal=Proposal(PROPOSER, 1_001))
    assert built.block.header.timestamp == 1_002


def test_inferences_stand_in_block_order_with_their_transaction() -> None:
    built, _left_out = Chain().build(infer(1), send(0), infer(2))
    transactions = built.block.transactions
    assert [tx_hash for tx_hash, _call in built.inferences] == [
        transactions[0].hash,
        transactions[2].hash,
    ]
    assert {call.model_id for _tx_hash, call in built.inferences} == {MODEL_ID}


@pytest.mark.parametrize(
    ("candidate", "fault"),
    [
        pytest.param(send(0, nonce=1), NonceTooHigh, id="nonce gap"),
        pytest.param(send(0, chain_id=8), WrongChainId, id="another chain"),
        pytest.param(send(0, value=10**18), InsufficientFunds, id="no funds"),
    ],
)
def test_an_invalid_candidate_is_left_out_with_its_fault(
    candidate: bytes, fault: type[Exception]
) -> None:
    built, left_out = Chain().build(candidate, send(1))
    assert taken(built) == [send(1)]
    assert [tx.encode() for tx, _fault in left_out] == [candidate]
    assert reasons(left_out) == [fault]


def test_the_same_candidate_twice_is_taken_once() -> None:
    built, left_out = Chain().build(send(0), send(0))
    assert len(taken(built)) == 1
    assert reasons(left_out) == [NonceTooLow]


def test_a_failed_transaction_is_taken_and_pays() -> None:
    built, left_out = Chain().build(infer(0, to=REVERTING))
    assert left_out == ()
    assert built.executed.receipts[0].status == 0


def test_what_does_not_fit_the_block_gas_is_left_out_and_smaller_ones_still_go_in() -> None:
    chain = Chain(block_gas_limit=50_000)
    chain.parent = chain.parent_of(replace(chain.parent.header, gas_limit=50_000, gas_used=25_000))
    built, left_out = chain.build(
        send(0, gas=29_000), send(1, gas=29_001), send(2, gas=29_000), send(3, gas=21_000)
    )
    assert taken(built) == [send(0, gas=29_000), send(2, gas=29_000)]
    assert reasons(left_out) == [BlockGasExceeded, BlockGasExceeded]


def test_a_candidate_whose_model_is_not_here_is_left_out() -> None:
    chain = Chain()
    chain.host.fault = ModelDataMissing(MODEL_ID)
    built, left_out = chain.build(infer(0), send(1))
    assert taken(built) == [send(1)]
    assert reasons(left_out) == [ModelDataMissing]
    assert built.inferences == ()


def test_another_local_fault_stops_the_builder() -> None:
    chain = Chain()
    chain.host.fault = DeviceFault("cuda", "device lost")
    with pytest.raises(DeviceFault):
        chain.build(infer(0))


class FailsOnce(FakeHost):
    """Answers the first call, loses its device in the second, and has it back for the third."""

    def run(self, model_id: bytes, data: bytes) -> bytes:
        self.fault = DeviceFault("cuda", "device lost") if len(self.ran) == 1 else None
        return super().run(model_id, data)


def test_after_a_local_fault_nothing_of_it_counts_in_the_next_block() -> None:
    chain = Chain(cap=INFERENCE, host=FailsOnce())
    with pytest.raises(DeviceFault):
        chain.build(infer(0, to=TWICE))
    built, left_out = chain.build(infer(1))
    assert left_out == ()
    assert [tx_hash for tx_hash, _call in built.inferences] == [built.block.transactions[0].hash]


def test_the_inference_cap_leaves_out_the_second_and_then_takes_what_surely_fits() -> None:
    left = 50_000
    chain = Chain(cap=INFERENCE + left)
    first, second = infer(0), infer(1)
    large, small = send(2, gas=left + 1), send(3, gas=left)
    built, left_out = chain.build(first, second, large, small)
    assert taken(built) == [first, small]
    assert [tx.encode() for tx, _fault in left_out] == [second, large]
    assert reasons(left_out) == [TransactionVetoed, TransactionVetoed]
    words = [str(fault) for _tx, fault in left_out]
    assert words == [
        f"inference gas: {INFERENCE} exceeds the {left} left in the block",
        f"inference gas: {left + 1} may exceed the {left} left",
    ]


def test_before_a_roll_back_gas_limits_do_not_matter() -> None:
    chain = Chain(cap=INFERENCE + 10)
    candidates = (infer(0), send(1, gas=10_000_000), send(2, gas=10_000_000))
    built, left_out = chain.build(*candidates)
    assert taken(built) == list(candidates)
    assert left_out == ()


def test_inference_up_to_the_cap_exactly_is_taken() -> None:
    built, left_out = Chain(cap=2 * INFERENCE).build(infer(0), infer(1))
    assert (len(taken(built)), left_out) == (2, ())


def test_a_rolled_back_candidate_can_be_followed_by_its_sender_in_a_later_block() -> None:
    chain = Chain(cap=INFERENCE)
    built, left_out = chain.build(infer(0), infer(1), send(1, nonce=1, gas=21_000))
    assert taken(built) == [infer(0)]
    assert reasons(left_out) == [TransactionVetoed, TransactionVetoed]
    checked = chain.runner.check(built.block, chain.parent)
    chain.states.keep(checked.update)
    parent = chain.parent_of(checked.block.header)
    following, left_out = chain.runner.build(parent, PROPOSAL, [decode_transaction(infer(1))])
    assert (taken(following), left_out) == ([infer(1)], ())


@pytest.mark.parametrize(
    "to", [pytest.param(REVERTING, id="reverted"), pytest.param(CATCHING, id="caught revert")]
)
def test_reverted_inference_counts_against_the_cap(to: bytes) -> None:
    chain = Chain(cap=INFERENCE)
    built, left_out = chain.build(infer(0, to=to), infer(1))
    assert taken(built) == [infer(0, to=to)]
    assert reasons(left_out) == [TransactionVetoed]


def over_cap() -> CheckedBlock:
    """Return a block with two inferences, as a chain with a higher cap builds it."""
    built, left_out = Chain(cap=2 * INFERENCE).build(infer(0), infer(1), infer(2, to=RECIPIENT))
    assert left_out == ()
    return built


def test_a_block_over_the_inference_cap_is_refused() -> None:
    chain = Chain(cap=2 * INFERENCE - 1)
    with pytest.raises(
        InferenceGasExceeded, match=f"inference gas {2 * INFERENCE} is over .* {2 * INFERENCE - 1}"
    ):
        chain.runner.check(over_cap().block, chain.parent)


def test_a_block_over_the_cap_stops_at_the_transaction_that_exceeds_it() -> None:
    chain = Chain(cap=INFERENCE - 1)
    with pytest.raises(InferenceGasExceeded):
        chain.runner.check(over_cap().block, chain.parent)
    assert len(chain.host.ran) == 1


def honest() -> Block:
    return Chain().build(send(0, value=5), infer(1))[0].block


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        pytest.param({"gas_used": 21_000}, "gasUsed", id="gas used"),
        pytest.param({"bloom": 1}, "logsBloom", id="bloom"),
        pytest.param({"receipt_root": b"\1" * 32}, "receiptsRoot", id="receipts root"),
        pytest.param({"state_root": b"\1" * 32}, "stateRoot", id="state root"),
        pytest.param({"requests_hash": b"\1" * 32}, "requestsHash", id="requests"),
    ],
)
def test_a_header_that_execution_does_not_give_is_refused(
    fields: dict[str, Any], field: str
) -> None:
    block = with_header(honest(), **fields)
    with pytest.raises(ExecutionDisagrees) as caught:
        Chain().runner.check(block, Chain().parent)
    assert caught.value.field == field
    assert f"0x{block.transactions[1].hash.hex()} ran model 0x{MODEL_ID.hex()}" in str(caught.value)


@pytest.mark.parametrize(
    "raws",
    [
        pytest.param([], id="nothing"),
        pytest.param([infer(1), send(0, value=5)], id="another order"),
        pytest.param([send(0, value=5), infer(1), send(2)], id="one more"),
    ],
)
def test_another_body_is_refused_before_anything_runs(raws: Sequence[bytes]) -> None:
    block = Block(honest().header, tuple(map(decode_transaction, raws)))
    chain = Chain()
    with pytest.raises(BodyRootWrong, match="transactions root of the body is 0x"):
        chain.runner.check(block, chain.parent)
    assert chain.host.ran == []


def test_a_wrong_header_is_refused_before_anything_runs() -> None:
    chain = Chain()
    with pytest.raises(HeaderFieldWrong, match="baseFeePerGas"):
        chain.runner.check(with_header(honest(), base_fee_per_gas=1), chain.parent)
    assert chain.host.ran == []


def test_an_invalid_transaction_in_a_block_is_named_with_its_rule() -> None:
    tx = decode_transaction(send(0, nonce=7))
    block = honest()
    block = Block(
        replace(block.header, transaction_root=list_root([tx.raw])),
        (tx,),
    )
    chain = Chain()
    with pytest.raises(InvalidTransactionInBlock, match=r"transaction 0 \(0x.*nonce too high"):
        chain.runner.check(block, chain.parent)


def test_a_block_carries_no_blobs() -> None:
    blob = UnsignedTransaction(
        type_id=BLOB,
        chain_id=PARAMETERS.chain_id,
        nonce=0,
        max_fee_per_gas=FEE_CAP,
        to=RECIPIENT,
        max_fee_per_blob_gas=1,
        blob_versioned_hashes=(b"\1" + bytes(31),),
    )
    tx = blob.sign(KEYS[0].to_bytes())
    block = honest()
    block = Block(replace(block.header, transaction_root=list_root([tx.raw])), (tx,))
    chain = Chain()
    with pytest.raises(InvalidTransactionInBlock, match="transaction type not supported: 3"):
        chain.runner.check(decode_block(block.encode()), chain.parent)


def test_a_local_fault_in_a_check_is_no_verdict() -> None:
    chain = Chain()
    chain.host.fault = ModelDataMissing(MODEL_ID)
    with pytest.raises(ModelDataMissing):
        chain.runner.check(honest(), chain.parent)
