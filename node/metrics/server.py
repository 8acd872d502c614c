"""Serves the metrics at `/metrics`, on a port of their own, and measures the event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from node.block_writer import BlockWriter
from node.metrics.node_metrics import NodeMetrics, Watched
from node.rpc.request_watch import RequestWatch
from node.rpc.rpc_config import MetricsConfig
from node.rpc.server import CannotListen

log = structlog.get_logger(__name__)
LAG_EVERY_S = 1.0


@asynccontextmanager
async def serve_node_metrics(
    config: MetricsConfig, watched: Watched, writer: BlockWriter, requests: RequestWatch
) -> AsyncIterator[str]:
    """Watch the parts of a node and serve their numbers; raises `CannotListen`."""
    metrics = NodeMetrics()
    metrics.watch(watched)
    writer.on_head(metrics.block_appended)
    watched.chain.host.watch_runs(metrics.inference_ran)
    requests.watcher = metrics.request_answered
    async with serve_metrics(metrics, config) as url:
        yield url


@asynccontextmanager
async def serve_metrics(metrics: NodeMetrics, config: MetricsConfig) -> AsyncIterator[str]:
    """Serve until the end of the block; gives the address. Raises `CannotListen`."""

    async def show(_request: web.Request) -> web.Response:
        headers = {"Content-Type": CONTENT_TYPE_PLAIN_0_0_4}
        return web.Response(body=metrics.text(), headers=headers)

    application = web.Application()
    application.router.add_get("/metrics", show)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    lag = asyncio.create_task(measure_lag(metrics))
    try:
        try:
            await web.TCPSite(runner, config.host, config.port).start()
        except OSError as fault:
            reason = fault.strerror or str(fault)
            raise CannotListen(config.host, config.port, reason, "metrics") from fault
        host, port = runner.addresses[0][:2]
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}/metrics"
        log.info("metrics", url=url)
        yield url
    finally:
        lag.cancel()
        await runner.cleanup()


async def measure_lag(metrics: NodeMetrics) -> None:
    """Note every second how much later than asked the loop wakes."""
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + LAG_EVERY_S
        await asyncio.sleep(LAG_EVERY_S)
        metrics.loop_lagged(max(loop.time() - due_s, 0.0))
