"""Softmax along one axis."""

from math import prod

import numpy as np

from cvm.inference.backends.cpu.compilation import kernel
from cvm.inference.backends.cpu.scalar_operations import larger
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.backends.cpu.transcendental import exp32
from cvm.inference.exact.ordered_sum import CHUNK
from cvm.inference.operators.softmax import SoftmaxParameters
from cvm.inference.tensor_type import Array


@kernel
def softmax(x: Array, outer: int, length: int, inner: int, y: Array) -> None:
    """Equal `operators.softmax` along the middle axis of (outer, length, inner)."""
    for slice_number in range(outer * inner):
        first = slice_number // inner * length * inner + slice_number % inner
        greatest = x[first]
        for i in range(1, length):
            greatest = larger(greatest, x[first + i * inner])
        total = np.float32(0)
        for i in range(length):
            y[first + i * inner] = exp32(x[first + i * inner] - greatest)
        for start in range(0, length, CHUNK):
            partial = np.float32(0)
            for i in range(start, min(start + CHUNK, length)):
                partial += y[first + i * inner]
            total += partial
        for i in range(length):
            y[first + i * inner] /= total


def build(builder: StepBuilder) -> None:
    """Plan a Softmax."""
    parameters: SoftmaxParameters = builder.node.parameters
    shape, axis = parameters.shape, parameters.axis
    extents = (prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :]))
    builder.add(softmax, flat(builder.operand(0)), *extents, flat(builder.results[0]))
