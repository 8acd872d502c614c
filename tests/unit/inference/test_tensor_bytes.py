"""Tensors are packed big-endian, whatever the host and the memory layout."""

import numpy as np
import pytest

from cvm.inference.faults import BadBoolByte
from cvm.inference.graph import Value
from cvm.inference.tensor_bytes import (
    canonical_nan,
    decode_item,
    encode_tensor,
    encode_tensors,
)
from cvm.inference.tensor_type import Array, TensorType

NAN_BITS = np.array([0x7F800001, 0xFFC12345, 0x7FC00000, 0x7F800000, 0x80000000], np.uint32)

ENCODED = [
    pytest.param(np.array([1, -2.5], np.float32), "3f800000 c0200000", id="float32"),
    pytest.param(np.array([-1, 127], np.int8), "ff 7f", id="int8"),
    pytest.param(np.array([0, 255], np.uint8), "00 ff", id="uint8"),
    pytest.param(np.array([-2, 258], np.int32), "fffffffe 00000102", id="int32"),
    pytest.param(np.array(-2, np.int64), "fffffffffffffffe", id="int64-scalar"),
    pytest.param(np.array([True, False]), "01 00", id="bool"),
    pytest.param(np.array([[1, 2], [3, 4]], np.uint8).T, "01 03 02 04", id="transposed"),
    pytest.param(np.arange(6, dtype=np.int32)[::3], "00000000 00000003", id="strided"),
]


@pytest.mark.parametrize(("array", "expected"), ENCODED)
def test_elements_are_big_endian_in_c_order(array: Array, expected: str) -> None:
    assert encode_tensor(array) == bytes.fromhex(expected)


@pytest.mark.parametrize(("array", "expected"), ENCODED)
def test_decoding_gives_the_elements_back(array: Array, expected: str) -> None:
    declared = Value("x", TensorType(str(array.dtype), array.shape))
    (decoded,) = decode_item(bytes.fromhex(expected), [declared])
    assert decoded.dtype == array.dtype
    assert decoded.flags.c_contiguous
    assert decoded.tolist() == array.tolist()


def test_every_nan_is_observed_as_one_pattern() -> None:
    assert encode_tensor(NAN_BITS.view(np.float32)) == bytes.fromhex(
        "7fc00000 7fc00000 7fc00000 7f800000 80000000"
    )


def test_encoding_leaves_the_array_alone() -> None:
    array = NAN_BITS.copy().view(np.float32)
    encode_tensor(array)
    assert array.view(np.uint32).tolist() == NAN_BITS.tolist()


def test_signalling_nan_is_decoded_bit_by_bit() -> None:
    (decoded,) = decode_item(
        bytes.fromhex("7f800001 ffc12345"), [Value("x", TensorType("float32", (2,)))]
    )
    assert decoded.view(np.uint32).tolist() == [0x7F800001, 0xFFC12345]


def test_inputs_lie_one_after_the_other() -> None:
    inputs = [Value("a", TensorType("uint8", (2,))), Value("b", TensorType("int32", (1, 1)))]
    a, b = decode_item(bytes.fromhex("0102 00000003"), inputs)
    assert (a.tolist(), b.tolist()) == ([1, 2], [[3]])
    assert encode_tensors([a, b]) == bytes.fromhex("0102 00000003")


def test_bool_byte_other_than_0_or_1_is_out_of_range() -> None:
    with pytest.raises(BadBoolByte, match="bool input 'mask' holds a byte 7, not 0 or 1"):
        decode_item(b"\x01\x07", [Value("mask", TensorType("bool", (2,)))])


def test_canonical_nan_keeps_the_shape_of_a_scalar() -> None:
    scalar = np.array(0xFFC00001, np.uint32).view(np.float32)
    assert canonical_nan(scalar).shape == ()
    assert canonical_nan(scalar).view(np.uint32) == 0x7FC00000
