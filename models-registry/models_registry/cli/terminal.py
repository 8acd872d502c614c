"""How `cvm model` talks to a person: notes and a progress bar on stderr, questions, a clock."""

import sys
import time
from types import TracebackType

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

POLL_INTERVAL_S = 0.25


class NotAgreed(Exception):
    """Nobody said yes; nothing was sent."""


class TerminalProgress:
    """Shows notes and the chunks that were sent; stdout stays free for the result."""

    def __init__(self) -> None:
        console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("chunks", total=None, visible=False)

    def __enter__(self) -> "TerminalProgress":
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def require_yes(self, question: str, *, yes: bool) -> None:
        """Ask a person while the bar stands still; raises `NotAgreed`."""
        self._bar.stop()
        require_yes(question, yes=yes)
        self._bar.start()

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        self._bar.console.print(text, soft_wrap=True, markup=False)

    def chunks(self, done: int, total: int) -> None:
        """Move the bar; there is none where no chunk has to be sent."""
        self._bar.update(self._task, completed=done, total=total, visible=total > 0)


class WallClock:
    """The computer's monotonic clock."""

    def now(self) -> float:
        """Return seconds since some moment."""
        return time.monotonic()

    def pause(self) -> None:
        """Wait until the node is asked again."""
        time.sleep(POLL_INTERVAL_S)


def note(text: str) -> None:
    """Say something on stderr; stdout is for the result."""
    typer.echo(text, err=True)


def is_interactive() -> bool:
    """Tell whether somebody can be asked."""
    return sys.stdin.isatty()


def require_yes(question: str, *, yes: bool) -> None:
    """Ask a person, unless `--yes` said it before; raises `NotAgreed` for any other answer."""
    if yes:
        return
    if not is_interactive():
        raise NotAgreed(f"{question} There is nobody to ask: --yes does it without asking")
    if not typer.confirm(question, err=True):
        raise NotAgreed("nothing was sent")
