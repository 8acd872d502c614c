"""Turns the tensors of a file into read-only arrays, each in one of ONNX's storage forms."""

from math import prod

import numpy as np

from cvm.inference.faults import InvalidModel
from cvm.inference.limits import MAX_DIM, MAX_ELEMENTS, MAX_LISTED_INTEGER_BYTES, MAX_RANK
from cvm.inference.onnx_messages import OnnxTensor
from cvm.inference.protobuf_wire import read_varint, signed
from cvm.inference.tensor_type import Array, Shape, TensorType

ELEMENT_TYPES = {1: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 9: "bool"}
"""ONNX's number of an element type (TensorProto.DataType) to its NumPy name."""

_LISTED_IN = {
    "float32": "float_data",
    "uint8": "int32_data",
    "int8": "int32_data",
    "int32": "int32_data",
    "int64": "int64_data",
    "bool": "int32_data",
}


def checked_type(
    element_type: int, dims: Shape, label: str, max_elements: int = MAX_ELEMENTS
) -> TensorType:
    """Return the type of a tensor within the limits, or raise `InvalidModel`."""
    dtype = ELEMENT_TYPES.get(element_type)
    if dtype is None:
        known = ", ".join(f"{number} {name}" for number, name in ELEMENT_TYPES.items())
        raise InvalidModel("element type", f"{label} has type {element_type}; taken: {known}")
    checked_shape(dims, label, max_elements)
    return TensorType(dtype, dims)


def checked_shape(shape: Shape, label: str, max_elements: int = MAX_ELEMENTS) -> None:
    """Raise `InvalidModel` where a shape leaves the limits."""
    if len(shape) > MAX_RANK:
        raise InvalidModel("rank", f"{label} has rank {len(shape)}, limit {MAX_RANK}")
    for dim in shape:
        if not 1 <= dim <= MAX_DIM:
            raise InvalidModel("dimension", f"{label} has a dimension {dim}, not 1 to {MAX_DIM}")
    elements = prod(shape)
    if elements > max_elements:
        raise InvalidModel("elements", f"{label} has {elements} elements, limit {max_elements}")


def check_listed_integers(tensors: tuple[OnnxTensor, ...]) -> None:
    """Raise `InvalidModel` where integers stored as varints are more than a file may hold."""
    listed = sum(len(t.int32_data or b"") + len(t.int64_data or b"") for t in tensors)
    if listed > MAX_LISTED_INTEGER_BYTES:
        raise InvalidModel(
            "listed integers",
            f"{listed} bytes of int32_data and int64_data, limit {MAX_LISTED_INTEGER_BYTES}; "
            "store the tensors as raw_data",
        )


def decode_tensor(tensor: OnnxTensor, max_elements: int = MAX_ELEMENTS) -> Array:
    """Return a tensor as a read-only, C-ordered array of the host's byte order.

    Raises `InvalidModel` for a size that does not match, a NaN or an infinity, an integer
    outside its dtype, or a bool that is neither 0 nor 1. Nothing is allocated before the
    stored bytes are known to match the shape.
    """
    label = f"initializer {tensor.name!r:.80}"
    if tensor.data_location != 0:
        raise InvalidModel("external data", f"{label} has data_location {tensor.data_location}")
    tensor_type = checked_type(tensor.data_type, tensor.dims, label, max_elements)
    array = _stored_elements(tensor, tensor_type, label).reshape(tensor_type.shape)
    if tensor_type.dtype == "float32" and not np.isfinite(array).all():
        raise InvalidModel("finite weights", f"{label} holds a NaN or an infinity")
    array.flags.writeable = False
    return array


def _stored_elements(tensor: OnnxTensor, tensor_type: TensorType, label: str) -> Array:
    """Return the elements from whichever one of the storage fields is filled."""
    payloads = {
        "raw_data": tensor.raw_data,
        "float_data": tensor.float_data,
        "int32_data": tensor.int32_data,
        "int64_data": tensor.int64_data,
    }
    filled = [name for name, payload in payloads.items() if payload is not None]
    expected = ("raw_data", _LISTED_IN[tensor_type.dtype])
    if len(filled) != 1 or filled[0] not in expected:
        raise InvalidModel("tensor storage", f"{label} fills {filled}, not one of {expected}")
    payload = payloads[filled[0]]
    if payload is None:
        raise InvalidModel("tensor storage", f"{label} is empty")
    if filled[0] in ("int32_data", "int64_data"):
        return _listed_integers(payload, tensor_type, label)
    return _packed_elements(payload, tensor_type, label)


def _packed_elements(payload: memoryview, tensor_type: TensorType, label: str) -> Array:
    """Copy little-endian elements that lie side by side."""
    if len(payload) != tensor_type.size_bytes:
        raise InvalidModel(
            "tensor size", f"{label} holds {len(payload)} bytes, {tensor_type} takes "
            f"{tensor_type.size_bytes}"
        )  # fmt: skip
    if tensor_type.dtype == "bool" and max(payload) > 1:
        raise InvalidModel("bool weights", f"{label} holds a byte {max(payload)}, not 0 or 1")
    little_endian = np.dtype(tensor_type.dtype).newbyteorder("<")
    return np.frombuffer(payload, dtype=little_endian).astype(tensor_type.dtype, copy=True)


def _listed_integers(payload: memoryview, tensor_type: TensorType, label: str) -> Array:
    """Decode varints, each of which must fit the dtype."""
    dtype = np.dtype(tensor_type.dtype)
    lowest, highest = (0, 1) if dtype == np.bool_ else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    values: list[int] = []
    position = 0
    while position < len(payload):
        unsigned, position = read_varint(payload, position, len(payload))
        value = signed(unsigned)
        if not lowest <= value <= highest:
            raise InvalidModel("integer range", f"{label} lists {value} as {tensor_type.dtype}")
        values.append(value)
    if len(values) != tensor_type.size:
        raise InvalidModel(
            "tensor size", f"{label} lists {len(values)} values, {tensor_type} takes "
            f"{tensor_type.size}"
        )  # fmt: skip
    return np.array(values, dtype=dtype)
