"""Downloads the blocks of a plain Ethereum chain from its peers, and gives them out in order.

Each range of heights is asked of one peer, headers first, then bodies; several ranges are under
way at once. Who stands behind the best chain is for consensus: here the peers are trusted to
follow the right one, and every block is still checked and executed by whoever imports it.
"""

import asyncio

import structlog

from cvm.evm.header import BlockHeader
from node.p2p.block_ranges import BlockRanges, Range
from node.p2p.eth_block_messages import HeaderQuery
from node.p2p.eth_block_parts import JoinedBlock, empty_body, expect_row, join
from node.p2p.eth_peer import EthPeer
from node.p2p.faults import BadMessage, PeerGone, RequestTimedOut

log = structlog.get_logger(__name__)

RANGES_PER_PEER = 2
"""Under way at once at one peer: one may be on the wire while another is looked up."""
LIE_POINTS = 100
MAX_SILENCES = 3
PEERLESS_TIMEOUT_S = 30.0
"""How long a download waits for somebody to ask."""

EthRange = Range[tuple[JoinedBlock, ...]]


class NobodyToAsk(Exception):
    """A download has no peer left, and its blocks are not all here."""

    def __init__(self, number: int, reasons: list[str]) -> None:
        why = "; ".join(reasons) or "no session was opened"
        super().__init__(f"no peer to ask for block {number}: {why}")


class EthDownload:
    """One download, from the block after `head` to the highest head of the peers.

    A `PeerWatcher`. Blocks come out of `next_blocks` as fast as they are taken; those that wait
    are bounded by the window of `BlockRanges`. `expected` peers at least may yet come.
    """

    def __init__(self, head: BlockHeader, expected: int = 1) -> None:
        self._tip = head
        self._expected = expected
        self._ranges: BlockRanges[tuple[JoinedBlock, ...]] = BlockRanges(head.block_number + 1)
        self._peers: dict[bytes, EthPeer] = {}
        self._under_way: dict[bytes, int] = {}
        self._silences: dict[bytes, int] = {}
        self._refused: dict[bytes, str] = {}
        self._givers: dict[range, bytes] = {}
        self._changed = asyncio.Event()
        self._news = asyncio.Condition()
        self._failed: NobodyToAsk | None = None
        self._is_ended = False

    @property
    def target(self) -> int:
        """Return the highest block that a peer has, as far as that is known."""
        return max((peer.head_number or 0 for peer in self._usable()), default=0)

    def joined(self, peer: EthPeer) -> None:
        """Take a peer in; see `PeerWatcher`."""
        self._peers[peer.node_id] = peer
        self._changed.set()

    def left(self, peer: EthPeer) -> None:
        """Forget a peer; see `PeerWatcher`."""
        if self._peers.get(peer.node_id) is peer:
            del self._peers[peer.node_id]
        self._changed.set()

    def turned_away(self, node_id: bytes, reason: str) -> None:
        """Note a peer that does not follow our chain; see `PeerWatcher`."""
        self._refused[node_id] = f"peer {node_id.hex()[:16]}: {reason}"
        self._changed.set()

    def _usable(self) -> list[EthPeer]:
        return [peer for peer in self._peers.values() if peer.node_id not in self._refused]

    async def run(self) -> None:
        """Download until `end` is called; `next_blocks` tells how it goes.

        Without anybody to ask it fails: at once where all that were expected were refused, else
        after `PEERLESS_TIMEOUT_S`.
        """
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        async with asyncio.TaskGroup() as tasks:
            while not self._is_ended:
                self._changed.clear()
                self._hand_out(tasks, loop.time())
                if self._usable():
                    asked_at = loop.time()
                elif self._is_hopeless(loop.time() - asked_at):
                    reasons = sorted(self._refused.values())
                    self._failed = NobodyToAsk(self._tip.block_number + 1, reasons)
                    self._is_ended = True
                await self._tell()
                wake_at = self._ranges.slow_after(loop.time()) or asked_at + PEERLESS_TIMEOUT_S
                await self._wait_until(wake_at)

    def _is_hopeless(self, peerless_s: float) -> bool:
        return len(self._refused) >= self._expected or peerless_s >= PEERLESS_TIMEOUT_S

    async def _wait_until(self, wake_at: float) -> None:
        """Wait for something to change, at most until a time."""
        if self._is_ended:
            return
        try:
            async with asyncio.timeout_at(wake_at):
                await self._changed.wait()
        except TimeoutError:
            return

    def _is_done(self) -> bool:
        """Tell whether every block that a peer has was taken."""
        usable = self._usable()
        known = [peer.head_number for peer in usable if peer.head_number is not None]
        return bool(usable) and len(known) == len(usable) and self._tip.block_number >= max(known)

    def _hand_out(self, tasks: asyncio.TaskGroup, now_s: float) -> None:
        """Ask every peer that has time for something that is missing."""
        for peer in self._usable():
            node_id = peer.node_id
            while self._under_way.get(node_id, 0) < RANGES_PER_PEER:
                if peer.head_number is None:
                    self._begin(tasks, peer, None)
                    break
                wanted = self._ranges.take(node_id, 0, peer.head_number, now_s)
                if wanted is None:
                    break
                self._begin(tasks, peer, wanted)

    def _begin(self, tasks: asyncio.TaskGroup, peer: EthPeer, wanted: EthRange | None) -> None:
        alone = RANGES_PER_PEER if wanted is None else 1
        self._under_way[peer.node_id] = self._under_way.get(peer.node_id, 0) + alone
        tasks.create_task(self._ask(peer, wanted, alone))

    async def _ask(self, peer: EthPeer, wanted: EthRange | None, weight: int) -> None:
        """Ask a peer for a range, or for its head; a fault of the peer is its own."""
        node_id, ranges = peer.node_id, self._ranges
        try:
            if wanted is None:
                peer.head_number = await head_number_of(peer)
            else:
                blocks = await blocks_of(peer, wanted.start, wanted.count)
                size = sum(len(block.raw) for block in blocks)
                ranges.deliver(wanted, node_id, blocks, len(blocks), size)
        except RequestTimedOut as fault:
            self._silences[node_id] = self._silences.get(node_id, 0) + 1
            if self._silences[node_id] >= MAX_SILENCES:
                self._refuse(node_id, str(fault))
        except BadMessage as fault:
            self._refuse(node_id, str(fault))
        except PeerGone as gone:
            log.info("peer gone", peer=node_id.hex()[:16], reason=str(gone))
            self.left(peer)
        finally:
            self._under_way[node_id] -= weight
            if wanted is not None:
                ranges.give_back(wanted, node_id)
            self._changed.set()
            await self._tell()

    def _refuse(self, node_id: bytes, reason: str) -> None:
        """Ask a peer for nothing any more, and others for what it gave."""
        log.warning("peer refused", peer=node_id.hex()[:16], reason=reason)
        self.turned_away(node_id, reason)
        self._ranges.drop_from(node_id)
        peer = self._peers.get(node_id)
        if peer is not None:
            peer.channel.peer.penalise(LIE_POINTS, reason)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def next_blocks(self) -> tuple[bytes, ...]:
        """Return the next blocks in order, none at the end; raises `NobodyToAsk`."""
        async with self._news:
            while True:
                ready = self._ranges.first()
                if ready is not None and self._stands_on_tip(ready):
                    return self._taken(ready)
                if ready is None:
                    if self._failed is not None:
                        raise self._failed
                    if self._is_ended or self._is_done():
                        return ()
                    await self._news.wait()

    def _stands_on_tip(self, ready: EthRange) -> bool:
        """Refuse who gave a range that is on another chain than what was taken before."""
        first = (ready.content or ())[0].header
        if first.parent_hash == self._tip.hash:
            return True
        self._refuse(
            ready.giver,
            f"block {first.block_number} stands on 0x{first.parent_hash.hex()}, "
            f"block {self._tip.block_number} here is 0x{self._tip.hash.hex()}",
        )
        return False

    def _taken(self, ready: EthRange) -> tuple[bytes, ...]:
        blocks = ready.content or ()
        self._tip = blocks[-1].header
        self._ranges.imported(self._tip.block_number)
        self._givers = dict(list(self._givers.items())[-3:])
        self._givers[range(ready.start, ready.end)] = ready.giver
        self._changed.set()
        return tuple(block.raw for block in blocks)

    def blame(self, number: int, reason: str, head: BlockHeader) -> bool:
        """Refuse who gave a block that is wrong, and go on from a head.

        Tells whether there is somebody else to ask.
        """
        for heights, giver in self._givers.items():
            if number in heights:
                self._refuse(giver, reason)
        self._tip = head
        self._ranges = BlockRanges(head.block_number + 1)
        self._changed.set()
        return bool(self._usable()) and not self._is_ended

    async def end(self) -> None:
        """Ask nobody any more; `next_blocks` gives nothing from now on."""
        self._is_ended = True
        self._ranges = BlockRanges(self._tip.block_number + 1)
        self._changed.set()
        await self._tell()


async def head_number_of(peer: EthPeer) -> int:
    """Ask for the height of a peer's head; raises as `EthPeer.headers` does."""
    headers = await peer.headers(HeaderQuery(peer.head_hash, 1))
    if not headers or headers[0].hash != peer.head_hash:
        raise BadMessage("it does not give the header of its own head")
    return headers[0].block_number


async def blocks_of(peer: EthPeer, start: int, count: int) -> tuple[JoinedBlock, ...]:
    """Ask a peer for blocks in a row: fewer may come, but one at least.

    Raises `RequestTimedOut`, `PeerGone` or `BadMessage`.
    """
    headers = await peer.headers(HeaderQuery(start, count))
    if not headers:
        raise BadMessage(f"it gives no header {start}, its head is {peer.head_number}")
    expect_row(headers, start)
    full = [header for header in headers if empty_body(header) is None]
    bodies: dict[bytes, bytes] = {}
    while len(bodies) < len(full):
        asked = tuple(header.hash for header in full[len(bodies) :])
        found = await peer.bodies(asked)
        if not found:
            raise BadMessage(f"it gives no body of block {full[len(bodies)].block_number}")
        bodies.update(zip(asked, found, strict=False))
    return await asyncio.to_thread(joined, headers, bodies)


def joined(headers: tuple[BlockHeader, ...], bodies: dict[bytes, bytes]) -> tuple[JoinedBlock, ...]:
    """Return the blocks of headers and of those bodies that are not empty."""
    return tuple(
        join(header, bodies.get(header.hash) or empty_body(header) or b"") for header in headers
    )
