"""What is wrong with bytes that claim to be a message of consensus.

* BadMessage - the bytes, or their signature, break a rule: score the peer down
"""


class BadMessage(Exception):
    """Bytes from outside are not a message of consensus."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"bad consensus message: {reason}")
        self.reason = reason
