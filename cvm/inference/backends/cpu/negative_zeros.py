"""Sums of a window without its padded taps, for outputs that padding may have turned from -0 to +0.

fma(w, +0, acc) is acc for every acc but -0, to which an accumulator can only underflow. Such an
output is folded again: what the window finds inside the input is gathered once, and the maps are
folded four by four, each in the order of the definition, so that four chains run side by side.
"""

import numpy as np

from cvm.inference.backends.cpu.scalar_operations import fma_f32
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel

MAPS = 4
"""Maps that are folded side by side."""


@kernel
def holds_smaller(values: Array, count: int, smallest: float) -> bool:
    """Say whether one of the first values is not zero and of a magnitude below `smallest`."""
    found = False
    for value in values[:count]:
        found |= value != 0 and -smallest < value < smallest
    return found


@kernel
def fold_maps(
    values: Array,
    places: Array,
    count: int,
    weights: Array,
    first: int,
    step: int,
    last: int,
    totals: Array,
) -> None:
    """Write the sums of `MAPS` maps, whose weights start `step` apart from `first`, at most `last`.

    Value i is multiplied by the weight `places[i]` after the start of a map.
    """
    t0 = t1 = t2 = t3 = np.float32(0)
    second = min(first + step, last)
    third, fourth = min(second + step, last), min(second + 2 * step, last)
    for i in range(count):
        value, place = values[i], places[i]
        t0 = fma_f32(value, weights[first + place], t0)
        t1 = fma_f32(value, weights[second + place], t1)
        t2 = fma_f32(value, weights[third + place], t2)
        t3 = fma_f32(value, weights[fourth + place], t3)
    totals[0], totals[1], totals[2], totals[3] = t0, t1, t2, t3
