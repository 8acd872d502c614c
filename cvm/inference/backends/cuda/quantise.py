"""QuantizeLinear and DequantizeLinear as launches of `kernels/quantise.cu`."""

from math import prod

import numpy as np

from cvm.inference.backends.cuda.device import Kernel
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder, Word
from cvm.inference.operators.axis_scale import AxisScale
from cvm.inference.operators.dequantize_linear import DequantizeLinearParameters
from cvm.inference.operators.quantisation import LIMITS
from cvm.inference.operators.quantize_linear import QuantizeLinearParameters


def build_quantize(builder: LaunchBuilder) -> None:
    """Launch QuantizeLinear-21."""
    parameters: QuantizeLinearParameters = builder.node.parameters
    words = (*_scale_words(builder, parameters), *LIMITS[parameters.dtype])
    builder.add_over(Kernel("quantise", "quantise"), builder.result_type().size, words)


def build_dequantize(builder: LaunchBuilder) -> None:
    """Launch DequantizeLinear-21."""
    parameters: DequantizeLinearParameters = builder.node.parameters
    kernel = Kernel("quantise", f"dequantise_{builder.operand_type(0).dtype}")
    builder.add_over(kernel, builder.result_type().size, _scale_words(builder, parameters))


def _scale_words(builder: LaunchBuilder, by: AxisScale) -> tuple[Word, ...]:
    """Return the fields that both records begin with.

    A scale is stretched over the tensor with length 1 on every axis but one, so its channels
    are followed by the axes that it names after that one. Without zero points every scale has
    a 0 of its own in the table, because the kernel reads one for each.
    """
    inner = prod(by.shape[len(by.shape) - by.scale.ndim + 1 :]) if by.scale.ndim else 1
    return (
        builder.result(),
        builder.operand(0),
        builder.table(by.scale.astype(np.float32)),
        builder.table(np.broadcast_to(by.zero, by.scale.shape).astype(np.int32)),
        builder.result_type().size,
        inner,
        by.scale.size,
    )
