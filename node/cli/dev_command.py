"""`cvm dev`: a chain for development, as anvil and hardhat have one."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
import uvloop

from node.chain import Chain
from node.cli.faults import clear_errors
from node.cli.run import BackendName, HttpAddr, HttpCors, HttpPort, LogJson, announce
from node.config import NodeConfig
from node.dev.beginning import Beginning, begin_chain
from node.dev_keys import (
    DEV_ACCOUNT_COUNT,
    DEV_BALANCE_WEI,
    DEV_MNEMONIC,
    MAX_DEV_ACCOUNTS,
    dev_accounts,
    dev_validator,
)
from node.logs import LogConfig, configure_logs
from node.rpc.rpc_config import (
    DEFAULT_HTTP_PORT,
    IPC_FILE,
    ON_A_DEV_CHAIN,
    HttpConfig,
    WebSocketConfig,
)
from node.rpc.server import RpcServer
from node.service import run_node

ETHER = 10**18
ACCOUNTS_HELP = "how many funded accounts"
BALANCE_HELP = "ether that each of them has in the beginning"


def dev(
    datadir: Annotated[
        Path | None,
        typer.Option("--datadir", help="keep the chain here; a temporary folder if not given"),
    ] = None,
    http_addr: HttpAddr = "127.0.0.1",
    http_port: HttpPort = DEFAULT_HTTP_PORT,
    http_corsdomain: HttpCors = "",
    backend: BackendName = "cpu",
    accounts: Annotated[
        int, typer.Option(min=1, max=MAX_DEV_ACCOUNTS, help=ACCOUNTS_HELP)
    ] = DEV_ACCOUNT_COUNT,
    balance: Annotated[int, typer.Option(min=0, max=10**9, help=BALANCE_HELP)] = (
        DEV_BALANCE_WEI // ETHER
    ),
    block_time: Annotated[
        int | None,
        typer.Option(min=1, help="make a block every so many seconds, and none in between"),
    ] = None,
    idle_blocks: Annotated[
        bool, typer.Option(help="also make an empty block every second without transactions")
    ] = True,
    fork: Annotated[
        Path | None,
        typer.Option(help="begin with a state: a snapshot's, or a geth genesis file's accounts"),
    ] = None,
    models: Annotated[
        bool, typer.Option("--models", help="begin with the sample models, ACTIVE")
    ] = False,
    log_json: LogJson = False,
) -> None:
    """Run a development chain: one validator, instant blocks, funded accounts."""
    configure_logs(LogConfig(as_json=log_json))
    pages = tuple(page.strip() for page in http_corsdomain.split(",") if page.strip())
    http = HttpConfig(http_addr, http_port, ON_A_DEV_CHAIN, pages)
    wanted = Beginning(accounts, balance * ETHER, fork, models)

    def run_in(folder: Path) -> None:
        run_dev(dev_config(folder, http, backend, accounts, idle_blocks, block_time), wanted)

    with clear_errors():
        if datadir is not None:
            run_in(datadir)
            return
        with TemporaryDirectory(prefix="cvm-dev-") as folder:
            run_in(Path(folder))


def dev_config(
    datadir: Path,
    http: HttpConfig,
    backend: str,
    accounts: int,
    idle_blocks: bool,
    block_time: int | None,
) -> NodeConfig:
    """Return what the node of a development chain is told."""
    return NodeConfig(
        datadir=datadir,
        http=http,
        websocket=WebSocketConfig(http.host, http.port, http.namespaces, http.allowed_origins),
        ipc_path=datadir / IPC_FILE,
        backend=backend,
        validator_key=dev_validator(),
        instant=True,
        idle_blocks=idle_blocks,
        block_time_s=block_time,
        dev_accounts=accounts,
    )


def run_dev(config: NodeConfig, wanted: Beginning) -> None:
    """Start a development chain in a folder, or go on with the one that is there."""
    begin_chain(config, wanted)

    def announce_dev(chain: Chain, server: RpcServer | None) -> None:
        typer.echo("\n".join(account_lines(chain, config.dev_accounts)))
        announce(chain, server)

    uvloop.run(run_node(config, announce_dev))


def account_lines(chain: Chain, count: int) -> list[str]:
    """Return the funded TEST accounts as anvil shows them, with what they have now."""
    lines = ["Test accounts: their keys are public, never send them anything of value.", ""]
    with chain.state_at(chain.head) as state:
        for index, key in enumerate(dev_accounts(count)):
            account = state.account(key.address)
            ether = 0 if account is None else account.balance // ETHER
            address = f"0x{key.address.hex()}"
            lines.append(f"({index}) {address}  {ether} ether  key {key.to_hex()}")
    return [*lines, "", f"mnemonic: {DEV_MNEMONIC}", ""]


def add_commands(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(dev)
