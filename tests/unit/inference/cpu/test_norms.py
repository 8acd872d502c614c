"""Norms, global pools and dynamic quantisation have the definition's bits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.inference.graph import AttributeValue
from cvm.inference.tensor_type import Array
from tests.unit.inference.cpu.levels import LEVELS
from tests.unit.inference.cpu.one_node import assert_equals_definition, draw, draw_hostile

LEVEL = LEVELS[-1]
"""These kernels are the same at every level."""

Attributes = dict[str, AttributeValue]


def both(seed: int, *shape: int) -> list[Array]:
    """Return ordinary and hostile values."""
    return [draw(seed, "float32", *shape), draw_hostile(seed, *shape)]


@pytest.mark.parametrize(
    ("shape", "axis", "scale"),
    [
        pytest.param((3, 5, 300), -1, (300,), id="rows of two chunks"),
        pytest.param((2, 3, 4), 1, (3, 4), id="two axes"),
        pytest.param((2, 3, 4), 1, (3, 1), id="a scale that repeats along a row"),
        pytest.param((2, 3, 4), 2, (1, 1, 4), id="a scale with leading ones"),
        pytest.param((2, 3, 4), 2, (2, 3, 1), id="a scale that differs from row to row"),
        pytest.param((2, 3, 4), 0, (), id="everything, one factor"),
        pytest.param((17,), 0, (17,), id="one axis"),
    ],
)
@pytest.mark.parametrize("constants", [{1, 2}, set()], ids=["constants", "computed"])
def test_layer_normalization(
    shape: tuple[int, ...], axis: int, scale: tuple[int, ...], constants: set[int]
) -> None:
    for x in both(1, *shape):
        factor, bias = draw(2, "float32", *scale), draw(3, "float32", *scale)
        attributes: Attributes = {"axis": axis, "epsilon": np.float32(0.25)}
        inputs = [x, factor, bias]
        assert_equals_definition(LEVEL, "LayerNormalization", attributes, inputs, constants)
        constant = constants & {1}
        assert_equals_definition(LEVEL, "LayerNormalization", attributes, inputs[:2], constant)


@pytest.mark.parametrize("shape", [(2, 6, 5, 7), (1, 12, 300), (1, 6, 2, 3, 4)], ids=str)
@pytest.mark.parametrize("groups", [1, 3, 6])
def test_norms_of_channels(shape: tuple[int, ...], groups: int) -> None:
    for x in both(4, *shape):
        inputs = [x, draw(5, "float32", shape[1]), draw(6, "float32", shape[1])]
        assert_equals_definition(LEVEL, "GroupNormalization", {"num_groups": groups}, inputs)
        assert_equals_definition(LEVEL, "InstanceNormalization", {}, inputs, {1, 2})


@pytest.mark.parametrize("shape", [(2, 6, 5, 7), (9, 6), (2, 6, 1), (5,)], ids=str)
def test_batch_normalization(shape: tuple[int, ...]) -> None:
    channels = shape[1] if len(shape) > 1 else 1
    for x in both(7, *shape):
        statistics = [draw(seed, "float32", channels) for seed in (8, 9, 10, 11)]
        assert_equals_definition(LEVEL, "BatchNormalization", {}, [x, *statistics])
        inputs = [x, *statistics[:3], np.abs(statistics[3])]
        assert_equals_definition(LEVEL, "BatchNormalization", {}, inputs, {1, 2, 3, 4})


@pytest.mark.parametrize("shape", [(2, 3, 20, 31), (1, 2, 3), (1, 9, 2, 3, 4)], ids=str)
def test_global_pools(shape: tuple[int, ...]) -> None:
    for x in both(12, *shape):
        assert_equals_definition(LEVEL, "GlobalMaxPool", {}, [x])
        for p in (1, 2, 3):
            assert_equals_definition(LEVEL, "GlobalLpPool", {"p": p}, [x])


@pytest.mark.parametrize("p", [1, 2, 3])
@pytest.mark.parametrize("shape", [(2, 3, 9, 8), (1, 2, 40), (1, 1, 4, 4, 4)], ids=str)
def test_lp_pool(shape: tuple[int, ...], p: int) -> None:
    rank = len(shape) - 2
    attributes: Attributes = {"p": p, "kernel_shape": (3,) * rank, "strides": (2,) * rank}
    attributes["pads"] = (1,) * (2 * rank)
    for x in both(13, *shape):
        assert_equals_definition(LEVEL, "LpPool", attributes, [x])


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    bits=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=40),
    scale=st.sampled_from([2.0**-140, 1.0, 3e38]),
)
def test_dynamic_quantisation(bits: list[int], scale: float) -> None:
    any_bits = np.array(bits, np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        bounded = np.nan_to_num(np.sin(np.array(bits, np.float32)) * np.float32(scale))
    for x in (any_bits, bounded.astype(np.float32)):
        assert_equals_definition(LEVEL, "DynamicQuantizeLinear", {}, [x])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_log_softmax(axis: int) -> None:
    shape = [2, 3, 4]
    shape[axis] = 600
    for x in both(14, *shape):
        assert_equals_definition(LEVEL, "LogSoftmax", {"axis": axis}, [x])


@pytest.mark.parametrize("axes", [(2,), (0,), (0, 2), (1,), ()], ids=str)
def test_logarithms_of_sums(axes: tuple[int, ...]) -> None:
    listed = np.array(axes, np.int64)
    for x in (*both(15, 4, 20, 5), draw(16, "int32", 4, 20, 5), draw(17, "int64", 4, 20, 5)):
        for op in ("ReduceLogSum", "ReduceLogSumExp"):
            for flags in ({"noop_with_empty_axes": 1}, {"keepdims": 0}):
                assert_equals_definition(LEVEL, op, dict(flags), [x, listed], {1})


@pytest.mark.parametrize("size", [1, 2, 5, 9])
def test_lrn(size: int) -> None:
    for x in both(18, 2, 7, 3, 5):
        assert_equals_definition(LEVEL, "LRN", {"size": size, "alpha": np.float32(0.5)}, [x])


def test_mean_variance_normalization() -> None:
    for x in both(19, 2, 3, 4, 5):
        assert_equals_definition(LEVEL, "MeanVarianceNormalization", {}, [x])
        assert_equals_definition(LEVEL, "MeanVarianceNormalization", {"axes": (-1, 1)}, [x])
