"""A node in this process that `cvm validator` asks over JSON-RPC: a block with each transaction."""

import asyncio
import json
from typing import Any

import typer
from typer.testing import CliRunner, Result

from node.attestation_pool import AttestationPool
from node.cli.validator import add_commands
from node.execution.thread_executor import ThreadExecutor
from node.live_chain import LiveChain
from node.local_transactions import LocalTransactions
from node.model_duties import ModelDuties
from node.network_view import NetworkView
from node.rpc.server import start_rpc_server
from node.transaction_pool import TransactionPool
from tests.chain_world import CHAIN_ID
from tests.unit.node.p2p.epoch_world import EpochWorld
from tests.unit.node.rpc.rpc_caller import shared_node


class ServedNode:
    """A chain of several validators behind JSON-RPC; `close` it in the end."""

    def __init__(self, world: EpochWorld, network: NetworkView) -> None:
        self.world = world
        self._pool = TransactionPool(CHAIN_ID)
        models = ModelDuties(world.attester, AttestationPool(world.chain), lambda _signed: None)
        self._view = LiveChain(
            world.chain,
            LocalTransactions(self._pool),
            world.store,
            models,
            network,
            asyncio.Event(),
            ThreadExecutor(world.chain.execution),
        )

    async def run(self, *arguments: str) -> Result:
        """Run a `cvm validator` command beside the node."""
        app = typer.Typer()
        app.callback()(lambda: None)
        add_commands(app)
        async with await start_rpc_server(shared_node(self._view), port=0) as server:
            making = asyncio.create_task(self._make_blocks())
            words = ["validator", *arguments, "--rpc", server.url, "--json"]
            try:
                return await asyncio.to_thread(CliRunner().invoke, app, words)
            finally:
                making.cancel()
                await asyncio.gather(making, return_exceptions=True)

    async def told(self, *arguments: str) -> Any:  # what a command prints as JSON
        result = await self.run(*arguments)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    async def _make_blocks(self) -> None:
        while True:
            await self._view.work.wait()
            self._view.work.clear()
            self.world.block(*(tx.raw for tx in self._pool.best_first(0)))
            with self.world.chain.state_at(self.world.chain.head) as state:
                self._pool.settle(state)

    def close(self) -> None:
        self._view.close()
