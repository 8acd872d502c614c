"""What a capability (`eth/68`, `cvm/1`) is to the network, and what the network is to it.

A capability lists its message classes and runs once for each peer that shares it. It sees a
`Channel`: typed messages of that one capability, to and from that one peer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self, TypeVar

from node.p2p.disconnect_reason import DisconnectReason


class Message(Protocol):
    """One message of a capability; a frozen value."""

    CODE: ClassVar[int]
    """Within its capability, from 0."""
    MAX_LENGTH: ClassVar[int]
    """Bytes of the longest payload, checked before it is decompressed."""

    def encode(self) -> bytes:
        """Return the payload, without its code."""

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a payload from outside; raises only `BadMessage`."""


class Numbered(Message, Protocol):
    """A request or a reply: its first RLP item is the number that joins the two (as in eth/66)."""

    @property
    def request_id(self) -> int:
        """Return the number that a reply repeats."""


Reply = TypeVar("Reply", bound=Numbered)


@dataclass(frozen=True, slots=True, order=True)
class Capability:
    """What two peers may share: `length` is how many message codes it takes."""

    name: str
    version: int
    length: int


@dataclass(frozen=True, slots=True)
class Rate:
    """How often a peer may send messages of one class: bursts, and a rate in the long run.

    With `bytes_per_message` a message counts once more for every so many bytes that it has.
    """

    per_second: float
    burst: int
    bytes_per_message: int | None = None


class Peer(Protocol):
    """The other end of a session; its capabilities share it."""

    @property
    def node_id(self) -> bytes:
        """Return its public key: 64 bytes, proven in the handshake."""

    @property
    def host(self) -> str:
        """Return the IP address that the session runs to."""

    @property
    def port(self) -> int:
        """Return the TCP port at its end of the session."""

    @property
    def client(self) -> str:
        """Return what it calls itself; at most 256 printable characters."""

    @property
    def inbound(self) -> bool:
        """Tell whether it dialled us."""

    def penalise(self, points: int, reason: str) -> None:
        """Score it down; at 100 points the session ends and the peer is banned for a while."""

    def disconnect(self, reason: DisconnectReason) -> None:
        """End the session with this reason; returns at once, and may be called again."""


class Channel(Protocol):
    """The messages of one capability to and from one peer.

    Whatever waits here ends with `PeerGone` when the session ends, and a silent peer ends it.
    """

    @property
    def peer(self) -> Peer:
        """Return who is at the other end."""

    @property
    def capability(self) -> Capability:
        """Return which version the two share."""

    @property
    def is_open(self) -> bool:
        """Tell whether the session goes on."""

    async def send(self, message: Message) -> None:
        """Send; waits (for seconds at most) while the peer reads slower than we write."""

    def try_send(self, message: Message) -> bool:
        """Send without waiting, or tell that the peer has too much to read or is gone."""

    async def receive(self) -> Message:
        """Return the next message that is not a reply."""

    def next_request_id(self) -> int:
        """Return a number that no request of this channel has had."""

    async def request(self, message: Numbered, reply: type[Reply], timeout_s: float) -> Reply:
        """Send, and return the reply with the same number; raises `RequestTimedOut`."""


class Handler(Protocol):
    """One version of a capability, as this node speaks it."""

    @property
    def capability(self) -> Capability:
        """Return name, version and number of codes.

        Of several versions of one name, the highest that is shared runs.
        """

    @property
    def messages(self) -> Mapping[int, type[Message]]:
        """Return the message classes by code; another code is a breach of protocol."""

    @property
    def replies(self) -> frozenset[type[Message]]:
        """Return the classes that only answer requests: they go to `request`, not to `receive`.

        One that nobody asked for costs its sender points and is not read.
        """

    @property
    def rates(self) -> Mapping[type[Message], Rate]:
        """Return bounds on classes that are not replies; what exceeds one is dropped, with points.

        A class without an entry has `token_bucket.DEFAULT_RATE`.
        """

    async def run(self, channel: Channel) -> None:
        """Talk to one peer until it is gone; whichever way this ends, the session ends.

        Returning is a polite end, `PeerGone` one that needs no more words, and `BadMessage`
        scores the peer down. A `LocalFault` stops the node; anything else is written to the log
        as a fault of ours, and ends the session.
        """


class Network(Protocol):
    """What the rest of the node asks of the server: who is there, and dial somebody."""

    @property
    def enode(self) -> str:
        """Return this node's own enode URL."""

    def peers(self) -> tuple[Peer, ...]:
        """Return the peers whose sessions are open, by node id."""

    async def connect(self, enode: str) -> Peer:
        """Dial a node once, and return it when its session is open.

        It may end at once, with the other side's reason: that has no room for us, say. Raises
        `PeerGone` where no session opens, and `BadEnode`.
        """

    def add_candidate(self, enode: str) -> None:
        """Note a node that may be dialled when there is room for it; raises `BadEnode`."""

    def add_static(self, enode: str) -> None:
        """Keep a session with this node from now on; raises `BadEnode`."""

    async def run(self) -> None:
        """Listen, dial and talk until cancelled."""
