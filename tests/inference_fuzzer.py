"""Runs random graphs on the definition and at every feature level of this CPU; bytes must agree.

    python -m tests.inference_fuzzer --nodes 100000 --seed 0 --jobs 2

Where a C++ compiler is found, a part of the graphs also runs on the kernels of the `cuda` backend,
built for this CPU. Everything follows from the seed and the number of jobs, of which each draws
from a seed of its own. The first disagreement of a job is made small and printed: the operator,
its attributes and its operands in bits; the command then ends with status 1.
"""

import argparse
import random
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import reduce
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import numpy as np

from cvm.inference.backends.backend import Backend, Plan
from cvm.inference.backends.cuda import CudaBackend
from cvm.inference.backends.reference import ReferencePlan
from cvm.inference.faults import InputOutOfRange
from cvm.inference.float_environment import default_float_environment
from cvm.inference.graph import Graph, Node, Value
from cvm.inference.graph_builder import graph_cost
from cvm.inference.tensor_bytes import encode_tensor
from cvm.inference.tensor_type import Array, type_of
from cvm.inference.vectors import Vector
from cvm.numba_cache import configure_numba_cache
from node.self_test_vectors import load_self_test_vectors
from tests.fuzz_graphs import drawn_graph
from tests.unit.inference.cuda.shim_device import ShimDevice, build_shim, has_compiler

NODES_PER_GRAPH = 5
GRAPHS_PER_RARE_RUN = 4
"""One of so many graphs also runs on the rare backends."""
NODES_PER_PROGRESS = 1000
SHUFFLED = 2
"""The order of threads in which the kernels of `cuda` run here."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A node whose outputs differ between the definition and a level, with its operands."""

    level: str
    node: Node
    operands: tuple[Array | None, ...]
    detail: str

    def text(self) -> str:
        """Return the case in a form from which a golden vector can be written."""
        shown = [
            "absent" if array is None else f"{type_of(array)} {_hex(array)}"
            for array in self.operands
        ]
        lines = [f"{self.level} differs from reference: {self.detail}"]
        lines += [f"  {self.node.spec.name} {dict(self.node.view.attributes)}"]
        constants = [i for i, c in enumerate(self.node.view.constants) if c is not None]
        lines += [f"  constants {constants}, outputs {list(map(str, self.node.output_types))}"]
        return "\n".join(lines + [f"  input {i}: {text}" for i, text in enumerate(shown)])


@dataclass(frozen=True, slots=True)
class FuzzReport:
    """How many nodes ran, of how many operators, and the text of what differed."""

    nodes: int
    graphs: int
    operators: frozenset[str]
    backends: tuple[str, ...]
    found: tuple[str, ...]

    def joined(self, other: "FuzzReport") -> "FuzzReport":
        """Return what two runs on the same backends found together."""
        return FuzzReport(
            self.nodes + other.nodes,
            self.graphs + other.graphs,
            self.operators | other.operators,
            self.backends,
            self.found + other.found,
        )


Progress = Callable[[int], None]
"""Takes how many nodes have run."""


def fuzz(
    nodes: int,
    seed: int | str,
    levels: Sequence[str],
    most_found: int = 1,
    rare: Sequence[Backend] = (),
    progress: Progress | None = None,
) -> FuzzReport:
    """Run random graphs until so many nodes ran, or so many disagreements were found.

    `rare` backends run a part of the graphs. A seed draws the same graphs whatever runs them.
    """
    from cvm.inference.backends.cpu import CpuBackend

    vectors = usable_vectors()
    backends: list[Backend] = [CpuBackend(level) for level in levels]
    source = random.Random(seed)
    ran = graphs = 0
    operators: set[str] = set()
    found: list[Disagreement] = []
    while ran < nodes and len(found) < most_found:
        graph, inputs = drawn_graph(vectors, source, min(NODES_PER_GRAPH, nodes - ran))
        also = rare if graphs % GRAPHS_PER_RARE_RUN == 0 else ()
        found += disagreements(graph, inputs, [*backends, *also])
        ran, graphs = ran + len(graph.nodes), graphs + 1
        operators |= {node.spec.name for node in graph.nodes}
        if progress is not None:
            progress(ran)
    names = (*levels, *(backend.name for backend in rare))
    texts = tuple(entry.text() for entry in found)
    return FuzzReport(ran, graphs, frozenset(operators), names, texts)


def usable_vectors() -> list[Vector]:
    """Return golden vectors, as many of each operator, so that each is drawn as often."""
    by_operator: dict[tuple[str, str], list[Vector]] = {}
    for vector in load_self_test_vectors():
        if vector.inputs:
            by_operator.setdefault((vector.domain, vector.op_type), []).append(vector)
    most = 6
    return [group[i * len(group) // most] for group in by_operator.values() for i in range(most)]


def disagreements(
    graph: Graph, inputs: Sequence[Array], backends: Sequence[Backend]
) -> list[Disagreement]:
    """Return the first node of each level that differs, alone with its operands if it still does.

    Also checks what the static memory bound promises.
    """
    wanted = values_of(graph, inputs)
    if not isinstance(wanted, InputOutOfRange):
        check_memory(graph, wanted)
    found = []
    for backend in backends:
        node = _first_difference(graph, inputs, backend, wanted)
        if node is not None:
            found.append(_made_small(graph, node, backend, wanted))
    return found


def check_memory(graph: Graph, values: dict[str, Array]) -> None:
    """Check that what is alive at each node fits the bound that gas is paid for."""
    weights = sum(array.nbytes for array in graph.constants.values())
    live = weights + sum(values[value.name].nbytes for value in graph.inputs)
    for node, dying in zip(graph.nodes, ReferencePlan(graph).dying, strict=True):
        live += sum(values[name].nbytes for name in node.outputs)
        if live > graph.cost.peak_bytes:
            limit = graph.cost.peak_bytes
            raise ValueError(f"{live} bytes alive at {node.spec.name} {node.name}, bound {limit}")
        live -= sum(values[name].nbytes for name in dying)


Values = dict[str, Array] | InputOutOfRange


def values_of(graph: Graph, inputs: Sequence[Array]) -> Values:
    """Return every value by the definition, or the fault of an index out of range."""
    with default_float_environment():
        return _traced(ReferencePlan(graph), graph, inputs)


def _traced(plan: Plan, graph: Graph, inputs: Sequence[Array]) -> Values:
    """Return every value of a run: graph inputs, constants, and what the nodes make."""
    values: dict[str, Array] = dict(graph.constants)
    values.update((v.name, array) for v, array in zip(graph.inputs, inputs, strict=True))

    def trace(node: Node, outputs: tuple[Array, ...]) -> None:
        values.update(zip(node.outputs, outputs, strict=True))

    try:
        plan.run(inputs, trace)
    except InputOutOfRange as fault:
        return fault
    return values


def _plain(plan: Plan, graph: Graph, inputs: Sequence[Array]) -> Values:
    """Return the outputs of a run in which nodes may be fused."""
    try:
        outputs = plan.run(inputs)
    except InputOutOfRange as fault:
        return fault
    return {value.name: array for value, array in zip(graph.outputs, outputs, strict=True)}


def _first_difference(
    graph: Graph, inputs: Sequence[Array], backend: Backend, wanted: Values
) -> Node | None:
    """Return the first node that differs: traced, or in the outputs of plain runs.

    The second plain run finds the plan's memory as the first one left it.
    """
    with default_float_environment():
        plan = backend.plan(graph)
        runs = [_traced(plan, graph, inputs)]
        runs += [_plain(plan, graph, inputs) for _ in range(2)]
    for found in runs:
        if isinstance(found, InputOutOfRange) or isinstance(wanted, InputOutOfRange):
            if str(found) != str(wanted):
                return _named(graph, found, wanted)
            continue
        for node in graph.nodes:
            made = [name for name in node.outputs if name in found]
            if any(_bytes(found[name]) != _bytes(wanted[name]) for name in made):
                return node
    return None


def _named(graph: Graph, found: Values, wanted: Values) -> Node:
    """Return the node that a fault names."""
    fault = found if isinstance(found, InputOutOfRange) else wanted
    assert isinstance(fault, InputOutOfRange)
    return next(node for node in graph.nodes if node.name == fault.node)


def _bytes(array: Array) -> bytes:
    return encode_tensor(array)


def _made_small(graph: Graph, node: Node, backend: Backend, wanted: Values) -> Disagreement:
    """Return the node by itself where it still differs, else as it stands in the graph."""
    level = getattr(backend, "level", backend.name)
    if isinstance(wanted, InputOutOfRange):
        return Disagreement(level, node, (), f"fault of the definition: {wanted}")
    operands = tuple(wanted[name] if name else None for name in node.inputs)
    alone, fed = _alone(node, graph, wanted)
    with default_float_environment():
        mine = _traced(backend.plan(alone), alone, fed)
    if isinstance(mine, InputOutOfRange):
        return Disagreement(level, node, operands, f"{mine}; the definition runs")
    for index, name in enumerate(node.outputs):
        if (detail := _detail(wanted[name], mine[name])) is not None:
            return Disagreement(level, node, operands, f"output {index} {detail}")
    others = ", ".join(entry.spec.name for entry in graph.nodes)
    return Disagreement(level, node, operands, f"only in the graph of {others}")


def _alone(node: Node, graph: Graph, values: dict[str, Array]) -> tuple[Graph, list[Array]]:
    """Return a graph of one node, and its inputs."""
    constants = {n: graph.constants[n] for n in node.inputs if n in graph.constants}
    names = list(dict.fromkeys(n for n in node.inputs if n and n not in constants))
    inputs = tuple(Value(name, type_of(values[name])) for name in names)
    outputs = tuple(map(Value, node.outputs, node.output_types))
    cost = graph_cost(inputs, outputs, [node], constants)
    return Graph(inputs, outputs, (node,), constants, cost), [values[name] for name in names]


def _detail(wanted: Array, found: Array) -> str | None:
    """Return the first element that differs."""
    if _bytes(wanted) == _bytes(found):
        return None
    size = wanted.dtype.itemsize
    ours, theirs = _bytes(found), _bytes(wanted)
    start = next(
        i for i in range(0, len(theirs), size) if ours[i : i + size] != theirs[i : i + size]
    )
    pair = ours[start : start + size].hex(), theirs[start : start + size].hex()
    return f"at element {start // size}: 0x{pair[0]}, the definition gives 0x{pair[1]}"


def _hex(array: Array) -> str:
    """Return elements as numbers, floats as their bits."""
    if array.dtype == np.float32:
        words = np.ascontiguousarray(array).view(np.uint32).reshape(-1)
        return " ".join(f"{word:08x}" for word in words)
    return " ".join(map(str, array.reshape(-1).tolist()))


@dataclass(frozen=True, slots=True)
class Job:
    """What one process draws: so many nodes from a seed."""

    number: int
    nodes: int
    seed: int | str
    most_found: int

    def run(self) -> FuzzReport:
        """Fuzz at every level of this machine, and report on the way to standard error."""
        configure_numba_cache()
        from cvm.inference.backends.cpu.feature_level import available_levels

        levels = [level.name for level in available_levels()]
        with ExitStack() as stack:
            rare: list[Backend] = []
            if has_compiler():
                folder = Path(stack.enter_context(TemporaryDirectory()))
                rare.append(CudaBackend(ShimDevice(build_shim(folder), SHUFFLED)))
            return fuzz(self.nodes, self.seed, levels, self.most_found, rare, self._progress())

    def _progress(self) -> Progress:
        """Return what writes a line now and then."""
        started, next_line = monotonic(), NODES_PER_PROGRESS

        def write(ran: int) -> None:
            nonlocal next_line
            if ran < next_line:
                return
            next_line = ran + NODES_PER_PROGRESS
            rate = ran / (monotonic() - started)
            minutes = (self.nodes - ran) / rate / 60
            sys.stderr.write(
                f"job {self.number}: {ran} of {self.nodes} nodes, {rate:.0f} a second, "
                f"{minutes:.0f} minutes left\n"
            )
            sys.stderr.flush()

        return write


def jobs_of(nodes: int, seed: int, jobs: int, most_found: int) -> list[Job]:
    """Return the parts of a run; one job draws from the seed itself."""
    seeds = [seed] if jobs == 1 else [f"{seed}/{number}" for number in range(jobs)]
    shares = [(nodes + number) // jobs for number in range(jobs)]
    return [Job(number, shares[number], seeds[number], most_found) for number in range(jobs)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the fuzzer from the command line; return 1 where something differed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--nodes", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--most-found", type=int, default=1)
    given = parser.parse_args(arguments)
    jobs = jobs_of(given.nodes, given.seed, given.jobs, given.most_found)
    with ProcessPoolExecutor(len(jobs), get_context("spawn")) as pool:
        reports = list(pool.map(Job.run, jobs))
    report = reduce(FuzzReport.joined, reports)
    for text in report.found:
        sys.stdout.write(text + "\n")
    sys.stdout.write(
        f"{report.nodes} nodes in {report.graphs} graphs, {len(report.operators)} operators, "
        f"reference and {', '.join(report.backends)}: {len(report.found)} differ\n"
    )
    return 1 if report.found else 0


if __name__ == "__main__":
    raise SystemExit(main())
