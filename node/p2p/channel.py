"""A capability's channel to one peer: decodes, bounds and routes messages, and matches replies."""

import asyncio
from collections import OrderedDict
from typing import Protocol, cast

from node.p2p.faults import BadMessage, PeerGone, RequestTimedOut
from node.p2p.inbox import Inbox
from node.p2p.protocol import (
    Capability,
    Handler,
    Message,
    Numbered,
    Peer,
    Rate,
    Reply,
)
from node.p2p.token_bucket import DEFAULT_RATE, TokenBucket

MAX_REQUESTS = 256
"""Requests of one channel that wait for their replies at once."""
MAX_LATE = 256
"""Timed-out requests that are remembered, so that their replies cost nothing when they come."""
UNSOLICITED_POINTS = 10
OVER_RATE_POINTS = 1

Key = tuple[type[Message], int]


class Link(Protocol):
    """What carries the messages of a channel."""

    @property
    def is_open(self) -> bool:
        """Tell whether anything can be sent."""

    async def send(self, code: int, payload: bytes) -> None:
        """Send a payload under a code of the capability; waits for room; raises `PeerGone`."""

    def try_send(self, code: int, payload: bytes) -> bool:
        """Send if there is room now; tell whether it was sent."""


class PeerChannel:
    """A `Channel` over a `Link`; the session hands it payloads with `deliver`."""

    def __init__(self, handler: Handler, peer: Peer, link: Link) -> None:
        self._handler = handler
        self._peer = peer
        self._link = link
        self._inbox = Inbox()
        self._loop = asyncio.get_running_loop()
        self._buckets: dict[type[Message], TokenBucket] = {}
        self._waiting: dict[Key, asyncio.Future[Message | None]] = {}
        self._late: OrderedDict[Key, None] = OrderedDict()
        self._last_id = 0
        self._end: PeerGone | None = None

    @property
    def peer(self) -> Peer:
        """Return who is at the other end."""
        return self._peer

    @property
    def capability(self) -> Capability:
        """Return which version the two share."""
        return self._handler.capability

    @property
    def is_open(self) -> bool:
        """Tell whether the session goes on."""
        return self._link.is_open

    async def send(self, message: Message) -> None:
        """Send; waits (for seconds at most) while the peer reads slower than we write."""
        await self._link.send(message.CODE, message.encode())

    def try_send(self, message: Message) -> bool:
        """Send without waiting, or tell that the peer has too much to read or is gone."""
        return self._link.try_send(message.CODE, message.encode())

    async def receive(self) -> Message:
        """Return the next message that is not a reply."""
        return await self._inbox.get()

    def next_request_id(self) -> int:
        """Return a number that no request of this channel has had."""
        self._last_id += 1
        return self._last_id

    async def request(self, message: Numbered, reply: type[Reply], timeout_s: float) -> Reply:
        """Send, and return the reply with the same number; raises `RequestTimedOut`."""
        if len(self._waiting) >= MAX_REQUESTS:
            raise RequestTimedOut(type(message).__name__, 0)
        key = (reply, message.request_id)
        answer: asyncio.Future[Message | None] = self._loop.create_future()
        self._waiting[key] = answer
        try:
            async with asyncio.timeout(timeout_s):
                await self.send(message)
                found = await answer
        except TimeoutError:
            raise RequestTimedOut(type(message).__name__, timeout_s) from None
        finally:
            del self._waiting[key]
            if not answer.done() or answer.cancelled():
                self._expect_late(key)
        if found is None and self._end is not None:
            raise PeerGone(self._end.reason, self._end.detail)
        return cast(Reply, found)

    def longest(self, code: int) -> int:
        """Return how many bytes a payload may have; raises `BadMessage` for an unknown code."""
        return self._class_of(code).MAX_LENGTH

    def is_wanted(self, code: int) -> bool:
        """Tell whether a payload is worth reading; scores the peer down where it is not."""
        kind = self._class_of(code)
        if kind in self._handler.replies:
            return self._is_expected(kind)
        return self._is_within_rate(kind, 1)

    async def deliver(self, code: int, payload: bytes) -> None:
        """Take a payload in, or drop it where its size is over its class's rate.

        Raises `BadMessage`, or `PeerGone` where nobody takes it.
        """
        kind = self._class_of(code)
        if len(payload) > kind.MAX_LENGTH:
            raise BadMessage(f"{kind.__name__} of {len(payload)} bytes, at most {kind.MAX_LENGTH}")
        unit_bytes = self._rate_of(kind).bytes_per_message
        if unit_bytes is not None and not self._is_within_rate(kind, len(payload) // unit_bytes):
            return
        message = kind.decode(payload)
        if kind in self._handler.replies:
            self._answer(kind, cast(Numbered, message))
        else:
            await self._inbox.put(message, len(payload))

    def close(self, end: PeerGone) -> None:
        """End every wait of the capability with this fault."""
        self._end = end
        self._inbox.close(end)
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_result(None)

    def _class_of(self, code: int) -> type[Message]:
        kind = self._handler.messages.get(code)
        if kind is None:
            name = f"{self.capability.name}/{self.capability.version}"
            raise BadMessage(f"{name} has no message 0x{code:02x}")
        return kind

    def _rate_of(self, kind: type[Message]) -> Rate:
        return self._handler.rates.get(kind, DEFAULT_RATE)

    def _is_within_rate(self, kind: type[Message], messages: int) -> bool:
        """Tell whether a peer may send so much of a class; scores it down where it may not."""
        bucket = self._buckets.get(kind)
        now_s = self._loop.time()
        if bucket is None:
            bucket = self._buckets[kind] = TokenBucket(self._rate_of(kind), now_s)
        if bucket.take(now_s, messages):
            return True
        self._peer.penalise(OVER_RATE_POINTS, f"too many {kind.__name__}")
        return False

    def _is_expected(self, kind: type[Message]) -> bool:
        if any(key[0] is kind for key in (*self._waiting, *self._late)):
            return True
        self._peer.penalise(UNSOLICITED_POINTS, f"nobody asked for {kind.__name__}")
        return False

    def _answer(self, kind: type[Message], message: Numbered) -> None:
        key = (kind, message.request_id)
        answer = self._waiting.get(key)
        if answer is not None and not answer.done():
            answer.set_result(message)
        elif key in self._late:
            del self._late[key]
        else:
            self._peer.penalise(UNSOLICITED_POINTS, f"nobody asked for this {kind.__name__}")

    def _expect_late(self, key: Key) -> None:
        self._late[key] = None
        if len(self._late) > MAX_LATE:
            self._late.popitem(last=False)
