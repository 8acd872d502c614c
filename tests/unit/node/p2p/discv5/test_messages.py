"""Messages of discv5.1: their bytes, and what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.rlp_encoding import encode_list
from node.p2p.discv5.endpoint import Endpoint
from node.p2p.discv5.messages import (
    FindNode,
    Message,
    Nodes,
    Ping,
    Pong,
    TalkRequest,
    TalkResponse,
    decode_message,
    encode_message,
)
from node.p2p.faults import BadMessage
from tests.unit.node.p2p.discv5.discv5_world import record_at

ID = b"\x01\x02"
ENCODED = [
    pytest.param(Ping(ID, 3), "01c482010203", id="ping"),
    pytest.param(Ping(b"", 0), "01c28080", id="ping with empty id"),
    pytest.param(
        Pong(ID, 1, Endpoint("127.0.0.1", 30303)), "02cc82010201847f00000182765f", id="pong"
    ),
    pytest.param(
        Pong(ID, 1, Endpoint("::1", 1)), "02d68201020190" + "00" * 15 + "0101", id="pong ipv6"
    ),
    pytest.param(FindNode(ID, (0, 255, 256)), "03ca820102c68081ff820100", id="findnode"),
    pytest.param(Nodes(ID, 1, ()), "04c582010201c0", id="no nodes"),
    pytest.param(TalkRequest(ID, b"p", b"qq"), "05c782010270827171", id="talkreq"),
    pytest.param(TalkResponse(ID, b""), "06c482010280", id="talkresp"),
]


@pytest.mark.parametrize(("message", "encoded"), ENCODED)
def test_a_message_has_these_bytes(message: Message, encoded: str) -> None:
    assert encode_message(message).hex() == encoded
    assert decode_message(bytes.fromhex(encoded)) == message


def test_nodes_carry_whole_records() -> None:
    message = Nodes(ID, 2, (record_at(1).encode(), record_at(2).encode()))
    assert decode_message(encode_message(message)) == message


REFUSED = [
    pytest.param("", "no message of type nothing", id="nothing"),
    pytest.param("07c0", "no message of type 07", id="unknown type"),
    pytest.param("01", "no bytes", id="no list"),
    pytest.param("01c0", "request id", id="no request id"),
    pytest.param("01cb8901010101010101010103", "at most 8 bytes", id="long request id"),
    pytest.param("01c2c003", "request id", id="request id is a list"),
    pytest.param("01c101", "too few elements for PING", id="short ping"),
    pytest.param("01c3010203", "too many elements for PING", id="long ping"),
    pytest.param("01c20100", "leading zero", id="seq with leading zero"),
    pytest.param("01c48201020300", "after the end", id="bytes behind"),
    pytest.param("02c6010182010201", "4 or 16 bytes", id="address of two bytes"),
    pytest.param(
        "02cb0101847f00000183100000", "recipient-port has 21 bits", id="port of three bytes"
    ),
    pytest.param("03c20101", "expected input list", id="distances are no list"),
    pytest.param("03c501c3820101", "distance is at most 256", id="distance 257"),
    pytest.param("03c301c1c0", "a distance is a number", id="distance is a list"),
    pytest.param("04c30180c0", "1 to 16 packets, not 0", id="no packets"),
    pytest.param("04c30111c0", "1 to 16 packets, not 17", id="17 packets"),
    pytest.param("04c40101c101", "a record is a list", id="record is a string"),
    pytest.param("05c20101", "too few elements for TALKREQ", id="short talkreq"),
    pytest.param("06c3010101", "too many elements for TALKRESP", id="long talkresp"),
]


@pytest.mark.parametrize(("encoded", "reason"), REFUSED)
def test_a_wrong_message_is_refused(encoded: str, reason: str) -> None:
    with pytest.raises(BadMessage, match=reason):
        decode_message(bytes.fromhex(encoded))


def test_ten_thousand_levels_of_lists_are_refused() -> None:
    nested = b""
    while len(nested) < 1_000:
        nested = encode_list(nested)
    with pytest.raises(BadMessage):
        decode_message(b"\x04" + nested)


@given(kind=st.integers(0, 8), body=st.binary(max_size=60), is_list=st.booleans())
@settings(max_examples=400, deadline=None, derandomize=True)
def test_any_bytes_are_refused_or_have_one_form(kind: int, body: bytes, is_list: bool) -> None:
    data = bytes((kind,)) + (encode_list(body) if is_list else body)
    try:
        message = decode_message(data)
    except BadMessage:
        return
    assert encode_message(message) == data
