"""Transactions between nodes: whole to a few peers, by hash to the others, each fetched once.

The square root of the peers get a new transaction whole (ethereum/devp2p, "eth", Transaction
Exchange); which ones follows from hashes. Blob transactions are not carried.
"""

from collections.abc import Callable, Sequence
from math import isqrt
from typing import Protocol

from cvm.evm.faults import (
    InvalidSignature,
    InvalidTransaction,
    MalformedTransaction,
    WrongChainId,
)
from cvm.evm.keccak import keccak256
from cvm.evm.transaction import BLOB, SET_CODE, Transaction
from node.p2p.eth_limits import (
    MAX_HASHES,
    MAX_POOLED_HASHES,
    MAX_SENT_TRANSACTION_BYTES,
    SOFT_RESPONSE_BYTES,
)
from node.p2p.eth_peer import MAX_QUEUED, EthPeer, RecentHashes
from node.p2p.eth_transaction_messages import NewPooledTransactionHashes
from node.p2p.faults import BadMessage, RequestTimedOut

MAX_SEEN = 32_768
MAX_TRANSACTION_BYTES = 128 << 10
"""Of a transaction that is worth fetching (txMaxSize)."""
INVALID_POINTS = 10
SILENT_POINTS = 5
NEVER_VALID = (InvalidSignature, MalformedTransaction, WrongChainId)
"""What no state makes valid: an honest peer does not send it on."""


class TransactionSource(Protocol):
    """The node's pool, as the network sees it."""

    @property
    def is_open(self) -> bool:
        """Tell whether new transactions are wanted: not while the node is far behind."""

    def get(self, tx_hash: bytes) -> Transaction | None:
        """Return a transaction that waits here."""

    def pending(self) -> Sequence[Transaction]:
        """Return the transactions that blocks could take: what others are told of."""

    def on_pending(self, listener: Callable[[Transaction], None]) -> None:
        """Call `listener` with every transaction that blocks can take from now on.

        That may be later than `add`: one that came before another of its sender waits for it.
        """

    async def add(self, tx: Transaction) -> None:
        """Take a transaction from a peer; raises an `InvalidTransaction`."""


class ClosedPool:
    """The pool of a node that takes no transactions."""

    is_open = False

    def get(self, _tx_hash: bytes) -> Transaction | None:
        """Return None."""
        return None

    def pending(self) -> Sequence[Transaction]:
        """Return nothing."""
        return ()

    def on_pending(self, listener: Callable[[Transaction], None]) -> None:
        """Do nothing: none ever is."""

    async def add(self, tx: Transaction) -> None:
        """Forget it."""


class TransactionGossip:
    """Spreads transactions over the peers that are joined, as soon as blocks can take them."""

    def __init__(self, source: TransactionSource) -> None:
        self._source = source
        self._peers: dict[bytes, EthPeer] = {}
        self._seen = RecentHashes(MAX_SEEN)
        self._fetching: set[bytes] = set()
        source.on_pending(self.announce)

    def join(self, peer: EthPeer) -> None:
        """Take a peer in, and announce to it what blocks could take."""
        self._peers[peer.node_id] = peer
        for tx in self._source.pending()[:MAX_HASHES]:
            if tx.type_id != BLOB:
                peer.queue_announcement(tx)

    def leave(self, peer: EthPeer) -> None:
        """Forget a peer."""
        if self._peers.get(peer.node_id) is peer:
            del self._peers[peer.node_id]
        self._wake()

    def announce(self, tx: Transaction) -> None:
        """Spread a transaction that became pending to the peers that do not know it."""
        if tx.type_id == BLOB:
            return
        ignorant = [peer for peer in self._peers.values() if tx.hash not in peer.known]
        ignorant.sort(key=lambda peer: keccak256(peer.node_id + tx.hash))
        whole = isqrt(len(self._peers)) if len(tx.raw) <= MAX_SENT_TRANSACTION_BYTES else 0
        for peer in ignorant[:whole]:
            peer.queue_whole(tx)
        for peer in ignorant[whole:]:
            peer.queue_announcement(tx)

    async def take(self, peer: EthPeer, transactions: Sequence[Transaction]) -> None:
        """Take whole transactions from a peer; the pool says which of them go on.

        Raises `BadMessage` for a blob transaction, which may only be announced (EIP-4844).
        """
        for tx in transactions:
            if tx.type_id == BLOB:
                raise BadMessage("a blob transaction may only be announced")
            peer.known.add(tx.hash)
        for tx in transactions:
            if self._source.is_open and not self._has(tx.hash):
                await self._add(peer, tx)

    async def _add(self, peer: EthPeer, tx: Transaction) -> None:
        self._seen.add(tx.hash)
        try:
            await self._source.add(tx)
        except NEVER_VALID as fault:
            peer.channel.peer.penalise(INVALID_POINTS, f"a transaction: {fault}")
        except InvalidTransaction:
            return  # what another state may allow is nobody's fault

    def note(self, peer: EthPeer, message: NewPooledTransactionHashes) -> None:
        """Take announcements; those worth having are fetched soon.

        Raises `BadMessage` for a type of transaction that does not exist.
        """
        rows = zip(message.types, message.sizes, message.hashes, strict=True)
        for type_id, size, tx_hash in rows:
            if type_id > SET_CODE:
                raise BadMessage(f"announces a transaction of type {type_id}")
            peer.known.add(tx_hash)
            if type_id == BLOB or size > MAX_TRANSACTION_BYTES or not self._source.is_open:
                continue
            if not self._has(tx_hash) and len(peer.wanted) < MAX_QUEUED:
                peer.wanted[tx_hash] = (type_id, size)
        if peer.wanted:
            peer.to_fetch.set()

    async def fetch(self, peer: EthPeer) -> None:
        """Fetch what a peer announces, until cancelled; raises `PeerGone` or `BadMessage`."""
        while True:
            await peer.to_fetch.wait()
            peer.to_fetch.clear()
            while asked := self._choose(peer):
                self._fetching.update(asked)
                try:
                    await self._fetch_some(peer, asked)
                finally:
                    self._fetching.difference_update(asked)
                    self._wake()

    def _choose(self, peer: EthPeer) -> dict[bytes, tuple[int, int]]:
        """Remove what to ask a peer for now; what another peer is asked for already stays."""
        chosen: dict[bytes, tuple[int, int]] = {}
        size = 0
        for tx_hash, (type_id, tx_size) in list(peer.wanted.items()):
            if self._has(tx_hash):
                del peer.wanted[tx_hash]
            elif tx_hash not in self._fetching:
                size += tx_size
                if chosen and (size > SOFT_RESPONSE_BYTES or len(chosen) == MAX_POOLED_HASHES):
                    break
                chosen[tx_hash] = type_id, tx_size
                del peer.wanted[tx_hash]
        return chosen

    async def _fetch_some(self, peer: EthPeer, asked: dict[bytes, tuple[int, int]]) -> None:
        try:
            transactions = await peer.fetch(tuple(asked))
        except RequestTimedOut as fault:
            peer.channel.peer.penalise(SILENT_POINTS, str(fault))
            return
        for tx in transactions:
            expect_as_announced(tx, asked)
        await self.take(peer, transactions)

    def pooled(self, hashes: Sequence[bytes]) -> tuple[Transaction, ...]:
        """Return the transactions that wait here, of those that a peer asks for."""
        found: list[Transaction] = []
        size = 0
        for tx_hash in hashes:
            if size >= SOFT_RESPONSE_BYTES:
                break
            tx = self._source.get(tx_hash)
            if tx is not None and tx.type_id != BLOB:
                found.append(tx)
                size += len(tx.raw)
        return tuple(found)

    def _has(self, tx_hash: bytes) -> bool:
        return tx_hash in self._seen or self._source.get(tx_hash) is not None

    def _wake(self) -> None:
        """Let peers look again for what nobody is being asked for any more."""
        for peer in self._peers.values():
            if peer.wanted:
                peer.to_fetch.set()


def expect_as_announced(tx: Transaction, asked: dict[bytes, tuple[int, int]]) -> None:
    """Raise `BadMessage` unless a transaction was asked for and is what was announced."""
    announced = asked.get(tx.hash)
    if announced is None:
        raise BadMessage(f"transaction 0x{tx.hash.hex()} was not asked for")
    found = tx.type_id, len(tx.raw)
    if found != announced:
        raise BadMessage(
            f"transaction 0x{tx.hash.hex()} has type {found[0]} and {found[1]} bytes, "
            f"was announced with type {announced[0]} and {announced[1]} bytes"
        )
