"""What this node answers: PONG, records of its table in bounded packets, nothing to TALKREQ."""

from node.p2p.discv5.endpoint import Endpoint, is_believable
from node.p2p.discv5.enr import NodeRecord
from node.p2p.discv5.messages import (
    FindNode,
    Nodes,
    Ping,
    Pong,
    Request,
    Response,
    TalkResponse,
)
from node.p2p.discv5.routing_table import RoutingTable

MAX_NODES = 16
MAX_RECORDS_BYTES = 1_150
"""Leaves 130 of a packet's 1,280 bytes for its header (71), its MAC (16) and the list around."""


def answers(
    request: Request, sender: Endpoint, own: NodeRecord, table: RoutingTable
) -> tuple[Response, ...]:
    """Return the messages that answer a request from a proven address."""
    if isinstance(request, Ping):
        return (Pong(request.request_id, own.seq, sender),)
    if isinstance(request, FindNode):
        return _nodes(request, _records_for(request, sender, own, table))
    return (TalkResponse(request.request_id, b""),)


def _records_for(
    request: FindNode, sender: Endpoint, own: NodeRecord, table: RoutingTable
) -> list[NodeRecord]:
    """Return at most 16 records at the distances asked for, in their order.

    Nodes of our own network are not named to strangers.
    """
    found: list[NodeRecord] = []
    for distance in dict.fromkeys(request.distances):
        if len(found) >= MAX_NODES:
            break
        if distance == 0:
            found.append(own)
            continue
        for record in table.at_distance(distance):
            udp = record.udp()
            if udp is not None and is_believable(udp, sender.ip):
                found.append(record)
    return found[:MAX_NODES]


def _nodes(request: FindNode, records: list[NodeRecord]) -> tuple[Nodes, ...]:
    """Return the records in as few packets as hold them; one empty packet for none."""
    groups: list[list[bytes]] = [[]]
    size = 0
    for encoded in (record.encode() for record in records):
        if size + len(encoded) > MAX_RECORDS_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(encoded)
        size += len(encoded)
    return tuple(Nodes(request.request_id, len(groups), tuple(group)) for group in groups)
