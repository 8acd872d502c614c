"""Small worlds for discv5: keys, records, and two exchanges joined without a socket."""

import random
from collections import deque

from cvm.evm.rlp_encoding import encode_bytes, encode_integer
from node.p2p.discv5.chain_entries import ChainIdentity
from node.p2p.discv5.endpoint import Endpoint
from node.p2p.discv5.enr import NodeRecord, sign_record
from node.p2p.discv5.exchange import Call, Contact, Exchange
from node.p2p.discv5.messages import Request, Response
from node.p2p.discv5.own_record import OwnRecord
from node.p2p.discv5.responder import answers
from node.p2p.discv5.routing_table import RoutingTable

CHAIN = ChainIdentity(
    genesis_hash=bytes.fromhex("11" * 32), fork_hash=b"\xaa\xbb\xcc\xdd", fork_next=0
)


def key_of(number: int) -> bytes:
    """Return the private key of a numbered node."""
    return number.to_bytes(32, "big")


def record_at(number: int, ip: str = "127.0.0.1", port: int = 30303, seq: int = 1) -> NodeRecord:
    """Return the record of a numbered node at an address."""
    endpoint = Endpoint(ip, port)
    return sign_record(
        key_of(number),
        seq,
        {
            b"ip": encode_bytes(endpoint.packed_ip()),
            b"udp": encode_integer(port),
            b"tcp": encode_integer(port),
        },
    )


class Side:
    """One node without a socket: what it sends lies in `sent`."""

    def __init__(self, number: int, endpoint: Endpoint) -> None:
        source = random.Random(number)
        self.endpoint = endpoint
        self.own = OwnRecord(key_of(number), 1, CHAIN.entries())
        self.own.announce(endpoint, endpoint.port)
        self.table = RoutingTable(self.own.record.node_id)
        self.sent: deque[tuple[bytes, Endpoint]] = deque()
        self.met: list[tuple[Contact, NodeRecord]] = []
        self.requests: list[Request] = []
        self.exchange = Exchange(key_of(number), self.own, source.randbytes, self)

    def send(self, datagram: bytes, endpoint: Endpoint) -> None:
        self.sent.append((datagram, endpoint))

    def record_of(self, node_id: bytes) -> NodeRecord | None:
        return self.table.get(node_id)

    def answer(self, contact: Contact, request: Request) -> tuple[Response, ...]:
        self.requests.append(request)
        return answers(request, contact.endpoint, self.own.record, self.table)

    def established(self, contact: Contact, record: NodeRecord) -> None:
        self.met.append((contact, record))

    @property
    def contact(self) -> Contact:
        return Contact(self.own.record.node_id, self.endpoint)

    def call(self, other: "Side", request: Request) -> Call:
        """Return a call to another side that says in `answers` what came back."""
        return Call(other.contact, other.own.record.public_key, request, lambda: None)


ANNE_ENDPOINT, BERT_ENDPOINT = Endpoint("10.0.0.1", 30301), Endpoint("10.0.0.2", 30302)


def two_sides() -> tuple[Side, Side]:
    """Return two nodes that have not met."""
    return Side(1, ANNE_ENDPOINT), Side(2, BERT_ENDPOINT)


def carry(first: Side, second: Side, now_s: float = 0.0) -> int:
    """Carry datagrams between two sides until neither has any; return how many."""
    count = 0
    while first.sent or second.sent:
        for sender, receiver in ((first, second), (second, first)):
            for _ in range(len(sender.sent)):
                datagram, endpoint = sender.sent.popleft()
                if endpoint == receiver.endpoint:
                    receiver.exchange.receive(datagram, sender.endpoint, now_s)
                    count += 1
    return count
