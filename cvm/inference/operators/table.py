"""The one list of the operators that engine 1 knows."""

from types import MappingProxyType
from typing import Any

from cvm.inference.operators.abs import ABS
from cvm.inference.operators.acos import ACOS
from cvm.inference.operators.add import ADD
from cvm.inference.operators.argmax import ARGMAX
from cvm.inference.operators.argmin import ARGMIN
from cvm.inference.operators.array_feature_extractor import ARRAY_FEATURE_EXTRACTOR
from cvm.inference.operators.asin import ASIN
from cvm.inference.operators.atan import ATAN
from cvm.inference.operators.average_pool import AVERAGE_POOL
from cvm.inference.operators.batch_normalization import BATCH_NORMALIZATION
from cvm.inference.operators.binarizer import BINARIZER
from cvm.inference.operators.bit_shift import BIT_SHIFT
from cvm.inference.operators.bitwise_and import BITWISE_AND
from cvm.inference.operators.bitwise_not import BITWISE_NOT
from cvm.inference.operators.bitwise_or import BITWISE_OR
from cvm.inference.operators.bitwise_xor import BITWISE_XOR
from cvm.inference.operators.cast import CAST
from cvm.inference.operators.cast_like import CAST_LIKE
from cvm.inference.operators.ceil import CEIL
from cvm.inference.operators.celu import CELU
from cvm.inference.operators.clip import CLIP
from cvm.inference.operators.concat import CONCAT
from cvm.inference.operators.constant import CONSTANT
from cvm.inference.operators.constant_of_shape import CONSTANT_OF_SHAPE
from cvm.inference.operators.conv import CONV
from cvm.inference.operators.conv_integer import CONV_INTEGER
from cvm.inference.operators.conv_transpose import CONV_TRANSPOSE
from cvm.inference.operators.cos import COS
from cvm.inference.operators.cosh import COSH
from cvm.inference.operators.cumsum import CUMSUM
from cvm.inference.operators.depth_to_space import DEPTH_TO_SPACE
from cvm.inference.operators.dequantize_linear import DEQUANTIZE_LINEAR
from cvm.inference.operators.div import DIV
from cvm.inference.operators.dropout import DROPOUT
from cvm.inference.operators.dynamic_quantize_linear import DYNAMIC_QUANTIZE_LINEAR
from cvm.inference.operators.einsum import EINSUM
from cvm.inference.operators.elu import ELU
from cvm.inference.operators.equal import EQUAL
from cvm.inference.operators.erf import ERF
from cvm.inference.operators.exp import EXP
from cvm.inference.operators.expand import EXPAND
from cvm.inference.operators.eye_like import EYE_LIKE
from cvm.inference.operators.feature_vectorizer import FEATURE_VECTORIZER
from cvm.inference.operators.flatten import FLATTEN
from cvm.inference.operators.floor import FLOOR
from cvm.inference.operators.gather import GATHER
from cvm.inference.operators.gather_elements import GATHER_ELEMENTS
from cvm.inference.operators.gather_nd import GATHER_ND
from cvm.inference.operators.gelu import GELU
from cvm.inference.operators.gemm import GEMM
from cvm.inference.operators.global_average_pool import GLOBAL_AVERAGE_POOL
from cvm.inference.operators.global_lp_pool import GLOBAL_LP_POOL
from cvm.inference.operators.global_max_pool import GLOBAL_MAX_POOL
from cvm.inference.operators.greater import GREATER
from cvm.inference.operators.greater_or_equal import GREATER_OR_EQUAL
from cvm.inference.operators.group_normalization import GROUP_NORMALIZATION
from cvm.inference.operators.gru import GRU
from cvm.inference.operators.hard_sigmoid import HARD_SIGMOID
from cvm.inference.operators.hard_swish import HARD_SWISH
from cvm.inference.operators.identity import IDENTITY
from cvm.inference.operators.imputer import IMPUTER
from cvm.inference.operators.instance_normalization import INSTANCE_NORMALIZATION
from cvm.inference.operators.is_inf import IS_INF
from cvm.inference.operators.is_nan import IS_NAN
from cvm.inference.operators.label_encoder import LABEL_ENCODER
from cvm.inference.operators.layer_normalization import LAYER_NORMALIZATION
from cvm.inference.operators.leaky_relu import LEAKY_RELU
from cvm.inference.operators.less import LESS
from cvm.inference.operators.less_or_equal import LESS_OR_EQUAL
from cvm.inference.operators.linear_classifier import LINEAR_CLASSIFIER
from cvm.inference.operators.linear_regressor import LINEAR_REGRESSOR
from cvm.inference.operators.log import LOG
from cvm.inference.operators.log_softmax import LOG_SOFTMAX
from cvm.inference.operators.logical_and import AND
from cvm.inference.operators.logical_not import NOT
from cvm.inference.operators.logical_or import OR
from cvm.inference.operators.logical_xor import XOR
from cvm.inference.operators.lp_pool import LP_POOL
from cvm.inference.operators.lrn import LRN
from cvm.inference.operators.lstm import LSTM
from cvm.inference.operators.matmul import MATMUL
from cvm.inference.operators.matmul_integer import MATMUL_INTEGER
from cvm.inference.operators.max import MAX
from cvm.inference.operators.max_pool import MAX_POOL
from cvm.inference.operators.mean import MEAN
from cvm.inference.operators.mean_variance_normalization import MEAN_VARIANCE_NORMALIZATION
from cvm.inference.operators.min import MIN
from cvm.inference.operators.mish import MISH
from cvm.inference.operators.mod import MOD
from cvm.inference.operators.mul import MUL
from cvm.inference.operators.neg import NEG
from cvm.inference.operators.normalizer import NORMALIZER
from cvm.inference.operators.one_hot import ONE_HOT
from cvm.inference.operators.one_hot_encoder import ONE_HOT_ENCODER
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.pad import PAD
from cvm.inference.operators.pow import POW
from cvm.inference.operators.prelu import PRELU
from cvm.inference.operators.qlinear_conv import QLINEAR_CONV
from cvm.inference.operators.qlinear_matmul import QLINEAR_MATMUL
from cvm.inference.operators.quantize_linear import QUANTIZE_LINEAR
from cvm.inference.operators.range import RANGE
from cvm.inference.operators.reciprocal import RECIPROCAL
from cvm.inference.operators.reduce_l1 import REDUCE_L1
from cvm.inference.operators.reduce_l2 import REDUCE_L2
from cvm.inference.operators.reduce_log_sum import REDUCE_LOG_SUM
from cvm.inference.operators.reduce_log_sum_exp import REDUCE_LOG_SUM_EXP
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
from cvm.inference.operators.rnn import RNN
from cvm.inference.operators.round import ROUND
from cvm.inference.operators.scaler import SCALER
from cvm.inference.operators.scatter_elements import SCATTER_ELEMENTS
from cvm.inference.operators.scatter_nd import SCATTER_ND
from cvm.inference.operators.selu import SELU
from cvm.inference.operators.shape import SHAPE
from cvm.inference.operators.sigmoid import SIGMOID
from cvm.inference.operators.sign import SIGN
from cvm.inference.operators.sin import SIN
from cvm.inference.operators.sinh import SINH
from cvm.inference.operators.size import SIZE
from cvm.inference.operators.slice import SLICE
from cvm.inference.operators.softmax import SOFTMAX
from cvm.inference.operators.softplus import SOFTPLUS
from cvm.inference.operators.softsign import SOFTSIGN
from cvm.inference.operators.space_to_depth import SPACE_TO_DEPTH
from cvm.inference.operators.split import SPLIT
from cvm.inference.operators.sqrt import SQRT
from cvm.inference.operators.squeeze import SQUEEZE
from cvm.inference.operators.sub import SUB
from cvm.inference.operators.sum import SUM
from cvm.inference.operators.svm_classifier import SVM_CLASSIFIER
from cvm.inference.operators.svm_regressor import SVM_REGRESSOR
from cvm.inference.operators.tan import TAN
from cvm.inference.operators.tanh import TANH
from cvm.inference.operators.thresholded_relu import THRESHOLDED_RELU
from cvm.inference.operators.tile import TILE
from cvm.inference.operators.topk import TOPK
from cvm.inference.operators.transpose import TRANSPOSE
from cvm.inference.operators.tree_ensemble_classifier import TREE_ENSEMBLE_CLASSIFIER
from cvm.inference.operators.tree_ensemble_regressor import TREE_ENSEMBLE_REGRESSOR
from cvm.inference.operators.trilu import TRILU
from cvm.inference.operators.unsqueeze import UNSQUEEZE
from cvm.inference.operators.where import WHERE

_SPECS: tuple[OpSpec[Any], ...] = (
    ABS,
    ACOS,
    ADD,
    AND,
    ARGMAX,
    ARGMIN,
    ARRAY_FEATURE_EXTRACTOR,
    ASIN,
    ATAN,
    AVERAGE_POOL,
    BATCH_NORMALIZATION,
    BINARIZER,
    BITWISE_AND,
    BITWISE_NOT,
    BITWISE_OR,
    BITWISE_XOR,
    BIT_SHIFT,
    CAST,
    CAST_LIKE,
    CEIL,
    CELU,
    CLIP,
    CONCAT,
    CONSTANT,
    CONSTANT_OF_SHAPE,
    CONV,
    CONV_INTEGER,
    CONV_TRANSPOSE,
    COS,
    COSH,
    CUMSUM,
    DEPTH_TO_SPACE,
    DEQUANTIZE_LINEAR,
    DIV,
    DROPOUT,
    DYNAMIC_QUANTIZE_LINEAR,
    EINSUM,
    ELU,
    EQUAL,
    ERF,
    EXP,
    EXPAND,
    EYE_LIKE,
    FEATURE_VECTORIZER,
    FLATTEN,
    FLOOR,
    GATHER,
    GATHER_ELEMENTS,
    GATHER_ND,
    GELU,
    GEMM,
    GLOBAL_AVERAGE_POOL,
    GLOBAL_LP_POOL,
    GLOBAL_MAX_POOL,
    GREATER,
    GREATER_OR_EQUAL,
    GROUP_NORMALIZATION,
    GRU,
    HARD_SIGMOID,
    HARD_SWISH,
    IDENTITY,
    IMPUTER,
    INSTANCE_NORMALIZATION,
    IS_INF,
    IS_NAN,
    LABEL_ENCODER,
    LAYER_NORMALIZATION,
    LEAKY_RELU,
    LESS,
    LESS_OR_EQUAL,
    LINEAR_CLASSIFIER,
    LINEAR_REGRESSOR,
    LOG,
    LOG_SOFTMAX,
    LP_POOL,
    LRN,
    LSTM,
    MATMUL,
    MATMUL_INTEGER,
    MAX,
    MAX_POOL,
    MEAN,
    MEAN_VARIANCE_NORMALIZATION,
    MIN,
    MISH,
    MOD,
    MUL,
    NEG,
    NORMALIZER,
    NOT,
    ONE_HOT,
    ONE_HOT_ENCODER,
    OR,
    PAD,
    POW,
    PRELU,
    QLINEAR_CONV,
    QLINEAR_MATMUL,
    QUANTIZE_LINEAR,
    RANGE,
    RECIPROCAL,
    REDUCE_L1,
    REDUCE_L2,
    REDUCE_LOG_SUM,
    REDUCE_LOG_SUM_EXP,
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
    RNN,
    ROUND,
    SCALER,
    SCATTER_ELEMENTS,
    SCATTER_ND,
    SELU,
    SHAPE,
    SIGMOID,
    SIGN,
    SIN,
    SINH,
    SIZE,
    SLICE,
    SOFTMAX,
    SOFTPLUS,
    SOFTSIGN,
    SPACE_TO_DEPTH,
    SPLIT,
    SQRT,
    SQUEEZE,
    SUB,
    SUM,
    SVM_CLASSIFIER,
    SVM_REGRESSOR,
    TAN,
    TANH,
    THRESHOLDED_RELU,
    TILE,
    TOPK,
    TRANSPOSE,
    TREE_ENSEMBLE_CLASSIFIER,
    TREE_ENSEMBLE_REGRESSOR,
    TRILU,
    UNSQUEEZE,
    WHERE,
    XOR,
)

OPERATORS = MappingProxyType({(spec.domain, spec.name): spec for spec in _SPECS})
"""By domain and ONNX name; the default domain is the empty text."""
