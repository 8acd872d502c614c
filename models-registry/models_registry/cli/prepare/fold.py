"""Walks the nodes with the engine's rules: infers types, folds constants, takes If's branches.

Folding uses the operators' own definitions, so a folded file computes the same bits.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvm.inference.faults import InvalidModel
from cvm.inference.graph import Node, NodeView
from cvm.inference.graph_builder import node_cost
from cvm.inference.known_values import KnownValues
from cvm.inference.limits import OFF_CHAIN_LIMITS
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.refused import REFUSED
from cvm.inference.operators.table import OPERATORS
from cvm.inference.tensor_type import Array, TensorType, type_of
from models_registry.cli.prepare.branches import inlined_branch
from models_registry.cli.prepare.counted import counted
from models_registry.cli.prepare.draft import Draft, DraftNode, FreshNames
from models_registry.cli.prepare.evaluate import engine_values, onnx_values
from models_registry.cli.prepare.faults import CannotPrepare

GROWTH_BYTES = 2**20
"""How much larger than what a node reads its result may be, to be written out."""

TAKES_A_LIST = frozenset({"Expand", "Pad", "Reshape", "Slice", "Squeeze", "Tile", "Unsqueeze"})
"""Operators whose later inputs are lists of axes or lengths; an empty one moves no element."""

MAX_ELEMENTS = OFF_CHAIN_LIMITS.elements
"""Elements of one value; what a chain takes is for the strict check to say."""

TOO_LARGE = f" elements, limit {MAX_ELEMENTS}"
"""How the refusal of a value ends that nothing may work out."""


@dataclass(frozen=True, slots=True)
class Folded:
    """What the walk found: types by value name, notes, and what keeps the file from running.

    `unknown` lists operators that the engine lacks, `refusals` nodes that break its rules.
    """

    types: dict[str, TensorType]
    notes: list[str]
    unknown: list[str]
    refusals: list[str]


@dataclass(slots=True)
class _Lazy:
    """A value that could be folded and was left to its node, because it is large."""

    node: DraftNode
    values: tuple[Array, ...] | None
    spec: OpSpec[Any]
    parameters: Any
    source_bytes: int


def fold(draft: Draft, *, keeps_quantised: bool = False) -> Folded:
    """Fold what is known before a model runs, in place, and infer every type.

    With `keeps_quantised` a DequantizeLinear of constants stays, for `lower_qdq` to read.
    """
    walk = _Walk(draft, keeps_quantised)
    walk.run()
    return walk.result()


class _Walk:
    """The state of one walk over a draft's nodes."""

    def __init__(self, draft: Draft, keeps_quantised: bool) -> None:
        self._draft = draft
        self._keeps_quantised = keeps_quantised
        self._fresh = FreshNames(draft.names())
        self._types = {value.name: _input_type(value.dtype, value.dims) for value in draft.inputs}
        self._types.update((name, type_of(array)) for name, array in draft.constants.items())
        self._engine_knows = KnownValues(draft.constants)
        self._lazy: dict[str, _Lazy] = {}
        self._kept: list[DraftNode] = []
        self._folded = self._branches = 0
        self._unknown: dict[str, int] = {}
        self._refusals: list[str] = []

    def run(self) -> None:
        """Take every node in order; a branch's nodes are taken in its place."""
        waiting = self._draft.nodes[::-1]
        while waiting:
            node = waiting.pop()
            if node.is_default("If") and (taken := self._branch(node)) is not None:
                waiting += taken.nodes[::-1]
            else:
                self._take(node)
        self._draft.nodes = self._kept

    def result(self) -> Folded:
        """Return what was found."""
        notes = [f"folded {counted(self._folded, 'node')} over constants"] if self._folded else []
        if self._branches:
            notes.append(f"put the taken branch in the place of {self._branches} If")
        unknown = [f"{name} ({count})" for name, count in sorted(self._unknown.items())]
        return Folded(self._types, notes, unknown, self._refusals)

    def _branch(self, node: DraftNode) -> Draft | None:
        """Return the branch that a constant condition takes."""
        condition = self._draft.constants.get(node.input_at(0))
        if condition is None or condition.size != 1:
            return None
        branch = inlined_branch(node, bool(condition.reshape(())), self._fresh)
        for name, array in branch.constants.items():
            self._set_constant(name, array)
        self._branches += 1
        return branch

    def _take(self, node: DraftNode) -> None:
        """Infer a node's types, fold it if that keeps the file small, else keep it."""
        self._drop_empty_inputs(node)
        spec = OPERATORS.get((node.domain, node.op_type))
        known = [self._draft.constants.get(name) for name in node.inputs]
        are_known = all(
            value is not None or not name for value, name in zip(known, node.inputs, strict=True)
        )
        refusals = len(self._refusals)
        resolved = None if spec is None else self._resolve(node, spec)
        if spec is None or resolved is None:
            is_refused = any(text.endswith(TOO_LARGE) for text in self._refusals[refusals:])
            may_fold = are_known and bool(node.inputs) and not is_refused
            values = onnx_values(node, known) if may_fold else None
            if values is None:
                self._keep_unresolved(node, spec is None)
                return
            del self._refusals[refusals:]
            self._set_constants(node, values)
            self._folded += 1
            return
        parameters, types = resolved
        named = [name for name in node.outputs if name]
        self._types.update(zip(named, types, strict=True))
        if not self._fold(node, spec, parameters, types) and self._drop_empty_outputs(node):
            self._drop_empty_lists(node)
            self._kept.append(node)

    def _resolve(
        self, node: DraftNode, spec: OpSpec[Any]
    ) -> tuple[Any, tuple[TensorType, ...]] | None:
        """Apply an operator's rules; None where a type is not known or a rule is broken."""
        if any(name and name not in self._types for name in node.inputs):
            return None
        try:
            return self._checked(node, spec)
        except InvalidModel as fault:
            lazy = [name for name in node.inputs if name in self._lazy]
            for name in lazy:
                self._materialise(self._lazy[name])
            if lazy:
                return self._resolve(node, spec)
            label = f"{node.op_type} node {node.name or node.outputs[0]!r}"
            self._refusals.append(f"{label}: {fault}" if label not in str(fault) else str(fault))
            return None

    def _checked(self, node: DraftNode, spec: OpSpec[Any]) -> tuple[Any, tuple[TensorType, ...]]:
        unlisted = sorted(set(node.attributes) - spec.attributes)
        if unlisted:
            listed = ", ".join(sorted(spec.attributes)) or "none"
            raise InvalidModel("attribute", f"unknown {unlisted[0]!r}; known: {listed}")
        view = NodeView(
            op_type=node.op_type,
            name=node.name or node.outputs[0],
            attributes=engine_attributes(node),
            types=tuple(self._types[name] if name else None for name in node.inputs),
            constants=tuple(self._known_to_engine(name) for name in node.inputs),
            wanted=tuple(map(bool, node.outputs)),
        )
        parameters = spec.parse(view)
        types = spec.output_types(parameters, view)
        named = sum(view.wanted)
        if len(types) != named:
            raise InvalidModel("outputs", f"{named} are read, engine 1 makes {len(types)}")
        for tensor_type in types:
            _require_possible(tensor_type)
        cost = node_cost(spec, parameters, view, types)
        names = tuple(name for name in node.outputs if name)
        self._engine_knows.learn(
            Node(view.name, spec, parameters, view, tuple(node.inputs), names, types, cost)
        )
        return parameters, types

    def _known_to_engine(self, name: str) -> Array | None:
        """Return a value that the engine knows, or will once quantised weights are lowered."""
        lazy = self._lazy.get(name)
        if lazy is not None and self._keeps_quantised and lazy.node.op_type == "DequantizeLinear":
            values = self._values(lazy)
            return None if values is None else values[0]
        return self._engine_knows.get(name)

    def _fold(
        self,
        node: DraftNode,
        spec: OpSpec[Any],
        parameters: Any,
        types: tuple[TensorType, ...],
    ) -> bool:
        """Fold a node of known inputs, or remember that it could be."""
        constants = self._draft.constants
        given = [name for name in node.inputs if name]
        if not spec.reads_types_only and any(
            name not in constants and name not in self._lazy for name in given
        ):
            return False
        sources = 0 if spec.reads_types_only else sum(map(self._source_bytes, set(given)))
        growth = sum(tensor_type.size_bytes for tensor_type in types) - sources
        lazy = _Lazy(node, None, spec, parameters, sources)
        stays = self._keeps_quantised and node.is_default("DequantizeLinear")
        if growth <= GROWTH_BYTES and not stays:
            values = self._values(lazy)
            if values is not None and all(map(_is_finite, values)):
                self._set_constants(node, values)
                self._folded += 1
                return True
        if not spec.reads_types_only:
            self._lazy.update((name, lazy) for name in node.outputs if name)
        return False

    def _source_bytes(self, name: str) -> int:
        lazy = self._lazy.get(name)
        return lazy.source_bytes if lazy is not None else self._draft.constants[name].nbytes

    def _values(self, lazy: _Lazy) -> tuple[Array, ...] | None:
        """Work a node out, and before it those that it reads."""
        if lazy.values is None:
            names = lazy.node.inputs
            given: list[Array | None] = [None] * len(names)
            if not lazy.spec.reads_types_only:
                given = self._inputs(lazy.node)
                if any(n and array is None for n, array in zip(names, given, strict=True)):
                    return None
            lazy.values = engine_values(lazy.spec, lazy.parameters, given)
        return lazy.values

    def _inputs(self, node: DraftNode) -> list[Array | None]:
        found: list[Array | None] = []
        for name in node.inputs:
            if not name or name in self._draft.constants:
                found.append(self._draft.constants.get(name))
                continue
            lazy = self._lazy[name]
            values = self._values(lazy)
            named = [output for output in lazy.node.outputs if output]
            found.append(None if values is None else values[named.index(name)])
        return found

    def _materialise(self, lazy: _Lazy) -> None:
        """Fold after all, because a node wants the value as a constant."""
        values = self._values(lazy)
        for name in lazy.node.outputs:
            self._lazy.pop(name, None)
        if values is not None and all(map(_is_finite, values)):
            self._kept = [node for node in self._kept if node is not lazy.node]
            self._set_constants(lazy.node, values)
            self._folded += 1

    def _set_constants(self, node: DraftNode, values: tuple[Array, ...]) -> None:
        names = [name for name in node.outputs if name]
        for name, value in zip(names, values, strict=False):
            self._set_constant(name, value)

    def _set_constant(self, name: str, value: Array) -> None:
        self._draft.constants[name] = value
        self._types[name] = type_of(value)
        self._engine_knows.add(name, value)

    def _keep_unresolved(self, node: DraftNode, is_unknown: bool) -> None:
        if is_unknown:
            label = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
            self._unknown[label] = self._unknown.get(label, 0) + 1
        self._kept.append(node)

    def _drop_empty_outputs(self, node: DraftNode) -> bool:
        """Make values without elements constants; return whether the node makes anything else."""
        empty = [name for name in node.outputs if name and 0 in self._types[name].shape]
        if not empty:
            return True
        for name in empty:
            self._set_constant(name, np.zeros(self._types[name].shape, self._types[name].dtype))
        left = [name for name in node.outputs if name and name not in empty]
        if node.is_default("Split") and left:
            axis = node.integer("axis", 0)
            lengths = np.array([self._types[name].shape[axis] for name in left], np.int64)
            lengths_name = self._fresh.take(f"{left[0]}_lengths")
            self._set_constant(lengths_name, lengths)
            node.inputs, node.outputs = [node.inputs[0], lengths_name], left
            node.attributes.pop("num_outputs", None)
            if len(left) == 1:
                node.op_type, node.inputs, node.attributes = "Identity", node.inputs[:1], {}
        return bool(left)

    def _drop_empty_inputs(self, node: DraftNode) -> None:
        """Leave out inputs without elements where they say nothing."""
        empty = [name in self._types and 0 in self._types[name].shape for name in node.inputs]
        if node.is_default("Concat") and not all(empty):
            pairs = zip(node.inputs, empty, strict=True)
            node.inputs = [name for name, is_empty in pairs if not is_empty]
        if node.is_default("Resize"):
            pairs = zip(node.inputs, empty, strict=True)
            node.inputs = ["" if is_empty else name for name, is_empty in pairs]
            while node.inputs and not node.inputs[-1]:
                node.inputs.pop()

    def _drop_empty_lists(self, node: DraftNode) -> None:
        """Write a node without its empty list of axes or lengths, which no file can hold.

        A reduction then takes all axes, or none under noop_with_empty_axes, as for the list. Of the
        others the result says what the list does: nothing, or it leaves axes of length 1 out.
        """
        lists = [name for name in node.inputs[1:] if name]
        if node.domain or all(0 not in self._types[name].shape for name in lists):
            return
        if node.op_type.startswith("Reduce"):
            del node.inputs[1:]
        elif node.op_type in TAKES_A_LIST:
            before, after = self._types[node.inputs[0]], self._types[node.outputs[0]]
            node.op_type = "Identity" if before == after else "Squeeze"
            node.inputs, node.attributes = node.inputs[:1], {}


def engine_attributes(node: DraftNode) -> dict[str, Any]:
    """Return a node's attributes as the engine reads them: an empty list is an absent one."""
    return {
        name: value
        for name, value in node.attributes.items()
        if not isinstance(value, tuple) or value
    }


def _input_type(dtype: str, dims: list[int | str | None] | None) -> TensorType:
    shape = tuple(dim for dim in dims or () if isinstance(dim, int))
    return TensorType(dtype, shape)


def _require_possible(tensor_type: TensorType) -> None:
    """Raise `InvalidModel` for more than the engine takes; a folded value may have no elements."""
    if tensor_type.size > MAX_ELEMENTS:
        raise InvalidModel("elements", f"{tensor_type} holds {tensor_type.size}{TOO_LARGE}")


def _is_finite(array: Array) -> bool:
    return array.dtype != np.float32 or bool(np.isfinite(array).all())


def raise_what_keeps_it(draft: Draft, folded: Folded) -> None:
    """Raise `CannotPrepare` naming every operator that the engine lacks, else the broken rule."""
    if folded.unknown:
        reasons = [
            f"{name}: {REFUSED[name]}"
            for name in (entry.split(" ")[0] for entry in folded.unknown)
            if name in REFUSED
        ]
        listed = f"engine 1 does not have the operators {', '.join(folded.unknown)}"
        raise CannotPrepare("; ".join([listed, *reasons]))
    if folded.refusals:
        raise CannotPrepare(folded.refusals[0])
    for name in draft.outputs:
        if name not in folded.types:
            raise CannotPrepare(f"the type of output {name!r} cannot be inferred")
