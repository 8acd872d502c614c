"""`cvm ethereum serve` as a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

from tests.integration.node_process import READY, START_TIMEOUT_S, STOP_TIMEOUT_S, environment


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[str]:
    """Serve the chain of a folder, and give the enode URL; SIGTERM must end it well."""
    command = [sys.executable, "-m", "node.cli", "ethereum", "serve", "--datadir", str(folder)]
    with (
        (folder / "serve.log").open("w") as log,
        subprocess.Popen(
            [*command, "--p2p.port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment(),
        ) as process,
    ):
        watchdog = Timer(START_TIMEOUT_S, process.kill)
        watchdog.start()
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith(f"{READY}enode://")
            yield line.removeprefix(READY).strip()
        finally:
            watchdog.cancel()
            process.terminate()
            assert process.wait(STOP_TIMEOUT_S) == 0
