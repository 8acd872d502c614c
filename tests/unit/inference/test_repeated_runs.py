"""Long lists of attributes are read as the protobuf library wrote them; damage is refused."""

import random

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from cvm.inference.faults import InvalidModel
from cvm.inference.limits import MAX_LISTED_ATTRIBUTE
from cvm.inference.model_file import parse_model
from cvm.inference.onnx_messages import OnnxAttribute
from cvm.inference.protobuf_wire import RUN_START, MessageReader
from cvm.inference.repeated_runs import WINDOW
from tests.unit.inference.onnx_models import encoded, model_of, value

INT64 = st.integers(-(2**63), 2**63 - 1)
SMALL = st.integers(0, 300)
TEXTS = st.text(max_size=5) | st.just("BRANCH_LEQ") | st.just("x" * 200)
SETTINGS = settings(derandomize=True, deadline=None, max_examples=150)


def read_back(attribute: onnx.AttributeProto) -> OnnxAttribute:
    """Return what the engine reads of an attribute's canonical bytes."""
    return MessageReader(attribute.SerializeToString(deterministic=True)).read(OnnxAttribute)


@SETTINGS
@given(st.lists(INT64 | SMALL, min_size=1, max_size=3 * RUN_START))
def test_integers_are_those_of_onnx(values: list[int]) -> None:
    ints = read_back(helper.make_attribute("a", values)).ints
    assert ints is not None
    assert ints.dtype == np.int64
    assert ints.tolist() == values


@SETTINGS
@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=3 * RUN_START))
def test_floats_are_those_of_onnx(bits: list[int]) -> None:
    array = np.array(bits, np.uint32).view(np.float32)
    array = np.where(np.isnan(array), np.float32(1), array)
    floats = read_back(helper.make_attribute("a", array)).floats
    assert floats is not None
    assert floats.view(np.uint32).tolist() == array.view(np.uint32).tolist()


@SETTINGS
@given(st.lists(TEXTS, min_size=1, max_size=3 * RUN_START))
def test_texts_are_those_of_onnx(texts: list[str]) -> None:
    assert read_back(helper.make_attribute("a", texts)).strings == tuple(texts)


def test_a_run_of_many_windows_is_whole() -> None:
    source = random.Random(1)
    values = [source.randrange(2 ** source.randrange(1, 63)) for _ in range(WINDOW)]
    ints = read_back(helper.make_attribute("a", values)).ints
    assert ints is not None
    assert ints.tolist() == values


def element(value: bytes) -> bytes:
    return b"\x40" + value


DAMAGED = [
    pytest.param(element(b"\x80\x00"), "canonical bytes", id="varint that is not minimal"),
    pytest.param(element(b"\xff" * 9 + b"\x02"), "canonical bytes", id="varint over 64 bits"),
    pytest.param(element(b"\xff" * 11 + b"\x01"), "whole file", id="varint of 12 bytes"),
    pytest.param(element(b"\x81"), "whole file", id="varint that is cut off"),
    pytest.param(b"\xc0\x00\x01", "canonical bytes", id="tag that is not minimal"),
    pytest.param(b"\x3d\x00\x00\x80\x3f", "canonical bytes", id="field out of order"),
    pytest.param(b"\x42\x01\x01", "canonical bytes", id="packed"),
]


@pytest.mark.parametrize(("damage", "rule"), DAMAGED)
@pytest.mark.parametrize("count", [RUN_START - 1, RUN_START, RUN_START + 9])
def test_damage_in_a_run_is_refused_for_what_it_is(damage: bytes, rule: str, count: int) -> None:
    data = b"\x0a\x01a" + element(b"\x05") * count + damage
    with pytest.raises(InvalidModel) as caught:
        MessageReader(data).read(OnnxAttribute)
    assert caught.value.rule == rule


def test_text_in_a_run_must_be_utf8() -> None:
    data = b"\x0a\x01a" + b"\x4a\x01x" * (RUN_START + 3) + b"\x4a\x01\xff"
    with pytest.raises(InvalidModel, match=r"strings at byte .* is not UTF-8"):
        MessageReader(data).read(OnnxAttribute)


def test_a_list_that_holds_no_weights_is_short() -> None:
    node = helper.make_node("Transpose", ["x"], ["y"], perm=[0] * (MAX_LISTED_ATTRIBUTE + 1))
    model = model_of([node], [value("x", (1, 1))], [value("y", (1, 1))])
    with pytest.raises(InvalidModel, match=r"list length: .*'perm' lists 65537 numbers"):
        parse_model(encoded(model))
