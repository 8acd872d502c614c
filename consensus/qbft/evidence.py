"""Proof that a validator said two things in one round: what slashes it (PROTOCOL section 4)."""

from dataclasses import dataclass
from typing import Protocol

from consensus.qbft.faults import BadMessage
from consensus.qbft.message_decoding import SIGNATURE_BYTES, decode_payload
from consensus.qbft.messages import (
    CommitPayload,
    Payload,
    PreparePayload,
    ProposalPayload,
    RoundChangePayload,
)
from consensus.qbft.signing import Recover, SigningDomain, signer_of
from cvm.evm.keccak import keccak256
from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from cvm.evm.rlp_lists import expect_shape, fixed_bytes, integer, list_start, split_items
from cvm.evm.strict_rlp import BadRlp, read_header

NO_DIGEST = bytes(32)
"""What a round change without a prepared block speaks for."""

CODE_BYTES = 1


class Said(Protocol):
    """A payload and its signature: any message of consensus."""

    @property
    def payload(self) -> Payload:
        """Return what is signed."""
        ...

    @property
    def signature(self) -> bytes:
        """Return the signature of the payload."""
        ...


@dataclass(frozen=True, slots=True)
class SignedPayload:
    """A payload and its signature alone."""

    payload: Payload
    signature: bytes


@dataclass(frozen=True, slots=True)
class Evidence:
    """Two signed payloads of one signer: same code, height and round, different digests.

    `first` and `second` are the RLP of the payloads.
    """

    code: int
    signer: bytes
    height: int
    round: int
    first: bytes
    first_signature: bytes
    second: bytes
    second_signature: bytes

    def encode(self) -> bytes:
        """Return rlp[code, payload A, signature A, payload B, signature B]."""
        parts = (self.first, self.first_signature, self.second, self.second_signature)
        return encode_list(encode_integer(self.code) + b"".join(map(encode_bytes, parts)))


def decode_evidence(data: bytes, domain: SigningDomain, recover: Recover) -> Evidence:
    """Read evidence from outside and verify it; raises `BadMessage`.

    Whether the signer is a validator of that height is the caller's question.
    """
    try:
        items, lists = split_items(data, list_start(data, 0, "evidence"), len(data))
        expect_shape("evidence", items, lists, 5, [])
        code = integer("code", items[0], CODE_BYTES)
        signatures = [fixed_bytes("signature", items[at], SIGNATURE_BYTES) for at in (2, 4)]
    except BadRlp as error:
        raise BadMessage(str(error)) from error
    first, second = (
        SignedPayload(decode_payload(code, items[at]), signature)
        for at, signature in zip((1, 3), signatures, strict=True)
    )
    validate_conflict(first.payload, second.payload)
    signer, other = (
        signer_of(recover, domain, said.payload, said.signature) for said in (first, second)
    )
    if signer != other:
        raise BadMessage("the two payloads have different signers")
    return evidence_of(signer, first, second)


def validate_conflict(first: Payload, second: Payload) -> None:
    """Check that one signer may not have signed both; raises `BadMessage`."""
    if (first.height, first.round) != (second.height, second.round):
        raise BadMessage("the two payloads are of different heights or rounds")
    if digest_of(first) == digest_of(second):
        raise BadMessage("the two payloads speak for the same block")


def evidence_of(signer: bytes, first: Said, second: Said) -> Evidence:
    """Return the proof that two conflicting payloads of one place are."""
    return Evidence(
        first.payload.CODE,
        signer,
        first.payload.height,
        first.payload.round,
        first.payload.encode(),
        first.signature,
        second.payload.encode(),
        second.signature,
    )


def digest_of(payload: Payload) -> bytes:
    """Return which block a payload speaks for: the hash of its header."""
    match payload:
        case PreparePayload() | CommitPayload():
            return payload.digest
        case RoundChangePayload():
            return NO_DIGEST if payload.prepared is None else payload.prepared.digest
        case ProposalPayload():
            return header_hash(payload.block)
    raise BadMessage(f"no payload has the code {payload.CODE:#x}")


def header_hash(block: bytes) -> bytes:
    """Return keccak256 of the first item of a block's list; raises `BadMessage`."""
    try:
        start = list_start(block, 0, "a block")
        if start == len(block):
            raise BadMessage("a block without a header")
        is_list, _, end = read_header(block, start, len(block))
    except BadRlp as error:
        raise BadMessage(str(error)) from error
    if not is_list:
        raise BadMessage("a header is a list")
    return keccak256(block[start:end])
