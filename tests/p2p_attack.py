"""A session with an attacker who holds a key, in memory: real handshake, frames and channels.

What the attacker sends is all there before the session starts, and nothing that is sent to it goes
anywhere but into a buffer; so a session runs to its end without waiting for anything.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, Self, cast

from node.p2p.ecies import Draw, node_id_of
from node.p2p.faults import BadMessage, PeerGone, RequestTimedOut
from node.p2p.handshake import Hand, derive_secrets, make_auth, read_ack
from node.p2p.hello import HELLO, Hello
from node.p2p.multiplexing import join_code, share
from node.p2p.protocol import Capability, Channel, Handler, Message, Numbered, Rate
from node.p2p.secure_stream import SecureStream, Timeouts, open_inbound
from node.p2p.session import Remote, Session, greet
from tests.p2p_servers import key_of

VICTIM = key_of(1)
ATTACKER = key_of(2)
TURNS = 60
PATIENT = Timeouts(frame_s=60, ping_s=60)


class Nowhere(asyncio.Transport):
    """Takes what is written, and closes when it is told to."""

    def __init__(self, protocol: asyncio.StreamReaderProtocol) -> None:
        super().__init__()
        self._protocol = protocol
        self._is_closing = False
        self.written = bytearray()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Have no limits: nothing is kept waiting."""

    def get_write_buffer_size(self) -> int:
        return 0

    def can_write_eof(self) -> bool:
        return False

    def is_closing(self) -> bool:
        return self._is_closing

    def pause_reading(self) -> None:
        """Go on: everything is here already."""

    def resume_reading(self) -> None:
        """Go on: it never paused."""

    def close(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Question:
    """A request whose answer the attacker has sent already."""

    CODE: ClassVar[int] = 0
    MAX_LENGTH: ClassVar[int] = 0
    request_id: int = 7

    def encode(self) -> bytes:
        return b"\xc0"

    @classmethod
    def decode(cls, data: bytes) -> Self:
        raise BadMessage("nobody asks")


@dataclass
class Sink:
    """Takes the messages of a capability and does nothing with them; replies are waited for."""

    capability: Capability
    messages: Mapping[int, type[Message]]
    replies: frozenset[type[Message]]
    rates: Mapping[type[Message], Rate]
    taken: int = 0

    async def run(self, channel: Channel) -> None:
        for reply in self.replies:
            with suppress(RequestTimedOut):  # at once; what comes late is read none the less
                await channel.request(Question(), cast(type[Numbered], reply), 0)
        while True:
            await channel.receive()
            self.taken += 1


def open_streams(sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, Nowhere]:
    """Return a connection over which these bytes have come."""
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport = Nowhere(protocol)
    protocol.connection_made(transport)
    reader.feed_data(sent)
    loop = asyncio.get_running_loop()
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop), transport


@dataclass(frozen=True, slots=True)
class Attack:
    """What the attacker sends: contents of frames, and what happens to the bytes on their way."""

    hello: bytes
    contents: Sequence[bytes]
    spoil: Callable[[bytes], bytes] = bytes


async def attack(plan: Attack, handlers: Sequence[Handler], draw: Draw) -> PeerGone:
    """Let the attacker dial the victim, who runs these handlers; return how it ended."""
    hand = Hand.draw(ATTACKER, draw)
    auth = make_auth(hand, node_id_of(VICTIM), draw)
    reader, writer, transport = open_streams(auth)
    try:
        stream = await open_inbound(reader, writer, VICTIM, draw, PATIENT)
        ack = bytes(transport.written)
        remote = read_ack(ATTACKER, node_id_of(VICTIM), ack)
        secrets = derive_secrets(hand, remote, auth, ack, is_initiator=True)
        _, sealer = secrets.frames()
        frames = [sealer.seal(each) for each in (join_code(HELLO, plan.hello), *plan.contents)]
        reader.feed_data(plan.spoil(b"".join(frames)))
        end_soon(reader)
        return await _meet(stream, handlers)
    except PeerGone as gone:
        return gone
    finally:
        transport.abort()


def end_soon(reader: asyncio.StreamReader, turns: int = TURNS) -> None:
    """End what can be read, a few turns of the loop from now: time to take what has come."""
    if turns:
        asyncio.get_running_loop().call_soon(end_soon, reader, turns - 1)
    else:
        reader.feed_eof()


async def _meet(stream: SecureStream, handlers: Sequence[Handler]) -> PeerGone:
    """Be the victim once the handshake is done."""
    spoken = tuple((each.capability.name, each.capability.version) for each in handlers)
    theirs = await greet(stream, Hello("victim", spoken, 0, node_id_of(VICTIM)))
    shared = share(handlers, theirs.capabilities)
    remote = Remote(theirs, "127.0.0.1", 1, inbound=True)
    return await Session(stream, remote, shared, Forgiving(), PATIENT).run()


class Forgiving:
    """Counts no points: the attacker comes back as somebody else."""

    def penalised(self, session: Session, points: int, reason: str) -> None:
        """Forget it."""

    def failed(self, session: Session, fault: Exception) -> None:
        """Raise it: that is what attacks look for."""
        raise fault

    def ended(self, session: Session) -> None:
        """Forget it."""
