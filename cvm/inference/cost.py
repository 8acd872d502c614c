"""What a graph costs, in units that no machine decides: the cost vector of PROTOCOL section 3."""

from dataclasses import astuple, dataclass

SERIAL = 32
"""Vector steps that one step counts as in a loop that takes elements one after the other."""

RUN = 32 * SERIAL
"""Vector steps that a run of an inner loop counts as, however short: a row, a fold, a tile."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Eight counts for one item; the order is that of the on-chain record.

    `elementwise` counts steps that run in whole vectors, `SERIAL` of them for one that does not.
    `nodes` counts the passes that nodes make over their values.
    """

    float32_macs: int = 0
    int8_macs: int = 0
    elementwise: int = 0
    transcendental: int = 0
    bytes_moved: int = 0
    nodes: int = 0
    weight_bytes: int = 0
    peak_bytes: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        """Add counts; the peak is the larger of the two."""
        return Cost(
            self.float32_macs + other.float32_macs,
            self.int8_macs + other.int8_macs,
            self.elementwise + other.elementwise,
            self.transcendental + other.transcendental,
            self.bytes_moved + other.bytes_moved,
            self.nodes + other.nodes,
            self.weight_bytes + other.weight_bytes,
            max(self.peak_bytes, other.peak_bytes),
        )

    @property
    def macs(self) -> int:
        """Return multiply-accumulates of both kinds."""
        return self.float32_macs + self.int8_macs

    def vector(self) -> tuple[int, ...]:
        """Return the eight counts in record order."""
        return astuple(self)
