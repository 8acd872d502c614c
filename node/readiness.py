"""Whether this node can serve and vote, in one place for JSON-RPC, the log and the command line."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum, unique

TIP_BLOCKS = 1
"""So far behind its peers a node still counts as being at the tip: the block is on its way."""


@unique
class Phase(StrEnum):
    """What a node is doing."""

    SYNCING = "syncing"
    NOT_READY = "not ready"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class NodeReadiness:
    """One answer: the phase, the heights it follows from, and the ACTIVE models without bytes.

    `quarantined` is a backend that was found wrong: the node follows the chain and does not vote.
    `round` is consensus's at the height under way: above 0 where validators wait for others.
    """

    phase: Phase
    height: int
    highest: int
    missing_models: tuple[bytes, ...]
    quarantined: str | None = None
    round: int = 0

    def __str__(self) -> str:
        """Return `syncing`, `not ready (model X missing)` or `ready`."""
        if self.quarantined is not None and self.phase is not Phase.SYNCING:
            return f"{Phase.NOT_READY} (backend {self.quarantined} in quarantine)"
        if self.phase is not Phase.NOT_READY:
            return str(self.phase)
        first, others = self.missing_models[0], len(self.missing_models) - 1
        more = f" and {others} more" if others else ""
        return f"{self.phase} (model 0x{first.hex()}{more} missing)"


class Readiness:
    """Puts together what the chain, the peers and the model store say.

    `height` is the head's, `highest` the highest block that a peer claims, `missing` the ACTIVE
    models whose bytes are not here, `quarantined` the backend that was found wrong, `awaited` the
    models without which the next block cannot be executed.
    """

    def __init__(
        self,
        height: Callable[[], int],
        highest: Callable[[], int],
        missing: Callable[[], tuple[bytes, ...]],
        quarantined: Callable[[], str | None] = lambda: None,
        awaited: Callable[[], tuple[bytes, ...]] = lambda: (),
        round_number: Callable[[], int] = lambda: 0,
    ) -> None:
        self._height = height
        self._highest = highest
        self._missing = missing
        self._quarantined = quarantined
        self._awaited = awaited
        self._round_number = round_number

    def is_syncing(self) -> bool:
        """Tell whether the chain is far behind what peers have: asked for every transaction."""
        return self._highest() > self._height() + TIP_BLOCKS and not self._awaited()

    def now(self) -> NodeReadiness:
        """Return where the node stands."""
        height, awaited = self._height(), self._awaited()
        missing = tuple(dict.fromkeys((*awaited, *self._missing())))
        highest = max(height, self._highest())
        phase = Phase.READY
        if highest > height + TIP_BLOCKS and not awaited:
            phase = Phase.SYNCING
        elif missing or self._quarantined():
            phase = Phase.NOT_READY
        return NodeReadiness(
            phase, height, highest, missing, self._quarantined(), self._round_number()
        )
