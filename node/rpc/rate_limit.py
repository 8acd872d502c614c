"""How much one address may ask: a bucket of tokens each, refilled steadily (a token bucket)."""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from node.rpc.faults import RateLimited

MAX_ADDRESSES = 16_384
"""Addresses that are remembered; who was away longest is forgotten: its bucket is full again."""

BURST_S = 5
"""A full bucket holds what so many seconds bring."""

IPV6_PREFIX = 64
"""One customer has at least so much of the IPv6 space (RFC 6177), and so one bucket."""


@dataclass(slots=True)
class Bucket:
    """The tokens of one address, as they were at a time."""

    tokens: float
    at_s: float


class RateLimit:
    """The buckets of a node; a request costs a token, a batch as many as it has requests."""

    def __init__(self, per_second: int, clock_s: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = per_second * BURST_S
        self._clock_s = clock_s
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, client: str, count: int) -> None:
        """Take tokens of a client; raises `RateLimited` where it has too few.

        A batch of more than a whole bucket takes a full one.
        """
        now_s, cost = self._clock_s(), min(count, self._burst)
        bucket = self._buckets.pop(client, None) or Bucket(self._burst, now_s)
        refilled = bucket.tokens + (now_s - bucket.at_s) * self._per_second
        bucket.tokens, bucket.at_s = min(self._burst, refilled), now_s
        self._buckets[client] = bucket
        if len(self._buckets) > MAX_ADDRESSES:
            self._buckets.popitem(last=False)
        if bucket.tokens < cost:
            raise RateLimited(self._per_second)
        bucket.tokens -= cost


@dataclass(frozen=True, slots=True)
class Meter:
    """What one connection may ask; nothing is counted where it is exempt.

    `asker` is who its executions are fair to: its address, or itself where that is this machine's.
    """

    limit: RateLimit | None = None
    client: str | None = None
    asker: str = ""

    def take(self, count: int = 1) -> None:
        """Count requests; raises `RateLimited`."""
        if self.limit is not None and self.client is not None:
            self.limit.take(self.client, count)


NOT_COUNTED = Meter()


def client_of(peer: object) -> str | None:
    """Return the client behind a socket's peer name, None for this machine, which is exempt."""
    host = peer[0] if isinstance(peer, tuple) and peer else None
    if not isinstance(host, str):
        return None
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            network = ipaddress.ip_network((address, IPV6_PREFIX), strict=False)
            return None if address.is_loopback else str(network)
        address = address.ipv4_mapped
    return None if address.is_loopback else str(address)
