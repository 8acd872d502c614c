"""Tells the operator of a validator's key when it begins to vote, and when it ends."""

import structlog

from node.chain import Chain

log = structlog.get_logger(__name__)


class SeatLog:
    """Compares the validators of the next block with the node's own key, after each block."""

    def __init__(self, chain: Chain, address: bytes) -> None:
        self._chain = chain
        self._address = address
        self._has_seat: bool | None = None

    def look(self) -> None:
        """Say in the log whether the key votes, once, and then whenever that changes."""
        height = self._chain.head.block_number + 1
        had, has = self._has_seat, self._address in self._chain.validators_at(height)
        self._has_seat = has
        facts = {"validator": f"0x{self._address.hex()}", "height": height}
        if has and not had:
            log.info("this key votes", **facts)
        elif had and not has:
            log.warning("this key votes no more", **facts)
        elif had is None:
            log.info("this key has no vote yet", **facts, reason="it is no validator's")
