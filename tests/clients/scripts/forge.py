"""Runs forge in its project, with a compiler that needs no download."""

import os
import subprocess
from pathlib import Path

PROJECT = Path("foundry")
TIMEOUT_S = 200


def run_forge(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, whatever that is.

    Only here the settings name the compiler: each command of Foundry that sees them asks it for its
    version, which takes solc of npm a second.
    """
    settings = {"FOUNDRY_SOLC": str(Path("solc").resolve()), "FOUNDRY_OFFLINE": "true"}
    return subprocess.run(
        ["forge", *arguments],
        cwd=PROJECT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
