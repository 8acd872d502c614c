"""A development chain without sockets: its miner runs, and a test changes it by hand."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cvm.evm.state_reader import Account
from cvm.inference.backends.table import backend_named
from node.attestation_pool import AttestationPool
from node.attester import Attester
from node.block_writer import BlockWriter
from node.chain import init_chain
from node.dev.dev_chain import DevChain
from node.dev.dev_clock import DevClock
from node.dev.dev_control import DevControl
from node.dev.dev_database import DevDatabase
from node.dev.miner import DevMiner, MiningMode
from node.execution.thread_executor import ThreadExecutor
from node.inference_host import NodeInferenceHost
from node.live_chain import LiveChain
from node.local_transactions import LocalTransactions
from node.lone_network import LoneNetwork
from node.model_duties import ModelDuties
from node.rpc.caller import Caller, rpc_node
from node.rpc.events import ChainEvents
from node.rpc.filter_table import FilterTable
from node.rpc.node_facts import NodeSelf
from node.rpc.rpc_config import NAMESPACES
from node.rpc.wallet import Wallet
from node.storage.model_store import ModelStore
from node.transaction_pool import TransactionPool
from node.validator_key import LocalKey
from node.warm_kernels import warm_execution
from tests.chain_world import CHAIN_ID, GENESIS_TIME, USER, VALIDATOR, genesis_document
from tests.unit.node.rpc.rpc_caller import call

GENESIS = json.dumps(genesis_document()).encode()
TIMEOUT_S = 30
MANUAL = MiningMode(is_instant=False)
INSTANT = MiningMode()
ALICE = b"\xa1" * 20
BOB = b"\xb0" * 20


@dataclass
class Clock:
    """The machine's clock, which stands still until a test moves it."""

    now: int = GENESIS_TIME + 10

    def __call__(self) -> int:
        return self.now


@dataclass
class DevWorld:
    """A development chain in a folder, while its event loop runs."""

    chain: DevChain
    pool: TransactionPool
    miner: DevMiner
    control: DevControl
    caller: Caller
    clock: Clock
    moves: list[int] = field(default_factory=list)

    async def ask(self, method: str, *params: object) -> object:
        """Return the result of a JSON-RPC call that must succeed."""
        response = await call(self.caller, method, *params)
        assert "result" in response, response
        return response["result"]

    async def refusal(self, method: str, *params: object) -> tuple[object, object]:
        """Return code and message of a call that must fail."""
        error = (await call(self.caller, method, *params))["error"]
        assert isinstance(error, dict)
        return error["code"], error["message"]

    def account(self, address: bytes) -> Account:
        with self.chain.state_at(self.chain.head) as state:
            return state.account(address) or Account()

    @property
    def height(self) -> int:
        return int(self.chain.head.block_number)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for blocks until something is so."""
        moved, loop = asyncio.Event(), asyncio.get_running_loop()

        def tell(*_block: object) -> None:
            loop.call_soon_threadsafe(moved.set)

        self.chain.on_append(tell)
        while not condition():
            await moved.wait()
            moved.clear()


@contextmanager
def opened(folder: Path) -> Iterator[DevChain]:
    """Open the chain of a folder, which is begun where there is none."""
    database = DevDatabase(folder / "chain")
    try:
        init_chain(database, GENESIS)
        yield DevChain(
            database, NodeInferenceHost(ModelStore(folder / "models"), backend_named("reference"))
        )
    finally:
        database.close()


Story = Callable[[DevWorld], Awaitable[None]]


def live(folder: Path, story: Story, mode: MiningMode = MANUAL) -> None:
    """Run a story on a development chain whose miner is at work.

    Kernels are compiled before its time begins.
    """
    warm_execution()

    async def told() -> None:
        with opened(folder) as chain:
            async with asyncio.timeout(TIMEOUT_S), asyncio.TaskGroup() as tasks:
                writer = BlockWriter(chain)
                view = None
                try:
                    world, view = world_of(chain, writer, folder, mode)
                    running = tasks.create_task(world.miner.run())
                    await story(world)
                    running.cancel()
                finally:
                    if view is not None:
                        view.close()
                    writer.close()

    asyncio.run(told())


def world_of(
    chain: DevChain, writer: BlockWriter, folder: Path, mode: MiningMode
) -> tuple[DevWorld, LiveChain]:
    work, pool, clock = asyncio.Event(), TransactionPool(CHAIN_ID), Clock()
    local, store = LocalTransactions(pool), ModelStore(folder / "models")
    network = LoneNetwork(chain, store)
    models = ModelDuties(
        Attester(chain, LocalKey(VALIDATOR)), AttestationPool(chain), network.spread_attestation
    )
    executor = ThreadExecutor(chain.execution)
    view = LiveChain(chain, local, store, models, network, work, executor)
    miner = DevMiner(chain, writer, pool, VALIDATOR, DevClock(clock), work, mode)
    events, moves = ChainEvents(), []
    pool.on_pending(events.new_pending)
    filters = FilterTable(view, events, lambda: 0.0)
    control = DevControl(miner, local, filters, lambda: moves.append(chain.head.block_number))
    itself = NodeSelf(wallet=Wallet([USER]), dev=control)
    node = rpc_node(view, lambda: 0.0, events, itself, filters=filters)
    caller = Caller(node, frozenset(NAMESPACES))
    return DevWorld(chain, pool, miner, control, caller, clock, moves), view


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
