"""One golden vector before it is written to its file."""

from collections.abc import Mapping, Sequence

from tests.oracle.tensors import Json, Tensor


def case(
    name: str,
    op: str,
    inputs: Sequence[Tensor | None],
    output: Tensor,
    attributes: Mapping[str, object] | None = None,
    constants: Sequence[int] = (),
) -> Json:
    """Return the JSON form of a vector with one output."""
    return {
        "name": name,
        "op": op,
        "attributes": dict(attributes or {}),
        "inputs": [None if tensor is None else tensor.json() for tensor in inputs],
        "constants": list(constants),
        "outputs": [output.json()],
    }
