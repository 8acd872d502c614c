"""The self-test passes the definition and stops at the first wrong bit of another backend."""

import json
from collections.abc import Sequence

import numpy as np
import pytest

from cvm.faults import BackendDisagrees
from cvm.inference.backends.backend import Plan, Trace
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.graph import Graph
from cvm.inference.operators.table import OPERATORS
from cvm.inference.self_test import run_self_test
from cvm.inference.tensor_type import Array
from cvm.inference.vectors import BadVector, parse_vectors
from node.self_test_vectors import load_self_test_vectors

RELU = {
    "name": "negative, zero, NaN",
    "op": "Relu",
    "inputs": [
        {"dtype": "float32", "shape": [4], "bits": ["bf800000", "80000000", "7fc00000", "00000001"]}
    ],
    "outputs": [
        {"dtype": "float32", "shape": [4], "bits": ["00000000", "00000000", "ffc00001", "00000001"]}
    ],
}
GEMM = {
    "name": "constant b",
    "op": "Gemm",
    "attributes": {"alpha": {"float": "40000000"}, "beta": 1.0, "transA": 0},
    "inputs": [
        {"dtype": "float32", "shape": [1, 2], "data": [1, 2]},
        {"dtype": "float32", "shape": [2, 1], "data": [3, 0.5]},
        None,
    ],
    "constants": [1],
    "outputs": [{"dtype": "float32", "shape": [1, 1], "data": [8]}],
}


class TamperedPlan:
    """Gives what another plan gives, its first output changed."""

    def __init__(self, plan: Plan, tamper: str) -> None:
        self._plan = plan
        self._tamper = tamper

    def run(self, inputs: Sequence[Array], trace: Trace | None = None) -> tuple[Array, ...]:
        first, *rest = self._plan.run(inputs, trace)
        if self._tamper == "last bit":
            changed = first.copy()
            changed.reshape(-1).view(np.uint8)[-4] ^= 1
        elif self._tamper == "dtype":
            changed = first.astype(np.float64)
        else:
            changed = first.reshape(1, *first.shape)
        return (changed, *rest)


class TamperedBackend:
    """A backend that is wrong in one way."""

    name = "tampered"

    def __init__(self, tamper: str) -> None:
        self._tamper = tamper

    def plan(self, graph: Graph) -> TamperedPlan:
        return TamperedPlan(ReferenceBackend().plan(graph), self._tamper)


def test_reference_passes_every_shipped_vector() -> None:
    vectors = load_self_test_vectors()
    assert run_self_test(ReferenceBackend(), vectors) == len(vectors)


def test_every_operator_ships_vectors() -> None:
    covered = {vector.op_type for vector in load_self_test_vectors()}
    assert {name for _, name in OPERATORS} - covered == set()


def test_count_of_passed_vectors_is_returned() -> None:
    assert run_self_test(ReferenceBackend(), parse_vectors(json.dumps([RELU, GEMM]))) == 2


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        pytest.param(
            "last bit",
            "backend 'tampered' fails the self-test at vector 'Relu: negative, zero, NaN': "
            "expected 0x00000001 at element 3, got 0x00000000",
            id="one bit",
        ),
        pytest.param("dtype", r"expected float32\[4\], got float64\[4\]", id="dtype"),
        pytest.param("shape", r"expected float32\[4\], got float32\[1,4\]", id="shape"),
    ],
)
def test_wrong_output_names_the_vector_and_both_values(tamper: str, expected: str) -> None:
    with pytest.raises(BackendDisagrees, match=expected):
        run_self_test(TamperedBackend(tamper), parse_vectors(json.dumps([RELU])))


def test_attributes_and_constants_of_a_vector_reach_the_operator() -> None:
    (vector,) = parse_vectors(json.dumps([GEMM]))
    graph = vector.graph(OPERATORS)
    alpha = graph.nodes[0].view.attributes["alpha"]
    assert isinstance(alpha, np.float32)
    assert alpha.view(np.uint32) == 0x40000000
    assert list(graph.constants) == ["in1"]
    assert [value.name for value in graph.inputs] == ["in0"]
    assert graph.nodes[0].inputs == ("in0", "in1")


def vector_with(**changes: object) -> str:
    return json.dumps([{**RELU, **changes}])


@pytest.mark.parametrize(
    ("outputs", "reason"),
    [
        pytest.param(
            [{"dtype": "float32", "shape": [1], "data": [0.1]}], "not exact numbers", id="inexact"
        ),
        pytest.param(
            [{"dtype": "int8", "shape": [1], "data": [128]}], "not exact numbers", id="overflow"
        ),
        pytest.param(
            [{"dtype": "int8", "shape": [1], "data": [1.5]}], "not exact numbers", id="fraction"
        ),
        pytest.param(
            [{"dtype": "float32", "shape": [3], "data": [1, 2]}], "2 numbers for shape", id="count"
        ),
    ],
)
def test_vector_with_numbers_that_are_not_exact_is_refused(outputs: object, reason: str) -> None:
    with pytest.raises(BadVector, match=reason):
        parse_vectors(vector_with(outputs=outputs))


def test_vector_of_an_unknown_operator_is_refused() -> None:
    (vector,) = parse_vectors(vector_with(op="Relu6"))
    with pytest.raises(BadVector, match="unknown operator Relu6"):
        vector.graph(OPERATORS)
