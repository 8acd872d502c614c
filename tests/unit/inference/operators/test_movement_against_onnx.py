"""Operators that move, choose and make elements give what ONNX's node tests expect.

Data movement and integers must be equal; sums and interpolated values close.
"""

import importlib
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import pytest

from cvm.inference.faults import InvalidModel
from cvm.inference.graph import AttributeValue, NodeView
from cvm.inference.operators.table import OPERATORS
from cvm.inference.tensor_type import Array, type_of
from tests.unit.inference.operators.test_against_onnx import attributes_of

MODULES = {
    "argmin": 16, "concat": 12, "constant": 1, "constantofshape": 3, "cumsum": 2,
    "depthtospace": 2, "dropout": 5, "expand": 2, "eyelike": 2, "gather": 4,
    "gatherelements": 3, "gathernd": 3, "identity": 1, "onehot": 6, "pad": 6, "rangeop": 2,
    "resize": 22, "reversesequence": 3, "scatterelements": 3, "scatternd": 1, "shape": 11,
    "size": 2, "slice": 8, "spacetodepth": 2, "split": 13, "squeeze": 2, "tile": 2, "topk": 6,
    "transpose": 7, "trilu": 18, "unsqueeze": 7,
}  # fmt: skip
"""How many cases of each module of `onnx.backend.test.case.node` must be accepted."""

ROUNDED = {"CumSum", "Resize"}
"""Operators that round; every other must give the expected bits."""

OLDER_OR_NEWER = {"test_dropout_random_old", "test_spacetodepth_dcr_mode_example",
                  "test_spacetodepth_crd_mode_example"}  # fmt: skip
"""Cases of another version of the operator than opset 21 has."""

TENSORS = np.ndarray | np.generic | float | int
Case = tuple[str, onnx.NodeProto, list[Array | None], list[Array]]


def collect(module_name: str, monkeypatch: pytest.MonkeyPatch) -> list[Case]:
    """Return the cases of a module whose inputs are dense tensors."""
    cases: list[Case] = []

    def expect(
        node: onnx.NodeProto, inputs: Sequence[Any], outputs: Sequence[Any], name: str, **_: Any
    ) -> None:
        if name not in OLDER_OR_NEWER and all(isinstance(x, TENSORS) for x in inputs):
            present = iter(inputs)
            arrays = [np.asarray(next(present)) if n else None for n in node.input]
            cases.append((name, node, arrays, [np.asarray(output) for output in outputs]))

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


def attributes_with_tensors(proto: onnx.NodeProto) -> dict[str, AttributeValue]:
    """Return attributes as the engine holds them, tensors included."""
    plain = onnx.NodeProto()
    tensors: dict[str, AttributeValue] = {}
    for entry in proto.attribute:
        if entry.type == onnx.AttributeProto.TENSOR:
            tensors[entry.name] = onnx.numpy_helper.to_array(entry.t)
        else:
            plain.attribute.append(entry)
    return {**attributes_of(plain), **tensors}


def run(proto: onnx.NodeProto, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
    """Return what the definition makes of a node whose inputs are all constants."""
    spec = OPERATORS["", proto.op_type]
    types = tuple(None if array is None else type_of(array) for array in inputs)
    attributes = attributes_with_tensors(proto)
    wanted = tuple(map(bool, proto.output))
    view = NodeView(proto.op_type, "n", attributes, types, tuple(inputs), wanted)
    assert set(attributes) <= spec.attributes
    parameters = spec.parse(view)
    absent = (None,) * (spec.operand_count() - len(inputs))
    outputs = spec.run(parameters, *inputs, *absent)
    assert tuple(map(type_of, outputs)) == spec.output_types(parameters, view)
    return outputs


@pytest.mark.parametrize(("module", "count"), MODULES.items(), ids=list(MODULES))
def test_node_cases(module: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted = 0
    rules = set()
    for name, proto, inputs, expected in collect(module, monkeypatch):
        try:
            outputs = run(proto, inputs)
        except InvalidModel as fault:
            rules.add(fault.rule)
            continue
        accepted += 1
        for output, wanted in zip(outputs, expected, strict=True):
            assert (output.dtype, output.shape) == (wanted.dtype, wanted.shape), name
            if proto.op_type in ROUNDED:
                np.testing.assert_allclose(output, wanted, rtol=1e-5, atol=1e-6, err_msg=name)
            else:
                np.testing.assert_array_equal(output, wanted, err_msg=name)
    assert accepted == count
    assert rules <= {"operand dtype", "attribute value", "operand value"}


@pytest.mark.parametrize(
    ("equation", "a", "b"),
    [
        pytest.param("bij,bjk->bik", (5, 2, 3), (5, 3, 4), id="batch of products"),
        pytest.param("i,i", (5,), (5,), id="inner product"),
        pytest.param("bhid,bhjd->bhij", (1, 2, 3, 4), (1, 2, 5, 4), id="attention"),
        pytest.param("abc,dcb->da", (2, 3, 4), (5, 4, 3), id="two summed"),
        pytest.param("...ij,...jk->...ik", (2, 3, 4), (2, 4, 5), id="ellipsis of both"),
        pytest.param("...ij,...jk", (2, 3, 4), (5, 2, 4, 5), id="ellipsis of unequal lengths"),
        pytest.param("b...i,ij->b...j", (2, 3, 4, 2), (2, 5), id="ellipsis in the middle"),
        pytest.param("...,...->...", (2, 3), (2, 3), id="nothing but an ellipsis"),
        pytest.param("...i,...i->...", (4,), (4,), id="ellipsis of no axes"),
    ],
)
def test_einsum_is_close_to_numpy(equation: str, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    source = np.random.default_rng(5)
    inputs = [source.standard_normal(shape).astype(np.float32) for shape in (a, b)]
    proto = onnx.helper.make_node("Einsum", ["a", "b"], ["y"], equation=equation)
    (result,) = run(proto, inputs)
    np.testing.assert_allclose(result, np.einsum(equation, *inputs), rtol=1e-5, atol=1e-6)
