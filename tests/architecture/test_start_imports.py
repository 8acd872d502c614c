"""What starting a node imports: every library here would cost each start a tenth of a second."""

import subprocess
import sys

import pytest

from tests.integration.node_process import environment

LOADED = """
import sys
import node.cli.node_command
print(*sys.modules)
"""
NOT_NEEDED = (
    "Crypto",
    "eth_abi",
    "eth_account",
    "eth_keyfile",
    "eth_keys",
    "eth_utils",
    "onnx",
    "onnxruntime",
    "py_ecc",
    "pydantic",
)


@pytest.fixture(scope="module")
def loaded() -> frozenset[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=120,
        check=True,
    )
    return frozenset(done.stdout.split())


@pytest.mark.parametrize("name", NOT_NEEDED)
def test_a_node_starts_without(loaded: frozenset[str], name: str) -> None:
    assert "node.service" in loaded
    assert name not in loaded
