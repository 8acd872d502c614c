"""Where JSON-RPC is served, which namespaces each transport shows, and who may ask."""

from dataclasses import dataclass

LOOPBACK = "127.0.0.1"
DEFAULT_HTTP_PORT = 8545
DEFAULT_WS_PORT = 8546
DEFAULT_METRICS_PORT = 6060
IPC_FILE = "cvm.ipc"
DEFAULT_RATE_LIMIT = 1_000
"""Requests a second of one address other than this machine's."""

PUBLIC_NAMESPACES = ("cvm", "eth", "net", "rpc", "web3")
"""What HTTP and WebSocket show unless told otherwise; the local socket shows every namespace."""

ON_A_DEV_CHAIN = tuple(
    sorted(
        {*PUBLIC_NAMESPACES, "anvil", "debug", "erigon", "evm", "hardhat", "ots", "personal"}
        | {"trace", "txpool"}
    )
)
"""What a development chain shows: everything on it is its only user's."""

NAMESPACES = tuple(sorted({*ON_A_DEV_CHAIN, "admin", "testing"}))

OPERATOR_NAMESPACES = frozenset(
    ("admin", "anvil", "debug", "evm", "hardhat", "personal", "testing", "trace")
)
"""What steers a node, changes its chain, or costs it much: for its operator, not for everybody."""


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """JSON-RPC over HTTP.

    `allowed_origins` are web pages that browsers let read the answers; `allowed_hosts` are names
    that the Host header may carry, beside any IP address; "*" allows all, in both.
    """

    host: str = LOOPBACK
    port: int = DEFAULT_HTTP_PORT
    namespaces: tuple[str, ...] = PUBLIC_NAMESPACES
    allowed_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ("localhost",)


@dataclass(frozen=True, slots=True)
class WebSocketConfig:
    """JSON-RPC over WebSocket; a browser's page must be one of `allowed_origins`."""

    host: str = LOOPBACK
    port: int = DEFAULT_WS_PORT
    namespaces: tuple[str, ...] = PUBLIC_NAMESPACES
    allowed_origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MetricsConfig:
    """Where Prometheus fetches its numbers."""

    host: str = LOOPBACK
    port: int = DEFAULT_METRICS_PORT
