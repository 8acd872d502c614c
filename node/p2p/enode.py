"""Enode URLs: `enode://<128 hexadecimal digits>@<host>:<port>?discport=<port>`."""

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, urlsplit

from node.p2p.ecies import NODE_ID_BYTES, point_of
from node.p2p.faults import BadEnode, BadMessage

MAX_CHARACTERS = 512


@dataclass(frozen=True, slots=True)
class Enode:
    """Who a node is and where it listens; `host` is an IP address or a name."""

    node_id: bytes
    host: str
    port: int
    discovery_port: int | None = None
    """The UDP port, where it is another than the TCP port."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        query = "" if self.discovery_port is None else f"?discport={self.discovery_port}"
        return f"enode://{self.node_id.hex()}@{host}:{self.port}{query}"


def parse_enode(text: str) -> Enode:
    """Return what a URL says; raises `BadEnode`."""
    if len(text) > MAX_CHARACTERS:
        raise BadEnode(f"an enode URL of {len(text)} characters, at most {MAX_CHARACTERS}")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadEnode(f"{text!r} is not a URL: {error}") from error
    if parts.scheme != "enode":
        raise BadEnode(f"{text!r} does not start with enode://")
    if not parts.hostname or not port:
        raise BadEnode(f"{text!r} names no host and port")
    return Enode(_node_id(parts), parts.hostname, port, _discovery_port(parts))


def _node_id(parts: SplitResult) -> bytes:
    digits = parts.username or ""
    try:
        node_id = bytes.fromhex(digits)
        point_of(node_id)
    except (ValueError, BadMessage) as error:
        digit_count = 2 * NODE_ID_BYTES
        raise BadEnode(f"not a public key of {digit_count} digits: {digits!r}") from error
    return node_id


def _discovery_port(parts: SplitResult) -> int | None:
    values = parse_qs(parts.query, max_num_fields=8).get("discport", []) if parts.query else []
    if not values:
        return None
    if not values[0].isascii() or not values[0].isdigit() or int(values[0][:6]) > 65535:
        raise BadEnode(f"not a UDP port: {values[0]!r}")
    return int(values[0][:6])
