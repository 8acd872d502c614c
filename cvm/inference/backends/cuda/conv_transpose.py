"""ConvTranspose as a launch of `kernels/conv_transpose.cu`."""

from cvm.inference.backends.cuda.device import Kernel
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder
from cvm.inference.operators.conv_transpose import ConvTransposeParameters
from cvm.inference.operators.window import MAX_SPATIAL_RANK


def build(builder: LaunchBuilder) -> None:
    """Launch ConvTranspose-11; the window is that of the convolution that it transposes."""
    by: ConvTransposeParameters = builder.node.parameters
    missing = MAX_SPATIAL_RANK - len(by.output_shape)
    ones, zeros = (1,) * missing, (0,) * missing
    size = builder.result_type().size
    words = (
        *(builder.result(), builder.operand(0), builder.operand(1), builder.optional(2)),
        *(size, by.group, by.input_shape[1] // by.group, by.weight_shape[1]),
        *(*ones, *by.output_shape),
        *(*ones, *by.input_shape[2:]),
        *(*ones, *by.weight_shape[2:]),
        *(*ones, *by.strides),
        *(*zeros, *by.pads_begin),
        *(0,) * MAX_SPATIAL_RANK,
        *(*ones, *by.dilations),
    )
    builder.add_over(Kernel("conv_transpose", "conv_transpose_f32"), size, words)
