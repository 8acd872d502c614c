"""`cvm testnet`: a network of real nodes on this machine, with its status as it runs."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from node.cli.faults import BadArgument, clear_errors
from node.dev_keys import DEV_MNEMONIC
from node.local_network import LocalNetwork, NetworkPlan, load_places, make_network
from node.network_process import NetworkProcess, NoAnswer, NodeDidNotStart, NodePlace
from node.service import stop_on_signals

MAX_NODES = 32
POLL_S = 0.5
SHOWN_DIGITS = 10
"""Of a hash: a line must fit into 80 columns beside the address that a user copies."""
HEADINGS = ("node", "JSON-RPC", "height", "head", "peers", "status")
console = Console(stderr=True, highlight=False)


@dataclass(frozen=True, slots=True)
class NodeLine:
    """What one node says of itself."""

    name: str
    url: str
    height: int | None
    head: str
    peers: int
    status: str


def run_testnet(
    validators: Annotated[int, typer.Option(help="validators, 1 to 32")] = 4,
    full_nodes: Annotated[int, typer.Option(help="nodes that follow and do not vote")] = 0,
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help="keep the network here, or go on with the one that is there"),
    ] = None,
    period: Annotated[int, typer.Option(help="seconds between blocks")] = 2,
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
        plan = NetworkPlan(validators, full_nodes, period, http_port, p2p_port)
        with contextlib.ExitStack() as cleanup:
            if folder is None:
                folder = Path(cleanup.enter_context(TemporaryDirectory(prefix="cvm-testnet-")))
            places = load_places(folder) or make_network(folder, plan)
            asyncio.run(run_network(places))


async def run_network(places: Sequence[NodePlace]) -> None:
    """Run the nodes until SIGINT or SIGTERM."""
    stop = stop_on_signals()
    network = LocalNetwork(places)
    try:
        console.print(f"starting {len(places)} nodes; the first start compiles for half a minute")
        await network.open()
        try:
            await network.start_all()
        except* NodeDidNotStart as group:
            raise BadArgument(str(group.exceptions[0])) from group
        console.print(
            f"TEST accounts with 10,000 ether each: the mnemonic {DEV_MNEMONIC!r}",
            soft_wrap=True,
        )
        await show_status(network, stop)
    finally:
        await network.close()


async def show_status(network: LocalNetwork, stop: asyncio.Event) -> None:
    """Draw a table of the nodes twice a second until told to stop."""
    with Live(console=console, auto_refresh=False) as live:
        while not stop.is_set():
            lines = await asyncio.gather(*(ask(node) for node in network.nodes.values()))
            live.update(table_of(lines), refresh=True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await stop.wait()


async def ask(node: NetworkProcess) -> NodeLine:
    """Ask one node how it is."""
    place = node.place
    try:
        block = await node.call("eth_getBlockByNumber", "latest", False)
        peers = await node.call("net_peerCount")
        status = await node.call("cvm_nodeStatus")
    except NoAnswer:
        state = "no answer" if node.is_running else "stopped"
        return NodeLine(place.name, place.url, None, "", 0, state)
    return NodeLine(
        place.name,
        place.url,
        int(block["number"], 16),
        block["hash"],
        int(peers, 16),
        status["status"],
    )


def table_of(lines: Sequence[NodeLine]) -> Table:
    """Return the table of a network's nodes."""
    table = Table()
    for heading in HEADINGS:
        table.add_column(
            heading,
            justify="right" if heading in ("height", "peers") else "left",
            no_wrap=heading in ("node", "JSON-RPC"),
        )
    for line in lines:
        height = "-" if line.height is None else str(line.height)
        table.add_row(
            line.name, line.url, height, line.head[:SHOWN_DIGITS], str(line.peers), line.status
        )
    return table


def add_commands(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("testnet")(run_testnet)
