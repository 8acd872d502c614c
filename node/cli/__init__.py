"""The command line: `cvm COMMAND`. Each family of commands has its file."""

import faulthandler
import sys

import typer

from cvm.numba_cache import configure_numba_cache
from node.collector import pause_collector, spare_collector

INTERRUPTED = 130
"""Exit status after Ctrl-C; typer leaves with it where a command was at work."""


def main() -> None:
    """Run the `cvm` console script."""
    if sys.__stderr__ is not None:
        faulthandler.enable(sys.__stderr__)  # reading a file that was cut off ends a process
    pause_collector()
    configure_numba_cache()
    from node.cli.app import build_app

    command = sys.argv[1] if len(sys.argv) > 1 else None
    try:
        app = build_app(command)
        spare_collector()
        app()
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except SystemExit as leave:
        if leave.code == INTERRUPTED:
            typer.echo("interrupted", err=True)
        raise
