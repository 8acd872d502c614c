"""Reads messages of QBFT from outside: every bound checked, only `BadMessage` raised.

The block inside is taken as an RLP list of bytes and not looked into.
"""

from collections.abc import Callable
from typing import TypeVar

from consensus.block import MAX_BLOCK_BYTES
from consensus.certificate import SEAL_BYTES
from consensus.qbft.faults import BadMessage
from consensus.qbft.messages import (
    COMMIT,
    PREPARE,
    PROPOSAL,
    ROUND_BYTES,
    ROUND_CHANGE,
    Commit,
    CommitPayload,
    Message,
    Payload,
    Prepare,
    PreparedClaim,
    PreparePayload,
    Proposal,
    ProposalPayload,
    RoundChange,
    RoundChangePayload,
    SignedRoundChange,
)
from cvm.evm.keccak import HASH_BYTES
from cvm.evm.rlp_encoding import encode_list
from cvm.evm.rlp_lists import (
    UINT64_BYTES,
    expect_shape,
    fixed_bytes,
    integer,
    list_start,
    split_items,
)
from cvm.evm.strict_rlp import BadRlp

SIGNATURE_BYTES = 65
MAX_VOTES = 1024
"""Votes that one message may list: no set of validators is larger."""

MAX_MESSAGE_BYTES = MAX_BLOCK_BYTES + (1 << 20)
SMALLEST_VOTE_BYTES = SIGNATURE_BYTES
Item = TypeVar("Item")


def decode_message(code: int, data: bytes) -> Message:
    """Decode the message of this code; raises `BadMessage`."""
    return _decoded(DECODERS, code, data)


def decode_payload(code: int, data: bytes) -> Payload:
    """Decode what the signature of a message of this code covers; raises `BadMessage`."""
    return _decoded(PAYLOAD_DECODERS, code, data)


def _decoded(decoders: dict[int, Callable[[bytes], Item]], code: int, data: bytes) -> Item:
    decode = decoders.get(code)
    if decode is None:
        raise BadMessage(f"no message has the code {code:#x}")
    if len(data) > MAX_MESSAGE_BYTES:
        raise BadMessage(f"{len(data)} bytes, at most {MAX_MESSAGE_BYTES}")
    try:
        return decode(_payload_of(data))
    except BadRlp as error:
        raise BadMessage(str(error)) from error


def _payload_of(data: bytes) -> bytes:
    return data[list_start(data, 0, "a message") :]


def _fields(name: str, payload: bytes, count: int, lists: list[int]) -> list[bytes]:
    items, found = split_items(payload, 0, len(payload))
    expect_shape(name, items, found, count, lists)
    return items


def _signed(name: str, payload: bytes) -> tuple[bytes, bytes]:
    inner, signature = _fields(name, payload, 2, [0])
    return inner, fixed_bytes("signature", signature, SIGNATURE_BYTES)


def _round(name: str, item: bytes) -> int:
    return integer(name, item, ROUND_BYTES)


def _height(item: bytes) -> int:
    return integer("height", item, UINT64_BYTES)


def _digest(item: bytes) -> bytes:
    return fixed_bytes("digest", item, HASH_BYTES)


def _prepare_payload(inner: bytes) -> PreparePayload:
    height, round_number, digest = _fields("a prepare's payload", inner, 3, [])
    return PreparePayload(_height(height), _round("round", round_number), _digest(digest))


def _prepare(payload: bytes) -> Prepare:
    inner, signature = _signed("a prepare", payload)
    return Prepare(_prepare_payload(inner), signature)


def prepares_of(payload: bytes) -> tuple[Prepare, ...]:
    """Read the payload of a list of prepares; raises `BadRlp`."""
    return _votes("prepares", payload, _prepare)


def _commit_payload(inner: bytes) -> CommitPayload:
    height, round_number, digest, seal = _fields("a commit's payload", inner, 4, [])
    return CommitPayload(
        _height(height),
        _round("round", round_number),
        _digest(digest),
        fixed_bytes("commit seal", seal, SEAL_BYTES),
    )


def _commit(payload: bytes) -> Commit:
    inner, signature = _signed("a commit", payload)
    return Commit(_commit_payload(inner), signature)


def _round_change_payload(inner: bytes) -> RoundChangePayload:
    height, round_number, claim = _fields("a round change's payload", inner, 3, [2])
    return RoundChangePayload(_height(height), _round("round", round_number), _claim(claim))


def _signed_round_change(payload: bytes) -> SignedRoundChange:
    inner, signature = _signed("a round change", payload)
    return SignedRoundChange(_round_change_payload(inner), signature)


def _claim(payload: bytes) -> PreparedClaim | None:
    if not payload:
        return None
    round_number, digest = _fields("a prepared round", payload, 2, [])
    return PreparedClaim(_round("prepared round", round_number), _digest(digest))


def _round_change(payload: bytes) -> RoundChange:
    signed, block, prepares = _fields("a round change", payload, 3, [0, 1, 2])
    return RoundChange(
        _signed_round_change(signed), _block(block) if block else None, prepares_of(prepares)
    )


def _proposal_payload(inner: bytes) -> ProposalPayload:
    height, round_number, block = _fields("a proposal's payload", inner, 3, [2])
    return ProposalPayload(_height(height), _round("round", round_number), _block(block))


def _proposal(payload: bytes) -> Proposal:
    signed, justification = _fields("a proposal", payload, 2, [0, 1])
    inner, signature = _signed("a signed proposal", signed)
    round_changes, prepares = _fields("a justification", justification, 2, [0, 1])
    return Proposal(
        _proposal_payload(inner),
        signature,
        _votes("round changes", round_changes, _signed_round_change),
        prepares_of(prepares),
    )


def _block(payload: bytes) -> bytes:
    block = encode_list(payload)
    if len(block) > MAX_BLOCK_BYTES:
        raise BadRlp(f"a block of {len(block)} bytes, at most {MAX_BLOCK_BYTES}")
    return block


def _votes(name: str, payload: bytes, decode: Callable[[bytes], Item]) -> tuple[Item, ...]:
    items, lists = split_items(payload, 0, len(payload), SMALLEST_VOTE_BYTES)
    if len(items) > MAX_VOTES:
        raise BadRlp(f"{len(items)} {name}, at most {MAX_VOTES}")
    expect_shape(f"the {name}", items, lists, len(items), list(range(len(items))))
    return tuple(map(decode, items))


DECODERS: dict[int, Callable[[bytes], Message]] = {
    PROPOSAL: _proposal,
    PREPARE: _prepare,
    COMMIT: _commit,
    ROUND_CHANGE: _round_change,
}
"""How the message of each code is read."""

PAYLOAD_DECODERS: dict[int, Callable[[bytes], Payload]] = {
    PROPOSAL: _proposal_payload,
    PREPARE: _prepare_payload,
    COMMIT: _commit_payload,
    ROUND_CHANGE: _round_change_payload,
}
"""How what is signed is read."""
