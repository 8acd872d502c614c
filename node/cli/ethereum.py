"""Importing the blocks that `geth export` writes into a plain Ethereum chain."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from node.cli.faults import clear_errors
from node.cli.report import print_report
from node.ethereum_archive import (
    EthereumImport,
    NoEthereumChainHere,
    ethereum_forks_of,
    import_ethereum_blocks,
    read_blocks,
)
from node.sender_recovery import SenderRecovery
from node.storage.chain_database import ChainDatabase, has_database


def import_plain(file: Path, datadir: Path, as_json: bool) -> None:
    """Import a file and tell what was done, or what is wrong.

    Blocks that are here already are passed over. A refused block ends the import; those before it
    stay.
    """
    with clear_errors(), existing_chain(datadir) as database:
        summary = import_file(database, file)
    print_report(import_report(summary), as_json)


def import_report(summary: EthereumImport) -> dict[str, object]:
    """Return what an import or a sync did, as a command prints it."""
    return {
        "blocks": summary.blocks,
        "knownBlocks": summary.known_blocks,
        "transactions": summary.transactions,
        "gasUsed": summary.gas_used,
        "head": summary.head.block_number,
        "headHash": f"0x{summary.head.hash.hex()}",
        "stateRoot": f"0x{summary.head.state_root.hex()}",
    }


@contextmanager
def existing_chain(datadir: Path) -> Iterator[ChainDatabase]:
    """Open the database of a data directory for writing, where there is one."""
    folder = datadir / "chain"
    if not has_database(folder):
        raise NoEthereumChainHere(datadir)
    with closing(ChainDatabase(folder)) as database:
        yield database


def import_file(database: ChainDatabase, path: Path) -> EthereumImport:
    """Import the blocks of a file, with a bar on standard error that follows its bytes."""
    forks = ethereum_forks_of(database)
    size_bytes = path.stat().st_size
    with path.open("rb") as file, closing(SenderRecovery()) as recovery, progress_bar() as bar:
        task = bar.add_task("importing blocks", total=size_bytes)

        def show(number: int) -> None:
            bar.update(task, completed=file.tell(), description=f"block {number}")

        summary = import_ethereum_blocks(database, forks, read_blocks(file), recovery, show)
        bar.update(task, completed=size_bytes)
    return summary


def progress_bar() -> Progress:
    """Return a bar on standard error that counts bytes."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
