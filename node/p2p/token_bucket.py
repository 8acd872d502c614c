"""Token buckets: how often something may happen, with bursts."""

from node.p2p.protocol import Rate

DEFAULT_RATE = Rate(per_second=50, burst=500)
"""For a message class of which its capability says nothing."""


class TokenBucket:
    """Holds up to `rate.burst` tokens and gains `rate.per_second` of them; starts full.

    Time comes in with each call: seconds of a clock that never goes back.
    """

    __slots__ = ("_at_s", "_rate", "_tokens")

    def __init__(self, rate: Rate, now_s: float) -> None:
        self._rate = rate
        self._tokens = float(rate.burst)
        self._at_s = now_s

    def take(self, now_s: float, tokens: float = 1) -> bool:
        """Take tokens if there are so many; tell whether there were."""
        self._fill(now_s)
        if self._tokens < tokens:
            return False
        self._tokens -= tokens
        return True

    def owe(self, now_s: float, tokens: float) -> float:
        """Take tokens that there may not be yet; return the seconds until there are."""
        self._fill(now_s)
        self._tokens -= tokens
        return max(0.0, -self._tokens / self._rate.per_second)

    def _fill(self, now_s: float) -> None:
        gained = max(0.0, now_s - self._at_s) * self._rate.per_second
        self._tokens = min(float(self._rate.burst), self._tokens + gained)
        self._at_s = max(self._at_s, now_s)
