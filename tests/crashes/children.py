"""Children that are killed: each one is forked with the imports done, and tells what it did."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass

Report = Callable[[str], None]
FAILED = 70
"""How a child ends that raised something."""


@dataclass(frozen=True, slots=True)
class Life:
    """What one child told, line by line, until it ended, and how that was."""

    lines: tuple[str, ...]
    status: int

    @property
    def was_killed(self) -> bool:
        """Tell whether SIGKILL ended it."""
        return self.status == -signal.SIGKILL

    def told(self, word: str) -> list[list[str]]:
        """Return the lines that begin with a word, split, without it."""
        return [line.split()[1:] for line in self.lines if line.split()[:1] == [word]]


def run_child(work: Callable[[Report], None]) -> Life:
    """Run something in a child that may be killed; a line is told before `report` returns."""
    sys.stdout.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os._exit(ended(work, writing))
    os.close(writing)
    with os.fdopen(reading) as pipe:
        lines = tuple(line.rstrip("\n") for line in pipe)
    _pid, status = os.waitpid(child, 0)
    return Life(lines, os.waitstatus_to_exitcode(status))


def ended(work: Callable[[Report], None], pipe: int) -> int:
    """Run the work of a child; return its status."""

    def report(line: str) -> None:
        data = f"{line}\n".encode()
        while data:
            data = data[os.write(pipe, data) :]

    try:
        work(report)
    except BaseException:  # noqa: BLE001  (a forked child must not run its parent's code)
        traceback.print_exc()
        sys.stderr.flush()
        return FAILED
    return 0
