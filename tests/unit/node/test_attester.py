"""The validator's judgement of a registration: wait, sign, refuse, and judge anew."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_keys.datatypes import Signature

from models_registry.addresses import MODEL_REGISTRY
from models_registry.attestation import attestation_digest
from models_registry.chunks import model_id as id_of
from models_registry.registry import PENDING_BYTES_SLOT
from models_registry.registry_calls import encode_expire
from node.attester import Attester
from node.sample_models import sample_model_path
from node.validator_key import LocalKey
from opcodes import gas
from tests.chain_world import (
    CHAIN_ID,
    SALT,
    VALIDATOR,
    ChainWorld,
    address_of,
    genesis_document,
)

DIGITS = sample_model_path("digits_int8.onnx").read_bytes()
DEADLINE = 3
MOST_ROYALTY = 548
"""A quarter of the model's compute gas."""


def short_deadline() -> bytes:
    """Return a genesis in which a PENDING model can be expired after three blocks."""
    document = genesis_document()
    registry = document["alloc"][f"0x{MODEL_REGISTRY.hex()}"]
    registry["storage"][f"0x{2:064x}"] = f"0x{DEADLINE:064x}"
    return json.dumps(document).encode()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path, short_deadline())
    yield world
    world.close()


def register(world: ChainWorld, data: bytes, salt: bytes = SALT, royalty_gas: int = 0) -> bytes:
    """Commit to a model and register it, whatever its bytes are."""
    model_id = id_of(data)
    world.make_pending(model_id, len(data), royalty_gas, salt)
    return model_id


def test_a_model_whose_bytes_are_not_here_waits(world: ChainWorld) -> None:
    model_id = register(world, DIGITS)
    assert world.attester.judged(model_id) is None
    world.store.add_file(DIGITS)
    assert world.attester.judged(model_id) is None
    world.attester.judge_pending()
    judged = world.attester.judged(model_id)
    assert judged is not None
    assert judged.record is not None
    assert judged.refusal is None


def test_the_signature_is_the_validators_over_the_record(world: ChainWorld) -> None:
    world.store.add_file(DIGITS)
    model_id = register(world, DIGITS)
    judged = world.attester.judged(model_id)
    assert judged is not None
    assert judged.record is not None
    assert judged.signature is not None
    digest = attestation_digest(CHAIN_ID, model_id, judged.nonce, judged.record.hash)
    canonical = judged.signature[:64] + bytes([judged.signature[64] - 27])
    signer = Signature(canonical).recover_public_key_from_msg_hash(digest)
    assert signer.to_canonical_address() == address_of(VALIDATOR)


def test_the_record_describes_the_model(world: ChainWorld) -> None:
    world.store.add_file(DIGITS)
    judged = world.attester.judged(register(world, DIGITS))
    assert judged is not None
    assert judged.record is not None
    assert (judged.record.size_bytes, judged.record.input_bytes) == (len(DIGITS), 784)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"not a model", id="text"),
        pytest.param(DIGITS[:-100], id="truncated"),
        pytest.param(b"\x0a" * 300_000, id="more than one chunk of garbage"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(world: ChainWorld, data: bytes) -> None:
    world.store.add_file(data)
    judged = world.attester.judged(register(world, data))
    assert judged is not None
    assert (judged.record, judged.signature) == (None, None)
    assert judged.refusal


@pytest.mark.parametrize(
    ("royalty_gas", "refusal"),
    [
        pytest.param(MOST_ROYALTY, None, id="a quarter of the compute gas"),
        pytest.param(
            MOST_ROYALTY + 1,
            f"the royalty is {MOST_ROYALTY + 1} gas an item, at most {MOST_ROYALTY}: a quarter of"
            " its compute gas",
            id="a gas more",
        ),
        pytest.param(
            2**64 - 1,
            f"the royalty is {2**64 - 1} gas an item, at most {MOST_ROYALTY}: a quarter of"
            " its compute gas",
            id="the largest number",
        ),
    ],
)
def test_a_royalty_is_attested_up_to_its_bound(
    world: ChainWorld, royalty_gas: int, refusal: str | None
) -> None:
    world.store.add_file(DIGITS)
    judged = world.attester.judged(register(world, DIGITS, royalty_gas=royalty_gas))
    assert judged is not None
    assert judged.refusal == refusal
    assert (judged.signature is None) == (refusal is not None)


@pytest.mark.parametrize(
    "size_bytes",
    [
        pytest.param(1, id="a deposit for one byte"),
        pytest.param(len(DIGITS) - 1, id="a byte less"),
        pytest.param(len(DIGITS) + 1, id="a byte more"),
    ],
)
def test_a_registration_with_another_size_than_the_file_is_refused(
    world: ChainWorld, size_bytes: int
) -> None:
    model_id = world.store.add_file(DIGITS)
    world.make_pending(model_id, size_bytes)
    judged = world.attester.judged(model_id)
    assert judged is not None
    assert (judged.record, judged.signature) == (None, None)
    assert judged.refusal == (
        f"the model has {len(DIGITS)} bytes, but is registered with {size_bytes}"
    )


def test_a_call_that_only_its_royalty_makes_too_expensive_is_refused(
    world: ChainWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.store.add_file(DIGITS)
    free = world.attester.judged(register(world, DIGITS))
    assert free is not None
    assert free.record is not None
    cost = gas.inference_gas(
        free.record.cost,
        size_bytes=len(DIGITS),
        batch=1,
        item_input_bytes=free.record.input_bytes,
        item_output_bytes=free.record.output_bytes,
        registered_royalty=0,
        first_touch=True,
    ).total
    monkeypatch.setattr(gas, "MAX_ACTIVATION_GAS", cost + 99)
    for _ in range(DEADLINE + 1):
        world.propose()
    world.send(MODEL_REGISTRY, encode_expire(id_of(DIGITS)))
    judged = world.attester.judged(register(world, DIGITS, salt=b"\x5b" * 32, royalty_gas=100))
    assert judged is not None
    assert judged.refusal == (
        f"base + load + one item cost {cost + 100} gas, at most {cost + 99}: "
        "use a smaller or a quantised model"
    )


def test_without_a_key_the_record_is_built_and_not_signed(world: ChainWorld) -> None:
    world.store.add_file(DIGITS)
    model_id = register(world, DIGITS)
    observer = Attester(world.chain, None)
    observer.judge_pending()
    judged, signed = observer.judged(model_id), world.attester.judged(model_id)
    assert judged is not None
    assert signed is not None
    assert judged.signature is None
    assert judged.record == signed.record


def test_a_model_is_judged_once(world: ChainWorld) -> None:
    world.store.add_file(DIGITS)
    model_id = register(world, DIGITS)
    first = world.attester.judged(model_id)
    world.propose()
    assert world.attester.judged(model_id) is first


def test_an_active_model_is_not_judged_again(world: ChainWorld) -> None:
    model_id = world.register_model()
    world.propose()
    restarted = Attester(world.chain, LocalKey(VALIDATOR))
    restarted.judge_pending()
    assert restarted.judged(model_id) is None


def test_where_nothing_is_pending_one_slot_is_read(
    world: ChainWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.register_model()
    world.propose()
    storage = world.chain.storage_at(world.chain.head)
    reads: list[int] = []

    def counted(address: bytes, slot: int, /) -> int:
        reads.append(slot)
        return storage(address, slot)

    monkeypatch.setattr(world.chain, "storage_at", lambda _header: counted)
    world.attester.judge_pending()
    assert reads == [PENDING_BYTES_SLOT]


def test_a_restarted_attester_gives_the_same_signature(world: ChainWorld) -> None:
    world.store.add_file(DIGITS)
    model_id = register(world, DIGITS)
    restarted = Attester(world.chain, LocalKey(VALIDATOR))
    restarted.judge_pending()
    assert restarted.judged(model_id) == world.attester.judged(model_id)


def test_a_new_registration_of_the_same_model_is_judged_anew(world: ChainWorld) -> None:
    world.store.add_file(DIGITS)
    model_id = register(world, DIGITS)
    first = world.attester.judged(model_id)
    for _ in range(DEADLINE + 1):
        world.propose()
    world.send(MODEL_REGISTRY, encode_expire(model_id))
    assert register(world, DIGITS, salt=b"\x5b" * 32) == model_id
    second = world.attester.judged(model_id)
    assert first is not None
    assert second is not None
    assert second.nonce > first.nonce
    assert second.record == first.record
    assert second.signature != first.signature
