"""The one list of the operators that engine 1 knows."""

from types import MappingProxyType
from typing import Any

from cvm.inference.operators.add import ADD
from cvm.inference.operators.argmax import ARGMAX
from cvm.inference.operators.argmin import ARGMIN
from cvm.inference.operators.average_pool import AVERAGE_POOL
from cvm.inference.operators.clip import CLIP
from cvm.inference.operators.concat import CONCAT
from cvm.inference.operators.constant import CONSTANT
from cvm.inference.operators.constant_of_shape import CONSTANT_OF_SHAPE
from cvm.inference.operators.conv import CONV
from cvm.inference.operators.conv_integer import CONV_INTEGER
from cvm.inference.operators.cumsum import CUMSUM
from cvm.inference.operators.depth_to_space import DEPTH_TO_SPACE
from cvm.inference.operators.dequantize_linear import DEQUANTIZE_LINEAR
from cvm.inference.operators.dropout import DROPOUT
from cvm.inference.operators.einsum import EINSUM
from cvm.inference.operators.expand import EXPAND
from cvm.inference.operators.eye_like import EYE_LIKE
from cvm.inference.operators.flatten import FLATTEN
from cvm.inference.operators.gather import GATHER
from cvm.inference.operators.gather_elements import GATHER_ELEMENTS
from cvm.inference.operators.gather_nd import GATHER_ND
from cvm.inference.operators.gemm import GEMM
from cvm.inference.operators.global_average_pool import GLOBAL_AVERAGE_POOL
from cvm.inference.operators.identity import IDENTITY
from cvm.inference.operators.matmul import MATMUL
from cvm.inference.operators.matmul_integer import MATMUL_INTEGER
from cvm.inference.operators.max_pool import MAX_POOL
from cvm.inference.operators.mul import MUL
from cvm.inference.operators.one_hot import ONE_HOT
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.pad import PAD
from cvm.inference.operators.qlinear_conv import QLINEAR_CONV
from cvm.inference.operators.qlinear_matmul import QLINEAR_MATMUL
from cvm.inference.operators.quantize_linear import QUANTIZE_LINEAR
from cvm.inference.operators.range import RANGE
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
from cvm.inference.operators.resize import RESIZE
from cvm.inference.operators.reverse_sequence import REVERSE_SEQUENCE
from cvm.inference.operators.scatter_elements import SCATTER_ELEMENTS
from cvm.inference.operators.scatter_nd import SCATTER_ND
from cvm.inference.operators.shape import SHAPE
from cvm.inference.operators.size import SIZE
from cvm.inference.operators.slice import SLICE
from cvm.inference.operators.softmax import SOFTMAX
from cvm.inference.operators.space_to_depth import SPACE_TO_DEPTH
from cvm.inference.operators.split import SPLIT
from cvm.inference.operators.squeeze import SQUEEZE
from cvm.inference.operators.tile import TILE
from cvm.inference.operators.topk import TOPK
from cvm.inference.operators.transpose import TRANSPOSE
from cvm.inference.operators.trilu import TRILU
from cvm.inference.operators.unsqueeze import UNSQUEEZE

_SPECS: tuple[OpSpec[Any], ...] = (
    ADD,
    ARGMAX,
    ARGMIN,
    AVERAGE_POOL,
    CLIP,
    CONCAT,
    CONSTANT,
    CONSTANT_OF_SHAPE,
    CONV,
    CONV_INTEGER,
    CUMSUM,
    DEPTH_TO_SPACE,
    DEQUANTIZE_LINEAR,
    DROPOUT,
    EINSUM,
    EXPAND,
    EYE_LIKE,
    FLATTEN,
    GATHER,
    GATHER_ELEMENTS,
    GATHER_ND,
    GEMM,
    GLOBAL_AVERAGE_POOL,
    IDENTITY,
    MATMUL,
    MATMUL_INTEGER,
    MAX_POOL,
    MUL,
    ONE_HOT,
    PAD,
    QLINEAR_CONV,
    QLINEAR_MATMUL,
    QUANTIZE_LINEAR,
    RANGE,
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
    RESIZE,
    REVERSE_SEQUENCE,
    SCATTER_ELEMENTS,
    SCATTER_ND,
    SHAPE,
    SIZE,
    SLICE,
    SOFTMAX,
    SPACE_TO_DEPTH,
    SPLIT,
    SQUEEZE,
    TILE,
    TOPK,
    TRANSPOSE,
    TRILU,
    UNSQUEEZE,
)

OPERATORS = MappingProxyType({(spec.domain, spec.name): spec for spec in _SPECS})
"""By domain and ONNX name; the default domain is the empty text."""
