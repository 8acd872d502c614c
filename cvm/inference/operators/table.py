"""The one list of the operators that engine 1 knows."""

from types import MappingProxyType
from typing import Any

from cvm.inference.operators.add import ADD
from cvm.inference.operators.argmax import ARGMAX
from cvm.inference.operators.average_pool import AVERAGE_POOL
from cvm.inference.operators.clip import CLIP
from cvm.inference.operators.conv import CONV
from cvm.inference.operators.conv_integer import CONV_INTEGER
from cvm.inference.operators.dequantize_linear import DEQUANTIZE_LINEAR
from cvm.inference.operators.flatten import FLATTEN
from cvm.inference.operators.gemm import GEMM
from cvm.inference.operators.global_average_pool import GLOBAL_AVERAGE_POOL
from cvm.inference.operators.matmul import MATMUL
from cvm.inference.operators.matmul_integer import MATMUL_INTEGER
from cvm.inference.operators.max_pool import MAX_POOL
from cvm.inference.operators.mul import MUL
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.qlinear_conv import QLINEAR_CONV
from cvm.inference.operators.qlinear_matmul import QLINEAR_MATMUL
from cvm.inference.operators.quantize_linear import QUANTIZE_LINEAR
from cvm.inference.operators.reduce_l1 import REDUCE_L1
from cvm.inference.operators.reduce_l2 import REDUCE_L2
from cvm.inference.operators.reduce_max import REDUCE_MAX
from cvm.inference.operators.reduce_mean import REDUCE_MEAN
from cvm.inference.operators.reduce_min import REDUCE_MIN
from cvm.inference.operators.reduce_prod import REDUCE_PROD
from cvm.inference.operators.reduce_sum import REDUCE_SUM
from cvm.inference.operators.reduce_sum_square import REDUCE_SUM_SQUARE
from cvm.inference.operators.relu import RELU
from cvm.inference.operators.reshape import RESHAPE
from cvm.inference.operators.softmax import SOFTMAX

_SPECS: tuple[OpSpec[Any], ...] = (
    ADD,
    ARGMAX,
    AVERAGE_POOL,
    CLIP,
    CONV,
    CONV_INTEGER,
    DEQUANTIZE_LINEAR,
    FLATTEN,
    GEMM,
    GLOBAL_AVERAGE_POOL,
    MATMUL,
    MATMUL_INTEGER,
    MAX_POOL,
    MUL,
    QLINEAR_CONV,
    QLINEAR_MATMUL,
    QUANTIZE_LINEAR,
    REDUCE_L1,
    REDUCE_L2,
    REDUCE_MAX,
    REDUCE_MEAN,
    REDUCE_MIN,
    REDUCE_PROD,
    REDUCE_SUM,
    REDUCE_SUM_SQUARE,
    RELU,
    RESHAPE,
    SOFTMAX,
)

OPERATORS = MappingProxyType({(spec.domain, spec.name): spec for spec in _SPECS})
"""By domain and ONNX name; the default domain is the empty text."""
