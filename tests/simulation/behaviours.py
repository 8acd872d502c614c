"""The table of byzantine behaviours."""

from collections.abc import Callable, Sequence

from tests.simulation.byzantine import Behaviour
from tests.simulation.equivocation import Equivocate, Silent, VoteForAll, Withhold
from tests.simulation.forgery import BadBlocks, Forge
from tests.simulation.noise import Future, Garbage, Replay

TWO_FACED = "two-faced"
"""Not a behaviour of packets: colluders run one correct validator for each side (`collusion`)."""

BEHAVIOURS: dict[str, Callable[[], Behaviour]] = {
    "equivocate": Equivocate,
    "withhold": Withhold,
    "silent": Silent,
    "garbage": Garbage,
    "replay": Replay,
    "future": Future,
    "forge": Forge,
    "bad-blocks": BadBlocks,
    "vote-for-all": VoteForAll,
}

EVERY_BEHAVIOUR = (*BEHAVIOURS, TWO_FACED)


def make_behaviours(names: Sequence[str]) -> list[Behaviour]:
    """Return new behaviours of these names, in order."""
    return [BEHAVIOURS[name]() for name in names if name != TWO_FACED]
