"""What discovery is told to do: one frozen value."""

from dataclasses import dataclass, field

from node.p2p.discv5.chain_entries import ChainIdentity, Target, target_of, target_of_enode
from node.p2p.discv5.endpoint import Endpoint
from node.p2p.discv5.enr import TEXT_PREFIX, BadRecord, parse_record
from node.p2p.enode import parse_enode
from node.p2p.faults import BadEnode


@dataclass(frozen=True, slots=True)
class Timing:
    """How often, and how long: seconds, unless the name says otherwise."""

    request_timeout_s: float = 1.0
    attempts: int = 2
    lookup_interval_s: float = 30.0
    hungry_lookup_interval_s: float = 3.0
    """While the table is small."""
    lookup_timeout_s: float = 30.0
    check_interval_s: float = 5.0
    fresh_s: float = 60.0
    """A node that answered since then is not asked again whether it is there."""
    announce_again_s: float = 300.0


@dataclass(frozen=True, slots=True)
class DiscoveryConfig:
    """Where to listen, what to say of ourselves, and whom to ask first.

    `tcp_port` is RLPx's, 0 for none. Without `advertise_ip` this node says that it is at
    `bind_host`, if that is one address, and otherwise where `votes_needed` others see it.
    """

    chain: ChainIdentity
    bind_host: str = "0.0.0.0"
    udp_port: int = 30303
    tcp_port: int = 30303
    advertise_ip: str | None = None
    bootnodes: tuple[Target, ...] = ()
    votes_needed: int = 3
    timing: Timing = field(default_factory=Timing)

    def fixed_endpoint(self, bound: Endpoint) -> Endpoint | None:
        """Return the UDP endpoint to announce whatever others see, or None."""
        if self.advertise_ip is not None:
            return Endpoint(self.advertise_ip, bound.port)
        return None if self.bind_host in UNSPECIFIED else bound


UNSPECIFIED = ("0.0.0.0", "::")


def parse_bootnode(text: str) -> Target:
    """Read a bootnode: `enr:...` or `enode://...`; raises `BadEnode`."""
    if not text.startswith(TEXT_PREFIX):
        return target_of_enode(parse_enode(text))
    try:
        target = target_of(parse_record(text))
    except BadRecord as error:
        raise BadEnode(f"{text!r} is no bootnode: {error}") from error
    if target is None:
        raise BadEnode("the record of a bootnode names no address")
    return target
