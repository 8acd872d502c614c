"""LRN: sums of squares over neighbouring channels, position by position, and their power."""

from math import prod

import numpy as np

from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.backends.cpu.transcendental import pow32
from cvm.inference.exact.ordered_sum import CHUNK
from cvm.inference.operators.lrn import LrnParameters
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel

BLOCK = 1024
"""Positions that are summed side by side, so that their sums stay in the first cache."""


@kernel
def local_response(
    x: Array,
    images: int,
    channels: int,
    spatial: int,
    before: int,
    after: int,
    factor: np.float32,
    beta: np.float32,
    bias: np.float32,
    partial: Array,
    total: Array,
    y: Array,
) -> None:
    """Equal `operators.lrn`; `partial` and `total` hold `BLOCK` elements each."""
    for plane in range(images * channels):
        image, channel = plane // channels, plane % channels
        first, last = max(0, channel - before), min(channels, channel + after + 1)
        for start in range(0, spatial, BLOCK):
            width = min(BLOCK, spatial - start)
            for j in range(width):
                total[j] = np.float32(0)
            for chunk in range(first, last, CHUNK):
                for j in range(width):
                    partial[j] = np.float32(0)
                for neighbour in range(chunk, min(chunk + CHUNK, last)):
                    at = (image * channels + neighbour) * spatial + start
                    for j in range(width):
                        partial[j] += x[at + j] * x[at + j]
                for j in range(width):
                    total[j] += partial[j]
            at = plane * spatial + start
            for j in range(width):
                y[at + j] = x[at + j] / pow32(bias + factor * total[j], beta)


def build(builder: StepBuilder) -> None:
    """Plan an LRN."""
    parameters: LrnParameters = builder.node.parameters
    images, channels = parameters.shape[:2]
    builder.add(
        local_response,
        flat(builder.operand(0)),
        images,
        channels,
        prod(parameters.shape[2:]),
        min(parameters.before, channels),
        min(parameters.after, channels),
        parameters.factor,
        parameters.beta,
        parameters.bias,
        builder.scratch("float32", BLOCK),
        builder.scratch("float32", BLOCK),
        flat(builder.results[0]),
    )
