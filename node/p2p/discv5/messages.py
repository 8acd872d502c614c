"""Messages of discv5.1, to and from the bytes that a session seals.

Format: devp2p, discv5/discv5-wire.md, "Protocol Messages": one byte of type, then an RLP list.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from cvm.evm.rlp_lists import expect_shape, integer, list_start, split_items
from cvm.evm.strict_rlp import BadRlp
from node.p2p.discv5.endpoint import Endpoint, ip_text
from node.p2p.faults import BadMessage

MAX_REQUEST_ID_BYTES = 8
MAX_DISTANCE = 256
MAX_RESPONSES = 16
"""Packets of one answer to FINDNODE that a requester waits for."""


@dataclass(frozen=True, slots=True)
class Ping:
    """Ask whether a node is there, and say how new our record is."""

    TYPE: ClassVar[int] = 0x01
    request_id: bytes
    record_seq: int

    def payload(self) -> bytes:
        """Return the encoded fields after the request id."""
        return encode_integer(self.record_seq)


@dataclass(frozen=True, slots=True)
class Pong:
    """Answer a PING: how new our record is, and where the PING came from."""

    TYPE: ClassVar[int] = 0x02
    request_id: bytes
    record_seq: int
    recipient: Endpoint

    def payload(self) -> bytes:
        """Return the encoded fields after the request id."""
        address = encode_bytes(self.recipient.packed_ip()) + encode_integer(self.recipient.port)
        return encode_integer(self.record_seq) + address


@dataclass(frozen=True, slots=True)
class FindNode:
    """Ask for the records of nodes at some logarithmic distances; 0 is the node itself."""

    TYPE: ClassVar[int] = 0x03
    request_id: bytes
    distances: tuple[int, ...]

    def payload(self) -> bytes:
        """Return the encoded fields after the request id."""
        return encode_list(b"".join(encode_integer(distance) for distance in self.distances))


@dataclass(frozen=True, slots=True)
class Nodes:
    """One of `total` packets that answer a FINDNODE; the records are unchecked RLP."""

    TYPE: ClassVar[int] = 0x04
    request_id: bytes
    total: int
    records: tuple[bytes, ...]

    def payload(self) -> bytes:
        """Return the encoded fields after the request id."""
        return encode_integer(self.total) + encode_list(b"".join(self.records))


@dataclass(frozen=True, slots=True)
class TalkRequest:
    """Ask something of a protocol that is not discovery."""

    TYPE: ClassVar[int] = 0x05
    request_id: bytes
    protocol: bytes
    request: bytes

    def payload(self) -> bytes:
        """Return the encoded fields after the request id."""
        return encode_bytes(self.protocol) + encode_bytes(self.request)


@dataclass(frozen=True, slots=True)
class TalkResponse:
    """Answer a TALKREQ; empty where the protocol is not known."""

    TYPE: ClassVar[int] = 0x06
    request_id: bytes
    response: bytes

    def payload(self) -> bytes:
        """Return the encoded fields after the request id."""
        return encode_bytes(self.response)


Request: TypeAlias = Ping | FindNode | TalkRequest
Response: TypeAlias = Pong | Nodes | TalkResponse
Message: TypeAlias = Request | Response
ANSWERS: dict[type[Request], type[Response]] = {
    Ping: Pong,
    FindNode: Nodes,
    TalkRequest: TalkResponse,
}


def encode_message(message: Message) -> bytes:
    """Return type and RLP list, ready to be sealed."""
    content = encode_bytes(message.request_id) + message.payload()
    return bytes((message.TYPE,)) + encode_list(content)


def decode_message(data: bytes) -> Message:
    """Read what a session unsealed; raises `BadMessage`."""
    decoder = DECODERS.get(data[0]) if data else None
    if decoder is None:
        raise BadMessage(f"no message of type {data[:1].hex() or 'nothing'}")
    try:
        start = list_start(data, 1, "a message")
        items, lists = split_items(data, start, len(data))
        if not items or 0 in lists or len(items[0]) > MAX_REQUEST_ID_BYTES:
            raise BadMessage(f"a request id has at most {MAX_REQUEST_ID_BYTES} bytes")
        return decoder(items, lists)
    except BadRlp as error:
        raise BadMessage(str(error)) from error


def _decode_ping(items: list[bytes], lists: list[int]) -> Ping:
    expect_shape("PING", items, lists, 2, [])
    return Ping(items[0], integer("enr-seq", items[1], 8))


def _decode_pong(items: list[bytes], lists: list[int]) -> Pong:
    expect_shape("PONG", items, lists, 4, [])
    try:
        ip = ip_text(items[2])
    except ValueError as error:
        raise BadMessage(str(error)) from error
    recipient = Endpoint(ip, integer("recipient-port", items[3], 2))
    return Pong(items[0], integer("enr-seq", items[1], 8), recipient)


def _decode_find_node(items: list[bytes], lists: list[int]) -> FindNode:
    expect_shape("FINDNODE", items, lists, 2, [1])
    numbers, inner = split_items(items[1], 0, len(items[1]), smallest=1)
    if inner:
        raise BadMessage("a distance is a number")
    distances = tuple(integer("distance", item, 2) for item in numbers)
    if any(distance > MAX_DISTANCE for distance in distances):
        raise BadMessage(f"a distance is at most {MAX_DISTANCE}")
    return FindNode(items[0], distances)


def _decode_nodes(items: list[bytes], lists: list[int]) -> Nodes:
    expect_shape("NODES", items, lists, 3, [2])
    total = integer("total", items[1], 1)
    if not 1 <= total <= MAX_RESPONSES:
        raise BadMessage(f"NODES comes in 1 to {MAX_RESPONSES} packets, not {total}")
    records, inner = split_items(items[2], 0, len(items[2]), smallest=1)
    if len(inner) != len(records):
        raise BadMessage("a record is a list")
    return Nodes(items[0], total, tuple(encode_list(record) for record in records))


def _decode_talk_request(items: list[bytes], lists: list[int]) -> TalkRequest:
    expect_shape("TALKREQ", items, lists, 3, [])
    return TalkRequest(*items)


def _decode_talk_response(items: list[bytes], lists: list[int]) -> TalkResponse:
    expect_shape("TALKRESP", items, lists, 2, [])
    return TalkResponse(*items)


Decoder: TypeAlias = Callable[[list[bytes], list[int]], Message]
DECODERS: Mapping[int, Decoder] = {
    Ping.TYPE: _decode_ping,
    Pong.TYPE: _decode_pong,
    FindNode.TYPE: _decode_find_node,
    Nodes.TYPE: _decode_nodes,
    TalkRequest.TYPE: _decode_talk_request,
    TalkResponse.TYPE: _decode_talk_response,
}
