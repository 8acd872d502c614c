"""CVM.sol reads many elements at once and finds the largest; CVMInput.sol writes them."""

from functools import cache

import numpy as np
import pytest
from eth_abi.abi import decode
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.inference.exact.ordering import index_of_largest
from models_registry.selectors import selector
from tests.unit.models_registry.contract_host import Reverted
from tests.unit.models_registry.solidity_probe import (
    SOLIDITY_TYPES,
    WIDTHS,
    Probe,
    bounds,
    packed,
)

KINDS = list(WIDTHS)
ORDERED = {"Int64": ">i8", "Int32": ">i4", "Int8": ">i1", "Uint8": ">u1", "Float32": ">f4"}
EDGES = {kind: [*bounds(kind), 0, 1] for kind in KINDS}
INF, MINUS_INF, NAN, ONE = "7f800000", "ff800000", "7fc00000", "3f800000"


@cache
def reader() -> Probe:
    return Probe("CVMProbe")


@cache
def writer() -> Probe:
    return Probe("TensorProbe")


def read(kind: str, data: bytes, offset: int, count: int) -> list[int]:
    signature = f"to{kind}Array(bytes,uint256,uint256)"
    return list(reader()(signature, [data, offset, count], f"{SOLIDITY_TYPES[kind]}[]"))


def write(kind: str, values: list[int]) -> bytes:
    elements = [bool(value) for value in values] if kind == "Bool" else values
    written = writer()(f"from{kind}({SOLIDITY_TYPES[kind]}[])", [elements], "bytes")
    return bytes(written)


def argmax(kind: str, data: bytes, offset: int, count: int) -> int:
    signature = f"argmax{kind}(bytes,uint256,uint256)"
    return int(reader()(signature, [data, offset, count], "uint256"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_ends_of_a_kind_are_read(kind: str) -> None:
    data = b"\xaa" + packed(kind, EDGES[kind]) + b"\xbb"
    assert read(kind, data, 1, 4) == EDGES[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_the_ends_of_a_kind_are_written(kind: str) -> None:
    assert write(kind, EDGES[kind]) == packed(kind, EDGES[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_no_elements_are_no_bytes(kind: str) -> None:
    assert read(kind, b"\x01", 1, 0) == []
    assert write(kind, []) == b""


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_what_is_written_is_read(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    values = data.draw(st.lists(st.integers(*bounds(kind)), max_size=70))
    before = data.draw(st.binary(max_size=9))
    written = write(kind, values)
    assert written == packed(kind, values)
    assert read(kind, before + written, len(before), len(values)) == values


@pytest.mark.parametrize(
    ("offset", "count"),
    [
        pytest.param(0, 5, id="one too many"),
        pytest.param(1, 4, id="one byte short"),
        pytest.param(17, 0, id="offset behind the end"),
        pytest.param(2**256 - 1, 1, id="offset that wraps round"),
        pytest.param(0, 2**254, id="count whose bytes wrap round"),
        pytest.param(4, 2**256 - 1, id="largest count"),
    ],
)
@pytest.mark.parametrize("function", ["toInt32Array", "argmaxInt32"])
def test_elements_outside_the_bytes_are_refused(function: str, offset: int, count: int) -> None:
    with pytest.raises(Reverted) as caught:
        reader()(f"{function}(bytes,uint256,uint256)", [bytes(16), offset, count], "uint256")
    assert caught.value.data[:4] == selector("NoElementsAt(uint256,uint256,uint256,uint256)")
    assert decode(["uint256"] * 4, caught.value.data[4:]) == (offset, count, 4, 16)


@pytest.mark.parametrize(
    ("signature", "arguments"),
    [
        pytest.param("toBool(bytes,uint256)", [b"\0\1\2", 2], id="one"),
        pytest.param("toBoolArray(bytes,uint256,uint256)", [b"\0\1\2", 1, 2], id="array"),
    ],
)
def test_a_byte_above_one_is_no_bool(signature: str, arguments: list[object]) -> None:
    with pytest.raises(Reverted) as caught:
        reader()(signature, arguments, "bool")
    assert caught.value.data[:4] == selector("NotABool(uint256,uint256)")
    assert decode(["uint256"] * 2, caught.value.data[4:]) == (2, 2)


@pytest.mark.parametrize(("offset", "value"), [(0, False), (1, True)])
def test_one_bool_is_read(offset: int, value: bool) -> None:
    assert reader()("toBool(bytes,uint256)", [b"\0\1", offset], "bool") is value


@pytest.mark.parametrize(
    ("offset", "length", "part"),
    [
        pytest.param(0, 5, b"abcde", id="all"),
        pytest.param(1, 3, b"bcd", id="middle"),
        pytest.param(5, 0, b"", id="nothing at the end"),
    ],
)
def test_a_slice_is_the_bytes_in_between(offset: int, length: int, part: bytes) -> None:
    arguments = [b"abcde", offset, length]
    assert reader()("slice(bytes,uint256,uint256)", arguments, "bytes") == part


@pytest.mark.parametrize(("offset", "length"), [(0, 6), (6, 0), (2**255, 2**255), (5, 2**256 - 5)])
def test_a_slice_outside_the_bytes_is_refused(offset: int, length: int) -> None:
    with pytest.raises(Reverted) as caught:
        reader()("slice(bytes,uint256,uint256)", [b"abcde", offset, length], "bytes")
    assert caught.value.data[:4] == selector("NoElementsAt(uint256,uint256,uint256,uint256)")


@pytest.mark.parametrize(
    ("kind", "elements", "winner"),
    [
        pytest.param("Int64", "8000000000000000" + "ffffffffffffffff", 1, id="int64"),
        pytest.param("Int32", "80000000" * 2, 0, id="least int32, first of two"),
        pytest.param("Int8", "80ff7f7f00", 2, id="int8, first of equals"),
        pytest.param("Uint8", "00ff80ff", 1, id="uint8 above 127"),
        pytest.param("Float32", MINUS_INF + "80000001" + "80000000" + "00000000", 2, id="-0 is +0"),
        pytest.param("Float32", "bf800000" + "c0000000" + "bf000000", 2, id="negative floats"),
        pytest.param("Float32", ONE + INF + NAN + NAN, 2, id="NaN above +inf, first NaN"),
        pytest.param("Float32", INF + "ffffffff" + NAN, 1, id="NaN with a sign"),
        pytest.param("Float32", MINUS_INF * 3, 0, id="-inf alone"),
    ],
)
def test_the_first_of_the_largest_wins(kind: str, elements: str, winner: int) -> None:
    data = bytes.fromhex(elements)
    assert argmax(kind, data, 0, len(data) // np.dtype(ORDERED[kind]).itemsize) == winner


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_the_winner_is_the_engines(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(ORDERED)))
    width = np.dtype(ORDERED[kind]).itemsize
    specials = [bytes.fromhex(each) for each in (INF, MINUS_INF, NAN, ONE, "80000000", "00000000")]
    element = st.binary(min_size=width, max_size=width)
    drawn = st.one_of(element, st.sampled_from(specials)) if kind == "Float32" else element
    tensor = b"".join(data.draw(st.lists(drawn, min_size=1, max_size=40)))
    native = np.frombuffer(tensor, ORDERED[kind]).astype(ORDERED[kind].replace(">", "="))
    wanted = int(index_of_largest(native, last=False))
    assert argmax(kind, b"\x7f" + tensor, 1, len(tensor) // width) == wanted


def test_nothing_has_no_largest_element() -> None:
    with pytest.raises(Reverted) as caught:
        argmax("Int8", b"", 0, 0)
    assert caught.value.data == selector("NoElements()")


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([], id="none"),
        pytest.param([b""], id="an empty one"),
        pytest.param([b"a", b"", b"b" * 33, b"c" * 64], id="several"),
    ],
)
def test_parts_are_joined_without_a_gap(parts: list[bytes]) -> None:
    assert writer()("join(bytes[])", [parts], "bytes") == b"".join(parts)


def test_packing_leaves_its_neighbours_in_memory_whole() -> None:
    answer = writer()("packBetween(uint8[3])", [[1, 2, 255]], "bytes", "uint256[2]", "bytes")
    assert answer == (b"\x01\x02\xff", (7, 8), b"\x09\x10")


def test_the_code_for_infer_array_is_put_on_chain_whole() -> None:
    """The library takes the address; this host has no opcode 0xC1, which therefore halts."""
    target = writer()("deploy()", [], "address")
    with pytest.raises(Reverted) as caught:
        writer()("inferStored(address,bytes32)", [target, bytes(32)], "bytes")
    assert caught.value.data == selector("InferenceOutOfGas()")
