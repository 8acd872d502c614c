"""One running node: opens the data directory, serves, proves the backend, votes, stops."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    ExitStack,
    contextmanager,
    suppress,
)
from dataclasses import dataclass
from typing import Protocol

import structlog

from consensus.qbft.proposed_header import read_proposed_header
from consensus.qbft.rules import Rules
from cvm.faults import ModelDataMissing
from cvm.inference.backends.table import backend_named
from models_registry.registry import read_active_record, read_model_ids
from node.attestation_pool import AttestationPool
from node.attester import Attester
from node.block_writer import BlockWriter
from node.chain import Chain
from node.config import NodeConfig, NotTheOnlyValidator
from node.consensus_driver import ConsensusDriver
from node.dev.dev_chain import DevChain
from node.dev.dev_database import DevDatabase
from node.dev.dev_node import dev_control, dev_miner
from node.dev_keys import dev_accounts
from node.endpoints import open_endpoints, rpc_of
from node.execution.worker_process import WorkerPlace
from node.execution.workers import Workers
from node.genesis_record import GenesisRecorder
from node.inference_host import NodeInferenceHost
from node.keys import address_of
from node.live_chain import LiveChain
from node.local_transactions import LocalTransactions
from node.lone_network import LoneNetwork
from node.model_duties import ModelDuties
from node.network_admin import NetworkAdmin
from node.network_view import NetworkView
from node.node_network import NetworkParts, NodeNetwork
from node.own_facts import OwnFacts
from node.p2p.first_fault import first_fault
from node.pool.limits import pool_head
from node.rpc.caller import RpcNode
from node.rpc.events import ChainEvents
from node.rpc.filter_table import FilterTable
from node.rpc.node_facts import NodeSelf
from node.rpc.rpc_config import MetricsConfig
from node.rpc.server import RpcServer
from node.rpc.wallet import Wallet
from node.seat_log import SeatLog
from node.signer.remote_key import RemoteKey
from node.snapshot_start import fetch_snapshot
from node.stopping import stop_on_signals
from node.storage.chain_database import ChainDatabase, NoChainHere, has_database
from node.storage.model_store import ModelStore
from node.storage.snapshot_store import require_whole_state
from node.storage.transaction_journal import TransactionJournal
from node.transaction_pool import TransactionPool
from node.validator_key import LocalKey, ValidatorKey, signing_domain
from node.vote_log import VoteLog
from node.warm_kernels import is_compiled, warm_execution

log = structlog.get_logger(__name__)
STOP_SERVING_S = 3.0
"""How long connections may take to close, so that a node stops within 5 s."""


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
    make_database = DevDatabase if config.is_dev else ChainDatabase
    database = make_database(config.chain_folder, read_only=read_only)
    try:
        require_whole_state(database)
        if not read_only:
            prune_state(database, config.prune_blocks)
        store = ModelStore(config.models_folder)
        host = NodeInferenceHost(store, backend_named(config.backend), config.cache_bytes)
        if isinstance(database, DevDatabase):
            yield OpenNode(DevChain(database, host), store)
        else:
            yield OpenNode(Chain(database, host), store)
    finally:
        database.close()


def prune_state(database: ChainDatabase, keep_blocks: int | None) -> None:
    """Drop older states if that is wanted; a database that prunes goes on doing so."""
    if keep_blocks is None or database.kept_blocks() == keep_blocks:
        return
    log.info("pruning state", keep_blocks=keep_blocks)
    log.info("pruned state", trie_nodes=database.prune(keep_blocks))


def prepare(chain: Chain) -> None:
    """Load what the first block needs; raises `BackendDisagrees` with the vector."""
    warm_execution()
    plan_active_models(chain)


def plan_active_models(chain: Chain) -> None:
    """Prove the backend on the operators of every ACTIVE model, and plan it, before any block.

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


async def run_node(config: NodeConfig, on_ready: Callable[[Chain, RpcServer | None], None]) -> None:
    """Run until SIGINT or SIGTERM; `on_ready` is called once the node answers.

    Raises a `LocalFault` when this machine fails.
    """
    stop = stop_on_signals()
    if config.p2p is not None and config.fetches_state and has_database(config.chain_folder):
        await fetch_snapshot(config, config.p2p, stop)
        if stop.is_set():
            return
    with open_node(config) as node, ExitStack() as cleanup:
        validate_pace(config, node.chain)
        if not is_compiled():
            log.info("compiling the execution core", takes="about half a minute, once")
            warm_execution()
        parts = assemble(config, node, cleanup)
        async with AsyncExitStack() as servers:
            http = await open_endpoints(parts.rpc, config, servers)
            if config.metrics is not None:
                await servers.enter_async_context(
                    serve_metrics(config, config.metrics, node.chain, parts)
                )
            on_ready(node.chain, http)
            # The writer does one thing after the other: no block is run before the core and the
            # backend are ready, and so no vote cast.
            ready = parts.writer.run(lambda: prepare(node.chain))

            async def close_servers() -> None:
                log.info("stopping", head=node.chain.head.block_number)
                await within(STOP_SERVING_S, servers.aclose())

            await run_tasks([ready, *(duty.run() for duty in parts.duties)], stop, close_servers)


def serve_metrics(
    config: NodeConfig, metrics: MetricsConfig, chain: Chain, parts: "NodeParts"
) -> AbstractAsyncContextManager[str]:
    """Serve the node's numbers, whose library takes 0.4 s to import: only where it is wanted."""
    from node.metrics.node_metrics import Watched
    from node.metrics.server import serve_node_metrics

    folders = {"chain": config.chain_folder, "models": config.models_folder}
    folders["votes"] = config.votes_folder
    watched = Watched(chain, parts.network, parts.pool, folders)
    return serve_node_metrics(metrics, watched, parts.writer, parts.rpc.watch)


class Duty(Protocol):
    """A part that runs as long as the node does."""

    async def run(self) -> None:
        """Run until cancelled; raises a `LocalFault` when this machine fails."""


@dataclass(frozen=True, slots=True)
class NodeParts:
    """What runs in the event loop of one node."""

    rpc: RpcNode
    duties: tuple[Duty, ...]
    writer: BlockWriter
    network: NetworkView
    pool: TransactionPool


def assemble(config: NodeConfig, node: OpenNode, cleanup: ExitStack) -> NodeParts:
    """Put the parts of a node together; `cleanup` closes them."""
    chain = node.chain
    writer = BlockWriter(chain)
    cleanup.callback(writer.close)
    votes = VoteLog(config.votes_folder, chain.domain.genesis_hash)
    cleanup.callback(votes.close)
    local, work = open_pool(config, chain, cleanup), asyncio.Event()
    pool = local.pool
    joined = join_network(config, writer, NetworkParts(chain, node.store, pool, work), cleanup)
    network = LoneNetwork(chain, node.store) if joined is None else joined.cvm
    key = validator_key(config, cleanup)
    attester = Attester(chain, key)
    models = ModelDuties(attester, AttestationPool(chain), network.spread_attestation)
    writer.on_head(lambda _checked, _certificate: models.wake())
    miner = dev_miner(config, chain, writer, pool, work)
    driver: Duty | None = miner
    if driver is None:
        rules = consensus_rules(chain, key)
        driver = ConsensusDriver(chain, writer, pool, rules, votes, network, work)
        if joined is not None:
            joined.attach(driver, models)
    workers = Workers(
        worker_place(config),
        config.rpc_workers,
        is_quarantined=lambda: chain.host.quarantined is not None,
    )
    view = LiveChain(chain, local, node.store, models, network, work, workers)
    cleanup.callback(view.close)
    if pool.pending_count:
        work.set()
    server = None if joined is None else joined.server
    events = ChainEvents()
    filters = FilterTable(view, events, asyncio.get_running_loop().time)
    itself = NodeSelf(
        OwnFacts(chain, writer, None if key is None else key.address),
        NetworkAdmin(chain, server, view.client_version, config.datadir),
        Wallet(dev_accounts(config.dev_accounts) if config.instant else ()),
        dev_control(miner, local, filters, models.wake),
    )
    rpc = rpc_of(view, writer, itself, events, filters)
    pool.on_pending(events.new_pending)
    tell_of_seat(writer, chain, key)
    recorders = genesis_recorders(config, writer, chain, pool, network)
    duties = (driver, models, workers, *(() if joined is None else (joined,)), *recorders)
    return NodeParts(rpc, duties, writer, network, pool)


def worker_place(config: NodeConfig) -> WorkerPlace:
    """Return what a process that executes for JSON-RPC is told."""
    return WorkerPlace(
        config.chain_folder,
        config.models_folder,
        config.backend,
        config.cache_bytes,
        config.is_dev,
    )


def join_network(
    config: NodeConfig, writer: BlockWriter, parts: NetworkParts, cleanup: ExitStack
) -> NodeNetwork | None:
    """Return this node's part of the network, None for a node that talks to nobody."""
    if config.p2p is None:
        return None
    joined = NodeNetwork(config, config.p2p, writer, parts)
    cleanup.callback(joined.close)
    return joined


def tell_of_seat(writer: BlockWriter, chain: Chain, key: ValidatorKey | None) -> None:
    """Have the log say when a validator's key begins and ends to vote."""
    if key is None:
        return
    seat = SeatLog(chain, key.address)
    seat.look()
    writer.on_head(lambda _checked, _certificate: seat.look())


def genesis_recorders(
    config: NodeConfig,
    writer: BlockWriter,
    chain: Chain,
    pool: TransactionPool,
    network: NetworkView,
) -> tuple[Duty, ...]:
    """Return the duty of a validator whose key lies here to have block 0's hash kept."""
    if config.validator_key is None:
        return ()
    recorder = GenesisRecorder(chain, config.validator_key, pool, network)
    writer.on_head(lambda _checked, _certificate: recorder.wake())
    return (recorder,)


def open_pool(config: NodeConfig, chain: Chain, cleanup: ExitStack) -> LocalTransactions:
    """Return the pool with what waited when the node stopped; raises `DatabaseFault`."""
    journal = TransactionJournal(config.journal_file)
    cleanup.callback(journal.close)
    pool = TransactionPool(chain.parameters.chain_id, config.pool_limits)
    local = LocalTransactions(pool, journal)
    with chain.state_at(chain.head) as state:
        pool.settle(state, pool_head(chain.head))
        count = local.restore(state)
    if count:
        log.info("transactions wait again", count=count)
    return local


def consensus_rules(chain: Chain, key: ValidatorKey | None) -> Rules:
    """Return this node's part in the consensus of its chain."""
    voting = None if key is None else key.voting(chain.domain)
    return Rules(
        signer=None if voting is None else voting.signer,
        domain=signing_domain(chain.domain) if voting is None else voting.messages,
        seals=chain.domain if voting is None else voting.seals,
        read_proposed_header=read_proposed_header,
    )


def validator_key(config: NodeConfig, cleanup: ExitStack) -> ValidatorKey | None:
    """Return the key that votes, if there is one; raises `SignerUnavailable`."""
    if config.signer_path is not None:
        remote = RemoteKey(config.signer_path)
        cleanup.callback(remote.close)
        return remote
    return None if config.validator_key is None else LocalKey(config.validator_key)


def validate_pace(config: NodeConfig, chain: Chain) -> None:
    """Refuse instant blocks where other validators would have to agree to each of them."""
    if not config.instant or config.validator_key is None:
        return
    validators = chain.validators()
    address = address_of(config.validator_key)
    if validators != (address,):
        raise NotTheOnlyValidator(address, validators)


async def within(limit_s: float, work: Coroutine[object, object, None]) -> None:
    """Do something for so long at most."""
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            await work


async def nothing() -> None:
    """Do nothing."""


async def run_tasks(
    duties: Sequence[Coroutine[object, object, None]],
    stop: asyncio.Event,
    before_end: Callable[[], Coroutine[object, object, None]] = nothing,
) -> None:
    """Own every task of the node until it is told to stop; raises what one of them raised.

    `before_end` runs while the tasks still do: requests in flight need them.
    """
    with first_fault():
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(duty) for duty in duties]
            await stop.wait()
            await before_end()
            for task in running:
                task.cancel()
