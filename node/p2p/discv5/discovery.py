"""The discovery service of a node: one socket, one table, and candidates for the dialler."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress

from node.clock import now_s as unix_time_s
from node.p2p.discv5.bounded_cache import BoundedCache
from node.p2p.discv5.chain_entries import Candidate, Target, candidate_of, target_of
from node.p2p.discv5.config import DiscoveryConfig
from node.p2p.discv5.endpoint import Endpoint, is_believable
from node.p2p.discv5.endpoint_vote import EndpointVote
from node.p2p.discv5.enr import BadRecord, NodeRecord, decode_record
from node.p2p.discv5.exchange import Call, Contact, Exchange
from node.p2p.discv5.identity import NODE_ID_BYTES
from node.p2p.discv5.lookup import Lookup
from node.p2p.discv5.messages import (
    MAX_REQUEST_ID_BYTES,
    FindNode,
    Nodes,
    Ping,
    Pong,
    Request,
    Response,
)
from node.p2p.discv5.own_record import OwnRecord
from node.p2p.discv5.responder import MAX_NODES, answers
from node.p2p.discv5.routing_table import BUCKET_SIZE, RoutingTable, distance
from node.p2p.discv5.transport import UdpSocket, open_udp

MET = 2_048
MET_LIFETIME_S = 24 * 3600.0
MAX_STALE = 64


class Discovery:
    """Finds nodes of our chain; `on_found` gets each that answered, and again now and then.

    `key` is the node's secp256k1 key of 32 bytes, the one of RLPx. `run` does everything; nothing
    else needs to be awaited.
    """

    def __init__(
        self,
        key: bytes,
        config: DiscoveryConfig,
        on_found: Callable[[Candidate], None],
        draw: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._config = config
        self._on_found = on_found
        self._draw = draw
        self._own = OwnRecord(key, 1000 * unix_time_s(), config.chain.entries())
        self._table = RoutingTable(self._own.record.node_id)
        self._exchange = Exchange(key, self._own, draw, self)
        self._vote = EndpointVote(config.votes_needed)
        self._met: BoundedCache[bytes, NodeRecord] = BoundedCache(MET, MET_LIFETIME_S)
        self._announced: BoundedCache[bytes, int] = BoundedCache(
            MET, config.timing.announce_again_s
        )
        self._stale: asyncio.Queue[Target] = asyncio.Queue(MAX_STALE)
        self._socket: UdpSocket | None = None
        self.started = asyncio.Event()

    @property
    def record(self) -> NodeRecord:
        """Return what this node says of itself now."""
        return self._own.record

    def nodes(self) -> list[NodeRecord]:
        """Return the nodes of the table, of whatever chain."""
        return self._table.records()

    async def run(self) -> None:
        """Serve and search until cancelled; raises OSError where the port is taken."""
        self._socket = await open_udp(self._config.bind_host, self._config.udp_port)
        try:
            fixed = self._config.fixed_endpoint(self._socket.endpoint)
            if fixed is not None:
                self._own.announce(fixed, self._config.tcp_port)
            self.started.set()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._serve(self._socket))
                tasks.create_task(self._search())
                tasks.create_task(self._check())
                tasks.create_task(self._refresh())
        finally:
            self._socket.close()

    def send(self, datagram: bytes, endpoint: Endpoint) -> None:
        """Send a datagram, or lose it."""
        if self._socket is not None:
            self._socket.send(datagram, endpoint)

    def record_of(self, node_id: bytes) -> NodeRecord | None:
        """Return the newest record of a node that is known."""
        known = (self._table.get(node_id), self._met.get(node_id, self._now_s()))
        records = [record for record in known if record is not None]
        return max(records, key=lambda record: record.seq, default=None)

    def answer(self, contact: Contact, request: Request) -> tuple[Response, ...]:
        """Return the answers to a request; a sender with a newer record is asked for it."""
        if isinstance(request, Ping):
            self._note_seq(contact, request.record_seq)
        return answers(request, contact.endpoint, self._own.record, self._table)

    def established(self, contact: Contact, record: NodeRecord) -> None:
        """Note a node that proved who it is; it enters the table if it is where it says."""
        self._met.put(record.node_id, record, self._now_s())
        if record.udp() == contact.endpoint:
            self._reached(record)

    # Questions

    async def ping(self, target: Target) -> Pong | None:
        """Ask a node whether it is there; None where it does not answer."""
        seq = self._own.record.seq
        found = await self._request(target, lambda request_id: Ping(request_id, seq))
        if not found or not isinstance(found[0], Pong):
            return None
        pong = found[0]
        self._table.checked(target.node_id, self._now_s())
        contact = Contact(target.node_id, target.endpoint)
        self._note_seq(contact, pong.record_seq)
        self._vote.cast(target.node_id, target.endpoint, pong.recipient, self._now_s())
        self._follow_vote()
        return pong

    async def find(self, target: Target, distances: tuple[int, ...]) -> list[NodeRecord] | None:
        """Ask a node for records at some distances from it; None where it does not answer.

        What it must not send is left out: other distances, bad signatures, addresses inside our
        network from outside, more than 16.
        """
        found = await self._request(target, lambda request_id: FindNode(request_id, distances))
        if not found:
            return None
        encoded = [data for part in found if isinstance(part, Nodes) for data in part.records]
        records: dict[bytes, NodeRecord] = {}
        for data in encoded[:MAX_NODES]:
            try:
                record = decode_record(data)
            except BadRecord:
                continue
            if distance(record.node_id, target.node_id) in distances and self._is_welcome(
                record, target
            ):
                records[record.node_id] = record
        return list(records.values())

    async def lookup(self, target: bytes) -> list[NodeRecord]:
        """Return the nodes nearest to an id that answered, nearest first, at most 16."""
        lookup = Lookup(target, self._own.record.node_id, self._query)
        async with asyncio.timeout(self._config.timing.lookup_timeout_s):
            return await lookup.run(self._table.closest(target, BUCKET_SIZE))

    def _is_welcome(self, record: NodeRecord, sender: Target) -> bool:
        """Tell whether another node may send us to a record's address."""
        if record.node_id == sender.node_id:
            return True
        udp = record.udp()
        return udp is not None and is_believable(udp, sender.endpoint.ip)

    async def _query(
        self, record: NodeRecord, distances: tuple[int, ...]
    ) -> list[NodeRecord] | None:
        """Ask on behalf of a lookup, and note who answered."""
        target = target_of(record)
        if target is None:
            return None
        found = await self.find(target, distances)
        if found is None:
            self._table.failed(record.node_id)
        else:
            self._reached(record)
        return found

    async def _request(
        self, target: Target, make: Callable[[bytes], Request]
    ) -> list[Response] | None:
        """Send a request until it is answered, a few times; None where it is not."""
        contact = Contact(target.node_id, target.endpoint)
        for _ in range(self._config.timing.attempts):
            done = asyncio.Event()
            # No leading zero: some clients take the id for a number and strip it.
            request_id = b"\x01" + self._draw(MAX_REQUEST_ID_BYTES - 1)
            call = Call(contact, target.public_key, make(request_id), done.set)
            if not self._exchange.start(call, self._now_s()):
                return None
            try:
                with suppress(TimeoutError):  # of NODES, what came until then will do
                    async with asyncio.timeout(self._config.timing.request_timeout_s):
                        await done.wait()
            finally:
                self._exchange.finish(call, self._now_s())
            if call.answers:
                return call.answers
        return None

    # Duties

    async def _serve(self, udp: UdpSocket) -> None:
        """Take datagrams one after the other, with a turn for the other tasks after each."""
        while True:
            datagram, endpoint = await udp.receive()
            self._exchange.receive(datagram, endpoint, self._now_s())
            await asyncio.sleep(0)

    async def _search(self) -> None:
        """Look up our own id, then random ones; ask the bootnodes while nobody is known."""
        timing = self._config.timing
        target = self._own.record.node_id
        while True:
            if len(self._table) == 0:
                async with asyncio.TaskGroup() as tasks:
                    for bootnode in self._config.bootnodes:
                        if bootnode.node_id != self._own.record.node_id:
                            tasks.create_task(self._meet(bootnode))
            with suppress(TimeoutError):  # who answered until then is in the table
                await self.lookup(target)
            target = self._draw(NODE_ID_BYTES)
            is_hungry = len(self._table) < BUCKET_SIZE
            await asyncio.sleep(
                timing.hungry_lookup_interval_s if is_hungry else timing.lookup_interval_s
            )

    async def _check(self) -> None:
        """Ask the node whose last PONG is the oldest whether it is there."""
        timing = self._config.timing
        while True:
            await asyncio.sleep(timing.check_interval_s)
            entry = self._table.longest_unchecked()
            if entry is None or self._now_s() - entry.checked_s < timing.fresh_s:
                continue
            target = target_of(entry.record)
            if target is None or await self.ping(target) is None:
                self._table.failed(entry.record.node_id)
            else:
                self._reached(entry.record)

    async def _refresh(self) -> None:
        """Fetch the records of nodes that say they have a newer one."""
        while True:
            await self._meet(await self._stale.get())

    async def _meet(self, target: Target) -> None:
        """Ask a node for its own record; at another address than expected, ask there again."""
        for _ in range(2):
            found = await self.find(target, (0,))
            if not found:
                return
            record = found[0]
            self._met.put(record.node_id, record, self._now_s())
            claimed = target_of(record)
            if claimed is None:
                return
            if claimed == target:
                self._reached(record)
                await self.ping(target)  # where does it see us?
                return
            if not is_believable(claimed.endpoint, target.endpoint.ip):
                return
            target = claimed

    def _reached(self, record: NodeRecord) -> None:
        """Note a node that answered or proved itself at its record's address."""
        now_s = self._now_s()
        self._table.add(record, now_s)
        self._met.put(record.node_id, record, now_s)
        candidate = candidate_of(record)
        if candidate is None or not self._config.chain.is_shared(record):
            return
        if self._announced.get(record.node_id, now_s) != record.seq:
            self._announced.put(record.node_id, record.seq, now_s)
            self._on_found(candidate)

    def _note_seq(self, contact: Contact, seq: int) -> None:
        """Queue a node whose record is newer than the one here, if there is room."""
        known = self.record_of(contact.node_id)
        if known is None or seq <= known.seq or self._stale.full():
            return
        self._stale.put_nowait(Target(contact.node_id, known.public_key, contact.endpoint))

    def _follow_vote(self) -> None:
        """Announce where others see us, unless we were told what to announce."""
        if self._socket is None or self._config.fixed_endpoint(self._socket.endpoint) is not None:
            return
        winner = self._vote.winner(self._now_s())
        if winner is not None and winner != self._own.record.udp():
            self._own.announce(winner, self._config.tcp_port)

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()
