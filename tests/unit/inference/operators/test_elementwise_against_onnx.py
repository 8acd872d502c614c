"""Elementwise operators give what ONNX's own node tests expect: exactly, or near for floats."""

import numpy as np
import pytest

from cvm.inference.faults import InvalidModel
from tests.unit.inference.operators.nodes import node, run_node
from tests.unit.inference.operators.test_against_onnx import attributes_of, collect

NEAR = {
    "acos": 2, "asin": 2, "atan": 2, "celu": 1, "cos": 2, "cosh": 2, "elu": 3, "erf": 1, "exp": 2,
    "gelu": 4, "hardsigmoid": 3, "hardswish": 1, "leakyrelu": 3, "log": 2, "mean": 3, "mish": 1,
    "pow": 10, "reciprocal": 2, "selu": 3, "sigmoid": 2, "sin": 2, "sinh": 2, "softplus": 2,
    "softsign": 2, "sqrt": 2, "sum": 3, "tan": 2, "tanh": 2,
}  # fmt: skip
"""How many cases of each module of `onnx.backend.test.case.node` are accepted, and near."""

EXACT = {
    "abs": 1, "and_": 8, "bitshift": 2, "bitwiseand": 2, "bitwisenot": 2, "bitwiseor": 3,
    "bitwisexor": 2, "ceil": 2, "div": 6, "equal": 4, "floor": 2,
    "greater": 4, "greater_or_equal": 4, "isinf": 3, "isnan": 1, "less": 4, "less_or_equal": 4,
    "max": 8, "min": 8, "mod": 7, "neg": 2, "not_": 3, "or_": 8, "prelu": 2, "round": 1,
    "sign": 1, "sub": 5, "thresholdedrelu": 3, "where": 2, "xor": 8,
}  # fmt: skip
"""How many cases are accepted, and equal."""


@pytest.mark.parametrize(("module", "count"), [*NEAR.items(), *EXACT.items()], ids=[*NEAR, *EXACT])
def test_node_cases(module: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted = 0
    rules = set()
    for name, proto, inputs, expected in collect(module, monkeypatch):
        view = node(proto.op_type, *inputs, attributes=attributes_of(proto))
        try:
            result = run_node(view, *inputs)
        except InvalidModel as fault:
            rules.add(fault.rule)
            continue
        accepted += 1
        assert (result.dtype, result.shape) == (expected.dtype, expected.shape), name
        if module in EXACT:
            np.testing.assert_array_equal(result, expected, err_msg=name)
        else:
            np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-7, err_msg=name)
    assert accepted == count
    assert rules <= {"operand dtype", "attribute value"}
