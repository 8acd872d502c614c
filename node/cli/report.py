"""How a command tells what it has done: lines for people, or JSON for programs."""

import json
from collections.abc import Mapping
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


def print_report(report: Mapping[str, object], as_json: bool) -> None:
    """Print each value on a line behind its name, or all of them as one JSON object."""
    if as_json:
        typer.echo(json.dumps(report))
        return
    for name, value in report.items():
        typer.echo(f"{name:12} {value}")
