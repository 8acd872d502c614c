"""What a transaction does to balances, gas, storage and code, to the wei and to the unit of gas."""

import pytest

from consensus.system_contracts import BEACON_ROOTS_CONTRACT_CODE, HISTORY_STORAGE_CONTRACT_CODE
from cvm.evm.creation_address import creation_address
from cvm.evm.execution import BlockContext, TransactionResult
from cvm.evm.faults import NonceTooLow, TransactionVetoed
from cvm.evm.frame_view import FrameView
from cvm.evm.message_rules import Additions
from cvm.evm.state_reader import EMPTY_CODE_HASH
from cvm.evm.system_calls import BEACON_ROOTS_ADDRESS, HISTORY_STORAGE_ADDRESS
from cvm.evm.transaction_decoding import decode_transaction
from cvm.faults import DeviceFault
from tests.evm_world import CHAIN_ID, push
from tests.memory_state import MemoryState
from tests.unit.evm.block_world import BASE_FEE, COINBASE, RICH, BlockWorld
from tests.unit.evm.signing import (
    OTHER,
    OTHER_KEY,
    RECIPIENT,
    SENDER,
    authorization,
    raw,
)

CONTRACT = b"\xc0" * 20
ADD, SSTORE, SLOAD, TSTORE, TLOAD, LOG0, CREATE, CALL, GAS = (
    bytes.fromhex(op) for op in ("01", "55", "54", "5d", "5c", "a0", "f0", "f1", "5a")
)
STOP, POP, MSTORE, RETURN, REVERT, INVALID = (
    bytes.fromhex(op) for op in ("00", "50", "52", "f3", "fd", "fe")
)
FAULTY = 0xC1
BEACON, HISTORY = BEACON_ROOTS_ADDRESS, HISTORY_STORAGE_ADDRESS
pytestmark = pytest.mark.usefixtures("interpreter")
CLEAR_SLOTS = b"".join(push(0) + push(slot) + SSTORE for slot in range(20))


def check_wei(world: BlockWorld, result: TransactionResult, value: int = 0, tip: int = 3) -> None:
    """Check that the sender pays gas and value, and the proposer gets the tip."""
    assert RICH - world.balance(SENDER) == result.gas_used * (BASE_FEE + tip) + value
    assert world.balance(COINBASE) == 5 + result.gas_used * tip


def test_a_transfer_costs_21000_and_moves_the_value() -> None:
    world = BlockWorld()
    result = world.apply(raw(value=1_234))
    assert result.gas_used == 21_000
    assert world.balance(RECIPIENT) == 1_234
    assert world.nonce(SENDER) == 1
    check_wei(world, result, value=1_234)


@pytest.mark.parametrize(
    ("type_id", "fee_cap", "tip", "price"),
    [
        pytest.param(0, 50, 0, 50, id="legacy pays its price"),
        pytest.param(1, 50, 0, 50, id="type 1 pays its price"),
        pytest.param(2, 50, 2, BASE_FEE + 2, id="type 2 pays base fee and tip"),
        pytest.param(2, 8, 5, 8, id="the fee cap bounds the tip"),
        pytest.param(2, 7, 0, 7, id="no tip at all"),
    ],
)
def test_the_effective_price(type_id: int, fee_cap: int, tip: int, price: int) -> None:
    world = BlockWorld()
    result = world.apply(raw(type_id, fee_cap=fee_cap, tip=tip))
    check_wei(world, result, tip=price - BASE_FEE)


def test_the_receipt_counts_the_gas_of_the_block_so_far() -> None:
    world = BlockWorld()
    world.apply(raw())
    result = world.apply(raw(nonce=1, data=b"\0"))
    assert (result.gas_used, result.receipt.cumulative_gas_used) == (21_010, 42_010)
    assert world.execution.gas_used == 42_010
    assert (result.receipt.status, result.receipt.state_root) == (1, None)


def test_eip_3529_the_refund_is_at_most_a_fifth() -> None:
    full = dict.fromkeys(range(20), 1)
    world = BlockWorld({CONTRACT: CLEAR_SLOTS}, storage={CONTRACT: full})
    result = world.apply(raw(to=CONTRACT, gas=200_000))
    spent = 21_000 + 20 * (3 + 3 + 5_000)
    assert result.gas_used == spent - spent // 5
    check_wei(world, result)


def test_a_refund_under_the_cap_is_paid_in_full() -> None:
    world = BlockWorld({CONTRACT: push(0) + push(0) + SSTORE}, storage={CONTRACT: {0: 1}})
    result = world.apply(raw(to=CONTRACT))
    assert result.gas_used == 21_000 + 6 + 5_000 - 4_800
    check_wei(world, result)


def test_eip_7623_the_floor_is_paid_where_execution_costs_less() -> None:
    world = BlockWorld()
    result = world.apply(raw(data=b"\1" * 100))
    assert result.gas_used == 21_000 + 10 * 400
    check_wei(world, result)


def test_eip_7623_execution_is_paid_where_it_costs_more() -> None:
    world = BlockWorld({CONTRACT: push(1) + push(0) + SSTORE})
    result = world.apply(raw(to=CONTRACT, data=b"\1"))
    assert result.gas_used == 21_000 + 16 + 6 + 22_100
    check_wei(world, result)


def test_eip_7623_the_floor_comes_after_the_refund() -> None:
    """Execution minus refund is below the floor, execution alone is above it."""
    world = BlockWorld({CONTRACT: push(0) + push(0) + SSTORE}, storage={CONTRACT: {0: 1}})
    data = b"\1" * 100
    result = world.apply(raw(to=CONTRACT, data=data))
    spent = 21_000 + 1_600 + 6 + 5_000
    floor = 21_000 + 4_000
    assert spent - 4_800 < floor < spent
    assert result.gas_used == floor
    check_wei(world, result)


def test_a_revert_keeps_the_unspent_gas_and_undoes_storage_and_value() -> None:
    code = push(1) + push(0) + SSTORE + push(0xAB) + push(0) + MSTORE
    code += push(32) + push(0) + REVERT
    world = BlockWorld({CONTRACT: code})
    result = world.apply(raw(to=CONTRACT, value=50))
    assert result.error == "execution reverted"
    assert result.output == (0xAB).to_bytes(32, "big")
    assert (result.receipt.status, result.receipt.state_root) == (0, None)
    assert world.storage(CONTRACT, 0) == 0
    assert world.nonce(SENDER) == 1
    assert result.gas_used == 21_000 + 6 + 22_100 + 3 + 3 + 3 + 3 + 6
    check_wei(world, result)


def test_an_exceptional_halt_burns_the_whole_limit() -> None:
    world = BlockWorld({CONTRACT: push(1) + push(0) + SSTORE + INVALID})
    result = world.apply(raw(to=CONTRACT, gas=90_000))
    assert result.gas_used == 90_000
    assert result.error == "InvalidOpcode"
    check_wei(world, result)


def test_a_failed_transaction_writes_no_log() -> None:
    world = BlockWorld({CONTRACT: push(0) + push(0) + LOG0 + INVALID})
    assert world.apply(raw(to=CONTRACT)).receipt.logs == ()
    assert world.execution.finish().bloom == 0


def test_a_creation_deploys_and_charges_by_the_byte() -> None:
    runtime = b"\0" * 10
    initcode = push(10) + push(0) + RETURN
    world = BlockWorld()
    result = world.apply(raw(to=b"", data=initcode, gas=200_000))
    assert world.code(creation_address(SENDER, 0)) == runtime
    intrinsic = 53_000 + sum(4 if byte == 0 else 16 for byte in initcode) + 2
    assert result.gas_used == intrinsic + 3 + 3 + 3 + 200 * 10
    check_wei(world, result)


def test_eip_170_runtime_code_has_at_most_24576_bytes() -> None:
    fits = BlockWorld()
    result = fits.apply(raw(to=b"", data=push(24_576) + push(0) + RETURN, gas=6_000_000))
    assert result.error is None
    assert len(fits.code(creation_address(SENDER, 0))) == 24_576
    over = BlockWorld()
    result = over.apply(raw(to=b"", data=push(24_577) + push(0) + RETURN, gas=6_000_000))
    assert result.gas_used == 6_000_000
    assert result.error == "CodeTooLarge"
    assert over.code(creation_address(SENDER, 0)) == b""


def test_eip_3541_runtime_code_does_not_begin_with_ef() -> None:
    world = BlockWorld()
    initcode = push(0xEF) + push(0) + bytes.fromhex("53") + push(1) + push(0) + RETURN
    result = world.apply(raw(to=b"", data=initcode))
    assert result.error == "InvalidCodePrefix"
    assert world.code(creation_address(SENDER, 0)) == b""


def test_eip_3860_the_create_opcode_refuses_longer_initcode() -> None:
    code = push(49_153) + push(0) + push(0) + CREATE + push(7) + SSTORE
    world = BlockWorld({CONTRACT: code})
    result = world.apply(raw(to=CONTRACT, gas=1_000_000))
    assert result.gas_used == 1_000_000
    assert world.nonce(CONTRACT) == 1


def test_eip_3860_the_create_opcode_takes_49152_bytes() -> None:
    code = push(49_152) + push(0) + push(0) + CREATE + push(7) + SSTORE
    world = BlockWorld({CONTRACT: code})
    result = world.apply(raw(to=CONTRACT, gas=1_000_000))
    assert result.error is None
    assert world.storage(CONTRACT, 7) == int.from_bytes(creation_address(CONTRACT, 1), "big")


def test_a_7702_delegated_origin_that_creates_pays_its_initcode_once() -> None:
    code = push(64) + push(0) + push(0) + CREATE + POP
    state = MemoryState()
    state.put(SENDER, code=bytes.fromhex("ef0100") + CONTRACT)
    delegated = BlockWorld({CONTRACT: code}, state=state)
    own = delegated.apply(raw(to=SENDER, gas=200_000))
    plain = BlockWorld({CONTRACT: code}).apply(raw(to=CONTRACT, gas=200_000))
    assert own.error is None
    assert plain.gas_used == 21_000 + 3 * 3 + 6 + 32_000 + 2 * 2 + 2
    assert own.gas_used == plain.gas_used
    check_wei(delegated, own)


def test_eip_7702_an_authorization_delegates_even_when_the_call_reverts() -> None:
    state = MemoryState()
    state.put(OTHER, balance=1)
    world = BlockWorld({CONTRACT: push(0) + push(0) + REVERT}, state=state)
    tx = raw(4, to=CONTRACT, authorizations=[authorization(OTHER_KEY, CONTRACT)])
    result = world.apply(tx)
    assert world.code(OTHER) == bytes.fromhex("ef0100") + CONTRACT
    assert world.nonce(OTHER) == 1
    spent = 21_000 + 25_000 + 6
    assert result.gas_used == spent - spent // 5  # a refund of 12,500, capped
    check_wei(world, result)


@pytest.mark.parametrize(
    "delegates",
    [
        pytest.param({OTHER: OTHER}, id="to itself"),
        pytest.param({OTHER: RECIPIENT, RECIPIENT: CONTRACT}, id="to one that delegates"),
    ],
)
def test_eip_7702_every_call_of_a_delegating_account_pays_for_its_delegate(
    delegates: dict[bytes, bytes],
) -> None:
    call = push(0) * 5 + push(int.from_bytes(OTHER, "big")) + push(0) + CALL + POP
    used = []
    for calls in (1, 2, 3):
        state = MemoryState()
        for address, delegate in delegates.items():
            state.put(address, code=bytes.fromhex("ef0100") + delegate)
        world = BlockWorld({CONTRACT: call * calls}, state=state)
        used.append(world.apply(raw(to=CONTRACT)).gas_used)
    again = 7 * 3 + 2 + 100 + 100  # seven pushes, POP, the account and its delegate
    assert used[1] - used[0] == again
    assert used[2] - used[1] == again


@pytest.mark.parametrize(
    ("nonce", "chain_id"),
    [
        pytest.param(1, CHAIN_ID, id="wrong nonce"),
        pytest.param(0, CHAIN_ID + 1, id="another chain"),
    ],
)
def test_eip_7702_a_wrong_authorization_is_skipped(nonce: int, chain_id: int) -> None:
    world = BlockWorld()
    item = authorization(OTHER_KEY, CONTRACT, nonce, chain_id)
    result = world.apply(raw(4, authorizations=[item]))
    assert result.gas_used == 46_000
    assert world.code(OTHER) == b""


def test_eip_7702_chain_id_zero_holds_everywhere() -> None:
    world = BlockWorld()
    world.apply(raw(4, authorizations=[authorization(OTHER_KEY, CONTRACT, 0, 0)]))
    assert world.code(OTHER) == bytes.fromhex("ef0100") + CONTRACT


def test_transient_storage_is_cleared_between_transactions() -> None:
    code = push(0) + TLOAD + push(0) + SSTORE + push(9) + push(0) + TSTORE
    world = BlockWorld({CONTRACT: code})
    world.apply(raw(to=CONTRACT))
    world.apply(raw(nonce=1, to=CONTRACT))
    assert world.storage(CONTRACT, 0) == 0


def test_warm_addresses_and_slots_are_forgotten_between_transactions() -> None:
    world = BlockWorld({CONTRACT: push(5) + SLOAD + POP})
    first = world.apply(raw(to=CONTRACT))
    second = world.apply(raw(nonce=1, to=CONTRACT))
    assert first.gas_used == second.gas_used == 21_000 + 3 + 2_100 + 2


def test_an_access_list_warms_what_it_names() -> None:
    world = BlockWorld({CONTRACT: push(5) + SLOAD + POP})
    key = (5).to_bytes(32, "big")
    result = world.apply(raw(1, to=CONTRACT, fee_cap=10, access_list=[(CONTRACT, (key,))]))
    assert result.gas_used == 21_000 + 2_400 + 1_900 + 3 + 100 + 2


def veto() -> str | None:
    return "the block has no room"


def test_a_vetoed_transaction_leaves_the_block_as_it_was() -> None:
    code = push(0) + SLOAD + push(1) + ADD + push(0) + SSTORE + push(1) + push(0) + TSTORE
    world, other = BlockWorld({CONTRACT: code}), BlockWorld({CONTRACT: code})
    for each in (world, other):
        each.apply(raw(to=CONTRACT))
    with pytest.raises(TransactionVetoed, match="the block has no room"):
        world.execution.apply(decode_transaction(raw(nonce=1, to=CONTRACT, value=9)), veto)
    assert world.nonce(SENDER) == 1
    assert world.storage(CONTRACT, 0) == 1
    results = [each.apply(raw(nonce=1, to=CONTRACT)) for each in (world, other)]
    assert results[0] == results[1]
    assert world.finish() == other.finish()


def raise_device_fault(_frame: FrameView) -> None:
    raise DeviceFault("cuda", "device lost")


def test_a_local_fault_leaves_the_block_as_it_was() -> None:
    faulty = Additions({FAULTY: raise_device_fault})
    code = push(1) + push(0) + SSTORE + push(1) + push(0) + TSTORE + bytes([FAULTY])
    reads = push(0) + TLOAD + push(1) + SSTORE
    world = BlockWorld({CONTRACT: code, OTHER: reads}, additions=faulty)
    with pytest.raises(DeviceFault):
        world.apply(raw(to=CONTRACT))
    assert world.balance(SENDER) == RICH
    assert world.nonce(SENDER) == 0
    assert world.storage(CONTRACT, 0) == 0
    assert world.execution.world.warm_address(world.account(CONTRACT)), "it is still warm"
    clean = BlockWorld({CONTRACT: code, OTHER: reads}, additions=faulty)
    assert world.apply(raw(to=OTHER)) == clean.apply(raw(to=OTHER))
    assert world.finish() == clean.finish()


@pytest.mark.usefixtures("interpreter")
def test_a_creation_broken_off_by_a_fault_does_not_touch_the_next_transaction() -> None:
    faulty = Additions({FAULTY: raise_device_fault})
    returns_code = push(0x60) + push(0) + bytes.fromhex("53") + push(1) + push(0)
    returns_code += bytes.fromhex("f3")  # MSTORE8 of one byte, then RETURN of it
    world = BlockWorld({OTHER: returns_code}, additions=faulty)
    with pytest.raises(DeviceFault):
        world.apply(raw(to=b"", data=bytes([FAULTY])))
    assert world.apply(raw(to=OTHER)).output == b"\x60"
    _, accounts, _ = world.finish()
    codes = {account.code_hash for account in accounts.values() if account is not None}
    assert codes == {EMPTY_CODE_HASH}


def test_transient_storage_of_a_rolled_back_transaction_is_gone() -> None:
    faulty = Additions({FAULTY: raise_device_fault})
    code = push(0) + TLOAD + push(0) + SSTORE + push(9) + push(0) + TSTORE
    code += push(0) + bytes.fromhex("35") + push(len(code) + 8) + bytes.fromhex("57")
    code += bytes([FAULTY]) + bytes.fromhex("5b")
    world = BlockWorld({CONTRACT: code}, additions=faulty)
    with pytest.raises(DeviceFault):
        world.apply(raw(to=CONTRACT))
    world.apply(raw(to=CONTRACT, data=b"\1" * 32))
    assert world.storage(CONTRACT, 0) == 0


def test_an_invalid_transaction_leaves_the_block_as_it_was() -> None:
    world = BlockWorld()
    world.apply(raw())
    with pytest.raises(NonceTooLow):
        world.apply(raw(value=5))
    assert world.execution.gas_used == 21_000
    assert world.balance(RECIPIENT) == 0


def test_a_sender_without_the_value_is_refused_before_it_pays() -> None:
    world = BlockWorld(balance=100_000 * 100 + 5)
    assert world.apply(raw(value=5)).gas_used == 21_000
    assert world.balance(RECIPIENT) == 5


def system_block() -> BlockContext:
    return BlockContext(
        chain_id=CHAIN_ID,
        number=8_192 + 5,
        timestamp=1_700_000_000,
        coinbase=COINBASE,
        gas_limit=1 << 25,
        base_fee=BASE_FEE,
        prev_randao=bytes(32),
        parent_hash=b"\xaa" * 32,
        parent_beacon_block_root=b"\xbb" * 32,
    )


def test_eip_4788_keeps_the_parent_certificate_by_time() -> None:
    world = BlockWorld({BEACON: BEACON_ROOTS_CONTRACT_CODE}, block=system_block())
    slot = 1_700_000_000 % 8_191
    assert world.storage(BEACON, slot) == 1_700_000_000
    assert world.storage(BEACON, slot + 8_191) == int.from_bytes(b"\xbb" * 32)


def test_eip_4788_answers_a_contract_that_asks() -> None:
    world = BlockWorld({BEACON: BEACON_ROOTS_CONTRACT_CODE}, block=system_block())
    result = world.apply(raw(to=BEACON, data=(1_700_000_000).to_bytes(32, "big")))
    assert result.output == b"\xbb" * 32


def test_eip_2935_keeps_the_parent_hash_by_number() -> None:
    world = BlockWorld({HISTORY: HISTORY_STORAGE_CONTRACT_CODE}, block=system_block())
    assert world.storage(HISTORY, (8_192 + 4) % 8_191) == int.from_bytes(b"\xaa" * 32)
    result = world.apply(raw(to=HISTORY, data=(8_192 + 4).to_bytes(32, "big")))
    assert result.output == b"\xaa" * 32


@pytest.mark.parametrize("address", [BEACON, HISTORY])
def test_without_the_contract_nothing_is_written(address: bytes) -> None:
    world = BlockWorld(block=system_block())
    assert not world.exists(address)
    assert address not in world.execution.finish().changes.accounts
