"""Proof of a double vote survives what befalls the node that keeps it, and nobody crowds it out."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from consensus.certificate import SealDomain
from consensus.qbft.evidence import Evidence, SignedPayload, evidence_of
from consensus.qbft.faults import BadMessage
from consensus.qbft.messages import PreparePayload
from consensus.qbft.signing import KeySigner, SigningDomain
from node.evidence_pool import (
    LARGE_BYTES,
    MAX_LARGE_BYTES,
    MAX_OF_SIGNER,
    EvidenceFault,
    EvidencePool,
)
from tests.chain_world import STRANGER, VALIDATOR, ChainWorld, genesis_document
from tests.four_validators import KEYS, FourWorld
from tests.four_validators import genesis_json as four_genesis

GENESIS = json.dumps(genesis_document()).encode()
GUILTY, INNOCENT = KeySigner(VALIDATOR.to_bytes()), KeySigner(STRANGER.to_bytes())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path, GENESIS)
    yield world
    world.close()


def double_vote(domain: SealDomain, signer: KeySigner = GUILTY, round_number: int = 0) -> Evidence:
    """Return two prepares of one validator for different blocks."""
    signing = SigningDomain(domain.chain_id, domain.genesis_hash)
    said = []
    for fill in (1, 2):
        payload = PreparePayload(7, round_number, bytes([fill]) * 32)
        signature = signer.sign(signing.digest(payload.CODE, payload.encode()))
        said.append(SignedPayload(payload, signature))
    return evidence_of(signer.address, *said)


def test_what_is_added_is_there_after_a_restart(world: ChainWorld, tmp_path: Path) -> None:
    evidence = double_vote(world.chain.domain)
    pool = EvidencePool(world.chain, tmp_path / "evidence")
    assert (pool.add(evidence), pool.add(evidence)) == (True, False)
    again = EvidencePool(world.chain, tmp_path / "evidence")
    assert again.all() == (evidence,)
    assert again.add(evidence) is False


def test_who_is_no_validator_is_not_kept(world: ChainWorld, tmp_path: Path) -> None:
    pool = EvidencePool(world.chain, tmp_path)
    assert pool.add(double_vote(world.chain.domain, INNOCENT)) is False
    assert pool.all() == ()


def test_who_has_left_but_not_taken_its_bond_back_is_kept(
    world: ChainWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who signs twice in the last block of its time is told of in the next epoch."""
    monkeypatch.setattr(world.chain, "validators", lambda: (INNOCENT.address,))
    pool = EvidencePool(world.chain, tmp_path)
    assert pool.add(double_vote(world.chain.domain)) is True
    assert pool.add(double_vote(world.chain.domain, INNOCENT)) is False


def test_one_validator_cannot_fill_the_pool(world: ChainWorld, tmp_path: Path) -> None:
    pool = EvidencePool(world.chain, tmp_path)
    kept = [pool.add(double_vote(world.chain.domain, round_number=each)) for each in range(40)]
    assert kept == [True] * MAX_OF_SIGNER + [False] * (40 - MAX_OF_SIGNER)
    assert len(list(tmp_path.glob("*.rlp"))) == MAX_OF_SIGNER


def large(evidence: Evidence, size_bytes: int) -> Evidence:
    return replace(evidence, first=bytes(size_bytes), second=bytes(size_bytes))


def test_of_proofs_that_no_transaction_holds_one_of_a_validator_is_kept(
    world: ChainWorld, tmp_path: Path
) -> None:
    pool = EvidencePool(world.chain, tmp_path)
    votes = [double_vote(world.chain.domain, round_number=each) for each in range(3)]
    assert pool.add(large(votes[0], LARGE_BYTES)) is True
    assert pool.add(large(votes[1], LARGE_BYTES)) is False
    assert pool.add(votes[2]) is True


def test_large_proofs_together_are_bounded_and_keep_no_small_one_out(tmp_path: Path) -> None:
    world = FourWorld(tmp_path / "four", four_genesis())
    pool = EvidencePool(world.chain, tmp_path / "evidence")
    guilty = [double_vote(world.chain.domain, KeySigner(key.to_bytes())) for key in KEYS]
    assert pool.add(large(guilty[0], MAX_LARGE_BYTES // 4)) is True
    assert pool.add(large(guilty[1], MAX_LARGE_BYTES // 4)) is True
    assert pool.add(large(guilty[2], LARGE_BYTES)) is False
    assert pool.add(guilty[3]) is True
    world.close()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda _data: b"", id="empty"),
        pytest.param(lambda data: data[:50], id="cut off"),
        pytest.param(lambda data: data[:-1] + bytes([data[-1] ^ 1]), id="a flipped bit"),
        pytest.param(lambda _data: b"\xff" * 90, id="noise"),
    ],
)
def test_a_damaged_file_is_set_aside_and_the_others_stay(
    world: ChainWorld,
    tmp_path: Path,
    damage: Callable[[bytes], bytes],
) -> None:
    first, second = (double_vote(world.chain.domain, round_number=each) for each in (0, 1))
    pool = EvidencePool(world.chain, tmp_path / "evidence")
    pool.add(first)
    (path,) = (tmp_path / "evidence").glob("*.rlp")
    pool.add(second)
    path.write_bytes(damage(path.read_bytes()))
    again = EvidencePool(world.chain, tmp_path / "evidence")
    assert again.all() == (second,)
    assert path.with_suffix(".damaged").exists()
    assert again.add(first) is True
    assert EvidencePool(world.chain, tmp_path / "evidence").all() == (first, second)


def test_evidence_of_another_chain_is_no_evidence(world: ChainWorld, tmp_path: Path) -> None:
    other = double_vote(SealDomain(999, b"\x13" * 32))
    with pytest.raises(BadMessage, match="different signers"):
        EvidencePool(world.chain, tmp_path).decode(other.encode())


def test_a_disk_that_fails_is_this_nodes_fault(
    world: ChainWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = EvidencePool(world.chain, tmp_path / "evidence")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EvidenceFault, match="No space left on device"):
        pool.add(double_vote(world.chain.domain))
    monkeypatch.undo()
    assert EvidencePool(world.chain, tmp_path / "evidence").all() == ()
