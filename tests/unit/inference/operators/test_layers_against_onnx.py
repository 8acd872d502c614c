"""Reductions, norms, pools and recurrent layers give what ONNX's own node tests expect."""

import importlib
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
import pytest

from cvm.inference.faults import InvalidModel
from cvm.inference.graph import AttributeValue, NodeView
from cvm.inference.tensor_type import Array, type_of
from tests.unit.inference.operators.nodes import spec_of

MODULES = {
    "batch_normalization": 2, "convtranspose": 11, "dynamicquantizelinear": 3,
    "globalmaxpool": 2, "groupnormalization": 2, "gru": 6, "instance_normalization": 2,
    "layernormalization": 19, "logsoftmax": 7, "lppool": 8, "lrn": 2, "lstm": 6,
    "meanvariancenormalization": 1, "reduce_log_sum": 4, "reduce_log_sum_exp": 0, "reducel1": 8,
    "reducel2": 8, "reducemax": 9, "reducemean": 8, "reducemin": 9, "reduceprod": 8,
    "reducesum": 10, "reducesumsquare": 8, "rnn": 6,
}  # fmt: skip
"""How many cases of each module of `onnx.backend.test.case.node` must be accepted."""

RULES = {"operand dtype", "operand shape", "attribute value"}


class Case(NamedTuple):
    """A node, its operands, and what each named output must be near to."""

    name: str
    proto: onnx.NodeProto
    inputs: list[Array | None]
    outputs: list[Array]


def collect(module_name: str, monkeypatch: pytest.MonkeyPatch) -> list[Case]:
    """Return the cases of a module."""
    cases: list[Case] = []

    def expect(
        node: onnx.NodeProto, inputs: Sequence[Any], outputs: Sequence[Any], name: str, **_: Any
    ) -> None:
        present = iter(inputs)
        arrays = [np.asarray(next(present)) if entry else None for entry in node.input]
        cases.append(Case(name, node, arrays, [np.asarray(output) for output in outputs]))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = importlib.import_module(f"onnx.backend.test.case.node.{module_name}")
        monkeypatch.setattr(module, "expect", expect)
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
            case [float(), *_] as values:
                attributes[entry.name] = tuple(map(np.float32, values))
            case [bytes(), *_] as values:
                attributes[entry.name] = tuple(value.decode() for value in values)
            case list(values):
                attributes[entry.name] = tuple(values)
            case value:
                attributes[entry.name] = value
    return attributes


def outputs_of(case: Case) -> tuple[Array, ...]:
    """Run a node whose operands are all constants."""
    count = len(case.inputs)
    while count and case.inputs[count - 1] is None:
        count -= 1
    operands = case.inputs[:count]
    types = tuple(None if array is None else type_of(array) for array in operands)
    wanted = tuple(map(bool, case.proto.output))
    view = NodeView(
        case.proto.op_type, "n", attributes_of(case.proto), types, tuple(operands), wanted
    )
    spec = spec_of(case.proto.op_type)
    parameters = spec.parse(view)
    outputs = spec.run(parameters, *operands)
    assert tuple(map(type_of, outputs)) == spec.output_types(parameters, view)
    return outputs


@pytest.mark.parametrize(("module", "count"), MODULES.items(), ids=list(MODULES))
def test_node_cases(module: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted = 0
    rules = set()
    for case in collect(module, monkeypatch):
        if case.proto.op_type.endswith("_expanded"):
            continue
        try:
            outputs = outputs_of(case)
        except InvalidModel as fault:
            rules.add((case.name, fault.rule, fault.detail))
            continue
        accepted += 1
        for output, expected in zip(outputs, case.outputs, strict=True):
            assert (output.dtype, output.shape) == (expected.dtype, expected.shape), case.name
            np.testing.assert_allclose(output, expected, rtol=1e-3, atol=1e-6, err_msg=case.name)
    assert (accepted, {rule for _, rule, _ in rules} - RULES) == (count, set()), rules
