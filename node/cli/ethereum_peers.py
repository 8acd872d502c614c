"""`cvm ethereum sync` and `serve`: a plain Ethereum chain from its peers, and for them."""

import asyncio
from importlib.metadata import version
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from node.cli.ethereum import existing_chain, import_report
from node.cli.faults import BadArgument, clear_errors
from node.cli.report import AsJson, print_report
from node.cli.run import Datadir
from node.config import DEFAULT_DATADIR
from node.ethereum_archive import EthereumImport, NoEthereumChainHere
from node.ethereum_network import EthereumPeers, serve_ethereum, sync_ethereum
from node.logs import configure_logs
from node.p2p.enode import Enode, parse_enode
from node.p2p.faults import BadEnode
from node.storage.chain_database import ChainDatabase, has_database

ethereum = typer.Typer(
    no_args_is_help=True, help="Fetch a plain Ethereum chain from peers, or serve it to them."
)
LOOPBACK = "127.0.0.1"
PeerUrls = Annotated[list[str], typer.Option("--peer", help="enode URL; may be given often")]
P2pAddr = Annotated[str, typer.Option("--p2p.addr", help="interface for peers")]
P2pPort = Annotated[int, typer.Option("--p2p.port", help="port for peers; 0 takes a free one")]


@ethereum.command("sync")
def sync_command(
    peers: PeerUrls,
    datadir: Datadir = DEFAULT_DATADIR,
    p2p_addr: P2pAddr = LOOPBACK,
    p2p_port: P2pPort = 0,
    as_json: AsJson = False,
) -> None:
    """Fetch the chain's blocks from peers (eth/68, eth/69), and check, execute and append each.

    Ends at the highest head of the peers, or with Ctrl-C; it goes on from there the next time. The
    peers are trusted to follow the right chain: no consensus client is asked.
    """
    configure_logs()
    with clear_errors():
        enodes = parse_peers(peers)
        with existing_chain(datadir) as database:
            place = EthereumPeers(datadir, p2p_addr, p2p_port, enodes, client_name())
            summary = sync(database, place)
    print_report(import_report(summary), as_json)


def sync(database: ChainDatabase, place: EthereumPeers) -> EthereumImport:
    """Sync with a bar on standard error that counts blocks."""
    with progress_bar() as bar:
        task = bar.add_task("asking peers", total=None)

        def show(number: int, target: int) -> None:
            bar.update(task, completed=number, total=target, description="importing blocks")

        return asyncio.run(sync_ethereum(database, place, show))


def progress_bar() -> Progress:
    """Return a bar on standard error that counts blocks."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


@ethereum.command("serve")
def serve_command(
    datadir: Datadir = DEFAULT_DATADIR,
    p2p_addr: P2pAddr = LOOPBACK,
    p2p_port: P2pPort = 30_303,
    peers: Annotated[
        list[str] | None, typer.Option("--peer", help="enode URL to keep a session with")
    ] = None,
) -> None:
    """Give a chain's blocks and receipts to other Ethereum nodes that ask, until Ctrl-C.

    The chain may be a plain one, or one of our own.
    """
    configure_logs()
    with clear_errors():
        folder = datadir / "chain"
        if not has_database(folder):
            raise NoEthereumChainHere(datadir)
        database = ChainDatabase(folder, read_only=True)
        try:
            place = EthereumPeers(
                datadir, p2p_addr, p2p_port, parse_peers(peers or []), client_name()
            )
            asyncio.run(serve_ethereum(database, place, announce))
        finally:
            database.close()


def announce(enode: str) -> None:
    """Tell where the node listens."""
    typer.echo(f"listening on {enode}")


def parse_peers(urls: list[str]) -> tuple[Enode, ...]:
    """Return enode URLs from the command line; raises `BadArgument`."""
    try:
        return tuple(parse_enode(url) for url in urls)
    except BadEnode as error:
        raise BadArgument(f"--peer: {error}") from error


def client_name() -> str:
    """Return what this node calls itself."""
    return f"cvm/v{version('cvm-chain')}"


def add_commands(app: typer.Typer) -> None:
    """Add the group `cvm ethereum` with its commands."""
    app.add_typer(ethereum, name="ethereum")
