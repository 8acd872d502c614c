"""`cvm node` and `cvm dumpconfig`: flags over a TOML file over defaults."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from inspect import Parameter, Signature
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from node.checkpoint import parse_checkpoint
from node.cli.config_file import dump_config, load_config
from node.cli.faults import BadArgument, clear_errors, read_password
from node.cli.run import announce
from node.cli.settings import BY_KEY, MIB, SETTINGS, Setting, Settings, Value, checked
from node.config import NodeConfig
from node.ethereum_service import holds_plain_chain, run_ethereum_node
from node.ethereum_view import EthereumView
from node.keys import load_key
from node.logs import LogConfig, configure_logs
from node.p2p.enode import parse_enode
from node.p2p.p2p_config import P2pConfig
from node.pool.limits import PoolLimits
from node.rpc.rpc_config import (
    IPC_FILE,
    NAMESPACES,
    HttpConfig,
    MetricsConfig,
    WebSocketConfig,
)
from node.rpc.server import RpcServer
from node.service import run_node

CONFIG = "config"
EXTERNAL_IP = "extip:"


def node(settings: Settings) -> None:
    """Run a full node on a data directory that `cvm init` made.

    A plain Ethereum chain is served as it is: no blocks are made.
    """
    configure_logs(log_config(settings))
    config = node_config(settings)
    if holds_plain_chain(config):
        uvloop.run(run_ethereum_node(config, announce_plain))
    else:
        uvloop.run(run_node(config, announce))


def announce_plain(view: EthereumView, server: RpcServer | None) -> None:
    """Say that the node of a plain Ethereum chain answers."""
    head = view.head()
    typer.echo(f"head {head.block_number} 0x{head.hash.hex()}\nchain id {view.chain_id}")
    typer.echo("listening on " + ("nothing" if server is None else server.url))


def dumpconfig(settings: Settings) -> None:
    """Print the TOML file that has the same effect as these flags."""
    typer.echo(dump_config(settings), nl=False)


def node_config(settings: Settings) -> NodeConfig:
    """Return what a node is told to do; raises `BadArgument` and what its parsers raise."""
    checkpoint = settings.optional_text("checkpoint")
    datadir = Path(settings.text("datadir")).expanduser()
    validator, password = settings.optional_text("validator"), settings.optional_text("password")
    key, signer = None, settings.optional_text("signer")
    if validator is not None and signer is not None:
        raise BadArgument("validator and signer are two keys: give one of them")
    if validator is not None:
        file = None if password is None else Path(password)
        secret = read_password(file, f"password of {Path(validator).name}")
        key = load_key(Path(validator), secret)
    return NodeConfig(
        datadir=datadir,
        http=http_config(settings) if settings.is_on("http.enabled") else None,
        websocket=websocket_config(settings) if settings.is_on("ws.enabled") else None,
        ipc_path=ipc_path(settings, datadir),
        metrics=metrics_config(settings) if settings.is_on("metrics.enabled") else None,
        backend=settings.text("backend"),
        cache_bytes=settings.number("cache") * MIB,
        rpc_workers=settings.number("rpc.workers"),
        rpc_rate_limit=settings.number("rpc.ratelimit"),
        pool_limits=pool_limits(settings),
        validator_key=key,
        signer_path=None if signer is None else Path(signer),
        instant=False,
        idle_blocks=True,
        prune_blocks=settings.number("prune") or None,
        p2p=p2p_config(settings),
        bootnodes=settings.words("bootnodes"),
        discovers=not settings.is_on("nodiscover"),
        fetches_state=settings.is_on("snapshot") or checkpoint is not None,
        checkpoint=None if checkpoint is None else parse_checkpoint(checkpoint),
    )


def http_config(settings: Settings) -> HttpConfig:
    """Return how JSON-RPC is served over HTTP."""
    return HttpConfig(
        settings.text("http.addr"),
        settings.number("http.port"),
        namespaces(settings, "http.api"),
        settings.words("http.corsdomain"),
        settings.words("http.vhosts"),
    )


def websocket_config(settings: Settings) -> WebSocketConfig:
    """Return how JSON-RPC is served over WebSocket."""
    return WebSocketConfig(
        settings.text("ws.addr"),
        settings.number("ws.port"),
        namespaces(settings, "ws.api"),
        settings.words("ws.origins"),
    )


def pool_limits(settings: Settings) -> PoolLimits:
    """Return how much the transaction pool holds."""
    return PoolLimits(
        account_slots=settings.number("txpool.accountslots"),
        global_slots=settings.number("txpool.globalslots"),
        account_queue=settings.number("txpool.accountqueue"),
        global_queue=settings.number("txpool.globalqueue"),
        lifetime_s=settings.number("txpool.lifetime"),
        price_bump_percent=settings.number("txpool.pricebump"),
    )


def metrics_config(settings: Settings) -> MetricsConfig:
    """Return where the metrics are served."""
    return MetricsConfig(settings.text("metrics.addr"), settings.number("metrics.port"))


def ipc_path(settings: Settings, datadir: Path) -> Path | None:
    """Return where the local socket lies; a bare name lies in the data directory, as in geth."""
    if settings.is_on("ipcdisable"):
        return None
    return datadir / (settings.optional_text("ipcpath") or IPC_FILE)


def namespaces(settings: Settings, key: str) -> tuple[str, ...]:
    """Return the namespaces of a transport; raises `BadArgument` naming an unknown one."""
    words = settings.words(key)
    for word in words:
        if word not in NAMESPACES:
            raise BadArgument(f"{key}: no namespace {word!r}; there are {', '.join(NAMESPACES)}")
    return words


def p2p_config(settings: Settings) -> P2pConfig:
    """Return how the node talks to others."""
    return P2pConfig(
        host=settings.text("p2p.addr"),
        port=settings.number("port"),
        advertised_host=advertised_host(settings.text("nat")),
        client=f"cvm/v{version('cvm-chain')}",
        max_peers=settings.number("maxpeers"),
        static_peers=tuple(map(parse_enode, settings.words("peer"))),
    )


def advertised_host(nat: str) -> str | None:
    """Return the address that others are told, or None; raises `BadArgument`."""
    if nat in ("", "none"):
        return None
    try:
        return str(ip_address(nat.removeprefix(EXTERNAL_IP)))
    except ValueError:
        raise BadArgument(f"nat is {nat!r}: want none or extip:IP") from None


def log_config(settings: Settings) -> LogConfig:
    """Return where and how the node logs."""
    file = settings.optional_text("log.file")
    return LogConfig(
        as_json=settings.is_on("log.json"),
        verbosity=settings.number("verbosity"),
        file=None if file is None else Path(file),
        max_bytes=settings.number("log.maxsize") * MIB if settings.is_on("log.rotate") else None,
        backups=settings.number("log.maxbackups"),
    )


def with_settings(run: Callable[[Settings], None]) -> Callable[..., None]:
    """Return the command that runs with the settings of flags and file, for typer to read."""

    def command(**given: object) -> None:
        with clear_errors():
            config = given.pop(CONFIG)
            values = load_config(config) if isinstance(config, Path) else {}
            run(Settings({**values, **flag_values(given)}))

    annotations = {CONFIG: config_annotation(), **{s.parameter: annotation(s) for s in SETTINGS}}
    parameters = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in annotations.items()
    ]
    command.__doc__ = run.__doc__
    command.__annotations__ = annotations
    setattr(command, "__signature__", Signature(parameters))  # noqa: B010 - functions declare none
    return command


def config_annotation() -> object:
    """Return the type of `--config` as typer reads it."""
    return Annotated[
        Path | None, typer.Option("--config", help="TOML file; a flag overrides what it says")
    ]


def annotation(setting: Setting) -> object:
    """Return the type of a setting's flag as typer reads it; None means that it was not given."""
    kind: object = list[str] if setting.kind is tuple else setting.kind
    return Annotated[
        kind | None,  # type: ignore[operator]  # a type, chosen at run time
        typer.Option(
            *setting.flags,
            help=f"{setting.help}{default_text(setting)}",
            show_default=False,
            rich_help_panel=setting.group,
        ),
    ]


def default_text(setting: Setting) -> str:
    """Return a default as help shows it; nothing where there is none to show."""
    default = setting.default
    text = ",".join(default) if isinstance(default, tuple) else str(default)
    return "" if default is None or setting.kind is bool or not text else f" ({text})"


def flag_values(given: Mapping[str, object]) -> dict[str, Value]:
    """Return what flags set, lists split at commas as geth splits them; raises `BadArgument`."""
    values: dict[str, Value] = {}
    for setting in SETTINGS:
        value = given[setting.parameter]
        if isinstance(value, list):
            if value:
                words = (word.strip() for text in value for word in str(text).split(","))
                values[setting.key] = tuple(word for word in words if word)
        elif isinstance(value, str | int):
            values[setting.key] = checked(BY_KEY[setting.key], value)
    return values


def add_commands(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("node")(with_settings(node))
    app.command("dumpconfig")(with_settings(dumpconfig))
