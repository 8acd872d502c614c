"""An owner that calls back whenever it is paid or given a token gains nothing by it."""

from typing import Any

import pytest
from eth_abi.abi import decode, encode

from models_registry.addresses import MODEL_REGISTRY
from models_registry.artifact import load_artifact
from models_registry.registry import (
    RegistryStatus,
    read_owner,
    read_refund,
    read_status,
)
from models_registry.registry_calls import (
    commitment,
    decode_error,
    encode_commit,
    encode_expire,
    encode_register,
    encode_retire,
    encode_transfer,
    encode_withdraw,
)
from models_registry.selectors import selector
from tests.unit.models_registry.contract_host import Answer
from tests.unit.models_registry.registry_chain import (
    DEADLINE,
    DEPOSIT,
    FEE,
    MODEL,
    OWNER,
    SALT,
    SIZE,
    STRANGER,
    URI,
    VALIDATOR_KEYS,
    RegistryChain,
    error_of,
    held,
    signatures,
)

MALLORY = bytes.fromhex("3a" * 20)
OTHER = bytes.fromhex("cd" * 32)
REENTERED = selector("ReentrancyGuardReentrantCall()")


@pytest.fixture
def chain() -> RegistryChain:
    """Return a chain on which the contract has MODEL, PENDING past its deadline, and OTHER too."""
    chain = RegistryChain()
    chain.place(MALLORY, load_artifact("ReentrantOwner").deployed_bytecode)
    for model_id in (MODEL, OTHER):
        run(chain, encode_commit(commitment(model_id, MALLORY, SALT)))
    chain.height += 2
    for model_id in (MODEL, OTHER):
        run(chain, encode_register(model_id, SIZE, 0, URI, SALT), DEPOSIT + FEE)
    return chain


def run(chain: RegistryChain, data: bytes, value: int = 0) -> Answer:
    """Let the contract call the registry."""
    call = selector("run(address,bytes)") + encode(["address", "bytes"], [MODEL_REGISTRY, data])
    return chain.send(STRANGER, MALLORY, call, value)


def call_back(chain: RegistryChain, *calls: tuple[int, bytes]) -> None:
    """Let the contract do these calls at its next payment or token."""
    data = selector("setCalls((uint256,bytes)[])") + encode(["(uint256,bytes)[]"], [calls])
    chain.send(STRANGER, MALLORY, data)


def results(chain: RegistryChain) -> list[tuple[bool, bytes]]:
    found = chain.send(STRANGER, MALLORY, selector("results()")).output
    succeeded, answers = decode(["bool[]", "bytes[]"], found)
    return list(zip(succeeded, answers, strict=True))


def refuse_payments(chain: RegistryChain) -> None:
    data = selector("setRefusesPayments(bool)") + encode(["bool"], [True])
    chain.send(STRANGER, MALLORY, data)


def expire(chain: RegistryChain, model_id: bytes = MODEL) -> None:
    chain.height = 3 + DEADLINE + 1
    chain.call(STRANGER, encode_expire(model_id))


def activate(chain: RegistryChain) -> None:
    chain.activate(signatures(*VALIDATOR_KEYS))
    chain.height += 64


def assert_all_accounted_for(chain: RegistryChain) -> None:
    assert chain.balance(MODEL_REGISTRY) == held(chain, [MALLORY, OWNER, STRANGER])


def test_a_second_withdrawal_inside_the_first_is_refused(chain: RegistryChain) -> None:
    expire(chain)
    call_back(chain, (0, encode_withdraw(MALLORY)), (0, encode_withdraw(STRANGER)))
    run(chain, encode_withdraw(MALLORY))
    assert results(chain) == [(False, REENTERED), (False, REENTERED)]
    assert chain.balance(MALLORY) == DEPOSIT
    assert read_refund(chain.storage, MALLORY) == 0
    assert_all_accounted_for(chain)


def test_what_is_credited_inside_a_withdrawal_is_left_for_the_next(chain: RegistryChain) -> None:
    expire(chain)
    call_back(chain, (0, encode_expire(OTHER)), (0, encode_expire(OTHER)))
    run(chain, encode_withdraw(MALLORY))
    (first, second) = results(chain)
    assert first == (True, b"")
    assert decode_error(second[1]) == f"NotPending(modelId=0x{OTHER.hex()}, status=3)"
    assert chain.balance(MALLORY) == DEPOSIT
    assert read_refund(chain.storage, MALLORY) == DEPOSIT
    assert_all_accounted_for(chain)
    run(chain, encode_withdraw(MALLORY))
    assert chain.balance(MALLORY) == 2 * DEPOSIT
    assert chain.balance(MODEL_REGISTRY) == 0


def test_a_model_retired_inside_a_withdrawal_gives_its_deposit_once(chain: RegistryChain) -> None:
    activate(chain)
    expire(chain, OTHER)
    call_back(chain, (0, encode_retire(MODEL)), (0, encode_retire(MODEL)))
    run(chain, encode_withdraw(MALLORY))
    (first, second) = results(chain)
    assert first == (True, b"")
    assert decode_error(second[1]) == (
        f"AlreadyRetiring(modelId=0x{MODEL.hex()}, retirementHeight={chain.height + 60})"
    )
    assert read_refund(chain.storage, MALLORY) == DEPOSIT
    assert_all_accounted_for(chain)


def test_a_refund_registers_a_model_inside_its_own_payment(chain: RegistryChain) -> None:
    expire(chain)
    run(chain, encode_commit(commitment(MODEL, MALLORY, SALT)))
    chain.height += 2
    again = encode_register(MODEL, SIZE, 0, URI, SALT)
    chain.fund(MALLORY, FEE)
    call_back(chain, (DEPOSIT + FEE, again), (DEPOSIT + FEE, again))
    run(chain, encode_withdraw(MALLORY))
    assert [ok for ok, _ in results(chain)] == [True, False]
    assert read_status(chain.storage, MODEL, chain.height) is RegistryStatus.PENDING
    assert chain.balance(MALLORY) == 0
    assert_all_accounted_for(chain)


def test_a_failed_callback_undoes_nothing_of_the_payment(chain: RegistryChain) -> None:
    expire(chain)
    call_back(chain, (0, b"\xff\xff\xff\xff"))
    run(chain, encode_withdraw(MALLORY))
    assert results(chain) == [(False, b"")]
    assert chain.balance(MALLORY) == DEPOSIT


def test_an_owner_that_refuses_wei_blocks_nobody(chain: RegistryChain) -> None:
    refuse_payments(chain)
    expire(chain)
    expire(chain, OTHER)
    assert read_status(chain.storage, MODEL, chain.height) is RegistryStatus.EXPIRED
    error = error_of(lambda: run(chain, encode_withdraw(MALLORY)))
    assert error == f"PaymentFailed(to=0x{MALLORY.hex()}, amount={2 * DEPOSIT})"
    assert read_refund(chain.storage, MALLORY) == 2 * DEPOSIT
    run(chain, encode_withdraw(OWNER))
    assert_all_accounted_for(chain)


@pytest.mark.parametrize(
    ("calls", "succeeded", "owner"),
    [
        pytest.param(((0, encode_retire(MODEL)),), [True], MALLORY, id="retires at once"),
        pytest.param(
            ((0, encode_transfer(MALLORY, STRANGER, MODEL)), (0, encode_retire(MODEL))),
            [True, False],
            STRANGER,
            id="passes it on, then acts as owner",
        ),
        pytest.param(
            ((0, encode_transfer(OWNER, STRANGER, MODEL)),),
            [False],
            MALLORY,
            id="takes it from who gave it",
        ),
        pytest.param(((0, encode_withdraw(MALLORY)),), [False], MALLORY, id="withdraws nothing"),
    ],
)
def test_a_new_owner_that_calls_back_is_just_an_owner(
    chain: RegistryChain, calls: tuple[Any, ...], succeeded: list[bool], owner: bytes
) -> None:
    activate(chain)
    run(chain, encode_transfer(MALLORY, OWNER, MODEL))
    call_back(chain, *calls)
    chain.call(OWNER, encode_transfer(OWNER, MALLORY, MODEL))
    assert [ok for ok, _ in results(chain)] == succeeded
    assert read_owner(chain.storage, MODEL) == owner
    assert read_refund(chain.storage, OWNER) == 0
    assert_all_accounted_for(chain)


def test_a_withdrawal_can_follow_another_in_one_transaction(chain: RegistryChain) -> None:
    """The guard is transient: it must be cleared when the first call ends, not at the end."""
    expire(chain)
    call_back(chain, (0, encode_expire(OTHER)))
    twice = b"".join(_call_of(MALLORY, encode_withdraw(MALLORY)) for _ in range(2))
    chain.place(b"\x3c" * 20, twice)
    chain.send(STRANGER, b"\x3c" * 20, b"")
    assert chain.balance(MALLORY) == 2 * DEPOSIT


def _call_of(owner: bytes, data: bytes) -> bytes:
    """Return code that lets the contract call the registry, from the code's own memory."""
    call = selector("run(address,bytes)") + encode(["address", "bytes"], [MODEL_REGISTRY, data])
    stores = b"".join(
        b"\x7f" + call[at : at + 32].ljust(32, b"\0") + b"\x61" + at.to_bytes(2, "big") + b"\x52"
        for at in range(0, len(call), 32)
    )
    size = len(call).to_bytes(2, "big")
    return (
        stores + bytes.fromhex("5f5f61") + size + bytes.fromhex("5f5f73") + owner + b"\x5a\xf1\x50"
    )
