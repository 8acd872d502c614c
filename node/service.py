"""One running node: opens the data directory, proves the backend, serves, produces, stops."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from cvm.faults import ModelDataMissing
from cvm.inference.backends.table import backend_named
from models_registry.registry import read_active_record, read_model_ids
from node.attester import Attester
from node.block_producer import BlockProducer
from node.chain import Chain, NotTheOnlyValidator
from node.config import NodeConfig
from node.inference_host import NodeInferenceHost
from node.keys import address_of
from node.live_chain import LiveChain
from node.rpc.server import RpcServer, start_rpc_server
from node.storage.chain_database import ChainDatabase, NoChainHere, has_database
from node.storage.model_store import ModelStore
from node.transaction_pool import TransactionPool
from node.warm_kernels import warm_execution

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OpenNode:
    """The parts of a node that need no event loop."""

    chain: Chain
    store: ModelStore


@contextmanager
def open_node(config: NodeConfig, *, read_only: bool = False) -> Iterator[OpenNode]:
    """Open a data directory; raises `NoChainHere` or a `LocalFault`.

    One process may write it; any number may read it meanwhile.
    """
    if not has_database(config.chain_folder):
        raise NoChainHere(config.datadir)
    database = ChainDatabase(config.chain_folder, read_only=read_only)
    try:
        if not read_only:
            prune_state(database, config.prune_blocks)
        store = ModelStore(config.models_folder)
        host = NodeInferenceHost(store, backend_named(config.backend))
        yield OpenNode(Chain(database, host), store)
    finally:
        database.close()


def prune_state(database: ChainDatabase, keep_blocks: int | None) -> None:
    """Drop older states if that is wanted; a database that prunes goes on doing so."""
    if keep_blocks is None or database.kept_blocks() == keep_blocks:
        return
    log.info("pruning state", keep_blocks=keep_blocks)
    log.info("pruned state", trie_nodes=database.prune(keep_blocks))


def plan_active_models(chain: Chain) -> None:
    """Prove the backend on the operators of every ACTIVE model, and plan it, before serving.

    Raises `BackendDisagrees` with the vector. A model whose bytes are not here is named in the
    log: the node is not ready for blocks that run it.
    """
    storage = chain.storage_at(chain.head)
    height = chain.head.block_number + 1
    for model_id in read_model_ids(storage):
        if read_active_record(storage, model_id, height) is None:
            continue
        try:
            chain.host.model(model_id)
        except ModelDataMissing as fault:
            log.warning("not ready", reason=str(fault))
        else:
            log.info("model ready", model_id=f"0x{model_id.hex()}", backend=chain.host.backend_name)


async def run_node(config: NodeConfig, on_ready: Callable[[Chain, RpcServer], None]) -> None:
    """Run until SIGINT or SIGTERM; `on_ready` is called once the node answers.

    Raises `NotTheOnlyValidator`, or a `LocalFault` when this machine fails.
    """
    stop = stop_on_signals()
    with open_node(config) as node:
        validate_validator(config, node.chain)
        pool = TransactionPool(node.chain.parameters.chain_id)
        attester = Attester(node.chain, config.validator_key)
        view = LiveChain(node.chain, pool, attester, node.store)
        log.info("loading the execution core", first_time="compiles it, about half a minute")
        warm_execution()
        plan_active_models(node.chain)
        attester.judge_pending()
        try:
            async with await start_rpc_server(view, config.http_host, config.http_port) as server:
                on_ready(node.chain, server)
                duties = [server.run()]
                if config.validator_key is not None:
                    producer = BlockProducer(
                        node.chain,
                        pool,
                        attester,
                        config.validator_key,
                        instant=config.instant,
                        idle_blocks=config.idle_blocks,
                    )
                    duties.append(producer.run(view.work))
                await run_tasks(duties, stop)
                log.info("stopping", head=node.chain.head.block_number)
        finally:
            view.close()


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGINT and SIGTERM set."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def validate_validator(config: NodeConfig, chain: Chain) -> None:
    """Refuse at start what would refuse the first block."""
    if config.validator_key is None:
        return
    validators = chain.validators()
    address = address_of(config.validator_key)
    if validators != (address,):
        raise NotTheOnlyValidator(address, validators)


async def run_tasks(duties: Sequence[Coroutine[object, object, None]], stop: asyncio.Event) -> None:
    """Own every task of the node until it is told to stop; raises what one of them raised."""
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(duty) for duty in duties]
            await stop.wait()
            for task in running:
                task.cancel()
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        raise group.exceptions[0] from group
