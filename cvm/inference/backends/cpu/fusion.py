"""Which nodes become one task.

Additions, bounds and conversions are the same single operations whether their operands come from
memory or from registers, so fusing changes no bit. A traced run does without it.
"""

from dataclasses import replace

import numpy as np

from cvm.inference.backends.cpu.blocked_families import may_fuse, may_restore
from cvm.inference.backends.cpu.task import NO_HIGH, NO_LOW, QuantisedSum, Task, unfused
from cvm.inference.graph import Graph, Node
from cvm.inference.operators.axis_scale import AxisScale

NEGATIVE_ZERO_BITS = 0x8000_0000


def fused(graph: Graph) -> list[Task]:
    """Return tasks in an order that runs; a task stands where the last of its nodes stood.

    Convolutions take in what follows them, QuantizeLinear the sum before it.
    """
    readers = _readers(graph)
    kept = {value.name for value in graph.outputs}
    sums, taken = _quantised_sums(graph, readers, kept)
    placed: list[tuple[int, Task]] = []
    for index, plain in enumerate(unfused(graph)):
        if index in taken:
            continue
        task, last = sums.get(index, plain), index
        if may_fuse(task.node):
            while (following := _only_reader(task, readers, kept)) is not None:
                if following in taken:
                    break
                grown = _grown(task, graph, graph.nodes[following])
                if grown is None:
                    break
                task, last = grown, following
                taken.add(following)
        placed.append((last, task))
    return [task for _, task in sorted(placed, key=lambda entry: entry[0])]


def _readers(graph: Graph) -> dict[str, list[int]]:
    """Return the indices of the nodes that read each value, one for each time that they do."""
    readers: dict[str, list[int]] = {}
    for index, node in enumerate(graph.nodes):
        for name in node.inputs:
            readers.setdefault(name, []).append(index)
    return readers


def _only_reader(task: Task, readers: dict[str, list[int]], kept: set[str]) -> int | None:
    """Return the only node that reads a task's result, or None."""
    result = task.outputs[0]
    indices = readers.get(result, [])
    return indices[0] if len(indices) == 1 and result not in kept else None


def _grown(task: Task, graph: Graph, node: Node) -> Task | None:
    """Return a task with a node taken in, or None where that cannot be done."""
    if task.is_bounded or node.spec.domain or node.output_types != task.output_types:
        return None
    needs_zeros = may_restore(task.node)
    if node.spec.name == "Add" and not task.addend and not needs_zeros:
        return _with_addend(task, graph, node)
    bounds = bounds_of(node)
    if bounds is None or (needs_zeros and bounds[0] < 0):
        return None
    return replace(task, outputs=node.outputs, low=bounds[0], high=bounds[1], is_bounded=True)


def _with_addend(task: Task, graph: Graph, node: Node) -> Task | None:
    """Return a task that adds an image of the same shape, or None."""
    index = 1 if node.inputs[0] == task.outputs[0] else 0
    other = node.inputs[index]
    if other in graph.constants or node.view.types[index] != task.output_types[0]:
        return None
    return replace(task, outputs=node.outputs, addend=other)


def bounds_of(node: Node) -> tuple[np.float32, np.float32] | None:
    """Return the bounds of a Relu or of a Clip with constant bounds that a comparison can tell.

    A bound of -0, or an upper one of +0, would need a look at the sign of a zero.
    """
    if node.spec.name == "Relu":
        return np.float32(0), NO_HIGH
    if node.spec.name != "Clip":
        return None
    bounds = [NO_LOW, NO_HIGH]
    for index in (1, 2):
        if index < len(node.inputs) and node.inputs[index]:
            constant = node.view.constant_at(index)
            if constant is None:
                return None
            bounds[index - 1] = np.float32(constant.reshape(())[()])
    low, high = bounds
    is_negative_zero = int(low.view(np.uint32)) == NEGATIVE_ZERO_BITS
    if np.isnan(low) or np.isnan(high) or is_negative_zero or high == 0:
        return None
    return low, high


def _quantised_sums(
    graph: Graph, readers: dict[str, list[int]], kept: set[str]
) -> tuple[dict[int, Task], set[int]]:
    """Return, by index, tasks that quantise a sum of quantised values, and the nodes they replace.

    A DequantizeLinear that something else reads stays as well.
    """
    makers = {name: index for index, node in enumerate(graph.nodes) for name in node.outputs}
    sums: dict[int, Task] = {}
    taken: set[int] = set()
    candidates: set[int] = set()
    for index, node in enumerate(graph.nodes):
        chain = _chain_before(graph, node, makers, readers, kept)
        if chain is None:
            continue
        terms = [makers.get(name, -1) for name in graph.nodes[chain[-1]].inputs]
        if not all(term >= 0 and _is_term(graph, graph.nodes[term], node) for term in terms):
            continue
        bounds = bounds_of(graph.nodes[chain[0]]) or (NO_LOW, NO_HIGH)
        first, second = (graph.nodes[term] for term in terms)
        sums[index] = Task(
            node,
            (first.inputs[0], second.inputs[0]),
            node.outputs,
            node.output_types,
            terms=QuantisedSum(_zero_and_scale(first), _zero_and_scale(second), *bounds),
        )
        taken.update(chain)
        candidates.update(terms)
    taken |= {
        term
        for term in candidates
        if graph.nodes[term].outputs[0] not in kept
        and all(reader in taken for reader in readers[graph.nodes[term].outputs[0]])
    }
    return sums, taken


def _chain_before(
    graph: Graph, node: Node, makers: dict[str, int], readers: dict[str, list[int]], kept: set[str]
) -> list[int] | None:
    """Return the indices of the Add before a QuantizeLinear, after that of a bound between them."""
    if node.spec.domain or node.spec.name != "QuantizeLinear" or not _is_whole(node):
        return None
    chain: list[int] = []
    name = node.inputs[0]
    while name in makers and len(readers[name]) == 1 and name not in kept:
        before = graph.nodes[makers[name]]
        chain.append(makers[name])
        if before.spec.name == "Add" and not before.spec.domain:
            return chain
        if before.spec.domain or bounds_of(before) is None or len(chain) > 1:
            return None
        name = before.inputs[0]
    return None


def _is_term(graph: Graph, node: Node, result: Node) -> bool:
    """Say whether a node dequantises a whole tensor of bytes of the result's shape."""
    if node.spec.domain or node.spec.name != "DequantizeLinear" or not _is_whole(node):
        return False
    source = node.view.types[0]
    is_bytes = source is not None and source.dtype in ("int8", "uint8")
    same_shape = node.output_types[0].shape == result.output_types[0].shape
    return is_bytes and same_shape and node.inputs[0] not in graph.constants


def _is_whole(node: Node) -> bool:
    """Say whether one scale serves the whole tensor."""
    parameters: AxisScale = node.parameters
    return parameters.scale.ndim == 0


def _zero_and_scale(node: Node) -> tuple[int, np.float32]:
    """Return the zero point and the scale of a whole tensor."""
    parameters: AxisScale = node.parameters
    return int(parameters.zero[()]), np.float32(parameters.scale[()])
