"""The base protocol `p2p/5`: Hello, Disconnect, Ping and Pong, which need no capability."""

from dataclasses import dataclass

from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from cvm.evm.strict_rlp import BadRlp, Item, decode_rlp
from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.ecies import NODE_ID_BYTES
from node.p2p.faults import BadMessage

HELLO, DISCONNECT, PING, PONG = range(4)
BASE_LENGTH = 16
"""Codes that the base protocol keeps for itself; capabilities follow."""
BASE_VERSION = 5
"""The version since which messages are compressed; no older one is spoken."""
EMPTY = b"\xc0"
"""The payload of Ping and Pong."""

MAX_BASE_BYTES = 2048
"""Of a base message; nobody has proven anything when Hello comes."""
MAX_CLIENT_BYTES = 256
MAX_CAPABILITIES = 64
MAX_NAME_BYTES = 8


@dataclass(frozen=True, slots=True)
class Hello:
    """What each side says first: who it is and what it speaks, as (name, version)."""

    client: str
    capabilities: tuple[tuple[str, int], ...]
    listen_port: int
    node_id: bytes
    version: int = BASE_VERSION

    def encode(self) -> bytes:
        """Return the payload."""
        capabilities = b"".join(
            encode_list(encode_bytes(name.encode()) + encode_integer(version))
            for name, version in self.capabilities
        )
        fields = (
            encode_integer(self.version),
            encode_bytes(self.client.encode()),
            encode_list(capabilities),
            encode_integer(self.listen_port),
            encode_bytes(self.node_id),
        )
        return encode_list(b"".join(fields))

    @classmethod
    def decode(cls, data: bytes) -> "Hello":
        """Read a payload from outside; more fields may follow those; raises `BadMessage`."""
        fields = _decode_list(data, "Hello")
        if len(fields) < 5:
            raise BadMessage(f"Hello has {len(fields)} fields, at least 5")
        version, client, capabilities, listen_port, node_id = fields[:5]
        return cls(
            _client(_bytes(client, "the client's name", MAX_CLIENT_BYTES)),
            _capabilities(capabilities),
            int.from_bytes(_bytes(listen_port, "the port", 2), "big"),
            _bytes(node_id, "the node id", NODE_ID_BYTES),
            int.from_bytes(_bytes(version, "the version", 4), "big"),
        )


def encode_disconnect(reason: DisconnectReason) -> bytes:
    """Return the payload of Disconnect."""
    return encode_list(encode_integer(reason))


def decode_disconnect(data: bytes) -> DisconnectReason:
    """Read a Disconnect, in a list or bare as some clients send it; raises `BadMessage`.

    A reason that nobody knows counts as one of a capability.
    """
    try:
        item = decode_rlp(data)
    except (BadRlp, IndexError) as error:
        raise BadMessage(f"Disconnect is not RLP: {error}") from error
    if isinstance(item, list):
        item = item[0] if item else b""
    reason = int.from_bytes(_bytes(item, "the reason", 4), "big")
    known = {member.value for member in DisconnectReason}
    return DisconnectReason(reason) if reason in known else DisconnectReason.SUBPROTOCOL_ERROR


def _decode_list(data: bytes, name: str) -> list[Item]:
    try:
        item = decode_rlp(data)
    except (BadRlp, IndexError) as error:
        raise BadMessage(f"{name} is not RLP: {error}") from error
    if not isinstance(item, list):
        raise BadMessage(f"{name} is not a list")
    return item


def _bytes(item: Item, name: str, max_bytes: int) -> bytes:
    if not isinstance(item, bytes):
        raise BadMessage(f"{name} is a list")
    if len(item) > max_bytes:
        raise BadMessage(f"{name} has {len(item)} bytes, at most {max_bytes}")
    return item


def _client(name: bytes) -> str:
    """Return a name that can be printed and logged, whatever was sent."""
    text = name.decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _capabilities(item: Item) -> tuple[tuple[str, int], ...]:
    if not isinstance(item, list) or len(item) > MAX_CAPABILITIES:
        raise BadMessage(f"Hello names no list of up to {MAX_CAPABILITIES} capabilities")
    found = []
    for entry in item:
        if not isinstance(entry, list) or len(entry) < 2:
            raise BadMessage("a capability is not a name and a version")
        name = _bytes(entry[0], "a capability's name", MAX_NAME_BYTES)
        version = _bytes(entry[1], "a capability's version", 4)
        if not name.isascii():
            raise BadMessage("a capability's name is not ASCII")
        found.append((name.decode("ascii"), int.from_bytes(version, "big")))
    return tuple(found)
