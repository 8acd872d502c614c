"""What ends a wait or a session with a peer, grouped by what the catcher does.

* BadMessage       - the peer's bytes break a rule: score it down and disconnect
* PeerGone         - the session is over, whoever ended it: stop using the channel
* RequestTimedOut  - no answer in time; the session goes on
* BadEnode         - text that should name a node does not
"""

from node.p2p.disconnect_reason import DisconnectReason


class BadMessage(Exception):
    """The bytes of a peer are not a message that the protocol allows here."""


class BadEnode(ValueError):
    """The text is not an enode URL."""


class PeerGone(Exception):
    """The session with a peer is over."""

    def __init__(self, reason: DisconnectReason, detail: str = "") -> None:
        super().__init__(f"{reason.name.lower()}: {detail}" if detail else reason.name.lower())
        self.reason = reason
        self.detail = detail


class RequestTimedOut(Exception):
    """A peer did not answer a request in time."""

    def __init__(self, request: str, timeout_s: float) -> None:
        super().__init__(f"no answer to {request} within {timeout_s} s")
        self.timeout_s = timeout_s
