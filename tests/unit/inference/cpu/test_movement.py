"""Kernels that move, choose, order and resize elements have the definition's bits."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.inference.backends.backend import Backend
from cvm.inference.backends.cpu import CpuBackend
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.faults import InputOutOfRange
from cvm.inference.graph import AttributeValue
from cvm.inference.tensor_type import Array
from tests.unit.inference.cpu.levels import LEVELS
from tests.unit.inference.cpu.one_node import (
    Inputs,
    assert_equals_definition,
    draw,
    draw_hostile,
    one_node_graph,
)

LEVEL = LEVELS[-1]
"""These kernels are the same at every level, but for Einsum's."""

DTYPES = ["float32", "int8", "uint8", "int32", "int64", "bool"]
Attributes = dict[str, AttributeValue]


def values(seed: int, dtype: str, *shape: int) -> Array:
    """Return any values of a dtype."""
    if dtype == "bool":
        return draw(seed, "uint8", *shape) > 100
    return draw_hostile(seed, *shape) if dtype == "float32" else draw(seed, dtype, *shape)


def numbers(*listed: int) -> Array:
    return np.array(listed, np.int64)


shapes = st.lists(st.integers(1, 7), min_size=1, max_size=6).map(tuple)
dtypes = st.sampled_from(DTYPES)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.data(), dtypes)
def test_transpose(data: st.DataObject, dtype: str) -> None:
    shape = data.draw(shapes)
    perm = tuple(data.draw(st.permutations(range(len(shape)))))
    assert_equals_definition(LEVEL, "Transpose", {"perm": perm}, [values(1, dtype, *shape)])


@pytest.mark.parametrize("shape", [(67, 131), (3, 40, 33), (64, 3, 50)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "uint8", "int64"])
def test_transpose_in_blocks(shape: tuple[int, ...], dtype: str) -> None:
    perm = tuple(reversed(range(len(shape))))
    assert_equals_definition(LEVEL, "Transpose", {"perm": perm}, [values(2, dtype, *shape)])
    perm = (*range(len(shape) - 2), len(shape) - 1, len(shape) - 2)
    assert_equals_definition(LEVEL, "Transpose", {"perm": perm}, [values(3, dtype, *shape)])


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.data(), dtypes)
def test_slice(data: st.DataObject, dtype: str) -> None:
    shape = data.draw(shapes)
    bound = st.integers(-9, 9)
    starts, ends = ([data.draw(bound) for _ in shape] for _ in range(2))
    steps = [data.draw(st.sampled_from([-3, -2, -1, 1, 2, 3])) for _ in shape]
    lists = [numbers(*starts), numbers(*ends), numbers(*range(len(shape))), numbers(*steps)]
    x = values(4, dtype, *shape)
    assert_equals_definition(LEVEL, "Slice", {}, [x, *lists], {1, 2, 3, 4})


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.data(), dtypes)
def test_concat_and_split(data: st.DataObject, dtype: str) -> None:
    shape = list(data.draw(shapes))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    lengths = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    parts = []
    for seed, length in enumerate(lengths):
        shape[axis] = length
        parts.append(values(seed, dtype, *shape))
    assert_equals_definition(LEVEL, "Concat", {"axis": axis}, parts, {0})
    whole = np.concatenate(parts, axis=axis)
    assert_equals_definition(
        LEVEL, "Split", {"axis": axis}, [whole, numbers(*lengths)], {1}, outputs=len(lengths)
    )


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.data(), dtypes)
def test_expand_and_tile(data: st.DataObject, dtype: str) -> None:
    shape = data.draw(shapes)
    kept = [data.draw(st.booleans()) for _ in shape]
    narrow = values(5, dtype, *(n if keep else 1 for n, keep in zip(shape, kept, strict=True)))
    assert_equals_definition(LEVEL, "Expand", {}, [narrow, numbers(*shape)], {1})
    repeats = numbers(*(data.draw(st.integers(1, 3)) for _ in shape))
    assert_equals_definition(LEVEL, "Tile", {}, [narrow, repeats], {1})


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.data(), dtypes, st.sampled_from(["constant", "reflect", "edge", "wrap"]))
def test_pad(data: st.DataObject, dtype: str, mode: str) -> None:
    shape = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=4).map(tuple))
    least = 0
    pads = []
    for length in shape * 2:
        least = -(length // 2) if mode == "constant" else 0
        pads.append(data.draw(st.integers(least, 5)))
    inputs = [values(6, dtype, *shape), numbers(*pads), values(7, dtype, 1).reshape(())]
    assert_equals_definition(LEVEL, "Pad", {"mode": mode}, inputs, {1})


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_blocks(mode: str, dtype: str) -> None:
    x = values(8, dtype, 2, 12, 3, 5)
    attributes: Attributes = {"blocksize": 2, "mode": mode}
    assert_equals_definition(LEVEL, "DepthToSpace", attributes, [x])
    y = values(9, dtype, 2, 3, 6, 9)
    assert_equals_definition(LEVEL, "SpaceToDepth", {"blocksize": 3}, [y])


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.data(), dtypes, st.sampled_from(["int32", "int64"]))
def test_gather_and_gather_elements(data: st.DataObject, dtype: str, index_dtype: str) -> None:
    shape = data.draw(shapes)
    axis = data.draw(st.integers(0, len(shape) - 1))
    source = np.random.default_rng(data.draw(st.integers(0, 99)))
    length = shape[axis]
    few = data.draw(st.lists(st.integers(1, 4), max_size=7 - len(shape)).map(tuple))
    x = values(10, dtype, *shape)
    indices = source.integers(-length, length, few).astype(index_dtype)
    assert_equals_definition(LEVEL, "Gather", {"axis": axis}, [x, indices])
    smaller = [data.draw(st.integers(1, n)) for n in shape]
    smaller[axis] = data.draw(st.integers(1, 9))
    indices = source.integers(-length, length, smaller).astype(index_dtype)
    assert_equals_definition(LEVEL, "GatherElements", {"axis": axis}, [x, indices])


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.data(), dtypes)
def test_gather_nd_and_scatter_nd(data: st.DataObject, dtype: str) -> None:
    shape = data.draw(st.lists(st.integers(1, 5), min_size=2, max_size=5).map(tuple))
    batch = data.draw(st.integers(0, len(shape) - 1))
    depth = data.draw(st.integers(1, len(shape) - batch))
    source = np.random.default_rng(data.draw(st.integers(0, 99)))
    x = values(11, dtype, *shape)
    bounds = shape[batch : batch + depth]
    columns = [source.integers(-n, n, (*shape[:batch], 3)) for n in bounds]
    assert_equals_definition(
        LEVEL, "GatherND", {"batch_dims": batch}, [x, np.stack(columns, axis=-1)]
    )
    front = shape[:depth]
    places = source.permutation(int(np.prod(front)))[:4]
    indices = np.stack(np.unravel_index(places, front), axis=-1).astype(np.int64)
    updates = values(12, dtype, len(places), *shape[depth:])
    assert_equals_definition(LEVEL, "ScatterND", {}, [x, indices, updates], {1})


@settings(derandomize=True, max_examples=30, deadline=None)
@given(st.data(), dtypes)
def test_scatter_elements(data: st.DataObject, dtype: str) -> None:
    shape = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple))
    axis = data.draw(st.integers(0, len(shape) - 1))
    smaller = tuple(data.draw(st.integers(1, n)) for n in shape)
    order = np.argsort(np.random.default_rng(13).random(shape), axis=axis)
    indices = order[tuple(map(slice, smaller))] - shape[axis] * data.draw(st.integers(0, 1))
    inputs = [values(14, dtype, *shape), indices, values(15, dtype, *smaller)]
    assert_equals_definition(LEVEL, "ScatterElements", {"axis": axis}, inputs, {1})


OUTSIDE: list[tuple[str, Attributes, Inputs]] = [
    ("Gather", {"axis": 1}, [draw(16, "int8", 2, 3), numbers(2, 3, -4)]),
    ("GatherElements", {}, [draw(17, "float32", 2, 3), numbers(1, -3, 5)[None]]),
    ("GatherND", {}, [draw(18, "int64", 2, 3), np.array([[1, 2], [0, 3], [2, 0]])]),
]


@pytest.mark.parametrize(("op", "attributes", "inputs"), OUTSIDE, ids=[c[0] for c in OUTSIDE])
def test_index_outside_is_refused_before_any_element_moves(
    op: str, attributes: Attributes, inputs: Sequence[Array]
) -> None:
    graph = one_node_graph(op, attributes, inputs, ())
    faults = []
    backends: list[Backend] = [ReferenceBackend(), CpuBackend(LEVEL)]
    for backend in backends:
        plan = backend.plan(graph)
        with pytest.raises(InputOutOfRange) as caught:
            plan.run(inputs)
        faults.append((caught.value.node, caught.value.index, caught.value.size))
        inside = [inputs[0], np.zeros_like(inputs[1])]
        assert plan.run(inside)[0].size > 0
    assert faults[0] == faults[1]


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.data(), st.sampled_from(["float32", "int8", "uint8", "int32", "int64"]))
def test_topk(data: st.DataObject, dtype: str) -> None:
    shape = data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=3).map(tuple))
    axis = data.draw(st.integers(0, len(shape) - 1))
    k = data.draw(st.integers(1, shape[axis]))
    x = values(data.draw(st.integers(0, 99)), dtype, *shape)
    if data.draw(st.booleans()):
        x = (x.view(np.uint8)[..., ::1].reshape(-1)[: x.size] % 3).astype(dtype).reshape(shape)
    attributes: Attributes = {"axis": axis, "largest": data.draw(st.integers(0, 1))}
    assert_equals_definition(LEVEL, "TopK", attributes, [x, numbers(k)], {1}, outputs=2)


@pytest.mark.parametrize("dtype", ["float32", "int8", "uint8", "int32"])
@pytest.mark.parametrize("last", [0, 1])
def test_argmin(dtype: str, last: int) -> None:
    attributes: Attributes = {"axis": 1, "select_last_index": last}
    assert_equals_definition(LEVEL, "ArgMin", attributes, [values(19, dtype, 5, 60, 7)])
    few = (draw(20, "uint8", 5, 60, 7) % 2).astype(dtype)
    assert_equals_definition(LEVEL, "ArgMin", attributes, [few])


@pytest.mark.parametrize("dtype", ["float32", "int32", "int64"])
@pytest.mark.parametrize("exclusive", [0, 1])
@pytest.mark.parametrize("reverse", [0, 1])
def test_cumsum(dtype: str, exclusive: int, reverse: int) -> None:
    attributes: Attributes = {"exclusive": exclusive, "reverse": reverse}
    for axis, shape in enumerate([(300,), (3, 300), (2, 3, 50), (40, 1, 3)]):
        place = numbers(axis % len(shape))
        assert_equals_definition(LEVEL, "CumSum", attributes, [draw(21, dtype, *shape), place], {1})
        assert_equals_definition(
            LEVEL, "CumSum", attributes, [values(22, dtype, *shape), place], {1}
        )


@pytest.mark.parametrize("k", [-9, -2, 0, 1, 9])
@pytest.mark.parametrize("upper", [0, 1])
@pytest.mark.parametrize("dtype", ["float32", "bool", "int64"])
def test_trilu(k: int, upper: int, dtype: str) -> None:
    for shape in [(3, 4, 5), (6, 2), (1, 7)]:
        inputs = [values(23, dtype, *shape), np.array(k, np.int64)]
        assert_equals_definition(LEVEL, "Trilu", {"upper": upper}, inputs, {1})


TRANSFORMATIONS = [
    "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
]  # fmt: skip
NEAREST = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.data(), dtypes, st.sampled_from(TRANSFORMATIONS), st.sampled_from(NEAREST))
def test_resize_nearest(data: st.DataObject, dtype: str, transformation: str, mode: str) -> None:
    shape = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple))
    sizes = numbers(*(data.draw(st.integers(1, 12)) for _ in shape))
    attributes: Attributes = {
        "coordinate_transformation_mode": transformation,
        "nearest_mode": mode,
    }
    x = values(24, dtype, *shape)
    assert_equals_definition(LEVEL, "Resize", attributes, [x, None, None, sizes], {3})


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.data(), st.sampled_from(TRANSFORMATIONS))
def test_resize_linear(data: st.DataObject, transformation: str) -> None:
    shape = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple))
    scales = np.array([data.draw(st.sampled_from([0.5, 0.75, 1, 1.5, 2, 2.5])) for _ in shape])
    scales = np.where(np.floor(scales * shape) < 1, 1, scales).astype(np.float32)
    attributes: Attributes = {
        "mode": "linear",
        "coordinate_transformation_mode": transformation,
    }
    for x in (draw(25, "float32", *shape), draw_hostile(26, *shape)):
        assert_equals_definition(LEVEL, "Resize", attributes, [x, None, scales], {2})


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("equation", "a", "b"),
    [
        pytest.param("ij,jk->ik", (9, 17), (17, 35), id="in place"),
        pytest.param("ij,kj->ki", (9, 17), (35, 17), id="result turned"),
        pytest.param("ji,jk->ik", (17, 9), (17, 35), id="depth first"),
        pytest.param("bqnd,bknd->bnqk", (2, 11, 3, 8), (2, 13, 3, 8), id="heads in the middle"),
        pytest.param("i,ij->j", (17,), (17, 40), id="one row"),
        pytest.param("bij,bij->b", (3, 5, 7), (3, 5, 7), id="all summed"),
        pytest.param("abc,db->adc", (3, 5, 7), (2, 5), id="depth in the middle"),
    ],
)
def test_einsum(level: str, equation: str, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    inputs = [draw(27, "float32", *a), draw(28, "float32", *b)]
    assert_equals_definition(level, "Einsum", {"equation": equation}, inputs)
    assert_equals_definition(level, "Einsum", {"equation": equation}, inputs, {1})
