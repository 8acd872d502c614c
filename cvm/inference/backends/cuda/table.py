"""Which kernel family runs which operator: all but the views, which need none."""

from collections.abc import Callable
from types import MappingProxyType

from cvm.inference.backends.cuda import (
    choosing,
    conv_f32,
    conv_int8,
    conv_transpose,
    einsum,
    elementwise,
    features,
    folds,
    linear_models,
    movement,
    normalisation,
    pointwise,
    pooling,
    products_f32,
    products_int8,
    quantise,
    recurrent,
    reductions,
    trees,
)
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder
from cvm.inference.graph import Node
from cvm.inference.operators.op_spec import ML_DOMAIN

Builder = Callable[[LaunchBuilder], None]

BUILDERS = MappingProxyType[str, Builder](
    {
        **choosing.BUILDERS,
        **folds.BUILDERS,
        **movement.BUILDERS,
        **normalisation.BUILDERS,
        **pointwise.BUILDERS,
        "ArgMax": reductions.build_argmax,
        "ArgMin": reductions.build_argmin,
        "AveragePool": pooling.build_average_pool,
        "Clip": elementwise.build_clip,
        "Conv": conv_f32.build_conv,
        "ConvInteger": conv_int8.build_conv_integer,
        "ConvTranspose": conv_transpose.build,
        "DequantizeLinear": quantise.build_dequantize,
        "Einsum": einsum.build,
        "GRU": recurrent.build_gru,
        "Gemm": products_f32.build_gemm,
        "GlobalAveragePool": reductions.build_global_average_pool,
        "LSTM": recurrent.build_lstm,
        "MatMul": products_f32.build_matmul,
        "MatMulInteger": products_int8.build_matmul_integer,
        "MaxPool": pooling.build_max_pool,
        "QLinearConv": conv_int8.build_qlinear_conv,
        "QLinearMatMul": products_int8.build_qlinear_matmul,
        "QuantizeLinear": quantise.build_quantize,
        "RNN": recurrent.build_rnn,
        "Relu": elementwise.build_relu,
        "Softmax": reductions.build_softmax,
    }
)


ML_BUILDERS = MappingProxyType[str, Builder](
    {**features.ML_BUILDERS, **linear_models.ML_BUILDERS, **trees.ML_BUILDERS}
)
"""The same for the domain ai.onnx.ml."""


def builder_of(node: Node) -> Builder | None:
    """Return the family that builds a node's launches.

    Where there is none (a view, or an operator to come) it is None, and the node runs by its
    definition on the host.
    """
    builders = ML_BUILDERS if node.spec.domain == ML_DOMAIN else BUILDERS
    return builders.get(node.spec.name)
