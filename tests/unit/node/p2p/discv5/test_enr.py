"""Node records (EIP-778): the standard's example, and every way a record is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.keccak import keccak256
from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from cvm.evm.signatures import CURVE_ORDER
from node.p2p.discv5.endpoint import Endpoint
from node.p2p.discv5.enr import (
    MAX_RECORD_BYTES,
    BadRecord,
    decode_record,
    parse_record,
    sign_record,
)
from node.p2p.discv5.identity import public_key_of, sign
from node.p2p.discv5.own_record import OwnRecord

# EIP-778, "Test Vectors"
KEY = bytes.fromhex("b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291")
TEXT = (
    "enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33Ls8RRcy5wB"
    "gmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_QAdpzBQA8yWM0xOIN1ZHCCdl8"
)
LOOPBACK = encode_bytes(bytes([127, 0, 0, 1]))
PUBLIC_KEY = public_key_of(KEY)
V4 = (b"id", encode_bytes(b"v4"))
OWN_KEY = (b"secp256k1", encode_bytes(PUBLIC_KEY))
IP = (b"ip", LOOPBACK)


def test_the_example_of_the_standard_is_read() -> None:
    record = parse_record(TEXT)
    assert record.node_id.hex() == (
        "a448f24c6d18e575453db13171562b71999873db5b286df957af199ec94617f7"
    )
    assert (record.seq, record.udp(), record.tcp()) == (1, Endpoint("127.0.0.1", 30303), None)
    assert record.text() == TEXT


def test_a_record_like_the_example_of_the_standard_is_signed() -> None:
    record = sign_record(KEY, 1, {b"ip": LOOPBACK, b"udp": encode_integer(30303)})
    # The example's signature has random bytes in its nonce; ours is RFC 6979's.
    example = parse_record(TEXT)
    assert (record.seq, record.entries) == (example.seq, example.entries)
    assert decode_record(record.encode()) == record


def test_a_value_may_be_a_list() -> None:
    fork = encode_list(encode_list(encode_bytes(b"\x01\x02\x03\x04") + encode_integer(7)))
    record = decode_record(sign_record(KEY, 1, {b"eth": fork}).encode())
    assert record.entry(b"eth") == fork
    assert record.entry(b"cvm") is None


def test_ipv6_is_used_where_there_is_no_ipv4() -> None:
    address = encode_bytes(bytes.fromhex("20010db8000000000000000000000001"))
    record = sign_record(KEY, 1, {b"ip6": address, b"udp6": encode_integer(9000)})
    assert record.udp() == Endpoint("2001:db8::1", 9000)


def test_the_longest_record_has_300_bytes() -> None:
    longest = sign_record(KEY, 1, {b"z": encode_bytes(bytes(177))})
    assert len(longest.encode()) == MAX_RECORD_BYTES
    assert decode_record(longest.encode()) == longest
    with pytest.raises(BadRecord, match="a record of 301 bytes; at most 300"):
        sign_record(KEY, 1, {b"z": encode_bytes(bytes(178))})
    with pytest.raises(BadRecord, match="at most 300"):
        decode_record(bytes(301))


def made(*entries: tuple[bytes, bytes], seq: bytes = b"\x01", key: bytes = KEY) -> bytes:
    """Return a signed record with whatever entries, in whatever order."""
    content = seq + b"".join(encode_bytes(name) + value for name, value in entries)
    signature = sign(keccak256(encode_list(content)), key)
    return encode_list(encode_bytes(signature) + content)


def with_high_s() -> bytes:
    record = parse_record(TEXT)
    high = (CURVE_ORDER - int.from_bytes(record.signature[32:], "big")).to_bytes(32, "big")
    return record.encode().replace(record.signature[32:], high)


REFUSED = [
    pytest.param(b"", "not RLP: no bytes", id="nothing"),
    pytest.param(b"\x80", "not RLP", id="no list"),
    pytest.param(b"\xc0", "a signature, a number", id="empty list"),
    pytest.param(encode_list(b"\xc0\x01"), "a signature, a number", id="signature is a list"),
    pytest.param(made(V4, OWN_KEY)[:-1], "not RLP", id="cut off"),
    pytest.param(made(V4, OWN_KEY) + b"\0", "not RLP", id="bytes behind"),
    pytest.param(made(V4, (b"ip", b""), OWN_KEY), "pairs of key and value", id="odd"),
    pytest.param(made(V4, OWN_KEY, seq=b"\x00"), "seq", id="seq with leading zero"),
    pytest.param(made(V4, OWN_KEY, seq=b"\x89" + b"\x01" * 9), "seq has 65 bits", id="seq long"),
    pytest.param(made(OWN_KEY, V4), "keys of a record are sorted", id="unsorted"),
    pytest.param(made(V4, V4, OWN_KEY), "each stands once", id="twice"),
    pytest.param(made((b"id", encode_bytes(b"v5")), OWN_KEY), "not v4", id="other scheme"),
    pytest.param(made(OWN_KEY), "not v4", id="no scheme"),
    pytest.param(made(V4), "compressed public key", id="no key"),
    pytest.param(
        made(V4, (b"secp256k1", encode_bytes(b"\x05" * 33))), "not a point", id="no point"
    ),
    pytest.param(made(V4, (b"secp256k1", b"\xc0")), "a list where", id="key is a list"),
    pytest.param(made(V4, (b"ip", b"\x01"), OWN_KEY), "ip of a record has 4", id="short ip"),
    pytest.param(made(V4, (b"ip6", LOOPBACK), OWN_KEY), "ip6 of a record has 16", id="short ip6"),
    pytest.param(
        made(V4, OWN_KEY, (b"udp", encode_bytes(b"\x01\x00\x00"))), "at most 2 bytes", id="port"
    ),
    pytest.param(made(V4, OWN_KEY, key=b"\x01" * 32), "signature", id="another's signature"),
    pytest.param(with_high_s(), "signature", id="high s"),
    pytest.param(made((b"id", b"\xc1\x01"), OWN_KEY), "not v4", id="list as scheme"),
]


@pytest.mark.parametrize(("data", "reason"), REFUSED)
def test_a_wrong_record_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(BadRecord, match=reason):
        decode_record(data)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(TEXT.removeprefix("enr:"), "starts with enr:", id="no prefix"),
        pytest.param(TEXT + "==", "base64url", id="padding"),
        pytest.param(TEXT[:-1] + "!", "base64url", id="other letter"),
        pytest.param(TEXT[:-1] + "9", "not canonical", id="unused bits set"),
        pytest.param("enr:" + "A" * 601, "601 characters", id="long"),
    ],
)
def test_a_wrong_text_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadRecord, match=reason):
        parse_record(text)


@given(
    seq=st.integers(0, 2**64 - 1),
    values=st.dictionaries(st.binary(max_size=8), st.binary(max_size=20), max_size=4),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_what_is_signed_is_read_back(seq: int, values: dict[bytes, bytes]) -> None:
    known = {b"ip", b"ip6", b"tcp", b"tcp6", b"udp", b"udp6"}
    entries = {key: encode_bytes(value) for key, value in values.items() if key not in known}
    record = sign_record(KEY, seq, entries)
    assert parse_record(record.text()) == record


def test_every_change_of_the_own_record_has_a_higher_number() -> None:
    own = OwnRecord(KEY, 5, {b"cvm": encode_bytes(b"12345678")})
    assert (own.record.seq, own.record.udp()) == (5, None)
    own.announce(Endpoint("127.0.0.1", 1), 2)
    assert (own.record.seq, own.record.tcp()) == (6, Endpoint("127.0.0.1", 2))
    own.announce(Endpoint("::1", 3), 0)
    assert (own.record.seq, own.record.udp()) == (7, Endpoint("::1", 3))
    assert own.record.entry(b"cvm") == encode_bytes(b"12345678")
    assert own.record.tcp() is None
