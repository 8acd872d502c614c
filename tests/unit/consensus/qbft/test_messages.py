"""Messages keep their bytes, and bytes from outside are a message or `BadMessage`."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.block import MAX_BLOCK_BYTES
from consensus.qbft.faults import BadMessage
from consensus.qbft.message_decoding import MAX_MESSAGE_BYTES, MAX_VOTES, decode_message
from consensus.qbft.messages import (
    COMMIT,
    PREPARE,
    PROPOSAL,
    ROUND_CHANGE,
    Commit,
    CommitPayload,
    Message,
    Prepare,
    PreparedClaim,
    PreparePayload,
    Proposal,
    ProposalPayload,
    RoundChange,
    RoundChangePayload,
    SignedRoundChange,
)
from cvm.evm.rlp_encoding import EMPTY_LIST, encode_bytes, encode_integer, encode_list

DIGEST, SIGNATURE = b"\xd1" * 32, b"\x51" * 65
heights, rounds = st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1)
digests, signatures = st.binary(min_size=32, max_size=32), st.binary(min_size=65, max_size=65)
blocks = st.binary(min_size=1, max_size=80).map(lambda data: encode_list(encode_bytes(data)))
prepares = st.builds(Prepare, st.builds(PreparePayload, heights, rounds, digests), signatures)
claims = st.none() | st.builds(PreparedClaim, rounds, digests)
signed_round_changes = st.builds(
    SignedRoundChange, st.builds(RoundChangePayload, heights, rounds, claims), signatures
)
lists_of_prepares = st.lists(prepares, max_size=3).map(tuple)
messages: st.SearchStrategy[Message] = st.one_of(
    prepares,
    st.builds(Commit, st.builds(CommitPayload, heights, rounds, digests, signatures), signatures),
    st.builds(RoundChange, signed_round_changes, st.none() | blocks, lists_of_prepares),
    st.builds(
        Proposal,
        st.builds(ProposalPayload, heights, rounds, blocks),
        signatures,
        st.lists(signed_round_changes, max_size=3).map(tuple),
        lists_of_prepares,
    ),
)


def prepare(height: bytes, round_number: bytes, digest: bytes, signature: bytes) -> bytes:
    payload = encode_list(height + round_number + encode_bytes(digest))
    return encode_list(payload + encode_bytes(signature))


def place(height: int = 1, round_number: int = 0) -> bytes:
    return encode_integer(height) + encode_integer(round_number)


def round_change(claim: bytes, block: bytes, listed: bytes) -> bytes:
    signed = encode_list(encode_list(place() + claim) + encode_bytes(SIGNATURE))
    return encode_list(signed + block + listed)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(messages)
def test_decoding_gives_the_encoded_message(message: Message) -> None:
    assert decode_message(message.payload.CODE, message.encode()) == message


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.sampled_from([PROPOSAL, PREPARE, COMMIT, ROUND_CHANGE]), st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(code: int, data: bytes) -> None:
    try:
        message = decode_message(code, data)
    except BadMessage:
        return
    assert message.encode() == data


@settings(derandomize=True, max_examples=400, deadline=None)
@given(messages, st.data())
def test_damaged_messages_are_another_message_or_refused(
    message: Message, data: st.DataObject
) -> None:
    raw = bytearray(message.encode())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        read = decode_message(message.payload.CODE, bytes(raw))
    except BadMessage:
        return
    assert read.encode() == bytes(raw)


@pytest.mark.parametrize(
    ("code", "data", "reason"),
    [
        pytest.param(0x11, EMPTY_LIST, "no message has the code 0x11", id="unknown code"),
        pytest.param(PREPARE, b"", "no bytes", id="nothing"),
        pytest.param(PREPARE, b"\x80", "a message is a list", id="a string"),
        pytest.param(PREPARE, EMPTY_LIST + b"\0", "1 bytes after the end", id="more bytes"),
        pytest.param(
            PREPARE,
            prepare(encode_integer(2**64), b"\x80", DIGEST, SIGNATURE),
            "height has 65 bits, at most 64",
            id="height of 2**64",
        ),
        pytest.param(
            PREPARE,
            prepare(b"\x01", encode_integer(2**32), DIGEST, SIGNATURE),
            "round has 33 bits, at most 32",
            id="round of 2**32",
        ),
        pytest.param(
            PREPARE,
            prepare(b"\x01", b"\x00", DIGEST, SIGNATURE),
            "leading zero bytes",
            id="zero as a byte",
        ),
        pytest.param(
            PREPARE,
            prepare(b"\x01", b"\x80", DIGEST[1:], SIGNATURE),
            "digest: it has 31 bytes",
            id="short digest",
        ),
        pytest.param(
            PREPARE,
            prepare(b"\x01", b"\x80", DIGEST, SIGNATURE + b"\1"),
            "signature: it has 66 bytes",
            id="long signature",
        ),
        pytest.param(
            COMMIT,
            encode_list(
                encode_list(place() + encode_bytes(DIGEST) + encode_bytes(SIGNATURE[1:]))
                + encode_bytes(SIGNATURE)
            ),
            "commit seal: it has 64 bytes",
            id="short seal",
        ),
        pytest.param(
            ROUND_CHANGE,
            round_change(encode_list(encode_integer(0)), EMPTY_LIST, EMPTY_LIST),
            "too few elements for a prepared round",
            id="prepared round without a digest",
        ),
        pytest.param(
            ROUND_CHANGE,
            round_change(EMPTY_LIST, b"\x80", EMPTY_LIST),
            "expected input list for element 1",
            id="block that is a string",
        ),
        pytest.param(
            ROUND_CHANGE,
            round_change(EMPTY_LIST, EMPTY_LIST, encode_list(b"\x80")),
            "expected input list for element 0 of the prepares",
            id="prepare that is a string",
        ),
        pytest.param(
            ROUND_CHANGE,
            round_change(EMPTY_LIST, EMPTY_LIST, encode_list(EMPTY_LIST * 100_000)),
            "too many elements",
            id="100,000 empty prepares",
        ),
    ],
)
def test_refuses(code: int, data: bytes, reason: str) -> None:
    with pytest.raises(BadMessage, match=reason):
        decode_message(code, data)


def test_refuses_more_votes_than_there_are_validators_in_any_set() -> None:
    vote = Prepare(PreparePayload(1, 0, DIGEST), SIGNATURE)
    signed = SignedRoundChange(RoundChangePayload(1, 1, None), SIGNATURE)
    most = RoundChange(signed, None, (vote,) * MAX_VOTES)
    assert decode_message(ROUND_CHANGE, most.encode()) == most
    with pytest.raises(BadMessage, match="1025 prepares, at most 1024"):
        decode_message(ROUND_CHANGE, RoundChange(signed, None, (vote,) * 1025).encode())


def test_refuses_a_block_of_more_than_8_mib() -> None:
    largest = encode_list(bytes(MAX_BLOCK_BYTES - 4))
    fits = Proposal(ProposalPayload(1, 0, largest), SIGNATURE, (), ())
    assert decode_message(PROPOSAL, fits.encode()) == fits
    too_large = Proposal(ProposalPayload(1, 0, encode_list(bytes(8 << 20))), SIGNATURE, (), ())
    with pytest.raises(BadMessage, match="a block of 8388612 bytes, at most 8388608"):
        decode_message(PROPOSAL, too_large.encode())


def test_refuses_long_messages_unread() -> None:
    with pytest.raises(BadMessage, match=f"at most {MAX_MESSAGE_BYTES}"):
        decode_message(PROPOSAL, bytes(MAX_MESSAGE_BYTES + 1))
