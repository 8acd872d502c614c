"""How this node's backend and the definition differ on one inference."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from cvm.inference.engine import NodeTrace


@dataclass(frozen=True, slots=True)
class NodeDifference:
    """The first node of a graph whose outputs differ: where it stands, and both hashes."""

    index: int
    name: str
    op_type: str
    reference: str
    ours: str


@dataclass(frozen=True, slots=True)
class Divergence:
    """A call that the backend answered otherwise than the definition.

    `node` is None where the backend, asked again, gives what the definition gives: the fault did
    not show twice.
    """

    backend: str
    model_id: bytes
    node: NodeDifference | None

    def fields(self) -> dict[str, object]:
        """Return what a log line says of it."""
        node = self.node
        where: dict[str, object] = {"node": "not seen again"}
        if node is not None:
            where = {
                "node": node.index,
                "name": node.name,
                "op_type": node.op_type,
                "reference": node.reference,
                "ours": node.ours,
            }
        return {"backend": self.backend, "model_id": f"0x{self.model_id.hex()}", **where}


def first_difference(
    reference: Sequence[NodeTrace], ours: Sequence[NodeTrace]
) -> NodeDifference | None:
    """Return the first node whose hash differs between two runs of one graph."""
    for index, (right, left) in enumerate(zip_longest(reference, ours)):
        if right == left:
            continue
        shown = right or left
        return NodeDifference(
            index,
            shown.name,
            shown.op_type,
            "none" if right is None else right.sha256,
            "none" if left is None else left.sha256,
        )
    return None
