"""Where others see this node: a vote over what PONG messages say, one voice for each network."""

from collections import Counter

from node.p2p.discv5.bounded_cache import BoundedCache
from node.p2p.discv5.endpoint import Endpoint, is_local, subnet_of

VOTERS = 64
VOTE_LIFETIME_S = 600.0


class EndpointVote:
    """Counts where nodes say that our packets come from.

    A voter is a /24 or /64 network, so that one owner of many nodes has one voice; on a private
    network it is a node.
    """

    def __init__(self, votes_needed: int) -> None:
        self._votes_needed = votes_needed
        self._votes: BoundedCache[bytes, Endpoint] = BoundedCache(VOTERS, VOTE_LIFETIME_S)

    def cast(self, node_id: bytes, voter: Endpoint, seen: Endpoint, now_s: float) -> None:
        """Count what a node that we asked says; it replaces its earlier vote."""
        if seen.port == 0 or (is_local(seen.ip) and not is_local(voter.ip)):
            return
        self._votes.put(node_id if is_local(voter.ip) else subnet_of(voter.ip), seen, now_s)

    def winner(self, now_s: float) -> Endpoint | None:
        """Return the endpoint with enough votes, and more than half of them, or None."""
        votes = self._votes.values(now_s)
        if not votes:
            return None
        endpoint, count = Counter(votes).most_common(1)[0]
        wins = count >= self._votes_needed and 2 * count > len(votes)
        return endpoint if wins else None
