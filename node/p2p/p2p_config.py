"""What the network part of a node is told to do."""

from dataclasses import dataclass, field

from node.p2p.enode import Enode
from node.p2p.secure_stream import Timeouts

DEFAULT_PORT = 30303
DEFAULT_MAX_PEERS = 50


@dataclass(frozen=True, slots=True)
class P2pConfig:
    """Addresses, whom to know, and bounds.

    `dial_back_s` bounds the pause before a static peer is dialled again, so that a partition that
    ends is noticed soon. Bounds for one IP address do not hold on loopback unless
    `limit_loopback` says so: there, all peers have one address.
    """

    host: str = "0.0.0.0"
    port: int = DEFAULT_PORT
    advertised_host: str | None = None
    """What our own enode URL says, where it is another than `host`."""
    client: str = "cvm/0.1"
    static_peers: tuple[Enode, ...] = ()
    bootnodes: tuple[Enode, ...] = ()
    max_peers: int = DEFAULT_MAX_PEERS
    """Static peers do not count."""
    max_inbound: int = 34
    """Of those: the rest is for nodes that we chose."""
    max_handshakes: int = 64
    """Connections from outside that have not said Hello."""
    max_per_host: int = 8
    limit_loopback: bool = False
    dial_back_s: float = 2.0
    timeouts: Timeouts = field(default_factory=Timeouts)
