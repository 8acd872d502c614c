"""Compiles Vyper in a test, where the compiler is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.documents import ROOT

VYPER_VERSION = "0.4.3"
MODULES = ROOT / "models-registry" / "contracts" / "vyper"


def compile_vyper(path: Path, what: str = "bytecode_runtime") -> bytes:
    """Return a contract's code; skips the test where there is no vyper 0.4.3.

    `path` may import the modules of the repository and those beside it.
    """
    compiler = os.environ.get("CVM_VYPER") or shutil.which("vyper")
    if compiler is None:
        pytest.skip(
            f"no vyper on PATH: `pip install vyper=={VYPER_VERSION}` in an environment of its own "
            "and set CVM_VYPER to its command"
        )
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True)
    if not version.stdout.startswith(f"{VYPER_VERSION}+"):
        pytest.skip(f"vyper {version.stdout.strip()}, these tests want {VYPER_VERSION}")
    done = subprocess.run(
        [compiler, "-p", str(MODULES), "-p", str(path.parent), "-f", what, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return bytes.fromhex(done.stdout.strip().removeprefix("0x"))
