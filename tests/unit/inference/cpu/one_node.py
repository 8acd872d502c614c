"""Graphs of one node, run by the definition and by the CPU backend."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from cvm.inference.backends.backend import Backend
from cvm.inference.backends.cpu import CpuBackend
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.float_environment import default_float_environment
from cvm.inference.graph import AttributeValue, Graph, NodeView
from cvm.inference.operators.table import OPERATORS
from cvm.inference.tensor_bytes import encode_tensor
from cvm.inference.tensor_type import Array, type_of
from cvm.inference.vectors import Vector
from tests.unit.inference.operators.nodes import spec_of

Inputs = Sequence[Array | None]

HOSTILE_BITS = (
    *(0x00000000, 0x80000000, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC12345, 0x7F812345),
    *(0x00000001, 0x80000001, 0x007FFFFF, 0x807FFFFF, 0x00800000, 0x7F7FFFFF, 0xFF7FFFFF),
    *(0x3F800000, 0xBF800000, 0x33800000, 0xB3800000, 0x4B800001, 0xCB800001),
)
"""Zeros, infinities, NaNs, subnormals, the least normal, the greatest values, and +-1, +-2**-24,
+-(2**24 + 2), whose sums cancel."""

HOSTILE = np.array(HOSTILE_BITS, np.uint32).view(np.float32)


def draw(seed: int, dtype: str, *shape: int) -> Array:
    """Return reproducible numbers: float32 of mixed magnitude, or any value of an integer."""
    rng = np.random.default_rng(seed)
    if dtype == "float32":
        exponents = rng.integers(-6, 7, shape)
        return np.ldexp(rng.standard_normal(shape), exponents).astype(np.float32)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)


def draw_hostile(seed: int, *shape: int) -> Array:
    """Return reproducible float32 from `HOSTILE`."""
    return np.random.default_rng(seed).choice(HOSTILE, shape)


def draw_finite(seed: int, *shape: int) -> Array:
    """Return reproducible finite float32 from `HOSTILE`."""
    return np.random.default_rng(seed).choice(HOSTILE[np.isfinite(HOSTILE)], shape)


def one_node_graph(
    op: str,
    attributes: Mapping[str, AttributeValue],
    inputs: Inputs,
    constants: Collection[int],
    outputs: int = 1,
) -> Graph:
    """Return the checked graph of one node whose inputs `constants` are initializers."""
    spec = spec_of(op)
    view = NodeView(
        op,
        op,
        attributes,
        tuple(None if array is None else type_of(array) for array in inputs),
        tuple(array if i in constants else None for i, array in enumerate(inputs)),
        (True,) * outputs,
    )
    types = spec.output_types(spec.parse(view), view)
    made = tuple(np.zeros(t.shape, t.dtype) for t in types)
    vector = Vector(
        op, op, attributes, tuple(inputs), frozenset(constants), made, domain=spec.domain
    )
    return vector.graph(OPERATORS)


def run_inputs(inputs: Inputs, constants: Collection[int]) -> tuple[Array, ...]:
    """Return the inputs that are given to a plan."""
    return tuple(a for i, a in enumerate(inputs) if a is not None and i not in constants)


def output_bytes(backend: Backend, graph: Graph, inputs: Sequence[Array]) -> list[bytes]:
    """Return the outputs of a graph, NaNs made canonical."""
    plan = backend.plan(graph)
    with default_float_environment():
        return [encode_tensor(output) for output in plan.run(inputs)]


def assert_equals_definition(
    level: str,
    op: str,
    attributes: Mapping[str, AttributeValue],
    inputs: Inputs,
    constants: Collection[int] = (),
    outputs: int = 1,
) -> None:
    """Compare every bit of what a feature level makes of one node with the definition."""
    graph = one_node_graph(op, attributes, inputs, constants, outputs)
    given = run_inputs(inputs, constants)
    expected = output_bytes(ReferenceBackend(), graph, given)
    assert output_bytes(CpuBackend(level), graph, given) == expected
