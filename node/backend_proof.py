"""Lets a backend run only operators for which it has passed every golden vector."""

from collections.abc import Callable

from cvm.faults import LocalFault
from cvm.inference.backends.backend import Backend
from cvm.inference.graph import Graph
from cvm.inference.self_test import run_self_test
from cvm.inference.vectors import Vector
from node.self_test_vectors import load_self_test_vectors

Operator = tuple[str, str]
"""Domain and name."""


class OperatorUnproven(LocalFault):
    """No golden vector covers an operator, so nothing shows that the backend is right."""

    def __init__(self, operator: str) -> None:
        super().__init__(f"no golden vector covers {operator}: install cvm-chain again")
        self.operator = operator


class BackendProof:
    """Which operators of one backend have been proven in this process.

    A node proves the operators of a model before it plans it: those of every ACTIVE model at
    start, those of a new one when it is checked. `cvm selftest` proves all of them.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._proven: set[Operator] = set()

    def prove(self, graph: Graph, told: Callable[[], None] = lambda: None) -> None:
        """Run the vectors of every operator that is not proven yet; `told` hears of each one.

        Raises `BackendDisagrees` naming the vector, or `OperatorUnproven`.
        """
        operators = operators_of(graph) - self._proven
        if not operators:
            return
        vectors: dict[Operator, list[Vector]] = {}
        for vector in load_self_test_vectors([name for _domain, name in operators]):
            vectors.setdefault((vector.domain, vector.op_type), []).append(vector)
        for operator in sorted(operators):
            if operator not in vectors:
                raise OperatorUnproven(".".join(filter(None, operator)))
            run_self_test(self._backend, vectors[operator])
            self._proven.add(operator)
            told()


def operators_of(graph: Graph) -> set[Operator]:
    """Return the operators that a graph has."""
    return {(node.spec.domain, node.spec.name) for node in graph.nodes}
