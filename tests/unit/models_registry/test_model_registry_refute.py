"""A registration whose size is not the model's: anyone ends it, and nobody ends a true one."""

import pytest

from models_registry.addresses import MODEL_REGISTRY
from models_registry.chunks import id_from_root
from models_registry.contract_abi import ContractAbi
from models_registry.registry import (
    PENDING_BYTES_SLOT,
    RegistryStatus,
    read_entry,
    read_refund,
    read_status,
)
from tests.unit.models_registry.contract_host import Answer
from tests.unit.models_registry.registry_chain import (
    OWNER,
    RECORD,
    STRANGER,
    VALIDATOR_KEYS,
    RegistryChain,
    error_of,
    events_of,
    signatures,
)

ROOT = bytes.fromhex("70" * 32)
SIZE = 5_000
MODEL = id_from_root(SIZE, ROOT)


def refute(
    chain: RegistryChain, model_id: bytes = MODEL, size: int = SIZE, root: bytes = ROOT
) -> Answer:
    call = ContractAbi("ModelRegistry").calldata("refute", model_id, size, root)
    return chain.call(STRANGER, call)


@pytest.fixture
def squatted() -> RegistryChain:
    """Return a registry in which the model is registered with one byte."""
    chain = RegistryChain()
    chain.commit_and_register(MODEL, size=1)
    return chain


def test_a_false_size_is_refuted_at_once_and_the_model_may_be_registered(
    squatted: RegistryChain,
) -> None:
    refute(squatted)
    assert read_status(squatted.storage, MODEL, squatted.height) is RegistryStatus.EXPIRED
    squatted.commit_and_register(MODEL, STRANGER, SIZE)
    entry = read_entry(squatted.storage, MODEL, squatted.height)
    assert entry is not None
    assert (entry.status, entry.owner, entry.size_bytes, entry.nonce) == (
        RegistryStatus.PENDING,
        STRANGER,
        SIZE,
        2,
    )


def test_refuting_gives_room_and_deposit_back_and_burns_the_token(squatted: RegistryChain) -> None:
    answer = refute(squatted)
    assert squatted.storage(MODEL_REGISTRY, PENDING_BYTES_SLOT) == 0
    assert read_refund(squatted.storage, OWNER) == 10 * 10**9
    entry = read_entry(squatted.storage, MODEL, squatted.height)
    assert entry is not None
    assert (entry.owner, entry.deposit) == (bytes(20), 0)
    assert [type(event).__name__ for event in events_of(answer)] == ["Transferred", "Expired"]


@pytest.mark.parametrize(
    ("size", "root"),
    [
        pytest.param(1, ROOT, id="the registered size"),
        pytest.param(SIZE + 1, ROOT, id="another size"),
        pytest.param(SIZE, bytes(32), id="another root"),
    ],
)
def test_only_the_size_in_the_id_refutes(squatted: RegistryChain, size: int, root: bytes) -> None:
    error = error_of(lambda: refute(squatted, size=size, root=root))
    assert error == f"SizeNotRefuted(modelId=0x{MODEL.hex()}, registeredSize=1)"


def test_a_true_size_cannot_be_refuted() -> None:
    chain = RegistryChain()
    chain.commit_and_register(MODEL, size=SIZE)
    error = error_of(lambda: refute(chain))
    assert error == f"SizeNotRefuted(modelId=0x{MODEL.hex()}, registeredSize={SIZE})"


def test_what_is_not_pending_cannot_be_refuted(squatted: RegistryChain) -> None:
    unknown = id_from_root(SIZE, bytes(32))
    assert error_of(lambda: refute(squatted, unknown, SIZE, bytes(32))) == (
        f"NotPending(modelId=0x{unknown.hex()}, status=0)"
    )
    squatted.activate(signatures(*VALIDATOR_KEYS, model_id=MODEL), RECORD.encode(), MODEL)
    assert error_of(lambda: refute(squatted)).startswith("AlreadyActivated")
    squatted.height += 64
    assert error_of(lambda: refute(squatted)).startswith("AlreadyActivated")
