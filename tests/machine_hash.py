"""Runs a fixed set of models and random graphs on one backend, and prints one hash for each part.

    python -m tests.machine_hash --backend cpu --level avx2 --parts vectors,digits,fuzz

Each line is JSON: for one part a hash of what goes in and a hash of what comes out, so that a
machine that drew other inputs is not mistaken for one that computes otherwise.
"""

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

import numpy as np

from bench.networks import encoder_layer, mobilenet_v2
from cvm.inference.backends.backend import Backend
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.engine import run_items
from cvm.inference.faults import InputOutOfRange
from cvm.inference.float_environment import default_float_environment
from cvm.inference.graph import Graph, Node
from cvm.inference.model_file import Model, parse_model
from cvm.inference.operators.table import OPERATORS
from cvm.inference.tensor_bytes import encode_tensors
from cvm.inference.tensor_type import Array
from cvm.numba_cache import configure_numba_cache
from node.sample_models import sample_model_path
from node.self_test_vectors import load_self_test_vectors
from tests.fuzz_graphs import drawn_graph
from tests.inference_fuzzer import NODES_PER_GRAPH, usable_vectors

SEED = 20_260
SMALL_FUZZ_NODES = 100
FUZZ_NODES = 500


@dataclass(frozen=True, slots=True)
class Case:
    """A piece of work: bytes that show what goes in, and what gives the bytes that come out."""

    given: bytes
    run: Callable[[Backend], bytes]


def vector_cases() -> Iterator[Case]:
    """Yield every golden vector, run without a trace."""
    for vector in load_self_test_vectors():
        graph, inputs = vector.graph(OPERATORS), vector.input_arrays()
        yield Case(encode_tensors(inputs), partial(_outputs, graph, inputs))


def digit_cases() -> Iterator[Case]:
    """Yield the digit models, each on 100 images."""
    images = np.load(sample_model_path("digits_100_images.npy")).tobytes()
    for name in ("digits_float32.onnx", "digits_int8.onnx"):
        model = parse_model(sample_model_path(name).read_bytes())
        yield Case(images, partial(_items, model, images))


def network_cases() -> Iterator[Case]:
    """Yield MobileNetV2 and an encoder layer on one item each."""
    rng = np.random.default_rng(SEED)
    for make in (mobilenet_v2, encoder_layer):
        data = make().SerializeToString()
        model = parse_model(data)
        x = rng.standard_normal(model.graph.inputs[0].type.shape).astype(np.float32)
        item = encode_tensors((x,))
        yield Case(data + item, partial(_items, model, item))


def fuzz_cases(nodes: int) -> Iterator[Case]:
    """Yield random graphs of so many nodes together, run with a trace and without."""
    vectors, source, drawn = usable_vectors(), random.Random(SEED), 0
    while drawn < nodes:
        graph, inputs = drawn_graph(vectors, source, min(NODES_PER_GRAPH, nodes - drawn))
        drawn += len(graph.nodes)
        given = encode_tensors([*inputs, *graph.constants.values()])
        yield Case(given, partial(_all_values, graph, inputs))


PARTS: dict[str, Callable[[], Iterator[Case]]] = {
    "vectors": vector_cases,
    "digits": digit_cases,
    "networks": network_cases,
    "fuzz": lambda: fuzz_cases(FUZZ_NODES),
    "small-fuzz": lambda: fuzz_cases(SMALL_FUZZ_NODES),
}


def _items(model: Model, data: bytes, backend: Backend) -> bytes:
    """Return the outputs of a model's items."""
    return run_items(backend.plan(model.graph), model, data)


def _outputs(graph: Graph, inputs: Sequence[Array], backend: Backend) -> bytes:
    """Return the outputs of a plain run, or the text of an index out of range."""
    with default_float_environment():
        try:
            return encode_tensors(backend.plan(graph).run(inputs))
        except InputOutOfRange as fault:
            return str(fault).encode()


def _all_values(graph: Graph, inputs: Sequence[Array], backend: Backend) -> bytes:
    """Return the outputs of every node of a traced run, then those of a plain one."""
    made: list[bytes] = []

    def trace(_node: Node, outputs: tuple[Array, ...]) -> None:
        made.append(encode_tensors(outputs))

    with default_float_environment():
        try:
            backend.plan(graph).run(inputs, trace)
        except InputOutOfRange as fault:
            made.append(str(fault).encode())
    return b"".join([*made, _outputs(graph, inputs, backend)])


def part_hashes(part: str, backend: Backend, threads: int) -> tuple[str, str]:
    """Return 16 hex digits each of what went in and of what came out, over all cases in order."""
    cases = list(PARTS[part]())
    with ThreadPoolExecutor(threads) as pool:
        made = list(pool.map(lambda case: case.run(backend), cases))
    return _hash([case.given for case in cases]), _hash(made)


def _hash(pieces: Sequence[bytes]) -> str:
    """Return a hash of pieces and of where each ends."""
    digest = sha256()
    for piece in pieces:
        digest.update(len(piece).to_bytes(8, "big") + piece)
    return digest.hexdigest()[:16]


def backend_of(name: str, level: str | None) -> Backend:
    """Return the definition, or the `cpu` backend at a level (None: the best of this CPU)."""
    if name == "reference":
        return ReferenceBackend()
    configure_numba_cache()
    # Only after the cache is configured: kernels fix their folder when they are declared.
    from cvm.inference.backends.cpu import CpuBackend

    return CpuBackend(level)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the hashes of the parts that are named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--backend", choices=("reference", "cpu"), default="cpu")
    parser.add_argument("--level")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--parts", default="vectors,digits,networks,fuzz")
    given = parser.parse_args(arguments)
    backend = backend_of(given.backend, given.level)
    level = getattr(backend, "level", "")
    for name in given.parts.split(","):
        went_in, came_out = part_hashes(name, backend, given.threads)
        entry = {"level": level, "part": name, "given": went_in, "made": came_out}
        sys.stdout.write(json.dumps(entry) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
