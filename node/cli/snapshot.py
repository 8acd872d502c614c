"""`cvm snapshot`: the state of a chain's head to a file, and a new node's start from one."""

from pathlib import Path
from typing import Annotated

import typer

from node.checkpoint import parse_checkpoint
from node.cli.archive import offline
from node.cli.faults import clear_errors
from node.cli.report import AsJson, print_report
from node.cli.run import Datadir
from node.config import DEFAULT_DATADIR
from node.logs import configure_logs
from node.service import open_node
from node.snapshot_file import SnapshotSummary, export_snapshot, import_snapshot
from node.storage.chain_database import ChainDatabase, NoChainHere
from node.storage.model_store import ModelStore

snapshot = typer.Typer(no_args_is_help=True, help="Write and read the state of one block.")


@snapshot.command("export")
def export_command(
    file: Annotated[Path, typer.Argument(help="the snapshot to write")],
    datadir: Datadir = DEFAULT_DATADIR,
    as_json: AsJson = False,
) -> None:
    """Write the head's state and every model into a file; the node has to stand still."""
    configure_logs()
    with clear_errors(), open_node(offline(datadir, "reference")) as node:
        summary = export_snapshot(node.chain, node.store, file)
    show(summary, as_json=as_json)


@snapshot.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="a file that `cvm snapshot export` wrote")],
    checkpoint: Annotated[
        str, typer.Option("--checkpoint", help="hash of the block, from somebody you trust")
    ],
    datadir: Datadir = DEFAULT_DATADIR,
    as_json: AsJson = False,
) -> None:
    """Begin an empty chain at a snapshot's block, its state proven to the root in its header."""
    configure_logs()
    with clear_errors():
        trusted = parse_checkpoint(checkpoint)
        config = offline(datadir, "reference")
        database = ChainDatabase(config.chain_folder)
        try:
            if database.genesis_json() is None:
                raise NoChainHere(datadir)
            models = ModelStore(config.models_folder)
            summary = import_snapshot(database, models, file, trusted.block_hash)
        finally:
            database.close()
    show(summary, as_json=as_json)


def show(summary: SnapshotSummary, *, as_json: bool) -> None:
    """Print what a snapshot holds."""
    header = summary.header
    report = {
        "block": header.block_number,
        "hash": f"0x{header.hash.hex()}",
        "stateRoot": f"0x{header.state_root.hex()}",
        "parts": summary.parts,
        "codes": summary.codes,
        "models": summary.models,
    }
    print_report(report, as_json)


def add_commands(app: typer.Typer) -> None:
    """Add this file's group of commands."""
    app.add_typer(snapshot, name="snapshot")
