"""Every backend gives the exact bytes of every golden vector."""

from pathlib import Path

import pytest

from cvm.inference.backends.table import backend_named
from cvm.inference.operators.table import OPERATORS
from cvm.inference.self_test import run_self_test
from cvm.inference.vectors import parse_vectors

FOLDER = Path(__file__).parents[2] / "cvm" / "inference" / "vectors"
FILES = sorted(FOLDER.glob("*.json"))
BACKENDS = ["reference", "cpu"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_backend_gives_the_exact_bytes(backend: str, path: Path) -> None:
    vectors = parse_vectors(path.read_text())
    assert run_self_test(backend_named(backend), vectors) == len(vectors)


def test_every_operator_has_several_vectors() -> None:
    counts = dict.fromkeys(OPERATORS, 0)
    for path in FILES:
        for vector in parse_vectors(path.read_text()):
            counts[vector.domain, vector.op_type] += 1
    assert min(counts.values()) >= 4
