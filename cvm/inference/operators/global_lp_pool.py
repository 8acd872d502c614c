"""GlobalLpPool: the p-norm of each channel."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import RUN, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.global_pooling import resolve_global_pooling
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.p_norm import (
    definition_passes,
    p_attribute,
    powers,
    root,
    transcendental_steps,
)
from cvm.inference.operators.reduction import ReductionParameters, output_type, sum_of
from cvm.inference.tensor_type import Array, TensorType


@dataclass(frozen=True, slots=True)
class GlobalLpPoolParameters(ReductionParameters):
    """The reduction of all spatial axes, and p."""

    p: int


def parse(view: NodeView) -> GlobalLpPoolParameters:
    """Check float32 x (n, c, spatial ...) with at least one spatial axis, and p."""
    shape = resolve_global_pooling(view)
    return GlobalLpPoolParameters(
        shape.dtype, shape.input_shape, shape.axes, shape.output_shape, p_attribute(view)
    )


def cost(
    parameters: GlobalLpPoolParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count a power and an addition for each input, and a root for each output."""
    size, count = outputs[0].size, parameters.count
    return Cost(
        elementwise=size * (16 * count + RUN // 4),
        nodes=definition_passes(parameters.p, count // 4),
        transcendental=size * (count + 1) * transcendental_steps(parameters.p),
    )


def global_lp_pool(parameters: GlobalLpPoolParameters, x: Array) -> tuple[Array, ...]:
    """Return GlobalLpPool-2: (sum of |x|**p)**(1/p) over the spatial axes, as (n, c, 1 ...).

    Powers and roots are those of `p_norm`, each rounded once; the sum is ordered: the elements
    of a channel row-major, in chunks of 256.
    """
    with np.errstate(all="ignore"):
        total = sum_of(parameters, powers(x, parameters.p))
        return (root(total, parameters.p),)


GLOBAL_LP_POOL = OpSpec(
    "GlobalLpPool", 2, frozenset({"p"}), parse, output_type, cost, global_lp_pool
)
