"""A TCP connection as an RLPx session sees it: the handshake done, frames in and out.

Every wait has an end: a connection that opens nothing, sends half a frame or does not read is
given up with `PeerGone`.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from coincurve import PrivateKey

from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.ecies import Draw
from node.p2p.faults import BadMessage, PeerGone
from node.p2p.frames import HEADER_BYTES, FrameReader, FrameWriter, body_bytes
from node.p2p.handshake import (
    SIZE_BYTES,
    Greeting,
    Hand,
    derive_secrets,
    make_ack,
    make_auth,
    packet_rest,
    read_ack,
    read_auth,
)
from node.stream_writing import put, put_eof

READ_AHEAD_BYTES = 2**16
"""What is read from a socket before somebody wants it: twice that at most."""
ROOM_BYTES = 2**20
"""What may wait to be written before a sender waits for room."""
MOST_UNWRITTEN_BYTES = 2**23
"""What may wait to be written before a message that nobody waits for is dropped."""
GOODBYE_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a peer may take, in seconds."""

    connect_s: float = 3.0
    handshake_s: float = 5.0
    """For handshake and Hello together."""
    frame_s: float = 25.0
    """Until the next frame is here whole; answers to pings come more often."""
    room_s: float = 10.0
    """Until it has read enough for another message."""
    ping_s: float = 8.0
    """Between pings."""


class SecureStream:
    """Frames over one connection; `remote_id` is the key that the other side has proven."""

    def __init__(
        self,
        connection: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        greeting: Greeting,
        frames: tuple[FrameReader, FrameWriter],
        timeouts: Timeouts,
    ) -> None:
        self._reader, self._writer = connection
        self._opened, self._sealed = frames
        self._timeouts = timeouts
        self._turn = asyncio.Lock()
        if not self._writer.transport.is_closing():
            self._writer.transport.set_write_buffer_limits(high=ROOM_BYTES)
        self.remote_id = greeting.node_id
        self.bytes_in = 0
        self.bytes_out = 0

    async def read_frame(self, max_bytes: int) -> bytes:
        """Return the content of the next frame; raises `PeerGone` and `BadMessage`."""
        with _network_faults():
            async with asyncio.timeout(self._timeouts.frame_s):
                header = await self._reader.readexactly(HEADER_BYTES)
                size = self._opened.open_header(header)
                if not 0 < size <= max_bytes:
                    raise BadMessage(f"a frame of {size} bytes, at most {max_bytes}")
                body = await self._reader.readexactly(body_bytes(size))
        self.bytes_in += HEADER_BYTES + len(body)
        return self._opened.open_body(body, size)

    async def write(self, content: bytes) -> None:
        """Send a frame; waits for room, in turn with others; raises `PeerGone`."""
        with _network_faults():
            async with asyncio.timeout(self._timeouts.room_s), self._turn:
                await self._writer.drain()
                self._put(content)

    def try_write(self, content: bytes) -> bool:
        """Send a frame unless too much waits to be read; tell whether it was sent."""
        transport = self._writer.transport
        if transport.is_closing() or transport.get_write_buffer_size() > MOST_UNWRITTEN_BYTES:
            return False
        self._put(content)
        return True

    async def close(self) -> None:
        """Give the other side a second to read what was written, then let go."""
        with suppress(OSError):
            async with asyncio.timeout(GOODBYE_TIMEOUT_S):
                put_eof(self._writer)
                while await self._reader.read(READ_AHEAD_BYTES):
                    continue
        await release(self._writer)

    def _put(self, content: bytes) -> None:
        frame = self._sealed.seal(content)
        self.bytes_out += len(frame)
        put(self._writer, frame)


async def open_outbound(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    static: PrivateKey,
    remote_id: bytes,
    draw: Draw,
    timeouts: Timeouts,
) -> SecureStream:
    """Shake hands as the one who dialled; raises `BadMessage` or `PeerGone`."""
    hand = Hand.draw(static, draw)
    auth = make_auth(hand, remote_id, draw)
    with _network_faults():
        put(writer, auth)
        ack = await _read_packet(reader)
    remote = read_ack(static, remote_id, ack)
    secrets = derive_secrets(hand, remote, auth, ack, is_initiator=True)
    return SecureStream((reader, writer), remote, secrets.frames(), timeouts)


async def open_inbound(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    static: PrivateKey,
    draw: Draw,
    timeouts: Timeouts,
) -> SecureStream:
    """Shake hands as the one who was dialled; raises `BadMessage` or `PeerGone`."""
    with _network_faults():
        auth = await _read_packet(reader)
        remote = read_auth(static, auth)
        hand = Hand.draw(static, draw)
        ack = make_ack(hand, remote.node_id, draw)
        put(writer, ack)
    secrets = derive_secrets(hand, remote, auth, ack, is_initiator=False)
    return SecureStream((reader, writer), remote, secrets.frames(), timeouts)


async def release(writer: asyncio.StreamWriter) -> None:
    """Close a connection, at the latest within a second."""
    try:
        writer.close()
        async with asyncio.timeout(GOODBYE_TIMEOUT_S):
            await writer.wait_closed()
    except OSError:
        return  # gone already, or the other side does not read
    finally:
        writer.transport.abort()


async def _read_packet(reader: asyncio.StreamReader) -> bytes:
    size = await reader.readexactly(SIZE_BYTES)
    return size + await reader.readexactly(packet_rest(size))


@contextmanager
def _network_faults() -> Iterator[None]:
    """Say of what ends a connection that the peer is gone."""
    try:
        yield
    except TimeoutError:
        raise PeerGone(DisconnectReason.TIMED_OUT) from None
    except (OSError, asyncio.IncompleteReadError) as error:
        raise PeerGone(DisconnectReason.NETWORK_ERROR, str(error)) from error
