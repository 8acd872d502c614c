"""MaxPool, AveragePool as launches of `kernels/pooling.cu`."""

from cvm.inference.backends.cuda.device import Kernel
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder
from cvm.inference.backends.cuda.windows import window_words
from cvm.inference.operators.average_pool import AveragePoolParameters
from cvm.inference.operators.max_pool import MaxPoolParameters


def build_max_pool(builder: LaunchBuilder) -> None:
    """Launch MaxPool-12."""
    parameters: MaxPoolParameters = builder.node.parameters
    size = builder.result_type().size
    words = (
        builder.result(),
        builder.operand(0),
        size,
        *window_words(parameters, parameters.input_shape[2:]),
    )
    builder.add_over(Kernel("pooling", f"max_pool_{parameters.dtype}"), size, words)


def build_average_pool(builder: LaunchBuilder) -> None:
    """Launch AveragePool-19."""
    parameters: AveragePoolParameters = builder.node.parameters
    size = builder.result_type().size
    words = (
        builder.result(),
        builder.operand(0),
        size,
        int(parameters.count_include_pad),
        *window_words(parameters, parameters.input_shape[2:]),
    )
    builder.add_over(Kernel("pooling", "average_pool"), size, words)
