"""How much of this node's time senders may take: a token bucket for each, and one for all."""

from node.p2p.discv5.bounded_cache import BoundedCache
from node.p2p.discv5.endpoint import Endpoint, is_local
from node.p2p.protocol import Rate
from node.p2p.token_bucket import TokenBucket

PER_SOURCE = Rate(per_second=100, burst=400)
IN_ALL = Rate(per_second=2_000, burst=4_000)
"""About a tenth of one core: 2,000 messages of 0.06 ms, or 166 handshakes of 0.5 ms, a second."""

SOURCES = 4_096
SOURCE_LIFETIME_S = 60.0
PACKET_COST, CHALLENGE_COST, HANDSHAKE_COST = 1, 2, 8
"""Unmasking; an answer to somebody unproven; two signatures and a key agreement."""


class Allowance:
    """Decides before any work whether a datagram is worth it.

    A source is an IP address, on this machine or a private network an address with its port. A
    challenge is answered with as many bytes as it takes to provoke one, and these buckets bound
    how many a victim gets whose address somebody forges.
    """

    def __init__(self) -> None:
        self._sources: BoundedCache[Endpoint, TokenBucket] = BoundedCache(
            SOURCES, SOURCE_LIFETIME_S
        )
        self._all = TokenBucket(IN_ALL, 0.0)

    def take(self, source: Endpoint, cost: int, now_s: float, *, is_awaited: bool = False) -> bool:
        """Take tokens; an awaited source is not held up by what all others do."""
        key = source if is_local(source.ip) else Endpoint(source.ip, 0)
        bucket = self._sources.get(key, now_s)
        if bucket is None:
            bucket = TokenBucket(PER_SOURCE, now_s)
            self._sources.put(key, bucket, now_s)
        if not bucket.take(now_s, cost):
            return False
        return self._all.take(now_s, cost) or is_awaited
