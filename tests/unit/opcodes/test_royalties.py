"""Owners, burn and tip share what the sender pays, to the wei (PROTOCOL section 3)."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.creation_address import creation_address
from models_registry.addresses import MODEL_REGISTRY
from opcodes import gas
from opcodes.inference_host import InferenceLog
from opcodes.table import INFER_ADDRESS, ai_additions
from tests.evm_world import (
    CALL,
    GAS,
    MODEL_ID,
    OWNER,
    POP,
    RECORD,
    REVERT,
    STOP,
    FakeHost,
    context,
    infer_code,
    push,
    registry_storage,
    store_bytes,
)
from tests.unit.evm.block_world import BASE_FEE, COINBASE, RICH, BlockWorld
from tests.unit.evm.signing import SENDER, raw

CONTRACT, CHILD, HEIR = b"\xc0" * 20, b"\xc1" * 20, b"\xee" * 20
ROYALTY = 200
TIP = 3
PRICE = BASE_FEE + TIP
INPUT = bytes([1, 2, 3, 4])
INFER = store_bytes(INPUT) + infer_code() + POP
SELFDESTRUCT = bytes.fromhex("ff")
CLEAR_SLOT = push(0) + push(1) + bytes.fromhex("55")
INVALID = bytes.fromhex("fe")
pytestmark = pytest.mark.usefixtures("interpreter")


def call(address: bytes) -> bytes:
    return push(0) * 5 + push(address) + GAS + CALL + POP


@dataclass
class Paid:
    """Who has what after one transaction, beside what everybody had."""

    block: BlockWorld
    gas_used: int
    error: str | None

    @property
    def owner(self) -> int:
        return self.block.balance(OWNER)

    @property
    def tip(self) -> int:
        return self.block.balance(COINBASE) - 5

    @property
    def spent(self) -> int:
        return RICH - self.block.balance(SENDER)


def paid(
    code: dict[bytes, bytes],
    *,
    royalty: int = ROYALTY,
    storage: dict[bytes, dict[int, int]] | None = None,
    to: bytes = CONTRACT,
    data: bytes = b"",
    gas_limit: int = 1_000_000,
) -> Paid:
    """Run one transaction on a block with the model."""
    slots = {MODEL_REGISTRY: dict(registry_storage(royalty_gas=royalty))} | (storage or {})
    block = BlockWorld(code, storage=slots, additions=ai_additions(FakeHost(), InferenceLog()))
    result = block.apply(raw(to=to, data=data, gas=gas_limit, fee_cap=PRICE, tip=TIP))
    return Paid(block, result.gas_used, result.error)


def assert_shared(result: Paid, royalty_gas: int) -> None:
    """Check that owner, tip and burn are what the formula says, and are all that was spent."""
    assert result.owner == royalty_gas * PRICE
    assert result.tip == (result.gas_used - royalty_gas) * TIP
    burned = (result.gas_used - royalty_gas) * BASE_FEE
    assert result.spent == result.gas_used * PRICE == result.owner + result.tip + burned


def test_one_call_pays_its_owner() -> None:
    assert_shared(paid({CONTRACT: INFER + STOP}), ROYALTY)


def test_it_is_part_of_the_gas_used() -> None:
    with_it, without = paid({CONTRACT: INFER}), paid({CONTRACT: INFER}, royalty=0)
    assert with_it.gas_used == without.gas_used + ROYALTY
    assert_shared(without, 0)


def test_a_batch_pays_for_each_item() -> None:
    code = store_bytes(INPUT * 3) + infer_code(in_size=12, out_size=0)
    assert_shared(paid({CONTRACT: code}), 3 * ROYALTY)


def test_the_twin_pays_as_the_opcode_does() -> None:
    assert_shared(paid({}, to=INFER_ADDRESS, data=MODEL_ID + INPUT), ROYALTY)


def test_a_refused_call_pays_nobody() -> None:
    assert_shared(paid({CONTRACT: infer_code(in_size=3)}), 0)


def test_a_call_in_a_frame_that_reverted_is_paid() -> None:
    child = INFER + push(0) * 2 + REVERT
    assert_shared(paid({CONTRACT: call(CHILD) + STOP, CHILD: child}), ROYALTY)


def test_a_call_in_a_transaction_that_reverted_is_paid() -> None:
    result = paid({CONTRACT: INFER + push(0) * 2 + REVERT})
    assert result.error == "execution reverted"
    assert_shared(result, ROYALTY)


def test_a_call_in_a_transaction_that_halted_is_paid() -> None:
    result = paid({CONTRACT: INFER + INVALID}, gas_limit=100_000)
    assert result.gas_used == 100_000
    assert_shared(result, ROYALTY)


def test_calls_at_several_depths_add_up() -> None:
    result = paid({CONTRACT: INFER * 2 + call(CHILD) * 3, CHILD: INFER + STOP})
    assert_shared(result, 5 * ROYALTY)


def test_no_refund_comes_out_of_a_royalty() -> None:
    """EIP-3529's cap is a fifth of what was used without the royalty."""
    many = {CONTRACT: dict.fromkeys(range(1, 40), 1)}
    clears = b"".join(push(0) + push(slot) + bytes.fromhex("55") for slot in range(1, 40))
    with_it = paid({CONTRACT: INFER + clears}, storage=many, royalty=400)
    without = paid({CONTRACT: INFER + clears}, storage=many, royalty=0)
    assert with_it.gas_used == without.gas_used + 400
    assert_shared(with_it, 400)


def test_the_floor_of_calldata_comes_last() -> None:
    """EIP-7623: the floor is above the gas used; the royalty is a part of it."""
    result = paid({CONTRACT: INFER}, data=b"\xff" * 2_000)
    assert result.gas_used == 21_000 + 40 * 2_000
    assert_shared(result, ROYALTY)


def test_a_royalty_is_at_most_a_quarter_of_the_compute_gas() -> None:
    assert_shared(paid({CONTRACT: INFER}, royalty=2**64 - 1), gas.compute_gas(RECORD.cost) // 4)


def test_an_owner_that_destroys_itself_is_paid_after_that() -> None:
    """EIP-6780 removes a contract made in the same transaction, with all that it has by then."""
    owner = creation_address(SENDER, 0)
    slots = with_owner(dict(registry_storage(royalty_gas=ROYALTY)), owner)
    block = BlockWorld(
        storage={MODEL_REGISTRY: slots}, additions=ai_additions(FakeHost(), InferenceLog())
    )
    initcode = INFER + push(HEIR) + SELFDESTRUCT
    result = block.apply(raw(to=b"", data=initcode, gas=1_000_000, fee_cap=PRICE, tip=TIP))
    assert (result.error, block.code(owner), block.nonce(owner)) == (None, b"", 0)
    assert block.balance(owner) == ROYALTY * PRICE


def kept(block: BlockWorld, address: bytes) -> int:
    """Return the balance that the block leaves to the state."""
    account = block.execution.world.changes().accounts.get(address)
    return account.balance if account else 0


def test_the_block_keeps_the_royalty_of_an_owner_that_destroyed_itself() -> None:
    owner = creation_address(SENDER, 0)
    block = owned_by(owner)
    initcode = INFER + push(HEIR) + SELFDESTRUCT
    block.apply(raw(to=b"", data=initcode, gas=1_000_000, fee_cap=PRICE, tip=TIP))
    assert kept(block, owner) == ROYALTY * PRICE
    assert block.exists(owner)


def test_the_block_keeps_the_royalty_of_an_empty_owner_that_was_called() -> None:
    """EIP-161 removes what was touched and is empty before the owner is paid."""
    block = owned_by(HEIR, {CONTRACT: INFER + call(HEIR)})
    block.apply(raw(to=CONTRACT, gas=1_000_000, fee_cap=PRICE, tip=TIP))
    assert kept(block, HEIR) == ROYALTY * PRICE
    block.apply(raw(nonce=1, to=CONTRACT, gas=1_000_000, fee_cap=PRICE, tip=TIP))
    assert kept(block, HEIR) == 2 * ROYALTY * PRICE


def test_the_block_keeps_the_royalty_of_a_proposer_without_tips() -> None:
    """A tip of 0 touches the coinbase, which is empty."""
    block = owned_by(HEIR, {CONTRACT: INFER}, coinbase=HEIR)
    block.apply(raw(to=CONTRACT, gas=1_000_000, fee_cap=BASE_FEE, tip=0))
    assert kept(block, HEIR) == ROYALTY * BASE_FEE


def owned_by(
    owner: bytes, code: dict[bytes, bytes] | None = None, coinbase: bytes = COINBASE
) -> BlockWorld:
    """Return a block in which the model is an account's."""
    slots = with_owner(dict(registry_storage(royalty_gas=ROYALTY)), owner)
    return BlockWorld(
        code,
        storage={MODEL_REGISTRY: slots},
        additions=ai_additions(FakeHost(), InferenceLog()),
        block=replace(context(base_fee=BASE_FEE), coinbase=coinbase),
    )


def test_the_owner_runs_no_code() -> None:
    result = paid({CONTRACT: INFER, OWNER: INVALID})
    assert result.error is None
    assert_shared(result, ROYALTY)


def test_an_owner_who_sends_or_proposes_gets_both_shares() -> None:
    slots = dict(registry_storage(royalty_gas=ROYALTY))
    for owner in (SENDER, COINBASE):
        world = BlockWorld(
            {CONTRACT: INFER},
            storage={MODEL_REGISTRY: with_owner(slots, owner)},
            additions=ai_additions(FakeHost(), InferenceLog()),
        )
        used = world.apply(raw(to=CONTRACT, gas=1_000_000, fee_cap=PRICE, tip=TIP)).gas_used
        royalty, tip = ROYALTY * PRICE, (used - ROYALTY) * TIP
        assert RICH - world.balance(SENDER) == used * PRICE - royalty * (owner == SENDER)
        assert world.balance(COINBASE) - 5 == tip + royalty * (owner == COINBASE)


def with_owner(slots: dict[int, int], owner: bytes) -> dict[int, int]:
    """Return registry storage in which the model has another owner."""
    old = int.from_bytes(OWNER, "big")
    return {
        slot: word - old + int.from_bytes(owner, "big") if word & (2**160 - 1) == old else word
        for slot, word in slots.items()
    }


def test_two_transactions_do_not_pay_twice() -> None:
    slots = {MODEL_REGISTRY: dict(registry_storage(royalty_gas=ROYALTY))}
    block = BlockWorld(
        {CONTRACT: INFER}, storage=slots, additions=ai_additions(FakeHost(), InferenceLog())
    )
    for nonce in range(3):
        block.apply(raw(nonce=nonce, to=CONTRACT, gas=1_000_000, fee_cap=PRICE, tip=TIP))
        assert block.balance(OWNER) == (nonce + 1) * ROYALTY * PRICE


STEPS = {
    "infer": INFER,
    "refused": infer_code(in_size=3) + POP,
    "child": call(CHILD),
    "clear": CLEAR_SLOT,
    "store": push(7) + push(1) + bytes.fromhex("55"),
}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from(sorted(STEPS)), max_size=6),
    st.lists(st.sampled_from(["infer", "refused", "clear"]), max_size=3),
    st.sampled_from([STOP, push(0) * 2 + REVERT, INVALID]),
    st.sampled_from([STOP, push(0) * 2 + REVERT]),
    st.integers(0, 600),
    st.integers(0, 1_500),
)
def test_shares_and_burn_and_tip_are_what_was_paid(
    steps: list[str],
    child_steps: list[str],
    end: bytes,
    child_end: bytes,
    royalty: int,
    data_size: int,
) -> None:
    code = b"".join(STEPS[step] for step in steps) + end
    child = b"".join(STEPS[step] for step in child_steps) + child_end
    result = paid(
        {CONTRACT: code, CHILD: child},
        royalty=royalty,
        storage={CONTRACT: {1: 5}, CHILD: {1: 5}},
        data=b"\xff" * data_size,
    )
    calls = steps.count("infer") + steps.count("child") * child_steps.count("infer")
    each = min(royalty, gas.compute_gas(RECORD.cost) // 4)
    assert_shared(result, calls * each)
