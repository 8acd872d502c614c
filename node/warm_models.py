"""Compiles the kernels of models into the disk cache: `python -m node.warm_models FILE...`.

Nodes that start side by side on one machine would each compile the same ones. What is on disk
already is only loaded. Prints a line after each step: how many are done, and of how many.
"""

import sys
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from cvm.numba_cache import configure_numba_cache

configure_numba_cache()

# The cache folder must be named before a module with kernels is imported.
from cvm.inference.backends.table import backend_named  # noqa: E402
from cvm.inference.engine import run_items  # noqa: E402
from cvm.inference.model_file import parse_model  # noqa: E402
from node.backend_proof import BackendProof, operators_of  # noqa: E402

BACKEND = "cpu"


def warm_models(files: Sequence[bytes], told: Callable[[int, int], None]) -> None:
    """Do once for each model what a node does before its first call.

    `told` hears how many steps are done, and of how many: each operator is proven, each model run.
    Raises `InvalidModel`, or what proving a backend raises.
    """
    models = [parse_model(data) for data in files]
    operators = set().union(*(operators_of(model.graph) for model in models))
    total = len(operators) + len(models)
    steps = count()

    def step() -> None:
        told(next(steps), total)

    step()
    backend = backend_named(BACKEND)
    proof = BackendProof(backend)
    for model in models:
        proof.prove(model.graph, step)
        run_items(backend.plan(model.graph), model, bytes(model.input_bytes))
        step()


def main(paths: Sequence[str]) -> None:
    """Warm the files that are named."""
    warm_models([Path(path).read_bytes() for path in paths], say)


def say(done: int, total: int) -> None:
    """Tell whoever reads standard output, at once."""
    sys.stdout.write(f"{done} {total}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
