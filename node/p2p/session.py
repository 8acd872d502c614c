"""One open session with a peer: reads its messages, runs the shared capabilities, says goodbye."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from cvm.faults import LocalFault
from node.p2p.capability_link import CapabilityLink
from node.p2p.channel import PeerChannel
from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.faults import BadMessage, PeerGone, RequestTimedOut
from node.p2p.frames import MAX_FRAME_BYTES
from node.p2p.hello import (
    BASE_LENGTH,
    BASE_VERSION,
    DISCONNECT,
    EMPTY,
    HELLO,
    MAX_BASE_BYTES,
    PING,
    PONG,
    Hello,
    decode_disconnect,
    encode_disconnect,
)
from node.p2p.multiplexing import (
    Route,
    Shared,
    find_route,
    join_code,
    longest_frame,
    split_code,
)
from node.p2p.protocol import Capability, Rate
from node.p2p.secure_stream import SecureStream, Timeouts
from node.p2p.snappy import compress, declared_size, decompress
from node.p2p.token_bucket import TokenBucket

BAD_MESSAGE_POINTS = 100
BASE_RATE = Rate(per_second=2, burst=40)
"""Of base messages, which are pings and pongs."""
BYTE_RATE = Rate(per_second=2**25, burst=2**27)
"""Of what a peer sends, decompressed: reading that is the work. More waits until there is room."""
LONGEST_PAUSE_S = 5.0

SAID_SO = "the peer says so"
NETWORK_ERROR = DisconnectReason.NETWORK_ERROR

Duty = Callable[[], Coroutine[None, None, None]]


class Watcher(Protocol):
    """What a session tells of itself."""

    def penalised(self, session: "Session", points: int, reason: str) -> None:
        """Take note of points."""

    def failed(self, session: "Session", fault: Exception) -> None:
        """Take note of what nobody foresaw, which ends this session and no other."""

    def ended(self, session: "Session") -> None:
        """Take note that the session is over; its goodbye may still be on its way."""


@dataclass(frozen=True, slots=True)
class Remote:
    """What is known of the other side when a session opens."""

    hello: Hello
    host: str
    port: int
    inbound: bool


class Session:
    """A `Peer` while its session is open; `run` is its whole life."""

    def __init__(
        self,
        stream: SecureStream,
        remote: Remote,
        shared: Sequence[Shared],
        watcher: Watcher,
        timeouts: Timeouts,
    ) -> None:
        self._stream = stream
        self._remote = remote
        self._shared = shared
        self._watcher = watcher
        self._timeouts = timeouts
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._end: PeerGone | None = None
        self._was_told = False
        self._routes = [self._route(each) for each in shared]
        self._max_frame_bytes = longest_frame(shared)
        self._base_bucket = TokenBucket(BASE_RATE, self._loop.time())
        self._byte_bucket = TokenBucket(BYTE_RATE, self._loop.time())
        self.opened_at_s = self._loop.time()

    @property
    def node_id(self) -> bytes:
        """Return its public key: 64 bytes, proven in the handshake."""
        return self._stream.remote_id

    @property
    def host(self) -> str:
        """Return the IP address that the session runs to."""
        return self._remote.host

    @property
    def port(self) -> int:
        """Return the TCP port at its end of the session."""
        return self._remote.port

    @property
    def client(self) -> str:
        """Return what it calls itself."""
        return self._remote.hello.client

    @property
    def inbound(self) -> bool:
        """Tell whether it dialled us."""
        return self._remote.inbound

    @property
    def listen_port(self) -> int:
        """Return where it says that it listens; 0 for nowhere."""
        return self._remote.hello.listen_port

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """Return what is shared with it."""
        return tuple(each.handler.capability for each in self._shared)

    @property
    def traffic(self) -> tuple[int, int]:
        """Return the bytes of frames that came and that went."""
        return self._stream.bytes_in, self._stream.bytes_out

    @property
    def end(self) -> PeerGone | None:
        """Return why it ended, None while it goes on."""
        return self._end

    @property
    def is_open(self) -> bool:
        """Tell whether the session goes on."""
        return self._end is None

    def penalise(self, points: int, reason: str) -> None:
        """Score it down; at 100 points the session ends and the peer is banned for a while."""
        self._watcher.penalised(self, points, reason)

    def disconnect(self, reason: DisconnectReason) -> None:
        """End the session with this reason; returns at once, and may be called again."""
        self._finish(PeerGone(reason))

    async def run(self) -> PeerGone:
        """Talk until either side ends it; returns why."""
        duties: list[Duty] = [self._read, self._ping]
        for shared, route in zip(self._shared, self._routes, strict=True):
            duties.append(partial(shared.handler.run, route.target))
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(self._guard(duty)) for duty in duties]
                await self._over.wait()
                for task in running:
                    task.cancel()
        finally:
            self._finish(PeerGone(DisconnectReason.CLIENT_QUITTING))
            self._say_goodbye()
        await self._stream.close()
        return self._end or PeerGone(DisconnectReason.REQUESTED)

    async def _guard(self, duty: Duty) -> None:
        """Run one part of the session; whichever way it ends, the session ends.

        Raises what is this machine's fault and no peer's: a `LocalFault`, `OSError`, `MemoryError`.
        """
        try:
            await duty()
            self._finish(PeerGone(DisconnectReason.REQUESTED))
        except PeerGone as gone:
            self._finish(gone)
        except RequestTimedOut as late:
            self._finish(PeerGone(DisconnectReason.TIMED_OUT, str(late)))
        except BadMessage as fault:
            self._finish(PeerGone(DisconnectReason.BREACH_OF_PROTOCOL, str(fault)))
            self.penalise(BAD_MESSAGE_POINTS, str(fault))
        except (LocalFault, OSError, MemoryError):
            raise
        except Exception as fault:  # noqa: BLE001 - what a stranger sends must not end a node
            self._watcher.failed(self, fault)
            self._finish(PeerGone(DisconnectReason.SUBPROTOCOL_ERROR, "a fault of this node"))

    def _finish(self, end: PeerGone) -> None:
        if self._end is not None:
            return
        self._end = end
        for route in self._routes:
            route.target.close(end)
        self._over.set()
        self._watcher.ended(self)

    def _say_goodbye(self) -> None:
        """Send Disconnect, unless the other side did or is gone."""
        if self._end is None or self._was_told or self._end.reason is NETWORK_ERROR:
            return
        say_disconnect(self._stream, self._end.reason)

    async def _read(self) -> None:
        while True:
            frame = await self._stream.read_frame(self._max_frame_bytes)
            code, payload = split_code(frame)
            is_base = code < BASE_LENGTH
            size = len(frame) if is_base else max(len(frame), declared_size(payload))
            pause_s = self._byte_bucket.owe(self._loop.time(), min(size, MAX_FRAME_BYTES))
            if pause_s > 0:
                await asyncio.sleep(min(pause_s, LONGEST_PAUSE_S))
            if is_base:
                self._take_base(code, payload)
                continue
            route = find_route(self._routes, code)
            channel, code = route.target, code - route.start
            if channel.is_wanted(code):
                await channel.deliver(code, decompress(payload, channel.longest(code)))

    def _take_base(self, code: int, payload: bytes) -> None:
        """Take a message of the base protocol; codes that it does not use are passed over."""
        if not self._base_bucket.take(self._loop.time()):
            raise BadMessage("too many messages of the base protocol")
        if code == PING:
            self._stream.try_write(join_code(PONG, compress(EMPTY)))
        elif code == DISCONNECT:
            self._was_told = True
            raise PeerGone(read_disconnect(payload), SAID_SO)
        elif code == HELLO:
            raise BadMessage("a second Hello")

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(self._timeouts.ping_s)
            self._stream.try_write(join_code(PING, compress(EMPTY)))

    def _route(self, shared: Shared) -> Route[PeerChannel]:
        link = CapabilityLink(self._stream, shared.offset, lambda: self.is_open)
        length = shared.handler.capability.length
        channel = PeerChannel(shared.handler, self, link)
        return Route(shared.offset, shared.offset + length, channel)


async def greet(stream: SecureStream, ours: Hello) -> Hello:
    """Exchange Hello; raises `PeerGone` or `BadMessage`."""
    await stream.write(join_code(HELLO, ours.encode()))
    code, payload = split_code(await stream.read_frame(MAX_BASE_BYTES))
    if code == DISCONNECT:
        raise PeerGone(read_disconnect(payload), SAID_SO)
    if code != HELLO:
        raise BadMessage(f"message {code} before Hello")
    theirs = Hello.decode(payload)
    if theirs.version < BASE_VERSION:
        raise PeerGone(DisconnectReason.INCOMPATIBLE_VERSION, f"p2p/{theirs.version}")
    if theirs.node_id != stream.remote_id:
        raise PeerGone(DisconnectReason.UNEXPECTED_IDENTITY, "Hello names another key")
    return theirs


def read_disconnect(payload: bytes) -> DisconnectReason:
    """Read a Disconnect that may be compressed or not: clients differ; raises `BadMessage`."""
    try:
        return decode_disconnect(decompress(payload, MAX_BASE_BYTES))
    except BadMessage:
        return decode_disconnect(payload)


def say_disconnect(stream: SecureStream, reason: DisconnectReason) -> None:
    """Tell the other side why the session ends, if it reads at all."""
    stream.try_write(join_code(DISCONNECT, compress(encode_disconnect(reason))))
