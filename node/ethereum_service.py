"""A node of a plain Ethereum chain: it serves JSON-RPC, and makes no blocks."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, closing, contextmanager

import structlog

from node.chain import may_be_plain
from node.config import NodeConfig
from node.endpoints import open_endpoints
from node.ethereum_archive import ethereum_forks_of, parse_json
from node.ethereum_facts import EthereumFacts
from node.ethereum_view import EthereumView
from node.execution.ethereum_chain import EthereumExecutionChain
from node.execution.workers import Workers
from node.rpc.caller import rpc_node
from node.rpc.events import ChainEvents
from node.rpc.node_facts import NodeSelf
from node.rpc.server import RpcServer
from node.service import run_tasks, worker_place
from node.stopping import stop_on_signals
from node.storage.chain_database import ChainDatabase, has_database

log = structlog.get_logger(__name__)
OWN_NAMESPACES = frozenset({"anvil", "cvm", "evm", "hardhat"})
"""Methods about models, and those that make blocks: a chain of our own has them."""


def holds_plain_chain(config: NodeConfig) -> bool:
    """Tell whether a data directory holds a chain that is not our own."""
    if not has_database(config.chain_folder):
        return False
    with closing(ChainDatabase(config.chain_folder, read_only=True)) as database:
        genesis = database.genesis_json()
    return genesis is not None and may_be_plain(parse_json(genesis))


async def run_ethereum_node(
    config: NodeConfig, on_ready: Callable[[EthereumView, RpcServer | None], None]
) -> None:
    """Run until SIGINT or SIGTERM; `on_ready` is called once the node answers.

    Raises a `LocalFault` when this machine fails.
    """
    stop = stop_on_signals()
    workers = Workers(worker_place(config), config.rpc_workers)
    with ethereum_view(config, workers) as (view, facts):
        async with AsyncExitStack() as servers:
            clock_s, itself = asyncio.get_running_loop().time, NodeSelf(facts)
            node = rpc_node(view, clock_s, ChainEvents(), itself, OWN_NAMESPACES)
            on_ready(view, await open_endpoints(node, config, servers))
            await run_tasks([workers.run()], stop)
            log.info("stopping", head=view.head().block_number)


@contextmanager
def ethereum_view(
    config: NodeConfig, workers: Workers
) -> Iterator[tuple[EthereumView, EthereumFacts]]:
    """Open the chain for reading."""
    with closing(ChainDatabase(config.chain_folder, read_only=True)) as database:
        forks = ethereum_forks_of(database)
        facts = EthereumFacts.of_database(database, forks)
        chain = EthereumExecutionChain(database, forks)
        with closing(EthereumView(database, chain, workers)) as view:
            yield view, facts
