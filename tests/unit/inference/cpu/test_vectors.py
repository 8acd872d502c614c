"""The golden vectors hold at every feature level that this machine has."""

import pytest

from cvm.inference.backends.cpu import CpuBackend
from cvm.inference.self_test import run_self_test
from node.self_test_vectors import load_self_test_vectors
from tests.unit.inference.cpu.levels import LEVELS


@pytest.mark.parametrize("level", LEVELS)
def test_every_golden_vector_holds(level: str) -> None:
    vectors = load_self_test_vectors()
    assert run_self_test(CpuBackend(level), vectors) == len(vectors) >= 180
