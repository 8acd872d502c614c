"""LpPool with p of 1 or 2: powers, their sums under each window, and the root."""

import numpy as np

from cvm.inference.backends.cpu import definition
from cvm.inference.backends.cpu.im2col import MAX_SPATIAL_RANK, window_of
from cvm.inference.backends.cpu.pooling import average_pool
from cvm.inference.backends.cpu.reduction_kernels import square_roots
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.operators.lp_pool import LpPoolParameters
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel


@kernel
def powers(x: Array, p: int, y: Array) -> None:
    """Write |x| for p of 1, x * x for p of 2."""
    if p == 1:
        for i in range(len(x)):
            value = x[i]
            y[i] = -value if value < 0 else value
    else:
        for i in range(len(x)):
            y[i] = x[i] * x[i]


def build(builder: StepBuilder) -> None:
    """Plan an LpPool over one or two spatial axes; a p above 2 runs by the definition.

    The sum of a window is an average whose divisor is 1, which changes no bit.
    """
    parameters: LpPoolParameters = builder.node.parameters
    if parameters.p > 2 or len(parameters.kernel_shape) > MAX_SPATIAL_RANK:
        definition.build(builder)
        return
    x, y = flat(builder.operand(0)), flat(builder.results[0])
    window = window_of(parameters, parameters.input_shape[2:])
    raised = builder.scratch("float32", x.size)
    builder.add(powers, x, parameters.p, raised)
    planes = parameters.input_shape[0] * parameters.input_shape[1]
    ones = np.ones(window.out_height * window.out_width, np.float32)
    partial = builder.scratch("float32", window.out_width)
    builder.add(average_pool, raised, planes, window, ones, partial, y)
    if parameters.p == 2:
        builder.add(square_roots, y)
