"""Which values planning knows: initializers, Constant nodes, and what small nodes make of them."""

from collections.abc import Sequence

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from cvm.inference import known_values
from cvm.inference.backends.cpu import CpuBackend
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.faults import InvalidModel
from cvm.inference.model_file import Model, parse_model
from cvm.inference.tensor_type import Array
from tests.unit.inference.onnx_models import encoded, model_of, value

X = np.arange(6, dtype=np.float32).reshape(1, 2, 3)


def ints(*values: int) -> Array:
    return np.array(values, np.int64)


def floats(*values: float) -> Array:
    return np.array(values, np.float32)


def constant(name: str, array: Array) -> onnx.NodeProto:
    """Return a Constant node with a tensor."""
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array))


def parsed(
    nodes: Sequence[onnx.NodeProto],
    shape: Sequence[int],
    weights: dict[str, Array] | None = None,
    dtype: int = TensorProto.FLOAT,
) -> Model:
    """Return a model of x (1, 2, 3) that makes y."""
    return parse_model(
        encoded(model_of(nodes, [value("x", X.shape)], [value("y", shape, dtype)], weights))
    )


def outputs(model: Model) -> list[Array]:
    """Return what each backend makes of `X`."""
    backends = (ReferenceBackend(), CpuBackend())
    return [backend.plan(model.graph).run([X])[0] for backend in backends]


def test_shape_arithmetic_gives_the_shape_of_a_reshape() -> None:
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "last"], ["depth"]),
        helper.make_node("Unsqueeze", ["depth", "zero"], ["depths"]),
        helper.make_node("Concat", ["minus_one", "depths"], ["shape"], axis=0),
        helper.make_node("Reshape", ["x", "shape"], ["y"]),
    ]
    weights: dict[str, Array] = {
        "last": np.array(2, np.int64),
        "zero": ints(0),
        "minus_one": ints(-1),
    }
    model = parsed(nodes, (2, 3), weights)
    for y in outputs(model):
        np.testing.assert_array_equal(y, X[0])
    assert len(model.graph.nodes) == 5


def test_constant_node_becomes_an_initializer() -> None:
    nodes = [constant("c", floats(1, 2, 3)), helper.make_node("Add", ["x", "c"], ["y"])]
    model = parsed(nodes, X.shape)
    assert [node.spec.name for node in model.graph.nodes] == ["Add"]
    assert model.cost.weight_bytes == 12
    assert model.graph.nodes[0].view.constants[1] is not None
    for y in outputs(model):
        np.testing.assert_array_equal(y, X + floats(1, 2, 3))


def test_constant_node_may_be_large() -> None:
    weights = np.ones((3, 2000), np.float32)
    nodes = [constant("w", weights), helper.make_node("MatMul", ["x", "w"], ["y"])]
    model = parsed(nodes, (1, 2, 2000))
    np.testing.assert_array_equal(outputs(model)[1][0, :, 7], [3, 12])


def test_shape_of_a_large_tensor_is_known() -> None:
    large = known_values.MAX_NODE_ELEMENTS
    nodes = [
        helper.make_node("Expand", ["x", "wide"], ["e"]),
        helper.make_node("Shape", ["e"], ["s"]),
        helper.make_node("Reshape", ["e", "s"], ["y"]),
    ]
    assert len(parsed(nodes, (large, 2, 3), {"wide": ints(large, 1, 1)}).graph.nodes) == 3


UNKNOWN = [
    pytest.param(
        [
            helper.make_node("Shape", ["x"], ["s"]),
            helper.make_node("Range", ["a", "n", "b"], ["many"]),
            helper.make_node("Gather", ["many", "s"], ["shape"]),
            helper.make_node("Reshape", ["x", "shape"], ["y"]),
        ],
        {
            "a": np.array(0, np.int64),
            "b": np.array(1, np.int64),
            "n": np.array(known_values.MAX_NODE_ELEMENTS, np.int64),
        },
        id="a node that makes too much",
    ),
    pytest.param(
        [
            helper.make_node("Gather", ["few", "place"], ["shape"]),
            helper.make_node("Reshape", ["x", "shape"], ["y"]),
        ],
        {"few": ints(1, 6), "place": ints(0, 2)},
        id="an index out of range",
    ),
    pytest.param(
        [
            helper.make_node("Shape", ["x"], ["s0"]),
            *(helper.make_node("Concat", [f"s{i}"] * 2, [f"s{i + 1}"], axis=0) for i in range(10)),
            *(helper.make_node("Identity", ["s10"], [f"t{i}"]) for i in range(16)),
            helper.make_node("Slice", ["t15", "zero", "three"], ["shape"]),
            helper.make_node("Reshape", ["x", "shape"], ["y"]),
        ],
        {"zero": ints(0), "three": ints(3)},
        id="all that may be worked out is used up",
    ),
]


@pytest.mark.parametrize(("nodes", "weights"), UNKNOWN)
def test_value_is_not_known(nodes: list[onnx.NodeProto], weights: dict[str, Array]) -> None:
    with pytest.raises(InvalidModel, match="constant operand: Reshape node"):
        parsed(nodes, X.shape, weights)


def test_a_value_that_is_no_finite_number_is_no_weight() -> None:
    nodes = [
        helper.make_node("Add", ["huge", "huge"], ["w"]),
        helper.make_node("Conv", ["x", "w"], ["y"]),
    ]
    huge: dict[str, Array] = {"huge": np.full((4, 2, 1), 3e38, np.float32)}
    with pytest.raises(InvalidModel, match=r"constant operand: Conv node"):
        parsed(nodes, (1, 4, 3), huge)
    finite: dict[str, Array] = {"huge": np.full((4, 2, 1), 1, np.float32)}
    np.testing.assert_array_equal(outputs(parsed(nodes, (1, 4, 3), finite))[1][0, 0], [6, 10, 14])


def listed(count: int) -> TensorProto:
    """Return int64 numbers that are stored as varints."""
    return helper.make_tensor("", TensorProto.INT64, [count], [2**62] * count)


REFUSED = [
    pytest.param(
        [constant("c", floats(np.inf)), helper.make_node("Add", ["x", "c"], ["y"])],
        "finite weights",
        id="an infinity",
    ),
    pytest.param([constant("y", X)], "graph output", id="a graph output"),
    pytest.param(
        [
            helper.make_node("Constant", [], ["c"], value=listed(2**17)),
            helper.make_node("Identity", ["x"], ["y"]),
        ],
        "listed integers",
        id="a long list of varints",
    ),
    pytest.param(
        [
            helper.make_node("Constant", [], ["c"], value_ints=[1], value_int=1),
            helper.make_node("Identity", ["x"], ["y"]),
        ],
        "attribute value: Constant node 'Constant_0': give one of",
        id="two forms",
    ),
    pytest.param(
        [helper.make_node("NonZero", ["x"], ["y"])],
        "operator: NonZero node 'NonZero_0': the shape of its output depends on data",
        id="NonZero",
    ),
    pytest.param(
        [helper.make_node("Upsample", ["x"], ["y"])], "turns it into Resize", id="Upsample"
    ),
]


@pytest.mark.parametrize(("nodes", "reason"), REFUSED)
def test_refused(nodes: list[onnx.NodeProto], reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        parsed(nodes, X.shape)
