"""ConvTranspose has the definition's bits at every feature level, -0 beside padding included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.inference.graph import AttributeValue
from tests.unit.inference.cpu.levels import LEVELS
from tests.unit.inference.cpu.one_node import (
    assert_equals_definition,
    draw,
    draw_finite,
    draw_hostile,
)

Attributes = dict[str, AttributeValue]

CASES: list[tuple[str, Attributes, tuple[int, ...], tuple[int, ...]]] = [
    ("upsampling by 2", {"strides": (2, 2)}, (1, 24, 9, 13), (24, 17, 2, 2)),
    (
        "4 by 4, padded",
        {"strides": (2, 2), "pads": (1, 1, 1, 1)},
        (1, 6, 11, 20),
        (6, 9, 4, 4),
    ),
    ("stride 1, two items", {"pads": (2, 1, 0, 1)}, (2, 3, 6, 40), (3, 5, 3, 3)),
    (
        "groups, dilations, output_padding",
        {"strides": (3, 2), "dilations": (2, 3), "group": 2, "output_padding": (1, 2)},
        (2, 4, 5, 6),
        (4, 3, 2, 3),
    ),
    ("a kernel below the stride", {"strides": (5, 3)}, (1, 2, 3, 4), (2, 3, 2, 1)),
    ("depthwise", {"strides": (2, 2), "group": 8}, (1, 8, 6, 5), (8, 1, 3, 3)),
    ("one spatial axis", {"strides": (4,), "pads": (1, 2)}, (1, 8, 33), (8, 4, 8)),
    ("three spatial axes", {"strides": (2, 1, 2)}, (1, 2, 3, 3, 3), (2, 2, 2, 2, 2)),
    ("more phases than are planned", {"strides": (9, 9)}, (1, 2, 3, 3), (2, 2, 10, 9)),
    (
        "all but the edge cut off",
        {"strides": (2, 2), "output_shape": (1, 1)},
        (1, 2, 4, 4),
        (2, 2, 3, 3),
    ),
]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("attributes", "x_shape", "w_shape"), [pytest.param(*case[1:], id=case[0]) for case in CASES]
)
def test_conv_transpose(
    level: str, attributes: Attributes, x_shape: tuple[int, ...], w_shape: tuple[int, ...]
) -> None:
    maps = w_shape[1] * int(str(attributes.get("group", 1)))
    bias = draw(3, "float32", maps)
    for seed, x in enumerate((draw(1, "float32", *x_shape), draw_hostile(2, *x_shape))):
        weights = draw(seed, "float32", *w_shape)
        for inputs in ([x, weights, bias], [x, weights], [x, draw_finite(4, *w_shape)]):
            assert_equals_definition(level, "ConvTranspose", attributes, inputs, {1})


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    spatial=st.tuples(st.integers(1, 5), st.integers(1, 9)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    strides=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    dilations=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    length=st.tuples(st.integers(1, 12), st.integers(1, 20)),
    mode=st.sampled_from(["NOTSET", "SAME_UPPER", "SAME_LOWER"]),
)
def test_any_window(
    spatial: tuple[int, int],
    kernel: tuple[int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
    length: tuple[int, int],
    mode: str,
) -> None:
    attributes: Attributes = {"strides": strides, "dilations": dilations, "auto_pad": mode}
    attributes["output_shape"] = length
    tiny = (draw(5, "float32", 1, 2, *spatial) * np.float32(2.0**-130)).astype(np.float32)
    weights = (draw(6, "float32", 2, 3, *kernel) * np.float32(2.0**-12)).astype(np.float32)
    assert_equals_definition(LEVELS[0], "ConvTranspose", attributes, [tiny, weights], {1})
