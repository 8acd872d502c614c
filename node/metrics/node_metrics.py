"""The numbers of one node: what it follows, runs, holds and answers, as Prometheus reads them.

Most are asked when they are read; counters and histograms are fed as things happen. Every value is
an observation: nothing in the node depends on one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from consensus.block_execution import CheckedBlock
from consensus.certificate import CommitCertificate
from node.chain import Chain
from node.metrics.names import BoundedNames
from node.network_view import NetworkView
from node.readiness import Phase
from node.transaction_pool import TransactionPool

INFERENCE_BUCKETS_S = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
REQUEST_BUCKETS_S = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
LAG_BUCKETS_S = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
MAX_MODELS = 200
"""Models with numbers of their own: anybody may register one, so there must be an end."""

MAX_METHODS = 300


@dataclass(frozen=True, slots=True)
class Watched:
    """The parts of a node that are asked for numbers."""

    chain: Chain
    network: NetworkView
    pool: TransactionPool
    folders: dict[str, Path]


class NodeMetrics:
    """Every metric of one node, in a registry of its own.

    Safe to feed from any thread.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._models = BoundedNames(MAX_MODELS)
        self._methods = BoundedNames(MAX_METHODS)
        self._define_blocks()
        self._define_inferences()
        self._define_requests()

    def _define_blocks(self) -> None:
        self._blocks = self._counter("cvm_blocks", "Final blocks since the start")
        self._transactions = self._counter("cvm_transactions", "Transactions of those blocks")
        self._gas = self._counter("cvm_gas_used", "Gas of those blocks")
        self._lost_rounds = self._counter(
            "cvm_consensus_lost_rounds", "Rounds in which those blocks did not become final"
        )
        self._round = self._gauge("cvm_consensus_round", "Round in which the head became final")
        self._block_gas = self._gauge("cvm_block_gas_used", "Gas of the head")
        self._block_transactions = self._gauge("cvm_block_transactions", "Transactions of the head")

    def _define_inferences(self) -> None:
        self._inferences = self._counter(
            "cvm_inferences", "Inferences in final blocks that ran a model", "model"
        )
        self._inference_gas = self._counter(
            "cvm_inference_gas", "Gas of inferences in final blocks, royalties included", "model"
        )
        self._inference_s = self._histogram(
            "cvm_inference_seconds",
            "Time of running a model, whatever for",
            INFERENCE_BUCKETS_S,
            "model",
            "backend",
        )

    def _define_requests(self) -> None:
        self._requests = self._counter(
            "cvm_rpc_requests", "JSON-RPC requests; outcome is ok or error", "method", "outcome"
        )
        self._request_s = self._histogram(
            "cvm_rpc_request_seconds", "Time of JSON-RPC requests", REQUEST_BUCKETS_S, "method"
        )
        self._lag_s = self._histogram(
            "cvm_event_loop_lag_seconds", "How late the event loop wakes", LAG_BUCKETS_S
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(name, text, labels, registry=self.registry, buckets=buckets)

    def watch(self, node: Watched) -> None:
        """Ask these parts for their numbers whenever the metrics are read; once only."""
        self._watch_chain(node.chain)
        self._watch_network(node.network)
        waiting = self._gauge("cvm_pool_transactions", "Transactions that wait", "state")
        waiting.labels("pending").set_function(lambda: node.pool.pending_count)
        waiting.labels("queued").set_function(lambda: len(node.pool) - node.pool.pending_count)
        sizes = self._gauge("cvm_database_bytes", "Bytes on disk", "part")
        for part, folder in node.folders.items():
            sizes.labels(part).set_function(partial(folder_bytes, folder))

    def _watch_chain(self, chain: Chain) -> None:
        self._asked("cvm_head_height", "Height of the head", lambda: chain.head.block_number)
        self._asked("cvm_head_timestamp_seconds", "Its time", lambda: chain.head.timestamp)
        self._asked("cvm_block_gas_limit", "Its gas limit", lambda: chain.head.gas_limit)
        self._asked("cvm_base_fee_wei", "Its base fee", lambda: chain.head.base_fee_per_gas or 0)
        self._asked(
            "cvm_validators", "Validators of the next block", lambda: len(chain.validators())
        )
        self._asked(
            "cvm_backend_quarantined",
            "1 where the backend was found wrong",
            lambda: int(chain.host.quarantined is not None),
        )
        backend = self._gauge("cvm_backend", "1 for the backend that runs models", "backend")
        backend.labels(chain.host.backend_name).set(1)

    def _watch_network(self, network: NetworkView) -> None:
        self._asked("cvm_peers", "Connected peers", network.peer_count)
        self._asked(
            "cvm_highest_height", "Highest height known of", lambda: network.status().highest
        )
        self._asked(
            "cvm_missing_models",
            "ACTIVE models whose bytes are not here",
            lambda: len(network.status().missing_models),
        )
        phases = self._gauge("cvm_node_phase", "1 for what the node is doing", "phase")
        for phase in Phase:
            phases.labels(phase).set_function(partial(is_in_phase, network, phase))

    def _asked(self, name: str, text: str, ask: Callable[[], float]) -> None:
        self._gauge(name, text).set_function(ask)

    def block_appended(self, checked: CheckedBlock, certificate: CommitCertificate) -> None:
        """Count a final block and what it ran; a listener of the block writer."""
        transactions, gas_used = len(checked.block.transactions), checked.executed.gas_used
        self._blocks.inc()
        self._transactions.inc(transactions)
        self._gas.inc(gas_used)
        self._lost_rounds.inc(certificate.round)
        self._round.set(certificate.round)
        self._block_gas.set(gas_used)
        self._block_transactions.set(transactions)
        for _tx_hash, call in checked.inferences:
            if call.has_run:
                model = self._models.bounded(f"0x{call.model_id.hex()}")
                self._inferences.labels(model).inc()
                self._inference_gas.labels(model).inc(call.gas.total)

    def inference_ran(self, model_id: bytes, backend: str, duration_s: float) -> None:
        """Note how long a model ran; a watcher of the inference host."""
        model = self._models.bounded(f"0x{model_id.hex()}")
        self._inference_s.labels(model, backend).observe(duration_s)

    def request_answered(self, method: str, duration_s: float, is_error: bool) -> None:
        """Note a JSON-RPC request."""
        name = self._methods.bounded(method)
        self._requests.labels(name, "error" if is_error else "ok").inc()
        self._request_s.labels(name).observe(duration_s)

    def loop_lagged(self, lag_s: float) -> None:
        """Note how late the event loop woke."""
        self._lag_s.observe(lag_s)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)


def folder_bytes(folder: Path) -> int:
    """Return what the files of a folder take on disk: databases are sparse files."""
    if not folder.is_dir():
        return 0
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def is_in_phase(network: NetworkView, phase: Phase) -> int:
    """Return 1 where a node is in a phase, else 0."""
    return int(network.status().phase is phase)
