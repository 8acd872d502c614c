"""Who may have a session: bounds for addresses and peers, and which of two sessions stays."""

import ipaddress
from collections import Counter, OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.p2p_config import P2pConfig
from node.p2p.peer_book import PeerBook
from node.p2p.protocol import Rate
from node.p2p.session import Session
from node.p2p.token_bucket import TokenBucket

CONNECTION_RATE = Rate(per_second=2, burst=20)
"""Of connections from one IP address."""
MAX_HOSTS = 4096
SAME_DIAL_S = 15.0
"""Two sessions that opened within this time may be one dial from each side: longer than any
handshake can take."""


@dataclass(frozen=True, slots=True)
class Party:
    """A session that would open: with whom, from where, and who dialled."""

    node_id: bytes
    host: str
    inbound: bool


class ConnectionGate:
    """Bounds connections from outside before anything is read from them."""

    def __init__(self, config: P2pConfig) -> None:
        self._config = config
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()
        self._open: Counter[str] = Counter()

    def enter(self, host: str, now_s: float) -> bool:
        """Count a connection in, or tell that there are too many."""
        if self._open.total() >= self._config.max_handshakes:
            return False
        if is_limited(host, self._config):
            if self._open[host] >= self._config.max_per_host:
                return False
            if not self._bucket(host, now_s).take(now_s):
                return False
        self._open[host] += 1
        return True

    def leave(self, host: str) -> None:
        """Count a connection out: its handshake is over."""
        self._open[host] -= 1
        if self._open[host] <= 0:
            del self._open[host]

    @property
    def remembered(self) -> int:
        """Return of how many addresses the rate is known."""
        return len(self._buckets)

    def _bucket(self, host: str, now_s: float) -> TokenBucket:
        bucket = self._buckets.pop(host, None) or TokenBucket(CONNECTION_RATE, now_s)
        self._buckets[host] = bucket
        if len(self._buckets) > MAX_HOSTS:
            self._buckets.popitem(last=False)
        return bucket


@dataclass(frozen=True, slots=True)
class Admission:
    """The rules for a session whose Hello has come."""

    own_id: bytes
    config: P2pConfig
    book: PeerBook
    sessions: Mapping[bytes, Session]
    static_ids: Collection[bytes]

    def refusal(self, party: Party, now_s: float) -> DisconnectReason | None:
        """Return why a session may not open, None where it may.

        One that is open with the same node then has to end.
        """
        if party.node_id == self.own_id:
            return DisconnectReason.CONNECTED_TO_SELF
        if self.book.is_banned(party.node_id):
            return DisconnectReason.USELESS_PEER
        old = self.sessions.get(party.node_id)
        if old is not None:
            stays = stays_open(old, party, self.own_id, now_s - old.opened_at_s)
            return DisconnectReason.ALREADY_CONNECTED if stays else None
        if party.node_id in self.static_ids:
            return None
        return self._crowd(party)

    def _crowd(self, party: Party) -> DisconnectReason | None:
        others = [each for each in self.sessions.values() if each.node_id not in self.static_ids]
        inbound = [each for each in others if each.inbound]
        too_many = len(others) >= self.config.max_peers
        if party.inbound:
            here = sum(each.host == party.host for each in inbound)
            too_many |= len(inbound) >= self.config.max_inbound
            too_many |= is_limited(party.host, self.config) and here >= self.config.max_per_host
        return DisconnectReason.TOO_MANY_PEERS if too_many else None


def stays_open(old: Session, new: Party, own_id: bytes, old_age_s: float) -> bool:
    """Tell whether the older of two sessions with one node is the one to keep.

    When both sides dialled at once, both keep the session that the greater id dialled, in whatever
    order they see the two. Otherwise the other side dials because it has lost the older one.
    """
    if old.inbound != new.inbound and old_age_s < SAME_DIAL_S:
        return old.inbound == (new.node_id > own_id)
    return not new.inbound


def is_limited(host: str, config: P2pConfig) -> bool:
    """Tell whether bounds for one address hold for this one."""
    if config.limit_loopback:
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return True
    return not address.is_loopback
