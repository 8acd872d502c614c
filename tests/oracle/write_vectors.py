"""Write the golden vectors of every operator: `python -m tests.oracle.write_vectors`."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.oracle import (
    dot_product_cases,
    elementwise_cases,
    integer_cases,
    linear_cases,
    quantised_cases,
    reduction_cases,
    shape_cases,
    window_cases,
)
from tests.oracle.tensors import Json

FOLDER = Path(__file__).parents[2] / "cvm" / "inference" / "vectors"

CASES: dict[str, Callable[[], list[Json]]] = {
    "add": elementwise_cases.add_cases,
    "argmax": elementwise_cases.argmax_cases,
    "average_pool": window_cases.average_pool_cases,
    "clip": elementwise_cases.clip_cases,
    "conv": dot_product_cases.conv_cases,
    "conv_integer": integer_cases.conv_integer_cases,
    "dequantize_linear": linear_cases.dequantize_linear_cases,
    "flatten": shape_cases.flatten_cases,
    "gemm": dot_product_cases.gemm_cases,
    "global_average_pool": window_cases.global_average_pool_cases,
    "matmul": dot_product_cases.matmul_cases,
    "matmul_integer": integer_cases.matmul_integer_cases,
    "max_pool": window_cases.max_pool_cases,
    "mul": elementwise_cases.mul_cases,
    "qlinear_conv": quantised_cases.qlinear_conv_cases,
    "qlinear_matmul": quantised_cases.qlinear_matmul_cases,
    "quantize_linear": linear_cases.quantize_linear_cases,
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
    "softmax": window_cases.softmax_cases,
}


def vector_file(name: str) -> str:
    """Return the text of one vector file, one case a line."""
    lines = (json.dumps(case, separators=(",", ":")) for case in CASES[name]())
    return "[\n" + ",\n".join(lines) + "\n]\n"


if __name__ == "__main__":
    for operator in CASES:
        (FOLDER / f"{operator}.json").write_text(vector_file(operator))
