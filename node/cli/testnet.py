"""`cvm testnet`: a network of real nodes on this machine, with its status as it runs."""

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from node.cli.faults import BadArgument, clear_errors
from node.cli.network_board import Board
from node.cli.warming import warm_up, warmings_for
from node.dev_keys import DEV_MNEMONIC
from node.local_network import LocalNetwork, NetworkPlan, load_places, make_network
from node.network_process import NodeDidNotStart, NodePlace
from node.p2p.first_fault import first_fault
from node.stopping import stop_on_signals

MAX_NODES = 32
POLL_S = 0.5
console = Console(stderr=True, highlight=False)


def run_testnet(
    validators: Annotated[int, typer.Option(help="validators, 1 to 32")] = 4,
    full_nodes: Annotated[int, typer.Option(help="nodes that follow and do not vote")] = 0,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--dir", help="keep the network here, or go on with the one that is there, as it was"
        ),
    ] = None,
    period: Annotated[int, typer.Option(help="seconds between blocks")] = 2,
    epoch_blocks: Annotated[
        int, typer.Option(min=2, help="blocks for which the validators stay the same")
    ] = 100,
    http_port: Annotated[int, typer.Option("--http.port", help="of the first node")] = 8545,
    p2p_port: Annotated[int, typer.Option("--p2p.port", help="of the first node")] = 30303,
) -> None:
    """Start a local network whose validators agree on every block, and show how it goes."""
    with clear_errors():
        if not 1 <= validators + full_nodes <= MAX_NODES or validators < 1 or full_nodes < 0:
            raise BadArgument(
                f"--validators {validators} --full-nodes {full_nodes}: 1 to {MAX_NODES} nodes, "
                "one of them a validator"
            )
        plan = NetworkPlan(
            validators, full_nodes, period, http_port, p2p_port, epoch_blocks=epoch_blocks
        )
        with contextlib.ExitStack() as cleanup:
            if folder is None:
                folder = Path(cleanup.enter_context(TemporaryDirectory(prefix="cvm-testnet-")))
            places = load_places(folder)
            if places:
                console.print(continued(folder, places), soft_wrap=True)
            else:
                places = make_network(folder, plan)
            asyncio.run(run_network(places))


def continued(folder: Path, places: Sequence[NodePlace]) -> str:
    """Say which network goes on, and that it stays as it was made."""
    validators = sum(place.validator is not None for place in places)
    return (
        f"going on with the network in {folder}: {validators} validators, "
        f"{len(places) - validators} full nodes, the first one's JSON-RPC at {places[0].url}; "
        "the options given now change nothing of it"
    )


async def run_network(places: Sequence[NodePlace]) -> None:
    """Run the nodes until SIGINT or SIGTERM; what they all compile is compiled before, once."""
    stop = stop_on_signals()
    network = LocalNetwork(places)
    try:
        with first_fault():
            if await is_done(warm_up(warmings_for(places), console), stop):
                await start_and_show(network, stop)
    except NodeDidNotStart as fault:
        raise BadArgument(str(fault)) from fault
    finally:
        await network.close()


async def start_and_show(network: LocalNetwork, stop: asyncio.Event) -> None:
    """Start the nodes and show how they do until told to stop; raises `NodeDidNotStart`."""
    console.print(
        f"TEST accounts with 10,000 ether each: the mnemonic {DEV_MNEMONIC!r}", soft_wrap=True
    )
    console.print(way_in(next(iter(network.nodes.values())).place), soft_wrap=True)
    await network.open()
    async with asyncio.TaskGroup() as tasks:
        starting = tasks.create_task(network.start_all())
        await show_status(network, stop)
        starting.cancel()


def way_in(place: NodePlace) -> str:
    """Say how a node beside those of the network follows one of them."""
    return (
        f"a node of your own: cvm init {place.datadir.parent / 'genesis.json'} --datadir DIR, then "
        f"cvm node --datadir DIR --http.port 0 --p2p.port 0 --peer {place.enode()}"
    )


async def is_done(work: Coroutine[None, None, None], stop: asyncio.Event) -> bool:
    """Do some work unless told to stop before it ends; tell whether it was done."""
    doing, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((doing, stopping), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
        return doing.done()
    finally:
        for task in (doing, stopping):
            task.cancel()
        await asyncio.gather(doing, stopping, return_exceptions=True)


async def show_status(network: LocalNetwork, stop: asyncio.Event) -> None:
    """Draw a table of the nodes twice a second until told to stop."""
    board = Board(tuple(network.nodes.values()))
    with Live(console=console, auto_refresh=False) as live:
        while not stop.is_set():
            live.update(await board.table(), refresh=True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await stop.wait()


def add_commands(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("testnet")(run_testnet)
