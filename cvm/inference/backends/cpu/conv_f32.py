"""float32 Conv: packed weights times implicit im2col panels, in the definition's order."""

from collections.abc import Callable
from functools import cache

import numpy as np

from cvm.inference.backends.cpu.feature_level import FeatureLevel
from cvm.inference.backends.cpu.im2col import (
    Planes,
)
from cvm.inference.backends.cpu.micro_kernel_f32 import dot_tile_f32
from cvm.inference.backends.cpu.step_builder import StepBuilder
from cvm.inference.backends.cpu.vector_copy import copy_words
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel

NO_BIAS = np.float32(-0.0)
"""Adding -0 changes no bit of any value, where adding +0 would turn -0 into +0."""

EXACT_PRODUCT = 2.0**-100
"""Products of float32 at least this large are whole multiples of the least subnormal, so that a
sum of them can only be an exact zero, which is +0."""


@cache
def conv_f32(level: FeatureLevel) -> Callable[..., None]:
    """Return the kernel that equals `operators.conv` for float32 at a feature level."""
    lanes, vectors, rows, width = level.lanes, level.vectors, level.rows, level.width

    @kernel
    def convolve(
        x: Array,
        taps: Array,
        planes: Planes,
        weights: Array,
        bias: Array,
        groups: int,
        group_size: int,
        images: int,
        maps: int,
        panel: Array,
        tile: Array,
        y: Array,
    ) -> None:
        depth = len(taps)
        columns = planes.out_height * planes.out_width
        padded_maps = (maps + rows - 1) // rows * rows
        for item in range(images * groups):
            group = item % groups
            for first in range(0, columns, width):
                count = min(width, columns - first)
                out_row, out_column = first // planes.out_width, first % planes.out_width
                for k in range(depth):
                    start = item * group_size + taps[k] + out_row * planes.out_row
                    run = min(planes.out_width - out_column, count)
                    copy_words(lanes, x, start + out_column, panel, k * width, run)
                    while run < count:
                        start += planes.out_row
                        more = min(planes.out_width, count - run)
                        copy_words(lanes, x, start, panel, k * width + run, more)
                        run += more
                for row in range(0, maps, rows):
                    a = (group * padded_maps + row) * depth
                    b = group * padded_maps + row
                    out = (item * maps + row) * columns + first
                    if count == width and row + rows <= maps:
                        dot_tile_f32(
                            lanes, vectors, rows, width,
                            weights, a, panel, 0, bias, b, y, out, columns, depth,
                        )  # fmt: skip
                        continue
                    if count <= lanes:
                        dot_tile_f32(
                            lanes, 1, rows, width,
                            weights, a, panel, 0, bias, b, tile, 0, width, depth,
                        )  # fmt: skip
                    else:
                        dot_tile_f32(
                            lanes, vectors, rows, width,
                            weights, a, panel, 0, bias, b, tile, 0, width, depth,
                        )  # fmt: skip
                    for r in range(min(rows, maps - row)):
                        for j in range(count):
                            y[out + r * columns + j] = tile[r * width + j]

    return convolve


@kernel
def has_smaller(x: Array, smallest: float) -> bool:
    """Say whether x holds a value that is not zero and of a magnitude below `smallest`."""
    found = False
    for value in x:
        found |= value != 0 and -smallest < value < smallest
    return found


def may_lack_bias(builder: StepBuilder) -> bool:
    """Say whether a bias may be -0 in some run, which is what an absent one counts as."""
    bias = builder.constant(2)
    return bias is None or bool((bias.view(np.int32) == NO_BIAS.view(np.int32)).any())


def padded_bias(builder: StepBuilder, groups: int, maps: int) -> Array:
    """Return the bias (groups, maps up to whole panels), -0 where there is none.

    A bias that is no constant is copied there in every run.
    """
    rows = builder.level.rows
    bias = np.full((groups, -(-maps // rows) * rows), NO_BIAS, np.float32)
    operand = builder.optional(2)
    if builder.constant(2) is not None:
        bias[:, :maps] = np.asarray(builder.constant(2)).reshape(groups, maps)
    elif operand is not None:
        builder.add(np.copyto, bias[:, :maps], operand.reshape(groups, maps))
    return bias
