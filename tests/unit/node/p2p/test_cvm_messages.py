"""The messages of cvm/1: exact bytes, every bound, and no fault but BadMessage."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.certificate import CommitCertificate
from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from node.p2p.cvm_messages import (
    Attestation,
    Blocks,
    Certificates,
    Chunk,
    Evidence,
    GetBlocks,
    GetCertificates,
    GetChunk,
    HaveModels,
    NewBlock,
    Qbft,
    Status,
    WantModels,
)
from node.p2p.cvm_protocol import MESSAGES
from node.p2p.cvm_state_messages import (
    Codes,
    GetCodes,
    GetProof,
    GetStateChunk,
    Proof,
    StateChunk,
)
from node.p2p.faults import BadMessage
from node.p2p.wire_fields import WireMessage

HASH = b"\x11" * 32
OTHER = b"\x22" * 32
SIGNATURE = b"\x33" * 65
BLOCK = encode_list(encode_list(encode_bytes(b"header" * 80)) + b"\xc0\xc0\xc0")
CERTIFICATE = CommitCertificate(7, 0, HASH, 0b111, (SIGNATURE,) * 3)

EXAMPLES: tuple[WireMessage, ...] = (
    Status(1, 1337, HASH, (b"\x01\x02\x03\x04", 0), 7, OTHER, 0),
    Qbft(0x13, encode_list(b"\x07\x01"), None),
    Qbft(0x12, encode_list(BLOCK), CERTIFICATE),
    NewBlock(BLOCK, CERTIFICATE, None),
    NewBlock(BLOCK, CERTIFICATE, CERTIFICATE),
    GetBlocks(5, 1, 128),
    Blocks(5, ((BLOCK, CERTIFICATE), (BLOCK, CERTIFICATE)), None),
    Blocks(5, (), None),
    GetCertificates(6, 1, 256),
    Certificates(6, (CERTIFICATE,)),
    HaveModels((HASH, OTHER)),
    WantModels(()),
    GetChunk(7, HASH, 255),
    Chunk(7, 300, 0, b"chunk", (HASH, OTHER)),
    Attestation(HASH, 3, b"record", SIGNATURE),
    Evidence(0x13, b"\xc1\x01", SIGNATURE, b"\xc1\x02", SIGNATURE),
    GetStateChunk(8, HASH, b"", b""),
    GetStateChunk(8, HASH, OTHER, b"\x00\x0f\x01"),
    StateChunk(8, (b"node",), ((b"\x01" * 20, b"value"), (b"\x02" * 20, b"\x01"))),
    StateChunk(8, (b"node",), None),
    StateChunk(8, (), ()),
    GetCodes(9, (HASH,)),
    Codes(9, (b"\x60\x00", b"")),
    GetProof(10, HASH, b"\x44" * 20, (0, 1, 2**256 - 1)),
    Proof(10, b"header", (b"n1", b"n2"), ()),
)


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_what_is_encoded_is_decoded(message: WireMessage) -> None:
    assert type(message).decode(message.encode()) == message


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_an_encoding_stays_within_the_length_of_its_class(message: WireMessage) -> None:
    assert len(message.encode()) <= message.MAX_LENGTH


def test_codes_run_from_zero_without_a_gap() -> None:
    assert sorted(MESSAGES) == list(range(0x13))
    assert all(code == message.CODE for code, message in MESSAGES.items())


def test_the_bytes_of_a_status() -> None:
    status = Status(1, 1337, HASH, (b"\x01\x02\x03\x04", 0), 7, OTHER, 0)
    body = "01820539a0" + "11" * 32 + "c6840102030480" + "07a0" + "22" * 32 + "80"
    assert status.encode().hex() == "f84f" + body


def test_a_certificate_stands_as_a_list_and_none_as_no_bytes() -> None:
    sealed = NewBlock(BLOCK, CERTIFICATE, None).encode()
    assert sealed == encode_list(BLOCK + CERTIFICATE.encode() + b"\x80")


def get_chunk(index: bytes) -> bytes:
    return encode_list(b"\x07" + encode_bytes(HASH) + index)


def get_state_chunk(account: bytes, prefix: bytes) -> bytes:
    parts = (b"\x08", encode_bytes(HASH), encode_bytes(account), encode_bytes(prefix))
    return encode_list(b"".join(parts))


REFUSED = [
    pytest.param(GetChunk, b"", "no bytes", id="nothing"),
    pytest.param(GetChunk, b"\x80", "is a list", id="a string"),
    pytest.param(GetChunk, get_chunk(b"\x01") + b"\x00", "after the end", id="bytes behind"),
    pytest.param(GetChunk, get_chunk(b"\x01\x02"), "4 fields, must have 3", id="too many fields"),
    pytest.param(GetChunk, get_chunk(b""), "2 fields, must have 3", id="too few fields"),
    pytest.param(GetChunk, get_chunk(b"\x00"), "leading zero", id="an integer with a zero"),
    pytest.param(GetChunk, get_chunk(b"\x83\x01\x00\x00"), "at most 16", id="a wide index"),
    pytest.param(GetChunk, get_chunk(b"\xc0"), "must be a byte string", id="a list for a number"),
    pytest.param(
        GetBlocks, encode_list(b"\x05\x01\x81\x81"), "is 129, at most 128", id="129 blocks"
    ),
    pytest.param(HaveModels, encode_list(b"\x80"), "must be a list", id="a string for a list"),
    pytest.param(
        HaveModels, encode_list(encode_list(b"\x01")), "too short", id="a short hash in a list"
    ),
    pytest.param(
        GetStateChunk, get_state_chunk(HASH, b"\x10"), "nibble of 16", id="a nibble of 16"
    ),
    pytest.param(GetStateChunk, get_state_chunk(HASH, b"\x01" * 65), "at most 64", id="65 nibbles"),
    pytest.param(
        GetStateChunk, get_state_chunk(b"\x01", b""), "too short", id="a hash of one byte"
    ),
    pytest.param(
        Chunk,
        encode_list(b"\x07" + encode_integer((64 << 20) + 1) + b"\x80\x80\xc0"),
        "at most 67108864",
        id="a model over 64 MiB",
    ),
    pytest.param(
        NewBlock, encode_list(BLOCK + b"\x80\x80"), "must be a list", id="no certificate"
    ),
    pytest.param(
        NewBlock, encode_list(BLOCK + b"\xc1\x01\x80"), "commit certificate", id="a bad certificate"
    ),
    pytest.param(
        Blocks, encode_list(b"\x05" + encode_list(b"\xc0" * 200) + b"\x80"), "too many",
        id="more empty items than blocks fit",
    ),
    pytest.param(
        StateChunk, encode_list(b"\x08\xc0" + encode_list(encode_list(b"\x01" * 3))), "3 fields",
        id="a leaf of three",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("message", "data", "rule"), REFUSED)
def test_a_broken_rule_is_named(message: type[WireMessage], data: bytes, rule: str) -> None:
    with pytest.raises(BadMessage, match=rule):
        message.decode(data)


def test_ten_million_empty_items_are_refused_before_they_are_read() -> None:
    data = encode_list(encode_list(b"\x80" * 10_000_000))
    with pytest.raises(BadMessage, match=r"items, at most|too many elements"):
        WantModels.decode(data)


@settings(derandomize=True, max_examples=400)
@given(st.sampled_from(EXAMPLES), st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255))))
def test_damage_gives_bad_message_or_another_message_that_encodes_alike(
    message: WireMessage, damage: list[tuple[int, int]]
) -> None:
    data = bytearray(message.encode())
    for place, byte in damage:
        data[place % len(data)] = byte
    try:
        decoded = type(message).decode(bytes(data))
    except BadMessage:
        return
    assert decoded.encode() == bytes(data)


@settings(derandomize=True, max_examples=200)
@given(st.sampled_from(sorted(MESSAGES)), st.binary(max_size=80))
def test_any_bytes_give_bad_message_or_a_message(code: int, data: bytes) -> None:
    for payload in (data, encode_list(data)):
        try:
            decoded = MESSAGES[code].decode(payload)
        except BadMessage:
            continue
        assert decoded.encode() == payload


def test_messages_are_values() -> None:
    asked = GetBlocks(5, 1, 2)
    assert replace(asked, count=3) == GetBlocks(5, 1, 3) != asked
