"""Windows: output lengths agree with ONNX shape inference; taps agree with a plain search."""

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from cvm.inference.faults import InvalidModel
from cvm.inference.graph import AttributeValue
from cvm.inference.operators.window import Window, resolve_window, taps
from tests.oracle.tensors import indices
from tests.unit.inference.operators.nodes import node, spec_of, t

Attributes = dict[str, AttributeValue]


@st.composite
def pools(draw: st.DrawFn) -> tuple[tuple[int, ...], Attributes]:
    rank = draw(st.integers(1, 3))
    spatial = draw(st.tuples(*[st.integers(1, 9)] * rank))
    attributes: Attributes = {
        "kernel_shape": draw(st.tuples(*[st.integers(1, 4)] * rank)),
        "strides": draw(st.tuples(*[st.integers(1, 3)] * rank)),
        "dilations": draw(st.tuples(*[st.integers(1, 2)] * rank)),
        "ceil_mode": draw(st.integers(0, 1)),
    }
    auto_pad = draw(st.sampled_from(["NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]))
    if auto_pad == "NOTSET":
        attributes["pads"] = draw(st.tuples(*[st.integers(0, 3)] * (2 * rank)))
    else:
        attributes["auto_pad"] = auto_pad
    return spatial, attributes


def inferred_shape(spatial: tuple[int, ...], attributes: Attributes) -> list[int]:
    """Return what ONNX says of MaxPool-22.

    It says in words what onnxruntime always did: no window starts on the end pad. The inference
    of MaxPool-12 counts such a window.
    """
    pool = helper.make_node("MaxPool", ["x"], ["y"])
    pool.attribute.extend(helper.make_attribute(name, v) for name, v in attributes.items())
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 1, *spatial])
    y = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    graph = helper.make_graph([pool], "g", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)])
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    shape = inferred.graph.output[0].type.tensor_type.shape
    return [dimension.dim_value for dimension in shape.dim]


@given(pools())
@settings(max_examples=600, derandomize=True, deadline=None)
def test_output_shape_is_that_of_onnx(case: tuple[tuple[int, ...], Attributes]) -> None:
    spatial, attributes = case
    view = node("MaxPool", t("float32", 1, 1, *spatial), attributes=attributes)
    spec = spec_of("MaxPool")
    try:
        parameters = spec.parse(view)
    except InvalidModel:
        return
    (result,) = spec.output_types(parameters, view)
    assert list(result.shape) == inferred_shape(spatial, attributes)


@given(pools())
@settings(max_examples=300, derandomize=True, deadline=None)
def test_taps_are_those_of_a_plain_search(case: tuple[tuple[int, ...], Attributes]) -> None:
    spatial, attributes = case
    kernel = attributes["kernel_shape"]
    assert isinstance(kernel, tuple)
    view = node("MaxPool", t("float32", 1, 1, *spatial), attributes=attributes)
    try:
        window = resolve_window(
            view, spatial, tuple(map(int, kernel)), attributes["ceil_mode"] == 1
        )
    except InvalidModel:
        return
    assert list(pairs_by_taps(window, spatial)) == list(pairs_by_search(window, spatial))


Triple = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def pairs_by_taps(window: Window, spatial: tuple[int, ...]) -> list[Triple]:
    """Return (tap, output, input) for everything that `taps` selects."""
    found = []
    for tap in taps(window, spatial):
        outputs = [range(s.stop)[s] for s in tap.outputs]
        inputs = [range(s.stop)[s] for s in tap.inputs]
        assert list(map(len, outputs)) == list(map(len, inputs))
        for place in indices(list(map(len, outputs))):
            target = tuple(axis[i] for axis, i in zip(outputs, place, strict=True))
            source = tuple(axis[i] for axis, i in zip(inputs, place, strict=True))
            found.append((tap.index, target, source))
    return found


def pairs_by_search(window: Window, spatial: tuple[int, ...]) -> list[Triple]:
    """Return the same by trying every tap of every output."""
    found = []
    for tap in indices(window.kernel_shape):
        for target in indices(window.output_shape):
            source = tuple(
                target[a] * window.strides[a] - window.pads[a] + tap[a] * window.dilations[a]
                for a in range(len(spatial))
            )
            if all(0 <= place < length for place, length in zip(source, spatial, strict=True)):
                found.append((tap, target, source))
    return found


@given(pools())
@settings(max_examples=300, derandomize=True, deadline=None)
def test_no_accepted_pool_has_an_empty_window(case: tuple[tuple[int, ...], Attributes]) -> None:
    spatial, attributes = case
    view = node("MaxPool", t("float32", 1, 1, *spatial), attributes=attributes)
    try:
        window = spec_of("MaxPool").parse(view)
    except InvalidModel:
        return
    reached = {target for _, target, _ in pairs_by_search(window, spatial)}
    assert reached == set(indices(window.output_shape))


SAME = [
    pytest.param("SAME_UPPER", 5, 2, 2, (0, 1), id="odd pad at the end"),
    pytest.param("SAME_LOWER", 5, 2, 2, (1, 0), id="odd pad at the beginning"),
    pytest.param("SAME_UPPER", 5, 3, 1, (1, 1), id="even pads"),
    pytest.param("SAME_LOWER", 6, 1, 2, (0, 0), id="a stride longer than the kernel"),
]


@pytest.mark.parametrize(("mode", "length", "kernel", "stride", "pads"), SAME)
def test_auto_pad(mode: str, length: int, kernel: int, stride: int, pads: tuple[int, int]) -> None:
    attributes: Attributes = {"auto_pad": mode, "strides": (stride,)}
    window = resolve_window(node("Conv", attributes=attributes), (length,), (kernel,))
    assert (window.pads, window.output_shape) == (pads, (-(-length // stride),))
