"""LpPool: the p-norm of the elements under a sliding window."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import RUN, SERIAL, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.p_norm import (
    definition_passes,
    p_attribute,
    powers,
    root,
    transcendental_steps,
)
from cvm.inference.operators.pooling import (
    POOLING_ATTRIBUTES,
    PoolingShape,
    output_type,
    resolve_pooling,
)
from cvm.inference.operators.window_sum import window_sum
from cvm.inference.tensor_type import Array, TensorType


@dataclass(frozen=True, slots=True)
class LpPoolParameters(PoolingShape):
    """A resolved pooling window, and p."""

    p: int


def parse(view: NodeView) -> LpPoolParameters:
    """Check float32 x (n, c, *spatial) of 1 to 3 spatial axes, the window and p."""
    shape = resolve_pooling(view, ("float32",))
    return LpPoolParameters(
        shape.kernel_shape,
        shape.strides,
        shape.pads,
        shape.dilations,
        shape.output_shape,
        shape.dtype,
        shape.input_shape,
        shape.full_output_shape,
        p_attribute(view),
    )


def cost(parameters: LpPoolParameters, view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count a power for each input, an addition for each tap, and a root for each output."""
    size, x = outputs[0].size, view.types[0]
    taps = parameters.taps_per_output
    inputs = 0 if x is None else x.size
    return Cost(
        elementwise=inputs
        + 3 * SERIAL // 2 * size * (taps + 2)
        + RUN // 4 * parameters.window_runs,
        nodes=1 + definition_passes(parameters.p, 2 * taps),
        transcendental=(inputs + size) * transcendental_steps(parameters.p),
    )


def lp_pool(parameters: LpPoolParameters, x: Array) -> tuple[Array, ...]:
    """Return LpPool-18 of float32 x (n, c, *spatial): (sum of |x|**p)**(1/p) under each window.

    Powers and roots are those of `p_norm`, the sum is that of `window_sum`; each step rounds
    once. Padding adds nothing.
    """
    with np.errstate(all="ignore"):
        total = window_sum(parameters, powers(x, parameters.p))
        return (root(total, parameters.p),)


LP_POOL = OpSpec("LpPool", 18, POOLING_ATTRIBUTES | {"p"}, parse, output_type, cost, lp_pool)
