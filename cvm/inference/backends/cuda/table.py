"""Which kernel family runs which operator; any other runs by its definition, on the host."""

from collections.abc import Callable
from types import MappingProxyType

from cvm.inference.backends.cuda import (
    conv_f32,
    conv_int8,
    elementwise,
    pooling,
    products_f32,
    products_int8,
    quantise,
    reductions,
)
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder
from cvm.inference.graph import Node
from cvm.inference.operators.matmul_integer import MatMulIntegerParameters

Builder = Callable[[LaunchBuilder], None]

BUILDERS = MappingProxyType[str, Builder](
    {
        "Add": elementwise.build_add,
        "ArgMax": reductions.build_argmax,
        "AveragePool": pooling.build_average_pool,
        "Clip": elementwise.build_clip,
        "Conv": conv_f32.build_conv,
        "ConvInteger": conv_int8.build_conv_integer,
        "DequantizeLinear": quantise.build_dequantize,
        "Gemm": products_f32.build_gemm,
        "GlobalAveragePool": reductions.build_global_average_pool,
        "MatMul": products_f32.build_matmul,
        "MatMulInteger": products_int8.build_matmul_integer,
        "MaxPool": pooling.build_max_pool,
        "Mul": elementwise.build_mul,
        "QLinearConv": conv_int8.build_qlinear_conv,
        "QLinearMatMul": products_int8.build_qlinear_matmul,
        "QuantizeLinear": quantise.build_quantize,
        "Relu": elementwise.build_relu,
        "Softmax": reductions.build_softmax,
    }
)


def builder_of(node: Node) -> Builder | None:
    """Return the family that builds a node's launches, or None where there is none."""
    parameters = node.parameters
    if isinstance(parameters, MatMulIntegerParameters) and parameters.has_computed_a_zero:
        return None
    return None if node.spec.domain else BUILDERS.get(node.spec.name)
