"""A peer that follows our chain: what it has, what it knows, and what we ask it for."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable

from cvm.evm.header import BlockHeader
from cvm.evm.transaction import Transaction
from node.p2p.eth_block_messages import (
    BlockBodies,
    BlockHeaders,
    GetBlockBodies,
    GetBlockHeaders,
    HeaderQuery,
)
from node.p2p.eth_limits import (
    MAX_HASHES,
    MAX_POOLED_HASHES,
    MAX_TRANSACTION_PACKET_BYTES,
)
from node.p2p.eth_transaction_messages import (
    GetPooledTransactions,
    NewPooledTransactionHashes,
    NewTransactions,
    PooledTransactions,
)
from node.p2p.faults import BadMessage
from node.p2p.protocol import Channel

REQUEST_TIMEOUT_S = 15.0
MAX_KNOWN = 32_768
"""Transactions of which we remember that a peer has them (maxKnownTxs)."""
MAX_QUEUED = 4_096
"""Transactions that wait to be sent to a peer, or to be asked of it; the oldest give way."""


class RecentHashes:
    """The last so many hashes that were added."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._hashes: OrderedDict[bytes, None] = OrderedDict()

    def __contains__(self, item: bytes) -> bool:
        return item in self._hashes

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, item: bytes) -> None:
        """Remember a hash as the newest."""
        self._hashes[item] = None
        self._hashes.move_to_end(item)
        if len(self._hashes) > self._most:
            self._hashes.popitem(last=False)


class EthPeer:
    """One session of eth, after its handshake; `head_number` is None while only its hash is known.

    `known` are the transactions that it has, `wanted` those that it announced and we lack, each
    with type and size.
    """

    def __init__(self, channel: Channel, head_hash: bytes, head_number: int | None = None) -> None:
        self.channel = channel
        self.head_hash = head_hash
        self.head_number = head_number
        self.known = RecentHashes(MAX_KNOWN)
        self.wanted: OrderedDict[bytes, tuple[int, int]] = OrderedDict()
        self.to_fetch = asyncio.Event()
        self._whole: deque[Transaction] = deque(maxlen=MAX_QUEUED)
        self._announced: deque[Transaction] = deque(maxlen=MAX_QUEUED)
        self._to_send = asyncio.Event()

    @property
    def node_id(self) -> bytes:
        """Return who it is."""
        return self.channel.peer.node_id

    @property
    def version(self) -> int:
        """Return the version of eth that we share."""
        return self.channel.capability.version

    async def headers(self, query: HeaderQuery) -> tuple[BlockHeader, ...]:
        """Ask for headers; raises `RequestTimedOut`, `PeerGone`, or `BadMessage` for too many."""
        request = GetBlockHeaders(self.channel.next_request_id(), query)
        reply = await self.channel.request(request, BlockHeaders, REQUEST_TIMEOUT_S)
        if len(reply.headers) > query.limit:
            raise BadMessage(f"{len(reply.headers)} headers, asked for {query.limit}")
        return reply.headers

    async def bodies(self, hashes: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Ask for bodies; raises as `headers` does."""
        request = GetBlockBodies(self.channel.next_request_id(), hashes)
        reply = await self.channel.request(request, BlockBodies, REQUEST_TIMEOUT_S)
        if len(reply.bodies) > len(hashes):
            raise BadMessage(f"{len(reply.bodies)} bodies, asked for {len(hashes)}")
        return reply.bodies

    async def fetch(self, hashes: tuple[bytes, ...]) -> tuple[Transaction, ...]:
        """Ask for announced transactions; raises as `headers` does."""
        request = GetPooledTransactions(self.channel.next_request_id(), hashes)
        reply = await self.channel.request(request, PooledTransactions, REQUEST_TIMEOUT_S)
        return reply.transactions

    def queue_whole(self, tx: Transaction) -> None:
        """Send a transaction soon, whole."""
        self.known.add(tx.hash)
        self._whole.append(tx)
        self._to_send.set()

    def queue_announcement(self, tx: Transaction) -> None:
        """Announce a transaction soon."""
        self.known.add(tx.hash)
        self._announced.append(tx)
        self._to_send.set()

    async def send_transactions(self) -> None:
        """Send what is queued, in few messages, until cancelled; raises `PeerGone`."""
        while True:
            await self._to_send.wait()
            self._to_send.clear()
            while self._announced:
                await self.channel.send(announcement(take(self._announced, MAX_HASHES)))
            while self._whole:
                sent = take(self._whole, MAX_POOLED_HASHES, MAX_TRANSACTION_PACKET_BYTES)
                await self.channel.send(NewTransactions(sent))


def take(
    queue: deque[Transaction], most: int, most_bytes: int | None = None
) -> tuple[Transaction, ...]:
    """Remove the oldest transactions of a queue: at least one, at most so many and so large."""
    taken = [queue.popleft()]
    size = len(taken[0].raw)
    while queue and len(taken) < most:
        size += len(queue[0].raw)
        if most_bytes is not None and size > most_bytes:
            break
        taken.append(queue.popleft())
    return tuple(taken)


def announcement(transactions: Iterable[Transaction]) -> NewPooledTransactionHashes:
    """Return the message that announces transactions."""
    rows = [(tx.type_id, len(tx.raw), tx.hash) for tx in transactions]
    return NewPooledTransactionHashes(
        bytes(row[0] for row in rows),
        tuple(row[1] for row in rows),
        tuple(row[2] for row in rows),
    )
