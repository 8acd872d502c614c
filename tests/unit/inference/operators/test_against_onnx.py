"""The definitions give what the ONNX project's own node tests expect, within a tolerance."""

import importlib
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import pytest

from cvm.inference.faults import InvalidModel
from cvm.inference.graph import AttributeValue
from cvm.inference.tensor_type import Array
from tests.unit.inference.operators.nodes import node, run_node

MODULES = {
    "add": 4, "argmax": 16, "averagepool": 20, "clip": 12, "conv": 6, "convinteger": 2,
    "dequantizelinear": 2, "flatten": 9, "gemm": 11, "globalaveragepool": 2, "matmul": 7,
    "matmulinteger": 1, "maxpool": 17, "mul": 5, "qlinearconv": 1, "qlinearmatmul": 4,
    "quantizelinear": 2, "relu": 1, "reshape": 10, "softmax": 7,
    "ai_onnx_ml.array_feature_extractor": 1, "ai_onnx_ml.binarizer": 1,
}  # fmt: skip
"""How many cases of each module of `onnx.backend.test.case.node` must be accepted."""

Case = tuple[str, onnx.NodeProto, list[Array | None], Array]


def collect(module_name: str, monkeypatch: pytest.MonkeyPatch) -> list[Case]:
    """Return the cases of a module that use dense NumPy tensors."""
    cases: list[Case] = []

    def expect(
        node: onnx.NodeProto, inputs: Sequence[Any], outputs: Sequence[Any], name: str, **_: Any
    ) -> None:
        dense = all(isinstance(x, np.ndarray | np.generic | float | int) for x in inputs)
        if dense and len(outputs) == 1 and isinstance(outputs[0], np.ndarray | np.generic):
            present = iter(inputs)
            arrays = [np.asarray(next(present)) if n else None for n in node.input]
            cases.append((name, node, arrays, np.asarray(outputs[0])))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = importlib.import_module(f"onnx.backend.test.case.node.{module_name}")
        monkeypatch.setattr(module, "expect", expect)
        np.random.seed(0)  # the cases draw their inputs from NumPy's global generator
        for exporter in vars(module).values():
            if isinstance(exporter, type) and exporter.__module__ == module.__name__:
                for name in sorted(vars(exporter)):
                    if name.startswith("export"):
                        getattr(exporter, name)()
    return cases


def attributes_of(proto: onnx.NodeProto) -> dict[str, AttributeValue]:
    """Return attributes as the engine holds them."""
    attributes: dict[str, AttributeValue] = {}
    for entry in proto.attribute:
        match onnx.helper.get_attribute_value(entry):
            case float(value):
                attributes[entry.name] = np.float32(value)
            case bytes(value):
                attributes[entry.name] = value.decode()
            case int(value):
                attributes[entry.name] = value
            case value:
                attributes[entry.name] = tuple(value)
    return attributes


@pytest.mark.parametrize(("module", "count"), MODULES.items(), ids=list(MODULES))
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
        np.testing.assert_allclose(result, expected, rtol=1e-3, atol=1e-6, err_msg=name)
    assert accepted == count
    assert rules <= {"operand dtype", "attribute value"}
