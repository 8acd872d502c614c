"""One golden vector before it is written to its file."""

from collections.abc import Mapping, Sequence

from tests.oracle.tensors import Json, Tensor


def case(
    name: str,
    op: str,
    inputs: Sequence[Tensor | None],
    output: Tensor | Sequence[Tensor],
    attributes: Mapping[str, object] | None = None,
    constants: Sequence[int] = (),
) -> Json:
    """Return the JSON form of a vector with one output or several."""
    outputs = [output] if isinstance(output, Tensor) else output
    given = dict(attributes or {})
    return {
        "name": name,
        "op": op,
        "attributes": {k: v.json() if isinstance(v, Tensor) else v for k, v in given.items()},
        "inputs": [None if tensor is None else tensor.json() for tensor in inputs],
        "constants": list(constants),
        "outputs": [entry.json() for entry in outputs],
    }
