"""Each rule on elementwise operators refuses the node that breaks it, with rule and value."""

import numpy as np
import pytest

from cvm.inference.faults import InvalidModel
from cvm.inference.graph import NodeView
from tests.unit.inference.operators.nodes import node, spec_of, t

X = t("float32", 2, 3)
I8 = t("int8", 2, 3)

FLOAT_ONLY = """Acos Asin Atan Ceil Celu Cos Cosh Elu Erf Exp Floor Gelu HardSigmoid HardSwish IsInf
IsNaN LeakyRelu Log Mean Mish Reciprocal Round Selu Sigmoid Sin Sinh Softplus Softsign Sqrt Sum Tan
Tanh ThresholdedRelu""".split()  # noqa: SIM905
BINARY = """And BitShift BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less
LessOrEqual Mod Or PRelu Pow Sub Xor""".split()  # noqa: SIM905

DTYPES = [
    *(pytest.param(node(op, I8), "operand dtype", "int8", id=f"{op} int8") for op in FLOAT_ONLY),
    *(
        pytest.param(node(op, *operands), "operand dtype", value, id=f"{op} {value}")
        for op, operands, value in [
            ("Abs", [t("bool", 2)], "bool"),
            ("Neg", [t("uint8", 2)], "uint8"),
            ("Sign", [t("float64", 2)], "float64"),
            ("BitwiseNot", [X], "float32"),
            ("BitwiseAnd", [X, X], "float32"),
            ("BitwiseOr", [t("bool", 2), t("bool", 2)], "bool"),
            ("BitwiseXor", [I8, t("uint8", 2, 3)], "uint8"),
            ("BitShift", [I8, I8], "int8"),
            ("Not", [I8], "int8"),
            ("And", [I8, I8], "int8"),
            ("Or", [X, X], "float32"),
            ("Xor", [t("bool", 2), I8], "int8"),
            ("Equal", [X, I8], "int8"),
            ("Greater", [t("bool", 2), t("bool", 2)], "bool"),
            ("GreaterOrEqual", [t("int16", 2), t("int16", 2)], "int16"),
            ("Less", [t("bool", 2), t("bool", 2)], "bool"),
            ("LessOrEqual", [I8, X], "float32"),
            ("Sub", [t("bool", 2), t("bool", 2)], "bool"),
            ("Div", [I8, t("int32", 2, 3)], "int32"),
            ("Mod", [t("bool", 2), t("bool", 2)], "bool"),
            ("Pow", [I8, I8], "int8"),
            ("Pow", [X, t("bool", 2, 3)], "bool"),
            ("PRelu", [I8, I8], "int8"),
            ("Max", [X, X, I8], "int8"),
            ("Min", [t("bool", 2)], "bool"),
            ("Where", [I8, X, X], "int8"),
            ("Where", [t("bool", 2, 3), X, I8], "int8"),
            ("Cast", [t("float64", 2)], "float64"),
            ("CastLike", [X, t("uint64", 2)], "uint64"),
        ]
    ),
]

COUNTS = [
    *(
        pytest.param(node(op, X, X), "operand count", "xx", id=f"{op} of two")
        for op in ["Exp", "Not"]
    ),
    *(pytest.param(node(op, X), "operand count", "x", id=f"{op} of one") for op in BINARY),
    pytest.param(node("Where", t("bool", 2), X), "operand count", "xx", id="Where of two"),
    pytest.param(node("Max"), "operand count", "none", id="Max of none"),
    pytest.param(node("Sum", X, None, X), "operand count", "x-x", id="Sum with a gap"),
    pytest.param(node("CastLike", X), "operand count", "x", id="CastLike of one"),
]

SHAPES = [
    *(
        pytest.param(
            node(op, t(dtype, 2, 3), t(dtype, 4)),
            "operand shape",
            "[2, 3] and [4]",
            id=f"{op} does not broadcast",
        )
        for op, dtype in [("Sub", "float32"), ("Max", "int8"), ("And", "bool"), ("Pow", "int32")]
    ),
    pytest.param(
        node("PRelu", X, t("float32", 2, 2, 3)), "operand shape", "[2, 2, 3]", id="a larger slope"
    ),
    pytest.param(
        node("PRelu", t("float32", 2, 1), X), "operand shape", "[2, 3]", id="a wider slope"
    ),
    pytest.param(
        node("Mean", X, t("float32", 3), t("float32", 4)), "operand shape", "[4]", id="the third"
    ),
    pytest.param(
        node("Where", t("bool", 5), X, X), "operand shape", "[5] and [2, 3]", id="the condition"
    ),
]

VALUES = [
    pytest.param(node("Mod", X, X), "attribute value", "found 0", id="float Mod without fmod"),
    pytest.param(
        node("Mod", I8, I8, attributes={"fmod": 2}), "attribute value", "found 2", id="fmod 2"
    ),
    pytest.param(
        node("BitShift", t("uint8", 2), t("uint8", 2)), "attribute value", "''", id="no direction"
    ),
    pytest.param(
        node("BitShift", t("uint8", 2), t("uint8", 2), attributes={"direction": "left"}),
        "attribute value",
        "'left'",
        id="direction in small letters",
    ),
    pytest.param(
        node("Gelu", X, attributes={"approximate": "fast"}),
        "attribute value",
        "'fast'",
        id="another approximation",
    ),
    pytest.param(
        node("Celu", X, attributes={"alpha": np.float32(0)}),
        "attribute value",
        "found 0",
        id="Celu by 0",
    ),
    pytest.param(
        node("Elu", X, attributes={"alpha": np.float32("nan")}),
        "attribute value",
        "nan",
        id="Elu by NaN",
    ),
    pytest.param(
        node("HardSigmoid", X, attributes={"beta": 1}), "attribute type", "beta", id="integer beta"
    ),
    pytest.param(
        node("IsInf", X, attributes={"detect_negative": 3}), "attribute value", "3", id="flag 3"
    ),
    pytest.param(node("Cast", X), "attribute value", "found 0", id="Cast to nothing"),
    pytest.param(
        node("Cast", X, attributes={"to": 11}), "attribute value", "found 11", id="Cast to double"
    ),
    pytest.param(
        node("Cast", X, attributes={"to": 1, "saturate": 2}),
        "attribute value",
        "saturate",
        id="saturate 2",
    ),
]


@pytest.mark.parametrize(("view", "rule", "value"), [*DTYPES, *COUNTS, *SHAPES, *VALUES])
def test_refuses_with_rule_and_value(view: NodeView, rule: str, value: str) -> None:
    with pytest.raises(InvalidModel) as caught:
        spec_of(view.op_type).parse(view)
    assert caught.value.rule == rule
    assert value in caught.value.detail.removeprefix(f"{view.op_type} node 'n': ")


def test_several_inputs_cost_a_step_each_and_a_pass_and_its_runs_for_each_after_two() -> None:
    view = node("Max", X, X, t("float32", 3))
    spec = spec_of("Max")
    parameters = spec.parse(view)
    cost = spec.cost(parameters, view, spec.output_types(parameters, view))
    assert (cost.elementwise, cost.transcendental, cost.nodes) == (18 + 2 * 1024, 0, 1)


def test_a_transcendental_function_is_counted_by_what_it_takes() -> None:
    for op, expected in [("Exp", (0, 6)), ("Gelu", (24, 12)), ("Pow", (0, 144)), ("Sub", (6, 0))]:
        view = node(op, X, X) if op in ("Pow", "Sub") else node(op, X)
        spec = spec_of(op)
        parameters = spec.parse(view)
        cost = spec.cost(parameters, view, spec.output_types(parameters, view))
        assert (cost.elementwise, cost.transcendental) == expected
