"""What the engine must know of an operator: its rules and its definition."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Generic, TypeVar

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.tensor_type import Array, TensorType

P = TypeVar("P")

ML_DOMAIN = "ai.onnx.ml"
"""The domain of the classical machine learning operators; engine 1 takes its version 3."""


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

    With `reads_types_only` the result follows from the input types, so it is known at planning;
    `run` then does not look at the inputs. With `makes_initializer` the one output is an
    initializer (Constant), and the graph holds no node for it.

    `weight_lists` names attributes that hold weights as long lists of numbers; from a file they
    come as read-only arrays of one axis (float32 or int64), not as tuples. `cost` counts them as
    `weight_bytes`, and what one item reads of them as `bytes_moved`.

    `bytes_moved` is by default every input and output. With `is_view` the first output is the
    first input's memory, so that neither moves unless that input is a constant; with
    `reads_part` the node reads no more of the first input than it writes.

    `nan_attributes` names float attributes that may be NaN; no other may.

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
    reads_types_only: bool = False
    makes_initializer: bool = False
    is_view: bool = False
    reads_part: bool = False
    weight_lists: frozenset[str] = frozenset()
    nan_attributes: frozenset[str] = frozenset()

    def operand_count(self) -> int:
        """Return how many inputs `run` names; absent ones at the end are passed as None."""
        kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
        return sum(entry.kind in kinds for entry in signature(self.run).parameters.values()) - 1
