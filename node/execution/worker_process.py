"""A worker process: opens the chain of a data directory for reading, and runs job after job.

It ends when its socket closes, which happens whenever the node ends. It runs at a lower priority,
so that a node's own execution comes first.
"""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time
from typing import BinaryIO, cast

import structlog

from consensus.ethereum.historic_forks import HistoricFork
from consensus.faults import InvalidBlock, InvalidTransaction
from cvm.evm.execution import BlockExecution
from cvm.faults import LocalFault
from cvm.inference.backends.table import backend_named
from cvm.inference.faults import InferenceFault, InvalidModel
from node.chain import may_be_plain, parse_genesis_file
from node.dev.dev_database import DevDatabase
from node.dev.impersonation import DevExecution
from node.ethereum_archive import ethereum_forks_of, parse_json
from node.execution.ethereum_chain import EthereumExecutionChain
from node.execution.execution_chain import ExecutionChain
from node.execution.faults import ExecutorFailed
from node.execution.historic_replay import load_history
from node.execution.jobs import Job
from node.execution.own_chain import OwnExecutionChain
from node.execution.worker_messages import (
    LENGTH_BYTES,
    READY,
    Answer,
    Raised,
    framed,
    raised,
    unframed,
)
from node.inference_host import PLAN_BUDGET_BYTES, NodeInferenceHost
from node.logs import LogConfig, configure_logs
from node.rpc.faults import RpcError
from node.storage.chain_database import ChainDatabase, NoChainHere
from node.storage.model_store import ModelStore
from node.warm_kernels import warm_execution, warm_tracing

log = structlog.get_logger(__name__)
NICENESS = 5
READ_BYTES = 1 << 16
CROWDED = 8
"""A process that runs gets at least such a part of a core, however much else does."""
CARRIED = (RpcError, LocalFault, InvalidTransaction, InvalidBlock, InferenceFault, InvalidModel)
"""Faults that a caller is told as they are."""


@dataclass(frozen=True, slots=True)
class WorkerPlace:
    """Where a worker finds its chain, and what it runs models with.

    `cache_bytes` bounds the models that one process keeps ready to run.
    """

    chain_folder: Path
    models_folder: Path
    backend: str
    cache_bytes: int = PLAN_BUDGET_BYTES
    is_dev: bool = False
    logs: LogConfig = field(default_factory=LogConfig)


def serve_jobs(end: socket.socket) -> None:
    """Take the place that comes first, then run jobs until the other end closes or is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the node decides, not the terminal
    os.nice(NICENESS)
    incoming = cast(BinaryIO, end.makefile("rb", READ_BYTES))  # several jobs come with one read
    first = receive(incoming)
    if first is None:
        return
    place: WorkerPlace = unframed(first)
    configure_logs(place.logs)
    node_gone = suppress(BrokenPipeError, ConnectionResetError)
    with end, incoming, execution_chain(place) as chain, node_gone:
        warm_execution()
        warm_tracing()
        end.sendall(READY)
        while (job := receive(incoming)) is not None:
            end.sendall(framed(outcome(job, chain)))


def outcome(data: bytes, chain: ExecutionChain) -> Answer | Raised:
    """Run one job; what it raises is part of the answer."""
    began = Moment()
    try:
        job: Job[object] = unframed(data)
        began = Moment()
        value = job.run(chain)
    except CARRIED as fault:
        return raised(fault, began.cost_s())
    except Exception as fault:
        log.exception("a job failed")
        return raised(ExecutorFailed(type(fault).__name__), began.cost_s())
    return Answer(value, began.cost_s())


class Moment:
    """When something began; what it cost since is counted for who asked for it."""

    def __init__(self) -> None:
        self._at_s = perf_counter()
        self._worked_s = process_time()

    def cost_s(self) -> float:
        """Return the processor time since, or a part of the time that waiting for a disk took."""
        worked_s, passed_s = process_time() - self._worked_s, perf_counter() - self._at_s
        return max(worked_s, passed_s / CROWDED)


def receive(end: BinaryIO) -> bytes | None:
    """Return the next message, None where the other end has closed."""
    head = end.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    size = int.from_bytes(head, "big")
    message = end.read(size)
    return message if len(message) == size else None


@contextmanager
def execution_chain(place: WorkerPlace) -> Iterator[ExecutionChain]:
    """Open the chain of a data directory for reading; raises `NoChainHere` or a `LocalFault`."""
    make = DevDatabase if place.is_dev else ChainDatabase
    with closing(make(place.chain_folder, read_only=True)) as database:
        yield chain_of(database, place)


def chain_of(database: ChainDatabase, place: WorkerPlace) -> ExecutionChain:
    """Return the chain of a database, of whichever kind it is."""
    genesis = database.genesis_json()
    if genesis is None:
        raise NoChainHere(place.chain_folder.parent)
    if may_be_plain(parse_json(genesis)):
        forks = ethereum_forks_of(database)
        if isinstance(forks.by_number[0].fork, HistoricFork):
            load_history()
        return EthereumExecutionChain(database, forks)
    store = ModelStore(place.models_folder)
    host = NodeInferenceHost(store, backend_named(place.backend), place.cache_bytes)
    execution = DevExecution if place.is_dev else BlockExecution
    return OwnExecutionChain(database, parse_genesis_file(genesis).parameters, host, execution)
