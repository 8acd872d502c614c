"""The events that wait for consensus, in the order in which they came; each peer has a share.

A peer that sends more than can be handled loses its own messages, and nobody else's; all that is
said in consensus is said again.
"""

import asyncio
from dataclasses import dataclass

from consensus.qbft.events import Event, Received
from consensus.qbft.messages import Proposal, RoundChange
from consensus.qbft.other_heights import block_bytes

MAX_EVENTS_OF_PEER = 256
"""Two votes of each of a hundred validators, and more."""
MAX_BYTES_OF_PEER = 4 << 20
"""With so much waiting, nothing more is taken: at most this and one message of a block."""
SIGNED_BYTES = 1 << 10
"""What a vote or a signature takes in memory, with all around it."""


@dataclass(frozen=True, slots=True)
class HeadMoved:
    """A block was appended, by whomever: another height is under way."""


@dataclass(slots=True)
class Share:
    """How much of one peer waits."""

    events: int = 0
    size_bytes: int = 0


class EventQueue:
    """One queue for this node's own events, which are never lost, and what peers send."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Event | HeadMoved] = asyncio.Queue()
        self._shares: dict[bytes, Share] = {}

    def __len__(self) -> int:
        return self._waiting.qsize()

    def put(self, event: Event | HeadMoved) -> None:
        """Add an event of this node."""
        self._waiting.put_nowait(event)

    def offer(self, event: Received) -> bool:
        """Add a message of a peer; tell whether its share had room."""
        share = self._shares.setdefault(event.sender, Share())
        if share.events >= MAX_EVENTS_OF_PEER or share.size_bytes >= MAX_BYTES_OF_PEER:
            return False
        share.events += 1
        share.size_bytes += held_bytes(event)
        self._waiting.put_nowait(event)
        return True

    async def get(self) -> Event | HeadMoved:
        """Return the next event; waits for one."""
        event = await self._waiting.get()
        if isinstance(event, Received):
            share = self._shares[event.sender]
            share.events -= 1
            share.size_bytes -= held_bytes(event)
            if not share.events:
                del self._shares[event.sender]
        return event


def held_bytes(event: Received) -> int:
    """Return about how much memory a message takes: its block, and all that is signed in it."""
    message, certificate = event.message, event.parent_certificate
    signed, bitmap_bytes = 1, 0
    if isinstance(message, Proposal | RoundChange):
        signed += len(message.prepares)
    if isinstance(message, Proposal):
        signed += len(message.round_changes)
    if certificate is not None:
        signed += len(certificate.seals)
        bitmap_bytes = certificate.signers.bit_length() // 8
    return block_bytes(message) + bitmap_bytes + signed * SIGNED_BYTES
