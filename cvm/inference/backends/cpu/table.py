"""Which kernel family runs which operator; an operator without one runs by its definition."""

from collections.abc import Callable
from types import MappingProxyType

from cvm.inference.backends.cpu import (
    argmax,
    conv_f32,
    conv_int8,
    definition,
    dynamic_quantisation,
    elementwise,
    gemm_f32,
    gemm_int8,
    normalisation,
    pooling,
    quantisation,
    reduction,
    softmax,
    views,
)
from cvm.inference.backends.cpu.step_builder import StepBuilder
from cvm.inference.graph import Node

Builder = Callable[[StepBuilder], None]

BUILDERS = MappingProxyType[str, Builder](
    {
        "Add": elementwise.build_add,
        "ArgMax": argmax.build,
        "AveragePool": pooling.build_average,
        "BatchNormalization": normalisation.build_batch,
        "Clip": elementwise.build_clip,
        "Conv": conv_f32.build,
        "ConvInteger": conv_int8.build_integer,
        "DequantizeLinear": quantisation.build_dequantise,
        "DynamicQuantizeLinear": dynamic_quantisation.build,
        "Flatten": views.build,
        "Gemm": gemm_f32.build_gemm,
        "GlobalAveragePool": pooling.build_global_average,
        "GlobalLpPool": reduction.build_global_norm,
        "GlobalMaxPool": reduction.build_global_max,
        "GroupNormalization": normalisation.build_group,
        "InstanceNormalization": normalisation.build_instance,
        "LayerNormalization": normalisation.build_layer,
        "MatMul": gemm_f32.build_matmul,
        "MatMulInteger": gemm_int8.build_integer,
        "MaxPool": pooling.build_max,
        "Mul": elementwise.build_mul,
        "QLinearConv": conv_int8.build_qlinear,
        "QLinearMatMul": gemm_int8.build_qlinear,
        "QuantizeLinear": quantisation.build_quantise,
        "ReduceL1": reduction.build_l1,
        "ReduceL2": reduction.build_l2,
        "ReduceMax": reduction.build_max,
        "ReduceMean": reduction.build_mean,
        "ReduceMin": reduction.build_min,
        "ReduceProd": reduction.build_product,
        "ReduceSum": reduction.build_sum,
        "ReduceSumSquare": reduction.build_sum_square,
        "Relu": elementwise.build_relu,
        "Reshape": views.build,
        "Softmax": softmax.build,
    }
)


def builder_of(node: Node) -> Builder:
    """Return the family that builds a node's steps."""
    if node.spec.domain:
        return definition.build
    return BUILDERS.get(node.spec.name, definition.build)
