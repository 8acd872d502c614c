"""The table of commands, and the file that holds each.

Only the file of the command that was asked for is imported, because the EVM alone takes a
second to load; `cvm --help` imports them all.
"""

from importlib import import_module
from importlib.metadata import version

import typer

HELP = "cvm: an EVM-compatible chain on which contracts run neural networks, exactly."
FILES = {
    "dev": "dev_command",
    "init": "run",
    "genesis": "run",
    "genesis-of": "run",
    "node": "node_command",
    "dumpconfig": "node_command",
    "export": "archive",
    "import": "archive",
    "ethereum": "ethereum_peers",
    "infer": "infer",
    "selftest": "infer",
    "account": "account",
    "signer": "signer",
    "attach": "attach",
    "db": "database",
    "snapshot": "snapshot",
    "model": "model",
    "demo": "demo",
    "testnet": "testnet",
    "validator": "validator",
}
"""Command or group of commands -> module in node.cli whose `add_commands(app)` adds it."""


def build_app(command: str | None) -> typer.Typer:
    """Return the application with at least the named command; all of them for any other name."""
    app = typer.Typer(
        no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=HELP
    )
    modules = [FILES[command]] if command in FILES else sorted(set(FILES.values()))
    for name in modules:
        import_module(f"node.cli.{name}").add_commands(app)
    app.callback(help=HELP)(entry)
    app.command("version")(show_version)
    return app


def entry() -> None:
    """Keep command names even where only one command is loaded."""


def show_version() -> None:
    """Print the version."""
    typer.echo(f"cvm {version('cvm-chain')}")
