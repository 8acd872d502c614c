"""Evidence is two signed payloads that one signer may not both sign, and survives its encoding."""

import pytest

from consensus.qbft.evidence import Evidence, Said, SignedPayload, decode_evidence, evidence_of
from consensus.qbft.faults import BadMessage
from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from tests.qbft_world import (
    BLOCK,
    DIGEST,
    DOMAIN,
    OTHER,
    PREPARES,
    SIGNERS,
    commit_by,
    hash_of,
    prepare_by,
    proposal_by,
    recover_hash,
    round_change_by,
)


def evidence(first: Said, second: Said) -> Evidence:
    return evidence_of(SIGNERS[1].address, first, second)


def decoded(data: bytes) -> Evidence:
    return decode_evidence(data, DOMAIN, recover_hash)


@pytest.mark.parametrize(
    ("code", "first", "second"),
    [
        pytest.param(0x12, proposal_by(1, BLOCK), proposal_by(1, OTHER), id="proposals"),
        pytest.param(0x13, prepare_by(1, DIGEST), prepare_by(1, hash_of(OTHER)), id="prepares"),
        pytest.param(0x14, commit_by(1, DIGEST), commit_by(1, hash_of(OTHER)), id="commits"),
        pytest.param(
            0x15, round_change_by(1, 1), round_change_by(1, 1, BLOCK, PREPARES), id="round changes"
        ),
    ],
)
def test_two_messages_of_one_place_are_evidence(code: int, first: Said, second: Said) -> None:
    found = decoded(evidence(first, second).encode())
    assert found == evidence(first, second)
    assert (found.code, found.signer) == (code, SIGNERS[1].address)
    assert (found.height, found.round) == (first.payload.height, first.payload.round)


def test_the_encoding_is_code_then_payloads_each_with_its_signature() -> None:
    first, second = prepare_by(1, DIGEST), prepare_by(1, hash_of(OTHER))
    parts = (first.payload.encode(), first.signature, second.payload.encode(), second.signature)
    expected = encode_list(encode_integer(0x13) + b"".join(map(encode_bytes, parts)))
    assert evidence(first, second).encode() == expected


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        pytest.param(
            prepare_by(1, DIGEST), prepare_by(1, DIGEST), "the same block", id="one vote twice"
        ),
        pytest.param(
            prepare_by(1, DIGEST),
            prepare_by(1, hash_of(OTHER), 1),
            "different heights or rounds",
            id="two rounds",
        ),
        pytest.param(
            prepare_by(1, DIGEST),
            prepare_by(1, hash_of(OTHER), height=43),
            "different heights or rounds",
            id="two heights",
        ),
        pytest.param(
            prepare_by(1, DIGEST),
            prepare_by(2, hash_of(OTHER)),
            "different signers",
            id="two signers",
        ),
        pytest.param(
            prepare_by(1, DIGEST),
            SignedPayload(prepare_by(1, hash_of(OTHER)).payload, b"\1" * 65),
            "does not recover",
            id="no signature",
        ),
        pytest.param(
            proposal_by(1, BLOCK), proposal_by(1, b"\xc1\x80"), "header is a list", id="no header"
        ),
        pytest.param(
            proposal_by(1, BLOCK), proposal_by(1, b"\xc0"), "without a header", id="empty block"
        ),
    ],
)
def test_refuses(first: Said, second: Said, reason: str) -> None:
    with pytest.raises(BadMessage, match=reason):
        decoded(evidence(first, second).encode())


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xc0", id="an empty list"),
        pytest.param(encode_list(b"\x13" + b"\x80" * 4), id="empty parts"),
        pytest.param(
            encode_list(b"\x16" + (b"\x80" + encode_bytes(bytes(65))) * 2), id="unknown code"
        ),
    ],
)
def test_refuses_bytes_that_are_none(data: bytes) -> None:
    with pytest.raises(BadMessage):
        decoded(data)
