"""The nodes that answered us, in Kademlia buckets by the distance of their ids from ours."""

from collections import Counter
from dataclasses import dataclass, field

from node.p2p.discv5.endpoint import is_local, subnet_of
from node.p2p.discv5.enr import NodeRecord

BUCKET_SIZE = 16
REPLACEMENTS = 10
MAX_PER_SUBNET_IN_BUCKET = 2
MAX_PER_SUBNET = 10
"""Of one /24 or /64, so that one owner cannot fill the table; private networks are not counted."""


def distance(first: bytes, second: bytes) -> int:
    """Return the logarithmic distance of two ids: the bits of their difference."""
    return (int.from_bytes(first, "big") ^ int.from_bytes(second, "big")).bit_length()


@dataclass(slots=True)
class Entry:
    """A node of the table, and when it last answered a PING, or came in."""

    record: NodeRecord
    checked_s: float


@dataclass(slots=True)
class Bucket:
    """Nodes at one distance: those in use, and those that take the place of one that is gone."""

    entries: dict[bytes, Entry] = field(default_factory=dict)
    replacements: dict[bytes, Entry] = field(default_factory=dict)


class RoutingTable:
    """Nodes whose address is proven; nobody enters it on another node's word.

    An answering node is never pushed out by a newer one: it only leaves when it stops answering.
    """

    def __init__(self, own_id: bytes) -> None:
        self._own_id = own_id
        self._buckets: dict[int, Bucket] = {}
        self._subnets: Counter[bytes] = Counter()

    def __len__(self) -> int:
        return sum(len(bucket.entries) for bucket in self._buckets.values())

    def get(self, node_id: bytes) -> NodeRecord | None:
        """Return the record of a node that is in use or waits for a place, or None."""
        bucket = self._buckets.get(distance(self._own_id, node_id))
        if bucket is None:
            return None
        entry = bucket.entries.get(node_id) or bucket.replacements.get(node_id)
        return None if entry is None else entry.record

    def records(self) -> list[NodeRecord]:
        """Return the records in use."""
        return [
            entry.record for bucket in self._buckets.values() for entry in bucket.entries.values()
        ]

    def at_distance(self, wanted: int) -> list[NodeRecord]:
        """Return the records in use at a distance from us."""
        bucket = self._buckets.get(wanted)
        return [] if bucket is None else [entry.record for entry in bucket.entries.values()]

    def closest(self, target: bytes, count: int) -> list[NodeRecord]:
        """Return the records in use that are nearest to an id, nearest first."""
        aim = int.from_bytes(target, "big")
        by_distance = sorted(
            self.records(), key=lambda record: int.from_bytes(record.node_id, "big") ^ aim
        )
        return by_distance[:count]

    def add(self, record: NodeRecord, now_s: float) -> bool:
        """Note a node that was just reached at its record's address; tell whether it is in use.

        In a full bucket it waits as a replacement. An older record than the one here is ignored.
        """
        udp = record.udp()
        if record.node_id == self._own_id or udp is None:
            return False
        bucket = self._buckets.setdefault(distance(self._own_id, record.node_id), Bucket())
        known = bucket.entries.get(record.node_id)
        if known is not None:
            return self._renew(bucket, known, record)
        self._drop_replacement(bucket, record.node_id)
        if not self._has_room_for_subnet(bucket, udp.ip):
            return False
        self._count(record, 1)
        if len(bucket.entries) < BUCKET_SIZE:
            bucket.entries[record.node_id] = Entry(record, now_s)
            return True
        if len(bucket.replacements) >= REPLACEMENTS:
            self._drop_replacement(bucket, next(iter(bucket.replacements)))
        bucket.replacements[record.node_id] = Entry(record, now_s)
        return False

    def failed(self, node_id: bytes) -> None:
        """Take out a node that does not answer; the newest replacement takes its place."""
        bucket = self._buckets.get(distance(self._own_id, node_id))
        if bucket is None:
            return
        self._drop_replacement(bucket, node_id)
        entry = bucket.entries.pop(node_id, None)
        if entry is None:
            return
        self._count(entry.record, -1)
        if bucket.replacements:
            newest, replacement = bucket.replacements.popitem()
            bucket.entries[newest] = replacement

    def checked(self, node_id: bytes, now_s: float) -> None:
        """Note that a node answered a PING, which told it how new our record is."""
        bucket = self._buckets.get(distance(self._own_id, node_id))
        entry = None if bucket is None else bucket.entries.get(node_id)
        if entry is not None:
            entry.checked_s = now_s

    def longest_unchecked(self) -> Entry | None:
        """Return the node in use whose last PONG is the oldest, or None."""
        entries = (e for bucket in self._buckets.values() for e in bucket.entries.values())
        return min(entries, key=lambda entry: entry.checked_s, default=None)

    def _renew(self, bucket: Bucket, known: Entry, record: NodeRecord) -> bool:
        """Take the newer record of a node in use."""
        if record.seq <= known.record.seq:
            return True
        self._count(known.record, -1)
        del bucket.entries[record.node_id]
        udp = record.udp()
        if udp is None or not self._has_room_for_subnet(bucket, udp.ip):
            return False
        self._count(record, 1)
        bucket.entries[record.node_id] = Entry(record, known.checked_s)
        return True

    def _drop_replacement(self, bucket: Bucket, node_id: bytes) -> None:
        entry = bucket.replacements.pop(node_id, None)
        if entry is not None:
            self._count(entry.record, -1)

    def _has_room_for_subnet(self, bucket: Bucket, ip: str) -> bool:
        if is_local(ip):
            return True
        subnet = subnet_of(ip)
        records = [e.record for e in (*bucket.entries.values(), *bucket.replacements.values())]
        here = sum(
            udp is not None and subnet_of(udp.ip) == subnet
            for udp in (record.udp() for record in records)
        )
        return here < MAX_PER_SUBNET_IN_BUCKET and self._subnets[subnet] < MAX_PER_SUBNET

    def _count(self, record: NodeRecord, change: int) -> None:
        """Keep count of how many nodes each subnet has in the table."""
        udp = record.udp()
        if udp is None or is_local(udp.ip):
            return
        subnet = subnet_of(udp.ip)
        self._subnets[subnet] += change
        if self._subnets[subnet] <= 0:
            del self._subnets[subnet]
