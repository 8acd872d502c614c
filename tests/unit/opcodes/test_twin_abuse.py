"""No way around the twin's rules: delegation, creation, self-destruct, value, reverted frames."""

import pytest

from cvm.evm.execution import BlockExecution, ExecutionRules
from cvm.evm.forks import OSAKA
from cvm.evm.state_reader import Account
from cvm.evm.transaction_decoding import decode_transaction
from models_registry.addresses import MODEL_REGISTRY
from opcodes import gas
from opcodes.inference_host import InferenceLog
from opcodes.table import INFER_ADDRESS, ai_additions
from tests.evm_world import (
    CALL,
    CALLCODE,
    DELEGATECALL,
    GAS,
    MODEL_ID,
    POP,
    RETURN_RETURNDATA,
    STATICCALL,
    FakeHost,
    World,
    context,
    infer_code,
    no_hash,
    push,
    registry_storage,
    return_top,
    store_bytes,
)
from tests.memory_state import MemoryState
from tests.unit.evm.block_world import BASE_FEE, COINBASE, RICH, BlockWorld
from tests.unit.evm.signing import OTHER, OTHER_KEY, SENDER, authorization, raw

CONTRACT, CHILD = b"\xc0" * 20, b"\xcc" * 20
CALLDATA = MODEL_ID + bytes(4)
DELEGATION = bytes.fromhex("ef0100")
SELFDESTRUCT, CREATE, REVERT = (bytes.fromhex(op) for op in ("ff", "f0", "fd"))
LOAD = 200
pytestmark = pytest.mark.usefixtures("interpreter")


@pytest.fixture
def world() -> World:
    world = World()
    world.register()
    return world


def call_code(kind: bytes, address: bytes, value: int = 0, gas_limit: bytes = GAS) -> bytes:
    """Call an address with CALLDATA."""
    code = store_bytes(CALLDATA) + push(0) * 2 + push(len(CALLDATA)) + push(0)
    if kind in (CALL, CALLCODE):
        code += push(value)
    return code + push(address) + gas_limit + kind


class Block(BlockWorld):
    """A block with the AI opcodes, one ACTIVE model, and a host that counts."""

    def __init__(self, code: dict[bytes, bytes] | None = None) -> None:
        self.host, self.log = FakeHost(), InferenceLog()
        super().__init__(
            code,
            additions=ai_additions(self.host, self.log),
            storage={MODEL_REGISTRY: registry_storage()},
        )


@pytest.mark.parametrize("kind", [CALL, CALLCODE, DELEGATECALL, STATICCALL], ids=bytes.hex)
def test_eip_7702_an_account_delegated_to_the_twin_has_empty_code(
    world: World, kind: bytes
) -> None:
    world.put_code(CHILD, DELEGATION + INFER_ADDRESS)
    frame = world.run(call_code(kind, CHILD) + POP + RETURN_RETURNDATA)
    assert (frame.output, world.host.ran, world.log.take()) == (b"", [], ())


def test_eip_7702_a_transaction_to_an_account_delegated_to_the_twin_runs_nothing() -> None:
    block = Block()
    tx = raw(4, to=OTHER, data=CALLDATA, authorizations=[authorization(OTHER_KEY, INFER_ADDRESS)])
    assert block.apply(tx).error is None
    assert block.code(OTHER) == DELEGATION + INFER_ADDRESS
    assert block.host.ran == []


def test_eip_7702_an_account_delegated_to_the_registry_writes_its_own_storage_only() -> None:
    """The registry's code at another address cannot make a model ACTIVE."""
    store = push(1) + push(0) + bytes.fromhex("55")
    block = Block({MODEL_REGISTRY: store})
    tx = raw(4, to=OTHER, authorizations=[authorization(OTHER_KEY, MODEL_REGISTRY)])
    assert block.apply(tx).error is None
    assert (block.storage(OTHER, 0), block.storage(MODEL_REGISTRY, 0)) == (1, 0)


def test_a_transaction_with_value_to_the_twin_reverts_and_keeps_the_value() -> None:
    block = Block()
    result = block.apply(raw(to=INFER_ADDRESS, data=CALLDATA, value=9))
    assert result.error == "execution reverted"
    assert (block.balance(INFER_ADDRESS), block.host.ran) == (0, [])


def test_calling_the_twin_leaves_no_account_there() -> None:
    block = Block({CONTRACT: call_code(CALL, INFER_ADDRESS) + POP})
    assert block.apply(raw(to=CONTRACT)).error is None
    assert block.apply(raw(nonce=1, to=INFER_ADDRESS, data=CALLDATA)).error is None
    assert len(block.host.ran) == 2
    assert INFER_ADDRESS not in block.execution.finish().changes.accounts


def test_a_self_destruct_can_pay_the_twin_and_changes_nothing_else() -> None:
    block = Block({CONTRACT: push(INFER_ADDRESS) + SELFDESTRUCT})
    block.apply(raw(to=CONTRACT, value=7))
    assert block.balance(INFER_ADDRESS) == 7
    result = block.apply(raw(nonce=1, to=INFER_ADDRESS, data=CALLDATA))
    assert (result.error, len(block.host.ran)) == (None, 1)


def test_a_failed_creation_forgets_what_it_loaded(world: World) -> None:
    initcode = infer_code(out_size=0) + push(0) + push(0) + REVERT
    create = store_bytes(initcode) + push(len(initcode)) + push(0) + push(0) + CREATE + POP
    world.run(create + infer_code(out_size=0))
    assert [call.gas.load for call in world.log.take()] == [LOAD, LOAD]


def test_a_creation_has_loaded_the_model_for_its_creator(world: World) -> None:
    initcode = infer_code(out_size=0)
    create = store_bytes(initcode) + push(len(initcode)) + push(0) + push(0) + CREATE + POP
    world.run(create + infer_code(out_size=0))
    assert [call.gas.load for call in world.log.take()] == [LOAD, 0]


def test_transient_storage_of_a_contract_marks_no_model_as_loaded(world: World) -> None:
    mark = push(1) + push(MODEL_ID) + bytes.fromhex("5d")
    world.put_code(CHILD, mark)
    for kind in (CALL, CALLCODE, DELEGATECALL):
        world.run(mark + call_code(kind, CHILD) + POP + infer_code(out_size=0))
        assert world.log.take()[-1].gas.load == LOAD


def test_a_twin_with_too_little_gas_burns_only_what_it_was_given(world: World) -> None:
    short = push(gas.INFER_BASE + LOAD)
    frame = world.run(call_code(STATICCALL, INFER_ADDRESS, gas_limit=short) + return_top())
    assert frame.output == bytes(32)
    assert (world.host.ran, world.log.take()) == ([], ())


def test_eip_150_the_caller_keeps_a_64th(world: World) -> None:
    """All of the child's gas is lost, and the caller still ends by itself."""
    frame = world.run(call_code(STATICCALL, INFER_ADDRESS) + return_top(), gas=5_000)
    assert frame.is_success
    assert frame.output == bytes(32)


def test_returndata_of_an_earlier_call_does_not_survive_an_inference_error(world: World) -> None:
    world.put_code(CHILD, push(0xAB) + return_top())
    code = call_code(STATICCALL, CHILD) + POP + infer_code(in_size=5) + POP + RETURN_RETURNDATA
    assert world.run(code).output == bytes.fromhex("f5ef3629")


def test_a_coinbase_without_a_tip_is_not_left_as_an_empty_account() -> None:
    """EIP-161, with which another client re-executes our blocks."""
    state = MemoryState()
    state.put(SENDER, balance=RICH)
    rules = ExecutionRules(OSAKA, ai_additions(FakeHost(), InferenceLog()))
    block = BlockExecution(rules, state, context(base_fee=BASE_FEE), no_hash)
    block.apply(decode_transaction(raw(tip=0)))
    changed = block.finish().changes.accounts
    assert COINBASE not in changed
    assert (changed[SENDER] or Account()).nonce == 1
