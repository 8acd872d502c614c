"""Signatures under a model's record: one for each validator, of this registration, true ones."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cvm.evm.private_key import PrivateKey
from models_registry.attestation import BadAttestation, attestation_digest, sign_attestation
from models_registry.record import ModelRecord
from node.attestation_pool import AttestationPool, SignedRecord
from node.sample_models import sample_model_path
from tests.chain_world import CHAIN_ID, STRANGER, ChainWorld
from tests.four_validators import KEYS, FourWorld, genesis_json

DIGITS = sample_model_path("digits_int8.onnx").read_bytes()


class Pending:
    """A chain with four validators and one PENDING model."""

    def __init__(self, folder: Path) -> None:
        self.world = FourWorld(folder, genesis_json())
        self.model_id = self.world.store.add_file(DIGITS)
        self.world.make_pending(self.model_id, len(DIGITS))
        judged = self.world.attester.judged(self.model_id)
        assert judged is not None
        assert judged.record is not None
        self.nonce, self.record = judged.nonce, judged.record
        self.pool = AttestationPool(self.world.chain)

    def signed(self, key: PrivateKey, record: ModelRecord | None = None) -> SignedRecord:
        """Return a signature under the record, or under another one."""
        record = record or self.record
        digest = attestation_digest(CHAIN_ID, self.model_id, self.nonce, record.hash)
        signature = sign_attestation(key, digest)
        return SignedRecord(self.model_id, self.nonce, record.encode(), signature)


@pytest.fixture
def pending(tmp_path: Path) -> Iterator[Pending]:
    pending = Pending(tmp_path)
    yield pending
    pending.world.close()


def test_each_validator_counts_once(pending: Pending) -> None:
    signatures = [pending.signed(key) for key in KEYS]
    assert [pending.pool.add(each) for each in signatures + signatures] == [True] * 4 + [False] * 4
    kept = pending.pool.signatures(pending.model_id, pending.nonce, pending.record.encode())
    assert sorted(kept) == sorted(each.signature for each in signatures)
    assert set(pending.pool.all()) == set(signatures)


def test_a_validators_second_record_is_not_taken(pending: Pending) -> None:
    other = replace(pending.record, test_hash=bytes(32))
    assert pending.pool.add(pending.signed(KEYS[0])) is True
    assert pending.pool.add(pending.signed(KEYS[0], other)) is False
    assert pending.pool.signatures(pending.model_id, pending.nonce, other.encode()) == ()


def test_the_record_that_most_signed_is_named(pending: Pending) -> None:
    other = replace(pending.record, test_hash=bytes(32))
    pending.pool.add(pending.signed(KEYS[0], other))
    for key in KEYS[1:3]:
        pending.pool.add(pending.signed(key))
    most = pending.pool.most_signed(pending.model_id, pending.nonce)
    assert most == pending.record.encode()
    assert pending.pool.most_signed(bytes(32), 0) is None


@pytest.mark.parametrize("count", [pytest.param(4, id="of four"), pytest.param(25, id="of 25")])
def test_as_many_liars_as_may_be_do_not_crowd_out_the_true_record(
    pending: Pending, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    keys = [*KEYS, *(PrivateKey(bytes([0x90 + index]) * 32) for index in range(count - 4))]
    validators = tuple(key.address for key in keys)
    monkeypatch.setattr(pending.world.chain, "validators_at", lambda _height: validators)
    liars = (count - 1) // 3
    for index, key in enumerate(keys[:liars]):
        false = replace(pending.record, test_hash=bytes([index]) * 32)
        assert pending.pool.add(pending.signed(key, false)) is True
    for key in keys[liars:]:
        assert pending.pool.add(pending.signed(key)) is True
    most = pending.pool.most_signed(pending.model_id, pending.nonce)
    assert most == pending.record.encode()


def test_more_records_than_there_may_be_liars_are_not_kept(pending: Pending) -> None:
    records = [replace(pending.record, test_hash=bytes([index]) * 32) for index in range(4)]
    kept = [
        pending.pool.add(pending.signed(key, record))
        for key, record in zip(KEYS, records, strict=True)
    ]
    assert kept == [True, True, False, False]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"nonce": 77}, id="another registration"),
        pytest.param({"model_id": b"\x77" * 32}, id="another model"),
    ],
)
def test_what_the_chain_does_not_wait_for_is_no_news(
    pending: Pending, change: dict[str, object]
) -> None:
    attestation = replace(pending.signed(KEYS[0]), **change)  # type: ignore[arg-type]
    assert pending.pool.add(attestation) is False
    assert pending.pool.all() == ()


def test_a_stranger_is_no_validator(pending: Pending) -> None:
    assert pending.pool.add(pending.signed(STRANGER)) is False


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"record": b""}, id="no record"),
        pytest.param({"record": b"\xc0"}, id="an empty record"),
        pytest.param({"signature": bytes(65)}, id="a signature of zeros"),
        pytest.param({"signature": b"\xff" * 65}, id="a signature of ones"),
        pytest.param({"signature": b""}, id="no signature"),
    ],
)
def test_a_false_signature_is_refused(pending: Pending, change: dict[str, object]) -> None:
    attestation = replace(pending.signed(KEYS[0]), **change)  # type: ignore[arg-type]
    with pytest.raises(BadAttestation):
        pending.pool.add(attestation)


def test_an_active_model_is_forgotten(tmp_path: Path) -> None:
    world = FourWorld(tmp_path, genesis_json())
    pool = AttestationPool(world.chain)
    model_id = world.store.add_file(DIGITS)
    sent = world.send

    def noticed(*arguments: object, **named: object) -> object:
        judged = world.attester.judged(model_id)
        if judged is not None and judged.record is not None and judged.signature is not None:
            record, signature = judged.record.encode(), judged.signature
            pool.add(SignedRecord(model_id, judged.nonce, record, signature))
        return sent(*arguments, **named)  # type: ignore[arg-type]

    world.send = noticed  # type: ignore[assignment, method-assign]
    world.register_model()
    assert len(pool.all()) == 1
    pool.settle()
    assert pool.all() == ()
    ChainWorld.close(world)
