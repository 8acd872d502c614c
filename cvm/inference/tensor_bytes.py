"""Tensors as a contract sees them: packed big-endian elements in C order (PROTOCOL section 2)."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from cvm.inference.faults import BadBoolByte
from cvm.inference.graph import Value
from cvm.inference.tensor_type import Array, TensorType

ByteOrder = Literal["=", ">"]

CANONICAL_NAN_BITS = np.uint32(0x7FC00000)


def canonical_nan(array: Array) -> Array:
    """Return the array with every float32 NaN as 0x7fc00000; other values keep their bits."""
    if array.dtype != np.float32:
        return array
    is_nan = np.isnan(array)
    if np.count_nonzero(is_nan) == 0:
        return array
    bits = np.asarray(array, order="C").view(np.uint32)
    return np.where(is_nan, CANONICAL_NAN_BITS, bits).view(np.float32)


def encode_tensor(array: Array) -> bytes:
    """Return packed big-endian elements; a bool is one byte 0 or 1, a NaN 0x7fc00000."""
    return _reordered(canonical_nan(array), "=", ">").tobytes()


def encode_tensors(arrays: Sequence[Array]) -> bytes:
    """Return the elements of several tensors, one tensor after the other."""
    return b"".join(encode_tensor(array) for array in arrays)


def decode_tensor_bytes(data: bytes | memoryview, tensor_type: TensorType, name: str) -> Array:
    """Return a C-ordered array of the host's byte order; `data` has exactly its size.

    Raises `BadBoolByte` where a bool is neither 0 nor 1. A NaN keeps its bits: no operator
    reads them.
    """
    if tensor_type.dtype == "bool" and max(data) > 1:
        raise BadBoolByte(name, max(data))
    stored = np.frombuffer(data, dtype=tensor_type.dtype)
    return _reordered(stored, ">", "=").reshape(tensor_type.shape)


def decode_item(data: bytes | memoryview, inputs: Sequence[Value]) -> tuple[Array, ...]:
    """Return the input arrays of one item, which lie in `data` in graph order."""
    view = memoryview(data)
    arrays: list[Array] = []
    for value in inputs:
        part, view = view[: value.type.size_bytes], view[value.type.size_bytes :]
        arrays.append(decode_tensor_bytes(part, value.type, value.name))
    return tuple(arrays)


def _reordered(array: Array, stored: ByteOrder, wanted: ByteOrder) -> Array:
    """Return a C-ordered copy in another byte order; bits move as integers, never as floats."""
    word = np.dtype(f"u{array.dtype.itemsize}")
    words = np.ascontiguousarray(array).view(word.newbyteorder(stored))
    return words.astype(word.newbyteorder(wanted)).view(array.dtype)
