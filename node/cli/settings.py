"""The settings of `cvm node`: one table for its flags, its TOML file and `cvm dumpconfig`.

A setting's key is its flag without the dashes and its place in the file: `--http.port` is `port`
in the table `[http]`. A switch that turns a table on is `enabled` in it: `--ws` is `ws.enabled`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from node.cli.faults import BadArgument
from node.config import DEFAULT_CACHE_BYTES, DEFAULT_DATADIR, DEFAULT_RPC_WORKERS
from node.p2p.p2p_config import DEFAULT_MAX_PEERS, DEFAULT_PORT
from node.pool.limits import DEFAULT_LIMITS
from node.rpc.rpc_config import (
    DEFAULT_HTTP_PORT,
    DEFAULT_METRICS_PORT,
    DEFAULT_RATE_LIMIT,
    DEFAULT_WS_PORT,
    LOOPBACK,
    PUBLIC_NAMESPACES,
)

Value = str | int | bool | tuple[str, ...] | None
MAX_PORT = 65_535
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting; `kind` is its type, tuple for a list of words, `names` are further flags."""

    key: str
    kind: type
    default: Value
    help: str
    names: tuple[str, ...] = ()
    least: int = 0
    most: int | None = None

    @property
    def parameter(self) -> str:
        """Return the key as a Python name."""
        return self.key.replace(".", "_")

    @property
    def flags(self) -> tuple[str, ...]:
        """Return the flags that set it."""
        name = self.key.removesuffix(".enabled")
        if self.kind is bool:
            opposite = OPPOSITES.get(name, f"no-{name}")
            return (f"--{name}/--{opposite}", *self.names)
        return (f"--{name}", *self.names)

    @property
    def group(self) -> str:
        """Return the heading under which help shows it."""
        return GROUPS.get(self.key.partition(".")[0], "Node")


OPPOSITES = {"ipcdisable": "ipc", "nodiscover": "discover"}
"""What turns off a switch that is a negation itself."""

GROUPS = {
    "http": "JSON-RPC",
    "ws": "JSON-RPC",
    "rpc": "JSON-RPC",
    "ipcpath": "JSON-RPC",
    "ipcdisable": "JSON-RPC",
    "p2p": "Other nodes",
    "port": "Other nodes",
    "maxpeers": "Other nodes",
    "nat": "Other nodes",
    "bootnodes": "Other nodes",
    "peer": "Other nodes",
    "nodiscover": "Other nodes",
    "txpool": "Transaction pool",
    "metrics": "Logs and metrics",
    "log": "Logs and metrics",
    "verbosity": "Logs and metrics",
}


def port_of(key: str, default: int, help_text: str, *names: str) -> Setting:
    """Return the setting of a port."""
    return Setting(key, int, default, help_text, names, most=MAX_PORT)


NODE_SETTINGS = (
    Setting("datadir", str, str(DEFAULT_DATADIR), "where chain, models and keys lie"),
    Setting("backend", str, "cpu", "what runs models: reference, cpu or cuda"),
    Setting("cache", int, DEFAULT_CACHE_BYTES // MIB, "MiB for models kept ready to run", (), 1),
    Setting("prune", int, None, "keep the state of so many last blocks, not of all", (), 1),
    Setting("snapshot", bool, False, "start an empty chain from a recent state of the peers"),
    Setting("checkpoint", str, None, "trusted HASH or NUMBER:HASH to start from, by snapshot"),
    Setting("validator", str, None, "keystore file: vote with this key"),
    Setting("signer", str, None, "socket of a signer (cvm signer): vote with its key"),
    Setting("password", str, None, "file with the keystore's password", ("--password-file",)),
)
RPC_SETTINGS = (
    Setting("http.enabled", bool, True, "serve JSON-RPC over HTTP"),
    Setting("http.addr", str, LOOPBACK, "interface of HTTP"),
    port_of("http.port", DEFAULT_HTTP_PORT, "port of HTTP; 0 takes a free one"),
    Setting("http.api", tuple, PUBLIC_NAMESPACES, "namespaces over HTTP"),
    Setting("http.corsdomain", tuple, (), "web pages that may read answers, * for all"),
    Setting("http.vhosts", tuple, ("localhost",), "names in the Host header, * for all"),
    Setting("ws.enabled", bool, False, "serve JSON-RPC over WebSocket"),
    Setting("ws.addr", str, LOOPBACK, "interface of WebSocket"),
    port_of("ws.port", DEFAULT_WS_PORT, "port of WebSocket; 0 takes a free one"),
    Setting("ws.api", tuple, PUBLIC_NAMESPACES, "namespaces over WebSocket"),
    Setting("ws.origins", tuple, (), "web pages that may connect, * for all"),
    Setting("rpc.workers", int, DEFAULT_RPC_WORKERS, "processes that execute for it", (), 1, 64),
    Setting("rpc.ratelimit", int, DEFAULT_RATE_LIMIT, "requests a second of an address; 0: any"),
    Setting("ipcpath", str, None, "local socket; cvm.ipc in --datadir if not given"),
    Setting("ipcdisable", bool, False, "no local socket"),
)
PEER_SETTINGS = (
    Setting(
        "p2p.addr", str, "0.0.0.0", "interface on which other nodes are heard", ("--p2p-host",)
    ),
    port_of("port", DEFAULT_PORT, "TCP and UDP port for nodes; 0 takes a free one", "--p2p.port"),
    Setting("nat", str, "none", "our address as others see it: none or extip:IP"),
    Setting("maxpeers", int, DEFAULT_MAX_PEERS, "sessions at most", ("--max-peers",), 1),
    Setting("bootnodes", tuple, (), "enodes or ENRs to find others by", ("--bootnode",)),
    Setting("peer", tuple, (), "enodes to keep a session with"),
    Setting("nodiscover", bool, False, "talk to named nodes only", ("--no-discovery",)),
)
POOL_SETTINGS = tuple(
    Setting(f"txpool.{name}", int, default, text, (), 1)
    for name, default, text in (
        ("accountslots", DEFAULT_LIMITS.account_slots, "pending slots safe for each sender"),
        ("globalslots", DEFAULT_LIMITS.global_slots, "pending slots of all senders"),
        ("accountqueue", DEFAULT_LIMITS.account_queue, "queued transactions of one sender"),
        ("globalqueue", DEFAULT_LIMITS.global_queue, "queued slots of all senders"),
        ("lifetime", DEFAULT_LIMITS.lifetime_s, "seconds that a queued transaction waits"),
        ("pricebump", DEFAULT_LIMITS.price_bump_percent, "percent more that a replacement pays"),
    )
)
LOG_SETTINGS = (
    Setting("verbosity", int, 3, "0 silent, 1 error, 2 warn, 3 info, 4 and 5 debug", most=5),
    Setting("log.json", bool, False, "log JSON lines"),
    Setting("log.file", str, None, "log into this file too"),
    Setting("log.rotate", bool, False, "begin a new log file when it is full"),
    Setting("log.maxsize", int, 100, "MiB of a full log file", (), 1),
    Setting("log.maxbackups", int, 10, "full log files that are kept", (), 1),
    Setting("metrics.enabled", bool, False, "serve numbers for Prometheus"),
    Setting("metrics.addr", str, LOOPBACK, "interface of the metrics"),
    port_of("metrics.port", DEFAULT_METRICS_PORT, "port of the metrics; 0 takes a free one"),
)
SETTINGS = (*NODE_SETTINGS, *RPC_SETTINGS, *PEER_SETTINGS, *POOL_SETTINGS, *LOG_SETTINGS)
BY_KEY = MappingProxyType({setting.key: setting for setting in SETTINGS})


class Settings:
    """The value of every setting: its default where nothing was given."""

    def __init__(self, given: Mapping[str, Value]) -> None:
        self._values = {
            setting.key: given.get(setting.key, setting.default) for setting in SETTINGS
        }

    def value(self, key: str) -> Value:
        """Return the value of a key."""
        return self._values[key]

    def text(self, key: str) -> str:
        """Return a text that has a default."""
        return str(self._values[key])

    def optional_text(self, key: str) -> str | None:
        """Return a text, or None where it was not given."""
        value = self._values[key]
        return None if value is None or value == "" else str(value)

    def number(self, key: str) -> int:
        """Return a number that has a default."""
        value = self._values[key]
        return value if isinstance(value, int) else 0

    def is_on(self, key: str) -> bool:
        """Tell whether a switch is on."""
        return self._values[key] is True

    def words(self, key: str) -> tuple[str, ...]:
        """Return a list."""
        value = self._values[key]
        return value if isinstance(value, tuple) else ()


def checked(setting: Setting, value: Value) -> Value:
    """Return a value that keeps the setting's bounds; raises `BadArgument` naming the setting."""
    if setting.kind is not int or not isinstance(value, int):
        return value
    if value < setting.least or (setting.most is not None and value > setting.most):
        most = "" if setting.most is None else f" and at most {setting.most}"
        raise BadArgument(f"{setting.key} is {value}: want at least {setting.least}{most}")
    return value
