"""What ScatterND and ScatterElements share: constant places, none of which is named twice."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import string_attribute
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.unchanged_type import UnchangedType
from cvm.inference.tensor_type import Array

MAX_UNSORTED = 2**14
"""Places that may stand in any order; more of them must ascend, so that checking them is quick."""


@dataclass(frozen=True, slots=True)
class ScatterParameters(UnchangedType):
    """The data's type, the axis (ScatterElements), and the size of what one place takes."""

    axis: int
    slice_size: int


def require_no_reduction(view: NodeView) -> None:
    """Refuse a reduction: updates that meet would be added up in some order."""
    reduction = string_attribute(view, "reduction", "none")
    if reduction != "none":
        raise refusal(view, "attribute value", f"reduction must be none, found {reduction!r:.80}")


def normalised_places(view: NodeView, indices: Array, length: int) -> Array:
    """Return constant indices of one axis counted from the front; refuse those outside."""
    wide = indices.astype(np.int64)
    outside = (wide < -length) | (wide >= length)
    if outside.any():
        raise refusal(
            view,
            "operand value",
            f"index {int(wide[outside][0])} outside [{-length}, {length - 1}]",
        )
    return np.asarray(np.where(wide < 0, wide + length, wide))


def require_distinct(view: NodeView, places: Array) -> None:
    """Refuse places of which two are one, and more than `MAX_UNSORTED` that do not ascend."""
    if (places[1:] > places[:-1]).all():
        return
    if places.size > MAX_UNSORTED:
        raise refusal(
            view,
            "operand value",
            f"{places.size} indices must name ascending places; up to {MAX_UNSORTED} may not",
        )
    if np.unique(places).size != places.size:
        raise refusal(view, "operand value", "two indices name one place")
