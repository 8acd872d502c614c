"""The machine code that kernels become holds no float operation that their source does not."""

import re
from functools import cache
from typing import Any

import numpy as np
import pytest

from cvm.inference.backends.cpu import CpuBackend
from cvm.inference.graph import AttributeValue
from cvm.inference.operators.table import OPERATORS
from cvm.native_code import compiled
from node.self_test_vectors import load_self_test_vectors
from tests.unit.inference.cpu.levels import LEVELS
from tests.unit.inference.cpu.one_node import Inputs, draw, one_node_graph

ONE = np.array(1, np.float32)
ZERO = np.array(0, np.int8)
IMAGE = draw(1, "float32", 1, 4, 9, 9)
BYTES = draw(2, "int8", 1, 4, 9, 9)
MATRIX = draw(3, "int8", 9, 9)
WEIGHTS = draw(4, "float32", 8, 4, 3, 3)
INTEGER_WEIGHTS = draw(5, "int8", 8, 4, 3, 3)
CHANNELS = draw(6, "float32", 4)
RNN_WEIGHTS, GRU_WEIGHTS, LSTM_WEIGHTS = (
    [draw(7, "float32", 1, 5 * gates, 9), draw(8, "float32", 1, 5 * gates, 5)]
    for gates in (1, 3, 4)
)
PADS: dict[str, AttributeValue] = {"pads": (1, 1, 1, 1)}
POOL: dict[str, AttributeValue] = {"kernel_shape": (2, 2)}

CASES: list[tuple[str, dict[str, AttributeValue], Inputs, set[int]]] = [
    ("Add", {}, [IMAGE, IMAGE], set()),
    ("ArgMax", {}, [IMAGE], set()),
    ("AveragePool", POOL, [IMAGE], set()),
    ("Clip", {}, [IMAGE, ONE, ONE], {1, 2}),
    ("Conv", PADS, [IMAGE, WEIGHTS], {1}),
    ("ConvInteger", PADS, [BYTES, INTEGER_WEIGHTS], {1}),
    ("CumSum", {}, [IMAGE, np.array([1])], {1}),
    ("DequantizeLinear", {}, [BYTES, ONE, ZERO], {1, 2}),
    ("Einsum", {"equation": "ij,kj->ki"}, [IMAGE[0, 0], IMAGE[0, 1]], set()),
    ("Gemm", {"alpha": np.float32(2)}, [IMAGE[0, 0], IMAGE[0, 0], ONE], set()),
    ("Gemm", {"alpha": np.float32(2)}, [IMAGE[0, 0], IMAGE[0, 0]], set()),
    ("GlobalAveragePool", {}, [IMAGE], set()),
    *((op, {}, [IMAGE], set()) for op in ("Atan", "Celu", "Cos", "Elu", "Erf", "Exp", "Gelu")),
    *((op, {}, [IMAGE], set()) for op in ("Acos", "Asin", "Cosh", "Sign", "Sinh")),
    *((op, {}, [IMAGE], set()) for op in ("HardSigmoid", "HardSwish", "LeakyRelu", "Log", "Mish")),
    *((op, {}, [IMAGE], set()) for op in ("Selu", "Sigmoid", "Sin", "Softplus", "Softsign")),
    *((op, {}, [IMAGE], set()) for op in ("Tan", "Tanh", "ThresholdedRelu")),
    *((op, {}, [IMAGE, IMAGE], set()) for op in ("Max", "Min", "Pow", "PRelu")),
    ("Cast", {"to": 7}, [IMAGE], set()),
    ("Cast", {"to": 6}, [IMAGE], set()),
    ("Gelu", {"approximate": "tanh"}, [IMAGE], set()),
    ("Where", {}, [IMAGE > 0, IMAGE, IMAGE], set()),
    *(
        (op, {}, [IMAGE], set())
        for op in ("GlobalMaxPool", "LogSoftmax", "ReduceLogSum", "ReduceMax")
    ),
    *((op, {}, [IMAGE], set()) for op in ("ReduceL1", "ReduceL2", "ReduceMean", "ReduceProd")),
    *(
        (op, {}, [IMAGE, np.array([1])], {1})
        for op in ("ReduceMin", "ReduceLogSumExp", "ReduceSum")
    ),
    ("BatchNormalization", {}, [IMAGE, *[CHANNELS] * 4], {1, 2, 3, 4}),
    ("ConvTranspose", {"strides": (2, 2)} | PADS, [IMAGE, WEIGHTS[:4]], {1}),
    ("DynamicQuantizeLinear", {}, [IMAGE], set()),
    ("GroupNormalization", {"num_groups": 2}, [IMAGE, CHANNELS, CHANNELS], {1, 2}),
    ("LRN", {"size": 3}, [IMAGE], set()),
    ("LayerNormalization", {}, [IMAGE, IMAGE[0, 0, 0]], {1}),
    ("LpPool", POOL, [IMAGE], set()),
    ("MeanVarianceNormalization", {}, [IMAGE], set()),
    ("GRU", {}, [IMAGE[0], *GRU_WEIGHTS], {1, 2}),
    ("LSTM", {}, [IMAGE[0], *LSTM_WEIGHTS], {1, 2}),
    ("RNN", {}, [IMAGE[0], *RNN_WEIGHTS], {1, 2}),
    ("MatMul", {}, [IMAGE, IMAGE], set()),
    ("MatMulInteger", {}, [MATRIX, MATRIX], set()),
    ("MaxPool", POOL, [IMAGE], set()),
    ("Mul", {}, [IMAGE, IMAGE], set()),
    (
        "QLinearConv",
        PADS,
        [BYTES, ONE, ZERO, INTEGER_WEIGHTS, ONE, ZERO, ONE, ZERO],
        {*range(1, 8)},
    ),
    ("QLinearMatMul", {}, [MATRIX, ONE, ZERO, MATRIX, ONE, ZERO, ONE, ZERO], {*range(1, 8)}),
    ("QuantizeLinear", {}, [IMAGE, ONE, ZERO], {1, 2}),
    ("Relu", {}, [IMAGE], set()),
    ("Resize", {"mode": "linear"}, [IMAGE, None, np.full(4, 1.5, np.float32)], {2}),
    ("Softmax", {}, [IMAGE], set()),
    ("TopK", {}, [IMAGE, np.array([3])], {1}),
    ("Transpose", {}, [IMAGE], set()),
]

MAY_FUSE = {
    *("convolve", "multiply", "restore_negative_zeros"),
    *("gru_steps", "lstm_steps", "rnn_steps"),
    *("linear_rows", "svm_pairs", "svm_values"),
}
"""Kernels of dot products, the only place of a fused multiply-add."""

MAY_WIDEN = {
    *("atan", "celu", "elu", "erf", "exp", "gelu", "gelu_tanh", "log", "mish", "power", "selu"),
    *("acos", "asin", "cosh", "sinh"),
    *("gru_steps", "lstm_steps", "rnn_steps", "local_response", "log_softmax", "log_sum_exp"),
    *("logarithms", "integer_logarithms"),
    *("couple", "logistic", "row_softmax", "svm_pairs", "svm_values"),
    *("sigmoid", "sin_or_cos", "softmax", "softmax_rows", "softplus", "tan", "tanh"),
}
"""Kernels of transcendental functions, which work in float64."""

MAY_CALL = re.compile(
    r"llvm\.(fma|fabs|sqrt|is\.fpclass|lifetime|mem(set|cpy|move)|[su](add|sub|mul)\.with|[su](min|max|cmp)|masked|vector|"
    r"experimental\.noalias|assume|abs|fshl|usub\.sat|x86\.atomic|x86\.avx512\.(vpdpbusd|pmaddw)|x86\.avx2\.pmadd)"
    r"|NRT_|numba_|Py|_Py|_ZN|__numba|memset|memcpy"
)
"""What a kernel may call: intrinsics that compute nothing or are named above, and numba's own."""

RELAXED = re.compile(r"\b(fast|reassoc|contract|nnan|ninf|nsz|arcp|afn)\b")


def kernels(level: str) -> dict[str, Any]:
    """Return the compiled kernels that the cases use, by name."""
    found: dict[str, Any] = {}
    for op, attributes, inputs, constants in CASES:
        graph = one_node_graph(op, attributes, inputs, constants)
        for function, _ in CpuBackend(level).plan(graph).calls():
            if hasattr(function, "inspect_llvm"):
                found[f"{op} {function.__name__}"] = function
    for vector in load_self_test_vectors():
        if vector.domain and level == LEVELS[0]:  # these kernels are the same at every level
            for function, _ in CpuBackend(level).plan(vector.graph(OPERATORS)).calls():
                if hasattr(function, "inspect_llvm"):
                    found[f"{vector.op_type} {function.__name__}"] = function
    return found


@cache
def bodies(dispatcher: Any) -> tuple[str, ...]:
    """Return the LLVM functions of a kernel, without the wrappers that unpack Python objects.

    numba shows no code that it took from its disk cache, so the kernel is compiled again.
    """
    fresh = compiled(dispatcher.py_func, on_disk=False)
    functions: list[str] = []
    for signature in dispatcher.signatures:
        fresh.compile(signature)
        text = fresh.inspect_llvm(signature)
        functions += re.findall(r"^define [^\n]*{\n.*?^}", text, re.MULTILINE | re.DOTALL)
    return tuple(body for body in functions if "cpython" not in body.split("\n", 1)[0])


@pytest.mark.parametrize("level", LEVELS)
def test_kernels_hold_only_the_operations_that_they_may(level: str) -> None:
    found = kernels(level)
    assert len(found) >= len(CASES)
    wrong: list[str] = []
    for name, dispatcher in found.items():
        code = bodies(dispatcher)
        assert any("ret i32" in body for body in code), f"no code found for {name}"
        own_name = name.split()[1]
        for line in "\n".join(code).splitlines():
            relaxed = re.search(r"= (tail )?f\w+|call", line) and RELAXED.search(line)
            widens = "double" in line and own_name not in MAY_WIDEN
            fuses = "llvm.fma" in line and own_name not in MAY_FUSE
            called = re.search(r"call .*?@([\w.$]+|\"[^\"]+\")", line)
            strange = called is not None and not MAY_CALL.match(called.group(1).strip('"'))
            if relaxed or widens or fuses or strange:
                wrong.append(f"{level} {name}: {line.strip()}")
    assert wrong == []


@pytest.mark.parametrize("level", LEVELS)
def test_dot_products_are_made_of_the_instructions_of_their_level(level: str) -> None:
    wanted = {
        "avx512": ("llvm.fma.v16f32", "llvm.x86.avx512.vpdpbusd.512"),
        "avx2": ("llvm.fma.v8f32", "llvm.x86.avx2.pmadd.wd"),
        "generic": ("llvm.fma.v4f32", "mul nsw <4 x i32>"),
    }[level]
    found = kernels(level)
    for family, instruction in zip(("Conv", "ConvInteger"), wanted, strict=True):
        assert instruction in "\n".join(bodies(found[f"{family} convolve"])), family
