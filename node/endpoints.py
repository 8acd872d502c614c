"""The listening ends of a node's JSON-RPC: HTTP, WebSocket, and the socket in its folder."""

import asyncio
from contextlib import AsyncExitStack
from ipaddress import ip_address
from pathlib import Path

import structlog

from consensus.block_execution import CheckedBlock
from consensus.certificate import CommitCertificate
from node.block_writer import BlockWriter
from node.config import NodeConfig
from node.live_chain import LiveChain
from node.open_files import raise_open_files
from node.rpc.caller import LOCAL_NAMESPACES, RpcNode, rpc_node
from node.rpc.events import ChainEvents, NewHead
from node.rpc.filter_table import FilterTable
from node.rpc.ipc import MAX_PATH_BYTES, IpcServer
from node.rpc.node_facts import NodeSelf
from node.rpc.rate_limit import RateLimit
from node.rpc.rpc_config import OPERATOR_NAMESPACES, HttpConfig, WebSocketConfig
from node.rpc.server import RpcServer, RpcSettings, start_rpc_server

log = structlog.get_logger(__name__)


async def open_endpoints(
    node: RpcNode, config: NodeConfig, stack: AsyncExitStack
) -> RpcServer | None:
    """Listen on everything that is wanted, and return the HTTP server; `stack` closes all.

    HTTP and WebSocket on one port are one listener. Raises `CannotListen`.
    """
    http, sockets = config.http, config.websocket
    for served in (http, sockets):
        warn_of_public(served)
    raise_open_files()
    rate_limit = None
    if config.rpc_rate_limit:
        rate_limit = RateLimit(config.rpc_rate_limit, asyncio.get_running_loop().time)
    server: RpcServer | None = None
    shares_port = (
        http is not None
        and sockets is not None
        and (http.host, http.port) == (sockets.host, sockets.port)
    )
    if http is not None:
        settings = settings_of(http, sockets if shares_port else None, rate_limit)
        server = await start_rpc_server(node, http.host, http.port, settings=settings)
        await stack.enter_async_context(server)
    if sockets is not None and not shares_port:
        settings = settings_of(None, sockets, rate_limit)
        listener = await start_rpc_server(node, sockets.host, sockets.port, settings=settings)
        await stack.enter_async_context(listener)
    if config.ipc_path is not None:
        await _open_ipc(node, config.ipc_path, stack)
    return server


def warn_of_public(served: HttpConfig | WebSocketConfig | None) -> None:
    """Say where other machines reach methods that are the operator's, which are off by default."""
    if served is None or is_loopback(served.host):
        return
    shown = sorted(set(served.namespaces) & OPERATOR_NAMESPACES)
    if shown:
        log.warning("other machines reach the operator's methods", host=served.host, api=shown)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an interface."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def rpc_of(
    view: LiveChain,
    writer: BlockWriter,
    itself: NodeSelf,
    events: ChainEvents,
    filters: FilterTable,
) -> RpcNode:
    """Return what the endpoints of JSON-RPC share, joined to what happens on the chain."""

    def new_head(checked: CheckedBlock, _certificate: CommitCertificate) -> None:
        block, receipts = checked.block, checked.executed.receipts
        events.new_head(NewHead(block.header, block.transactions, receipts))

    writer.on_head(new_head)
    return rpc_node(view, asyncio.get_running_loop().time, events, itself, filters=filters)


def settings_of(
    http: HttpConfig | None, sockets: WebSocketConfig | None, rate_limit: RateLimit | None
) -> RpcSettings:
    """Return how one listener serves what is not None."""
    return RpcSettings(
        allowed_origins=() if http is None else http.allowed_origins,
        allowed_hosts=("localhost",) if http is None else http.allowed_hosts,
        ws_origins=() if sockets is None else sockets.allowed_origins,
        http_namespaces=None if http is None else frozenset(http.namespaces),
        ws_namespaces=None if sockets is None else frozenset(sockets.namespaces),
        rate_limit=rate_limit,
    )


async def _open_ipc(node: RpcNode, path: Path, stack: AsyncExitStack) -> None:
    if len(str(path).encode()) > MAX_PATH_BYTES:
        log.warning("no IPC socket", path=str(path), reason=f"over {MAX_PATH_BYTES} bytes")
        return
    await stack.enter_async_context(IpcServer(node, path, LOCAL_NAMESPACES))
