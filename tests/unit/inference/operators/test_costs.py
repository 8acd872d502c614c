"""What each operator counts: multiply-adds, steps, exponentials, further passes."""

import numpy as np
import pytest

from cvm.inference.cost import RUN, Cost
from cvm.inference.graph import AttributeValue, NodeView
from tests.unit.inference.operators.nodes import const, f32, node, spec_of, t

X = t("float32", 1, 4, 6, 6)
W = np.ones((8, 2, 3, 3), np.float32)
U8 = t("uint8", 1, 4, 6, 6)
ZERO, ONE = const("uint8", 0), f32(1)
GROUPED: dict[str, AttributeValue] = {"group": 2, "pads": (1, 1, 1, 1)}
OUTPUTS = 8 * 6 * 6
MOVED = 16 * (OUTPUTS + 144)
"""Half an operation that does not run in vectors, for each pixel in and out."""
IDLE = OUTPUTS * 18 * 8 // 4
"""Groups of four maps leave half of a vector of eight idle."""
STARTS = (2 + 1) * RUN
"""A run for each group and each image."""
RESTORED = 20 * (2 * 32 * 2 * 18 + 3 * 8 * 18)
"""Of 36 positions 20 touch padding: without a bias they may be folded again, by group and map."""
TERMS = OUTPUTS * 18 * 12 * 32
"""Groups of two channels fill no word of four: twelve operations for each term."""

FEW_OUTPUTS = (2 * 48 - 30) * 4 * 3 // 2
"""Two tiles of up to four rows, a term of which takes as long as 48, and 30 outputs."""
PRODUCT = (48 - 15) * 4 * 3 // 2 + 2 * RUN + (3 + 5) * (4 * 32 + 64)
"""The same of one tile, and eight lines of four numbers put in order."""
INTEGER_PRODUCT = (48 - 15) * 4 + 2 * RUN + 60 * 64 + (3 + 5) * (4 * 64 + RUN // 2)

CASES = [
    pytest.param(
        node("Conv", X, W, attributes=GROUPED),
        Cost(float32_macs=OUTPUTS * 18, elementwise=MOVED + IDLE + STARTS + RESTORED),
        id="Conv",
    ),
    pytest.param(
        node("Conv", X, W, np.ones(8, np.float32), attributes=GROUPED),
        Cost(float32_macs=OUTPUTS * 18, elementwise=OUTPUTS + MOVED + IDLE + STARTS),
        id="Conv, bias",
    ),
    pytest.param(
        node("ConvInteger", U8, W.astype(np.int8), attributes=GROUPED),
        Cost(int8_macs=OUTPUTS * 18, elementwise=TERMS),
        id="ConvInteger, term by term",
    ),
    pytest.param(
        node(
            *("QLinearConv", U8, ONE, ZERO, W.astype(np.uint8), ONE, ZERO, ONE, ZERO),
            attributes=GROUPED,
        ),
        Cost(int8_macs=OUTPUTS * 18, elementwise=OUTPUTS * 4 + TERMS),
        id="QLinearConv, term by term",
    ),
    pytest.param(
        node("ConvInteger", U8, np.ones((8, 4, 1, 1), np.int8)),
        Cost(int8_macs=OUTPUTS * 4, elementwise=MOVED + 2 * RUN),
        id="ConvInteger",
    ),
    pytest.param(
        node("MatMul", t("float32", 2, 3, 4), t("float32", 4, 5)),
        Cost(float32_macs=120, elementwise=FEW_OUTPUTS + 4 * RUN + 11 * (4 * 32 + 64)),
        id="MatMul",
    ),
    pytest.param(
        node("MatMulInteger", t("int8", 3, 4), t("int8", 4, 5)),
        Cost(int8_macs=60, elementwise=INTEGER_PRODUCT),
        id="MatMulInteger",
    ),
    pytest.param(
        node(
            *("QLinearMatMul", t("uint8", 3, 4), ONE, ZERO, t("uint8", 4, 5), ONE, ZERO),
            *(ONE, ZERO),
        ),
        Cost(int8_macs=60, elementwise=INTEGER_PRODUCT + 15 * 4 * 32, nodes=1),
        id="QLinearMatMul",
    ),
    pytest.param(
        node("Gemm", t("float32", 3, 4), t("float32", 4, 5)),
        Cost(float32_macs=60, elementwise=PRODUCT),
        id="Gemm",
    ),
    pytest.param(
        node(
            *("Gemm", t("float32", 3, 4), t("float32", 4, 5), t("float32", 5)),
            attributes={"alpha": np.float32(2), "beta": np.float32(3)},
        ),
        Cost(float32_macs=60, elementwise=PRODUCT + 15 * 3),
        id="Gemm, factors",
    ),
    pytest.param(
        node("Add", t("int8", 2, 1), t("int8", 3)), Cost(elementwise=6 + RUN), id="Add, broadcast"
    ),
    pytest.param(node("Mul", t("float32"), t("float32")), Cost(elementwise=1), id="Mul"),
    pytest.param(node("Relu", X), Cost(elementwise=144), id="Relu"),
    pytest.param(node("Clip", X), Cost(), id="Clip without bounds"),
    pytest.param(node("Clip", X, None, f32(6)), Cost(elementwise=144), id="Clip, one bound"),
    pytest.param(
        node("MaxPool", X, attributes={"kernel_shape": (2, 3)}),
        Cost(elementwise=4 * 5 * 4 * 7 * 32 + 4 * 5 * 6 * RUN // 4),
        id="MaxPool",
    ),
    pytest.param(
        node("AveragePool", X, attributes={"kernel_shape": (2, 3)}),
        Cost(elementwise=4 * 5 * 4 * 8 * 32 + 4 * 5 * 6 * RUN // 4, nodes=1),
        id="AveragePool",
    ),
    pytest.param(
        node("GlobalAveragePool", X), Cost(elementwise=4 * 37 * 32 + RUN), id="GlobalAveragePool"
    ),
    pytest.param(
        node("Softmax", t("float32", 2, 10)),
        Cost(elementwise=80 + 4 * RUN, transcendental=20),
        id="Softmax",
    ),
    pytest.param(
        node("Softmax", t("float32", 2, 10), attributes={"axis": 0}),
        Cost(elementwise=20 * (4 + 30 * 32) + 20 * RUN, transcendental=20),
        id="Softmax, columns",
    ),
    pytest.param(
        node("ReduceSum", t("float32", 64, 64), const("int64", [1])),
        Cost(elementwise=64 * 64 * 8 + 64 * RUN // 4),
        id="ReduceSum, rows",
    ),
    pytest.param(
        node("ReduceSum", t("float32", 64, 64), const("int64", [0])),
        Cost(elementwise=66 * RUN // 4),
        id="ReduceSum, columns: a run for each line",
    ),
    pytest.param(
        node("ArgMax", t("int8", 2, 10), attributes={"axis": 1}),
        Cost(elementwise=20 * 104),
        id="ArgMax",
    ),
    pytest.param(node("Flatten", X), Cost(), id="Flatten"),
    pytest.param(node("Reshape", X, const("int64", [-1])), Cost(), id="Reshape"),
    pytest.param(node("QuantizeLinear", X, ONE), Cost(elementwise=576), id="QuantizeLinear"),
    pytest.param(node("DequantizeLinear", U8, ONE), Cost(elementwise=288), id="DequantizeLinear"),
]


@pytest.mark.parametrize(("view", "expected"), CASES)
def test_counts(view: NodeView, expected: Cost) -> None:
    spec = spec_of(view.op_type)
    parameters = spec.parse(view)
    assert spec.cost(parameters, view, spec.output_types(parameters, view)) == expected
