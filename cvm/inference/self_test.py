"""Runs a backend on golden vectors and refuses it at the first wrong bit."""

from collections.abc import Sequence

from cvm.faults import BackendDisagrees
from cvm.inference.backends.backend import Backend
from cvm.inference.float_environment import default_float_environment
from cvm.inference.operators.table import OPERATORS
from cvm.inference.tensor_bytes import encode_tensor
from cvm.inference.tensor_type import Array, type_of
from cvm.inference.vectors import Vector


def run_self_test(backend: Backend, vectors: Sequence[Vector]) -> int:
    """Return the number of vectors that a backend passed, which is all of them.

    Raises `BackendDisagrees` at the first vector whose output differs in type or in one bit
    (NaNs count as one value), and whatever `LocalFault` the backend raises.
    """
    for vector in vectors:
        plan = backend.plan(vector.graph(OPERATORS))
        with default_float_environment():
            outputs = plan.run(vector.input_arrays())
        _compare(backend.name, vector, outputs)
    return len(vectors)


def _compare(backend: str, vector: Vector, outputs: Sequence[Array]) -> None:
    """Raise `BackendDisagrees` unless the outputs have the vector's types and bits."""
    expected_types = [type_of(array) for array in vector.outputs]
    types = [type_of(array) for array in outputs]
    if types != expected_types:
        expected, actual = ", ".join(map(str, expected_types)), ", ".join(map(str, types))
        raise BackendDisagrees(backend, vector.name, expected, actual)
    for expected_array, array in zip(vector.outputs, outputs, strict=True):
        expected_bytes, actual_bytes = encode_tensor(expected_array), encode_tensor(array)
        if expected_bytes != actual_bytes:
            first = _first_difference(expected_bytes, actual_bytes, array.dtype.itemsize)
            raise BackendDisagrees(backend, vector.name, *first)


def _first_difference(expected: bytes, actual: bytes, item_bytes: int) -> tuple[str, str]:
    """Return the first element that differs, in both, as its index and hex bits."""
    for start in range(0, len(expected), item_bytes):
        pair = expected[start : start + item_bytes], actual[start : start + item_bytes]
        if pair[0] != pair[1]:
            break
    else:
        start, pair = len(expected), (b"", b"")
    index = start // item_bytes
    return f"0x{pair[0].hex()} at element {index}", f"0x{pair[1].hex()}"
