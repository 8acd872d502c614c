"""The capability `eth`, versions 68 and 69, towards every peer: handshake, answers, gossip."""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.eth_answers import ETH_69, bodies_for, headers_for, receipts_for
from node.p2p.eth_block_gossip import NewBlock, NewBlockHashes
from node.p2p.eth_block_messages import (
    BlockBodies,
    BlockHeaders,
    GetBlockBodies,
    GetBlockHeaders,
    GetReceipts,
    Receipts,
)
from node.p2p.eth_chain import EthChainView
from node.p2p.eth_gossip import ClosedPool, TransactionGossip
from node.p2p.eth_handshake import STATUSES, shake_hands
from node.p2p.eth_peer import EthPeer
from node.p2p.eth_status import BlockRangeUpdate
from node.p2p.eth_transaction_messages import (
    GetPooledTransactions,
    NewPooledTransactionHashes,
    NewTransactions,
    PooledTransactions,
)
from node.p2p.faults import BadMessage, PeerGone
from node.p2p.protocol import Capability, Channel, Message, Rate

SHARED = (
    NewTransactions,
    GetBlockHeaders,
    BlockHeaders,
    GetBlockBodies,
    BlockBodies,
    NewPooledTransactionHashes,
    GetPooledTransactions,
    PooledTransactions,
    GetReceipts,
    Receipts,
    NewBlock,
    NewBlockHashes,
)
REPLIES: frozenset[type[Message]] = frozenset(
    (BlockHeaders, BlockBodies, PooledTransactions, Receipts)
)
LENGTHS = {68: 17, ETH_69: 18}
"""Message codes that each version takes."""
HEAVY = Rate(per_second=30, burst=300)
"""For requests whose answers have up to two megabytes."""
RATES: Mapping[type[Message], Rate] = {
    GetBlockHeaders: HEAVY,
    GetBlockBodies: HEAVY,
    GetReceipts: HEAVY,
    GetPooledTransactions: HEAVY,
    BlockRangeUpdate: Rate(per_second=2, burst=32),
}
BLOCKS_BETWEEN_UPDATES = 32
"""Peers of eth/69 hear of a new head once in so many blocks (EIP-7642: once an epoch)."""


class PeerWatcher(Protocol):
    """Who wants to know which peers follow our chain."""

    def joined(self, peer: EthPeer) -> None:
        """Note a peer after its handshake."""

    def left(self, peer: EthPeer) -> None:
        """Note that a peer's session is over."""

    def turned_away(self, node_id: bytes, reason: str) -> None:
        """Note that a peer did not pass the handshake."""


class EthService:
    """What the sessions of both versions share: the chain, the pool, and the peers."""

    def __init__(
        self,
        chain: EthChainView,
        gossip: TransactionGossip | None = None,
        watcher: PeerWatcher | None = None,
    ) -> None:
        self.chain = chain
        self.gossip = gossip or TransactionGossip(ClosedPool())
        self._watcher = watcher
        self._peers: dict[bytes, EthPeer] = {}
        self._told = chain.head.block_number

    def handlers(self) -> "tuple[EthHandler, EthHandler]":
        """Return the handlers of both versions."""
        return EthHandler(self, 68), EthHandler(self, ETH_69)

    def peers(self) -> tuple[EthPeer, ...]:
        """Return the peers that follow our chain."""
        return tuple(self._peers.values())

    def head_changed(self) -> None:
        """Tell peers of eth/69 how far the chain goes, once in `BLOCKS_BETWEEN_UPDATES` blocks."""
        head = self.chain.head
        if abs(head.block_number - self._told) < BLOCKS_BETWEEN_UPDATES:
            return
        self._told = head.block_number
        update = BlockRangeUpdate(self.chain.earliest, head.block_number, head.hash)
        for peer in self._peers.values():
            if peer.version >= ETH_69:
                peer.channel.try_send(update)

    def turn_away(self, node_id: bytes, reason: str) -> None:
        """Tell the watcher of a peer that did not pass the handshake."""
        if self._watcher is not None:
            self._watcher.turned_away(node_id, reason)

    @contextmanager
    def joined(self, peer: EthPeer) -> Iterator[None]:
        """Count a peer among ours for as long as its session lasts."""
        self._peers[peer.node_id] = peer
        self.gossip.join(peer)
        if self._watcher is not None:
            self._watcher.joined(peer)
        try:
            yield
        finally:
            self._peers.pop(peer.node_id, None)
            self.gossip.leave(peer)
            if self._watcher is not None:
                self._watcher.left(peer)


def classes_of(version: int) -> tuple[type[Message], ...]:
    """Return the message classes of a version."""
    updates = (BlockRangeUpdate,) if version >= ETH_69 else ()
    return (STATUSES[version], *SHARED, *updates)


class EthHandler:
    """One version of eth; see `protocol.Handler`."""

    def __init__(self, service: EthService, version: int) -> None:
        self._service = service
        self._capability = Capability("eth", version, LENGTHS[version])
        self._messages = {kind.CODE: kind for kind in classes_of(version)}

    @property
    def capability(self) -> Capability:
        """Return name, version and number of codes."""
        return self._capability

    @property
    def messages(self) -> Mapping[int, type[Message]]:
        """Return the message classes by code."""
        return self._messages

    @property
    def replies(self) -> frozenset[type[Message]]:
        """Return the classes that only answer requests."""
        return REPLIES

    @property
    def rates(self) -> Mapping[type[Message], Rate]:
        """Return how often a peer may ask."""
        return RATES

    async def run(self, channel: Channel) -> None:
        """Shake hands, then answer and gossip; raises `PeerGone` or `BadMessage`."""
        try:
            peer = await shake_hands(channel, self._service.chain)
        except (PeerGone, BadMessage) as fault:
            self._service.turn_away(channel.peer.node_id, str(fault))
            raise
        gossip = self._service.gossip
        with self._service.joined(peer):
            await all_of(self._answer(peer), peer.send_transactions(), gossip.fetch(peer))

    async def _answer(self, peer: EthPeer) -> None:
        while True:
            message = await peer.channel.receive()
            reply = await self._reply_to(peer, message)
            if reply is not None:
                await peer.channel.send(reply)

    async def _reply_to(self, peer: EthPeer, message: Message) -> Message | None:
        chain, gossip = self._service.chain, self._service.gossip
        match message:
            case GetBlockHeaders(request_id, query):
                headers = await asyncio.to_thread(headers_for, chain, query)
                return BlockHeaders(request_id, headers)
            case GetBlockBodies(request_id, hashes):
                return BlockBodies(request_id, await asyncio.to_thread(bodies_for, chain, hashes))
            case GetReceipts(request_id, hashes):
                found = await asyncio.to_thread(receipts_for, chain, hashes, peer.version)
                return Receipts(request_id, found)
            case GetPooledTransactions(request_id, hashes):
                return PooledTransactions(request_id, gossip.pooled(hashes))
            case NewTransactions(transactions):
                await gossip.take(peer, transactions)
            case NewPooledTransactionHashes():
                gossip.note(peer, message)
            case BlockRangeUpdate(earliest, latest, latest_hash):
                if earliest > latest:
                    raise BadMessage(f"blocks from {earliest} to {latest}")
                peer.head_number, peer.head_hash = latest, latest_hash
            case NewBlock() | NewBlockHashes():
                reason = DisconnectReason.SUBPROTOCOL_ERROR
                raise PeerGone(reason, f"{type(message).__name__}, which EIP-3675 took out")
            case _:
                raise BadMessage(f"a second {type(message).__name__}")
        return None


async def all_of(*duties: Coroutine[object, object, None]) -> None:
    """Run duties side by side until one raises; that one's fault, or the gravest, is raised."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for duty in duties:
                tasks.create_task(duty)
    except BaseExceptionGroup as group:
        raise min(group.exceptions, key=lambda fault: isinstance(fault, PeerGone)) from None
