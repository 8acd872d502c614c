"""What a node counts: blocks, models, requests, and what it is asked when Prometheus reads."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from node.lone_network import LoneNetwork
from node.metrics.names import BoundedNames
from node.metrics.node_metrics import NodeMetrics, Watched, folder_bytes
from node.metrics.server import serve_metrics
from node.rpc.rpc_config import MetricsConfig
from node.rpc.server import CannotListen
from node.transaction_pool import TransactionPool
from tests.chain_world import ChainWorld, genesis_document

ROOT = Path(__file__).parents[4]
GENESIS = json.dumps(genesis_document()).encode()
TIMEOUT_S = 20


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path, GENESIS)
    yield world
    world.close()


@pytest.fixture
def metrics(world: ChainWorld) -> NodeMetrics:
    made = NodeMetrics()
    made.watch(
        Watched(
            world.chain,
            LoneNetwork(world.chain, world.store),
            TransactionPool(world.chain.parameters.chain_id),
            {"chain": world.chain.database.path},
        )
    )
    world.chain.on_append(made.block_appended)
    world.chain.host.watch_runs(made.inference_ran)
    return made


def value(metrics: NodeMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_blocks_are_counted_and_the_head_is_asked_for(
    world: ChainWorld, metrics: NodeMetrics
) -> None:
    world.propose()
    world.propose()
    assert value(metrics, "cvm_blocks_total") == 2
    assert value(metrics, "cvm_head_height") == 2
    assert value(metrics, "cvm_head_timestamp_seconds") == world.chain.head.timestamp
    assert value(metrics, "cvm_block_gas_limit") == world.chain.head.gas_limit
    assert value(metrics, "cvm_consensus_round") == 0
    assert value(metrics, "cvm_validators") == 1
    assert value(metrics, "cvm_node_phase", phase="ready") == 1
    assert value(metrics, "cvm_node_phase", phase="syncing") == 0
    assert value(metrics, "cvm_peers") == 0
    assert value(metrics, "cvm_pool_transactions", state="pending") == 0
    assert value(metrics, "cvm_pool_transactions", state="queued") == 0
    assert value(metrics, "cvm_backend", backend="reference") == 1


def test_an_inference_is_counted_with_its_gas_and_time(
    world: ChainWorld, metrics: NodeMetrics
) -> None:
    model_id = world.register_model()
    contract = world.deploy_classifier(model_id)
    model = f"0x{model_id.hex()}"
    ((_tx_hash, call),) = world.classify(contract, bytes(784)).inferences
    assert value(metrics, "cvm_inferences_total", model=model) == 1
    assert value(metrics, "cvm_inference_gas_total", model=model) == call.gas.total
    runs = value(metrics, "cvm_inference_seconds_count", model=model, backend="reference")
    assert runs is not None
    assert runs >= 1


def test_requests_are_counted_by_method_and_outcome(metrics: NodeMetrics) -> None:
    metrics.request_answered("eth_call", 0.002, False)
    metrics.request_answered("eth_call", 0.2, True)
    assert value(metrics, "cvm_rpc_requests_total", method="eth_call", outcome="ok") == 1
    assert value(metrics, "cvm_rpc_requests_total", method="eth_call", outcome="error") == 1
    assert value(metrics, "cvm_rpc_request_seconds_bucket", method="eth_call", le="0.003") == 1
    assert value(metrics, "cvm_rpc_request_seconds_sum", method="eth_call") == pytest.approx(0.202)


def test_names_from_outside_come_to_an_end() -> None:
    names = BoundedNames(2)
    assert [names.bounded(name) for name in ("a", "b", "c", "a")] == ["a", "b", "other", "a"]


def test_a_folder_counts_with_what_it_takes_on_disk(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "whole").write_bytes(b"x" * 10_000)
    assert 10_000 <= folder_bytes(tmp_path) < 100_000
    assert folder_bytes(tmp_path / "none") == 0


@pytest.mark.network
def test_prometheus_reads_them_at_their_own_port(metrics: NodeMetrics) -> None:
    async def read() -> tuple[str, str]:
        async with (
            asyncio.timeout(TIMEOUT_S),
            serve_metrics(metrics, MetricsConfig(port=0)) as url,
            aiohttp.ClientSession() as session,
            session.get(url) as response,
        ):
            return response.headers["Content-Type"], await response.text()

    content_type, text = asyncio.run(read())
    assert content_type.startswith("text/plain; version=0.0.4")
    assert "\ncvm_head_height 0.0\n" in text
    assert "process_resident_memory_bytes" in text


@pytest.mark.network
def test_a_taken_port_is_named(metrics: NodeMetrics) -> None:
    async def twice() -> None:
        async with asyncio.timeout(TIMEOUT_S), serve_metrics(metrics, MetricsConfig(port=0)) as url:
            port = int(re.findall(r":(\d+)/", url)[0])
            async with serve_metrics(NodeMetrics(), MetricsConfig(port=port)):
                pass

    with pytest.raises(CannotListen, match="metrics cannot listen on "):
        asyncio.run(twice())


# The dashboard

METRIC = re.compile(r"\b(?:cvm|process)_[a-z_]+")


def queries(dashboard: dict[str, object]) -> list[str]:
    text = json.dumps(dashboard)
    panels = dashboard["panels"]
    assert isinstance(panels, list)
    shown = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    return [*shown, *re.findall(r"label_values\(\w+", text)]


def exposed(metrics: NodeMetrics) -> set[str]:
    """Return every name that Prometheus knows a series by."""
    metrics.request_answered("eth_call", 0.1, False)
    metrics.inference_ran(b"\x01" * 32, "cpu", 0.1)
    names = set()
    for family in metrics.registry.collect():
        if family.type == "counter":
            names.add(f"{family.name}_total")
        elif family.type == "histogram":
            names |= {f"{family.name}_{part}" for part in ("bucket", "sum", "count")}
        else:
            names.add(family.name)
    return names


def test_every_query_of_the_dashboard_names_metrics_that_exist(metrics: NodeMetrics) -> None:
    dashboard = json.loads((ROOT / "node" / "ops" / "grafana.json").read_text())
    found = queries(dashboard)
    named = {name for query in found for name in METRIC.findall(query)}
    assert named - exposed(metrics) == set()
    assert all(METRIC.search(query) for query in found)
    assert len(found) > 25


def test_every_metric_of_ours_is_on_the_dashboard(metrics: NodeMetrics) -> None:
    text = (ROOT / "node" / "ops" / "grafana.json").read_text()
    ours = {family.name for family in metrics.registry.collect() if family.name.startswith("cvm_")}
    assert {name for name in ours if name not in text} == set()
