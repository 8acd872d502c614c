"""`cvm db`: what a data directory's database holds, whether it is whole, and less of it."""

from pathlib import Path
from typing import Annotated

import typer

from node.cli.archive import offline, progress_bar
from node.cli.faults import LOCAL_FAULT, clear_errors
from node.cli.report import AsJson, print_report
from node.cli.run import Datadir
from node.config import DEFAULT_DATADIR
from node.database_check import find_faults, table_sizes
from node.logs import configure_logs
from node.storage.chain_database import ChainDatabase, NoChainHere

db = typer.Typer(no_args_is_help=True, help="Look into a database, check it, prune it.")
MAX_FAULTS = 100


def open_database(datadir: Path, *, read_only: bool = True) -> ChainDatabase:
    """Open the database of a data directory; raises `NoChainHere` or a `LocalFault`."""
    database = ChainDatabase(offline(datadir, "reference").chain_folder, read_only=read_only)
    if database.genesis_json() is None:
        database.close()
        raise NoChainHere(datadir)
    return database


@db.command("stats")
def stats(datadir: Datadir = DEFAULT_DATADIR, as_json: AsJson = False) -> None:
    """Print what the database holds, table by table; a node may run meanwhile."""
    with clear_errors():
        database = open_database(datadir)
        try:
            head = database.header(database.head_hash() or b"")
            sizes = table_sizes(database)
            report: dict[str, object] = {
                "head": 0 if head is None else head.block_number,
                "start": database.start_height(),
                "keptStates": database.kept_blocks() or "all",
                "fileBytes": (database.path / "data.mdb").stat().st_blocks * 512,
            }
        finally:
            database.close()
        for size in sizes:
            amount: object = {"entries": size.entries, "bytes": size.size_bytes}
            text = f"{size.entries:>12,} entries {size.size_bytes:>16,} bytes"
            report[size.name] = amount if as_json else text
        print_report(report, as_json)


@db.command("check")
def check(datadir: Datadir = DEFAULT_DATADIR) -> None:
    """Read every block and the whole state of the head, and compare all with its hashes.

    Ends with 3 where something is wrong, and says what; a node may run meanwhile.
    """
    with clear_errors():
        database = open_database(datadir)
        count = 0
        try:
            with progress_bar() as bar:
                task = bar.add_task("checking blocks", total=None)
                for fault in find_faults(
                    database, lambda done, total: bar.update(task, completed=done, total=total)
                ):
                    count += 1
                    typer.echo(fault)
                    if count == MAX_FAULTS:
                        break
        finally:
            database.close()
    typer.echo(f"{count} faults")
    if count:
        raise typer.Exit(LOCAL_FAULT)


@db.command("prune")
def prune(
    keep: Annotated[int, typer.Option("--keep", min=1, help="keep the state of so many blocks")],
    datadir: Datadir = DEFAULT_DATADIR,
) -> None:
    """Delete the states of older blocks; a node that starts here later goes on pruning."""
    configure_logs()
    with clear_errors():
        database = open_database(datadir, read_only=False)
        try:
            nodes = database.prune(keep)
        finally:
            database.close()
    typer.echo(f"{nodes} trie nodes deleted, states of the last {keep} blocks kept")


def add_commands(app: typer.Typer) -> None:
    """Add this file's group of commands."""
    app.add_typer(db, name="db")
