"""Why a message changes nothing, and whether that is anybody's fault.

* Refusal
  - BadMessage   the bytes, a signature or a justification break a rule: score the peer down
  - Superfluous  late, early or known already: no fault
"""


class Refusal(Exception):
    """A message changes nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadMessage(Refusal):
    """Bytes from outside are not a message of consensus, or one that no honest node passes on."""


class Superfluous(Refusal):
    """An honest node may have sent it, and it comes to nothing here."""
