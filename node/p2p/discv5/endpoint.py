"""Where a node is: an IP address and a port, and which addresses are worth believing."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple


class Endpoint(NamedTuple):
    """A UDP or TCP address, as sockets take it."""

    ip: str
    port: int

    def packed_ip(self) -> bytes:
        """Return the 4 or 16 bytes of the address."""
        return ip_address(self.ip).packed


def ip_text(packed: bytes) -> str:
    """Return the text of 4 or 16 bytes; raises ValueError for any other length."""
    if len(packed) == IPV4_BYTES:
        return str(IPv4Address(packed))
    if len(packed) == IPV6_BYTES:
        return str(IPv6Address(packed))
    raise ValueError(f"an IP address has 4 or 16 bytes, not {len(packed)}")


IPV4_BYTES, IPV6_BYTES = 4, 16
SUBNET_BYTES = {IPV4_BYTES: 3, IPV6_BYTES: 8}
"""What one owner has easily: a /24 of IPv4, a /64 of IPv6."""


def is_local(ip: str) -> bool:
    """Tell whether an address belongs to this machine or to a private network."""
    address = ip_address(ip)
    return address.is_loopback or address.is_private or address.is_link_local


def subnet_of(ip: str) -> bytes:
    """Return the /24 or /64 of an address: its owner, for every limit that counts addresses."""
    packed = ip_address(ip).packed
    return packed[: SUBNET_BYTES[len(packed)]]


def is_believable(claimed: Endpoint, sender: str) -> bool:
    """Tell whether a node at `sender` may send others to an address.

    Loopback is only known to loopback and a private network to its own members, so that nobody
    outside can point this node at machines inside.
    """
    address, source = ip_address(claimed.ip), ip_address(sender)
    if claimed.port == 0 or address.is_unspecified or address.is_multicast:
        return False
    if address.is_loopback:
        return source.is_loopback
    if address.is_reserved:
        return False
    return not is_local(claimed.ip) or is_local(sender)
