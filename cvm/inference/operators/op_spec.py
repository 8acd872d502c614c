"""What the engine must know of an operator: its rules and its definition."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.tensor_type import Array, TensorType

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class OpSpec(Generic[P]):
    """One tensor operator of engine 1.

    * `parse(view)` checks attributes, dtypes, ranks and constant inputs, raises `InvalidModel`,
      and returns the operator's frozen parameters.
    * `output_types(parameters, view)` is the shape rule.
    * `cost(parameters, view, outputs)` fills the first four counts; the graph adds the rest.
    * `run(parameters, *inputs)` is the definition (NumPy, under EXACT section 1): absent
      optional inputs are None, the result is a tuple with one array per output.

    With `optional_outputs` a node may leave out any output by an empty name: `output_types` and
    `run` then give only those that `NodeView.wanted` lists. Without, every output that stands
    before a named one is named too.

    `since_version` is the ONNX operator version that is in force at opset 21.
    """

    name: str
    since_version: int
    attributes: frozenset[str]
    parse: Callable[[NodeView], P]
    output_types: Callable[[P, NodeView], tuple[TensorType, ...]]
    cost: Callable[[P, NodeView, tuple[TensorType, ...]], Cost]
    run: Callable[..., tuple[Array, ...]]
    domain: str = ""
    optional_outputs: bool = False
