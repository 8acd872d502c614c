"""`cvm export` and `cvm import`: a chain with its models in one file."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from node.chain_archive import export_chain, import_chain
from node.cli.ethereum import import_plain
from node.cli.faults import clear_errors
from node.cli.report import AsJson, print_report
from node.cli.run import BackendName, Datadir
from node.config import DEFAULT_DATADIR, NodeConfig
from node.ethereum_service import holds_plain_chain
from node.logs import configure_logs
from node.service import open_node


def offline(datadir: Path, backend: str) -> NodeConfig:
    """Return the configuration of a node that only touches its own files."""
    return NodeConfig(
        datadir=datadir,
        http=None,
        backend=backend,
        validator_key=None,
        instant=False,
        idle_blocks=False,
    )


def progress_bar() -> Progress:
    """Return a bar on standard error; blocks in all may be unknown."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def export_command(
    file: Annotated[Path, typer.Argument(help="the archive to write")],
    datadir: Datadir = DEFAULT_DATADIR,
) -> None:
    """Write every block with its certificate, and every model, into one file."""
    configure_logs()
    config = offline(datadir, "reference")
    with clear_errors(), open_node(config, read_only=True) as node, progress_bar() as bar:
        task = bar.add_task("exporting blocks", total=None)
        count = export_chain(
            node.chain,
            node.store,
            file,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    typer.echo(f"{count} blocks in {file}")


def import_command(
    file: Annotated[Path, typer.Argument(help="an archive that `cvm export` wrote")],
    datadir: Datadir = DEFAULT_DATADIR,
    backend: BackendName = "cpu",
    as_json: AsJson = False,
) -> None:
    """Check and execute every block of an archive, inference included, and append it.

    Into a plain Ethereum chain it takes what `geth export` writes.
    """
    configure_logs()
    if holds_plain_chain(offline(datadir, backend)):
        import_plain(file, datadir, as_json)
        return
    with clear_errors(), open_node(offline(datadir, backend)) as node, progress_bar() as bar:
        task = bar.add_task("importing blocks", total=None)
        summary = import_chain(
            node.chain, node.store, file, lambda done, _total: bar.update(task, completed=done)
        )
        head = node.chain.head
    report = {
        "blocks": summary.blocks,
        "knownBlocks": summary.known_blocks,
        "models": summary.models,
        "inferences": summary.inferences,
        "head": head.block_number,
        "headHash": f"0x{head.hash.hex()}",
        "stateRoot": f"0x{head.state_root.hex()}",
    }
    print_report(report, as_json)


def add_commands(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("export")(export_command)
    app.command("import")(import_command)
