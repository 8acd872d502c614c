"""The commit certificate: exactly a quorum of the right validators sealed the right header."""

from dataclasses import replace

import pytest
import rlp
from eth_keys.datatypes import Signature
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.certificate import (
    CommitCertificate,
    SealDomain,
    certify,
    decode_certificate,
    quorum,
    seal,
    validate_certificate,
)
from consensus.faults import BadCertificate
from cvm.evm.keccak import keccak256
from cvm.evm.private_key import PrivateKey

KEYS = [PrivateKey(bytes([0x70 + index]) * 32) for index in range(7)]  # TEST keys
VALIDATORS = [key.address for key in KEYS]
DOMAIN = SealDomain(chain_id=7, genesis_hash=b"\x9e" * 32)
HEADER = b"\x11" * 32
HEIGHT = 42
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def certificate_by(
    indices: list[int], domain: SealDomain = DOMAIN, round_number: int = 0, height: int = HEIGHT
) -> CommitCertificate:
    seals = [(i, seal(domain, KEYS[i], height, round_number, HEADER)) for i in indices]
    return certify(height, round_number, HEADER, seals)


def validate(certificate: CommitCertificate, count: int = 4) -> None:
    validate_certificate(certificate, DOMAIN, VALIDATORS[:count], HEADER, HEIGHT)


def malleable(signature: bytes) -> bytes:
    """Return the other signature over the same message: n - s and the other parity."""
    s = CURVE_ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([signature[64] ^ 1])


@pytest.mark.parametrize(
    ("count", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4), (7, 5), (100, 67)]
)
def test_quorum_is_two_thirds_rounded_up(count: int, needed: int) -> None:
    assert quorum(count) == needed


@pytest.mark.parametrize("count", range(1, 8))
def test_exactly_a_quorum_is_valid(count: int) -> None:
    needed = quorum(count)
    validate(certificate_by(list(range(needed))), count)
    validate(certificate_by(list(range(count - needed, count))), count)


@pytest.mark.parametrize("count", range(2, 8))
def test_one_seal_less_is_refused(count: int) -> None:
    needed = quorum(count)
    with pytest.raises(BadCertificate, match=f"{needed - 1} seals by .*, needs {needed}"):
        validate(certificate_by(list(range(needed - 1))), count)


@pytest.mark.parametrize("count", [3, 4, 5, 6, 7])
def test_one_seal_more_is_refused(count: int) -> None:
    needed = quorum(count)
    with pytest.raises(BadCertificate, match=f"{needed + 1} seals by .*, needs {needed}"):
        validate(certificate_by(list(range(needed + 1))), count)


GOOD = certificate_by([0, 1, 3])


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        pytest.param(replace(GOOD, height=43), "is for block 43", id="another height"),
        pytest.param(replace(GOOD, header_hash=b"\2" * 32), "not 0x1111", id="another header"),
        pytest.param(replace(GOOD, round=1), "is by 0x", id="another round than was sealed"),
        pytest.param(replace(GOOD, signers=0b0111), "seal 2 is by 0x", id="wrong signer"),
        pytest.param(
            replace(GOOD, signers=0b11011), "beyond the 4 validators", id="a bit too high"
        ),
        pytest.param(
            replace(GOOD, signers=0b10000), "beyond the 4 validators", id="only a bit too high"
        ),
        pytest.param(replace(GOOD, signers=0), "by 0 signers", id="no signer"),
        pytest.param(replace(GOOD, seals=()), "0 seals", id="no seal"),
        pytest.param(replace(GOOD, seals=GOOD.seals[:2]), "2 seals", id="a seal missing"),
        pytest.param(replace(GOOD, seals=GOOD.seals * 2), "6 seals", id="seals twice"),
        pytest.param(
            replace(GOOD, seals=(GOOD.seals[0], GOOD.seals[0], GOOD.seals[2])),
            "seal 1 is by",
            id="one signer twice",
        ),
        pytest.param(replace(GOOD, seals=GOOD.seals[::-1]), "seal 0 is by", id="another order"),
        pytest.param(
            replace(GOOD, seals=(malleable(GOOD.seals[0]), *GOOD.seals[1:])),
            "seal with a high s",
            id="malleable s",
        ),
        pytest.param(
            replace(GOOD, seals=(GOOD.seals[0][:64] + b"\x1b", *GOOD.seals[1:])),
            "does not recover",
            id="v of 27",
        ),
        pytest.param(
            replace(GOOD, seals=(bytes(65), *GOOD.seals[1:])), "does not recover", id="zeros"
        ),
        pytest.param(
            replace(GOOD, seals=(b"\xff" * 64 + b"\0", *GOOD.seals[1:])),
            "does not recover",
            id="ones",
        ),
        pytest.param(
            certificate_by([0, 1, 3], SealDomain(8, DOMAIN.genesis_hash)),
            "is by 0x",
            id="another chain id",
        ),
        pytest.param(
            certificate_by([0, 1, 3], SealDomain(7, b"\x9f" * 32)), "is by 0x", id="another genesis"
        ),
        pytest.param(certificate_by([0, 1, 4]), "beyond the 4 validators", id="a stranger"),
    ],
)
def test_anything_else_is_refused(certificate: CommitCertificate, reason: str) -> None:
    with pytest.raises(BadCertificate, match=r"^block 42: commit certificate: ") as caught:
        validate(certificate)
    assert reason in str(caught.value)


def test_a_malleable_seal_would_recover_to_the_same_signer() -> None:
    digest = DOMAIN.digest(HEIGHT, 0, HEADER)
    twin = Signature(malleable(GOOD.seals[0])).recover_public_key_from_msg_hash(digest)
    assert twin.to_canonical_address() == VALIDATORS[0]


def test_a_later_round_is_valid_when_it_was_sealed() -> None:
    validate(certificate_by([0, 1, 2], round_number=5))


def test_the_digest_is_the_protocols() -> None:
    payload = [b"cvm-commit", 7, b"\x9e" * 32, 42, 3, HEADER]
    assert DOMAIN.digest(42, 3, HEADER) == keccak256(rlp.encode(payload))


def test_the_encoding_is_the_protocols() -> None:
    expected = rlp.encode([42, 0, HEADER, 0b1011, list(GOOD.seals)])
    assert GOOD.encode() == expected
    assert GOOD.hash == keccak256(expected)


@pytest.mark.parametrize("indices", [[0], [0, 1, 2], [2, 4, 5, 6]])
def test_what_was_encoded_comes_back(indices: list[int]) -> None:
    certificate = certificate_by(indices)
    assert decode_certificate(certificate.encode()) == certificate


PARTS: list[object] = [42, 0, HEADER, 1, [bytes(65)]]


def encoded_with(position: int, value: object) -> bytes:
    parts = list(PARTS)
    parts[position] = value
    return bytes(rlp.encode(parts))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xc0", id="an empty list"),
        pytest.param(b"\x80", id="an empty string"),
        pytest.param(GOOD.encode()[:-1], id="cut off"),
        pytest.param(GOOD.encode() + b"\0", id="a byte too many"),
        pytest.param(bytes(rlp.encode([*PARTS, b""])), id="six parts"),
        pytest.param(bytes(rlp.encode(PARTS[:4])), id="four parts"),
        pytest.param(encoded_with(0, b"\0\x2a"), id="a height with a leading zero"),
        pytest.param(encoded_with(0, [b"\x2a"]), id="a list as height"),
        pytest.param(encoded_with(0, 2**64), id="a height of 65 bits"),
        pytest.param(encoded_with(0, 2**20_000), id="a height of 20,001 bits"),
        pytest.param(encoded_with(1, 2**64), id="a round of 65 bits"),
        pytest.param(encoded_with(1, 2**20_000), id="a round of 20,001 bits"),
        pytest.param(encoded_with(2, HEADER[1:]), id="a 31-byte hash"),
        pytest.param(encoded_with(3, [1]), id="a list as bitmap"),
        pytest.param(encoded_with(4, b""), id="a string as seals"),
        pytest.param(encoded_with(4, [bytes(64)]), id="a 64-byte seal"),
        pytest.param(encoded_with(4, [[bytes(65)]]), id="a list as seal"),
    ],
)
def test_bytes_of_another_shape_are_refused(data: bytes) -> None:
    with pytest.raises(BadCertificate, match=r"not RLP of the right shape|has .* bits"):
        decode_certificate(data)


def test_a_bitmap_of_any_length_is_refused_quietly() -> None:
    wide = decode_certificate(encoded_with(3, 2**20_000))
    with pytest.raises(BadCertificate, match="beyond the 4 validators"):
        validate(replace(wide, header_hash=HEADER))


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_certificate_or_refused(data: bytes) -> None:
    try:
        certificate = decode_certificate(data)
    except BadCertificate:
        return
    assert certificate.encode() == data


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.integers(0, len(GOOD.encode()) - 1), st.integers(1, 255))
def test_no_changed_byte_leaves_it_valid(position: int, change: int) -> None:
    hostile = bytearray(GOOD.encode())
    hostile[position] ^= change
    with pytest.raises(BadCertificate):
        validate(decode_certificate(bytes(hostile)))
