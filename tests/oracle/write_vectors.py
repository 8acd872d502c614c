"""Write the golden vectors of every operator: `python -m tests.oracle.write_vectors`."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.oracle import (
    activation_cases,
    binary_cases,
    dot_product_cases,
    elementwise_cases,
    integer_cases,
    linear_cases,
    logic_cases,
    quantised_cases,
    reduction_cases,
    shape_cases,
    unary_cases,
    window_cases,
)
from tests.oracle.tensors import Json

FOLDER = Path(__file__).parents[2] / "cvm" / "inference" / "vectors"

CASES: dict[str, Callable[[], list[Json]]] = {
    "abs": unary_cases.abs_cases,
    "acos": unary_cases.acos_cases,
    "add": elementwise_cases.add_cases,
    "argmax": elementwise_cases.argmax_cases,
    "asin": unary_cases.asin_cases,
    "atan": unary_cases.atan_cases,
    "average_pool": window_cases.average_pool_cases,
    "bit_shift": binary_cases.bit_shift_cases,
    "bitwise_and": binary_cases.bitwise_and_cases,
    "bitwise_not": binary_cases.bitwise_not_cases,
    "bitwise_or": binary_cases.bitwise_or_cases,
    "bitwise_xor": binary_cases.bitwise_xor_cases,
    "cast": logic_cases.cast_cases,
    "cast_like": logic_cases.cast_like_cases,
    "ceil": unary_cases.ceil_cases,
    "celu": activation_cases.celu_cases,
    "clip": elementwise_cases.clip_cases,
    "conv": dot_product_cases.conv_cases,
    "conv_integer": integer_cases.conv_integer_cases,
    "cos": unary_cases.cos_cases,
    "cosh": unary_cases.cosh_cases,
    "dequantize_linear": linear_cases.dequantize_linear_cases,
    "div": binary_cases.div_cases,
    "elu": activation_cases.elu_cases,
    "equal": logic_cases.equal_cases,
    "erf": unary_cases.erf_cases,
    "exp": unary_cases.exp_cases,
    "flatten": shape_cases.flatten_cases,
    "floor": unary_cases.floor_cases,
    "gelu": activation_cases.gelu_cases,
    "gemm": dot_product_cases.gemm_cases,
    "global_average_pool": window_cases.global_average_pool_cases,
    "greater": logic_cases.greater_cases,
    "greater_or_equal": logic_cases.greater_or_equal_cases,
    "hard_sigmoid": activation_cases.hard_sigmoid_cases,
    "hard_swish": activation_cases.hard_swish_cases,
    "is_inf": logic_cases.is_inf_cases,
    "is_nan": logic_cases.is_nan_cases,
    "leaky_relu": activation_cases.leaky_relu_cases,
    "less": logic_cases.less_cases,
    "less_or_equal": logic_cases.less_or_equal_cases,
    "log": unary_cases.log_cases,
    "logical_and": logic_cases.and_cases,
    "logical_not": logic_cases.not_cases,
    "logical_or": logic_cases.or_cases,
    "logical_xor": logic_cases.xor_cases,
    "matmul": dot_product_cases.matmul_cases,
    "matmul_integer": integer_cases.matmul_integer_cases,
    "max": binary_cases.max_cases,
    "max_pool": window_cases.max_pool_cases,
    "mean": binary_cases.mean_cases,
    "min": binary_cases.min_cases,
    "mish": activation_cases.mish_cases,
    "mod": binary_cases.mod_cases,
    "mul": elementwise_cases.mul_cases,
    "neg": unary_cases.neg_cases,
    "pow": binary_cases.pow_cases,
    "prelu": binary_cases.prelu_cases,
    "qlinear_conv": quantised_cases.qlinear_conv_cases,
    "qlinear_matmul": quantised_cases.qlinear_matmul_cases,
    "quantize_linear": linear_cases.quantize_linear_cases,
    "reciprocal": unary_cases.reciprocal_cases,
    "reduce_l1": reduction_cases.reduce_l1_cases,
    "reduce_l2": reduction_cases.reduce_l2_cases,
    "reduce_max": reduction_cases.reduce_max_cases,
    "reduce_mean": reduction_cases.reduce_mean_cases,
    "reduce_min": reduction_cases.reduce_min_cases,
    "reduce_prod": reduction_cases.reduce_prod_cases,
    "reduce_sum": reduction_cases.reduce_sum_cases,
    "reduce_sum_square": reduction_cases.reduce_sum_square_cases,
    "relu": elementwise_cases.relu_cases,
    "reshape": shape_cases.reshape_cases,
    "round": unary_cases.round_cases,
    "selu": activation_cases.selu_cases,
    "sigmoid": unary_cases.sigmoid_cases,
    "sign": unary_cases.sign_cases,
    "sin": unary_cases.sin_cases,
    "sinh": unary_cases.sinh_cases,
    "softmax": window_cases.softmax_cases,
    "softplus": unary_cases.softplus_cases,
    "softsign": activation_cases.softsign_cases,
    "sqrt": unary_cases.sqrt_cases,
    "sub": binary_cases.sub_cases,
    "sum": binary_cases.sum_cases,
    "tan": unary_cases.tan_cases,
    "tanh": unary_cases.tanh_cases,
    "thresholded_relu": activation_cases.thresholded_relu_cases,
    "where": logic_cases.where_cases,
}


def vector_file(name: str) -> str:
    """Return the text of one vector file, one case a line."""
    lines = (json.dumps(case, separators=(",", ":")) for case in CASES[name]())
    return "[\n" + ",\n".join(lines) + "\n]\n"


if __name__ == "__main__":
    for operator in CASES:
        (FOLDER / f"{operator}.json").write_text(vector_file(operator))
