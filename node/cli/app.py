"""The table of commands."""

from importlib.metadata import version

import typer

from node.cli.account import account
from node.cli.archive import export_command, import_command
from node.cli.demo import demo
from node.cli.infer import infer, selftest
from node.cli.model import model_app
from node.cli.run import dev, genesis, genesis_of, init, node

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="cvm: an EVM-compatible chain on which contracts run neural networks, exactly.",
)
app.command()(dev)
app.command()(init)
app.command()(genesis)
app.command("genesis-of")(genesis_of)
app.command()(node)
app.command("export")(export_command)
app.command("import")(import_command)
app.command()(infer)
app.command()(selftest)
app.command()(demo)
app.add_typer(account, name="account")
app.add_typer(model_app(), name="model")


@app.command("version")
def version_command() -> None:
    """Print the version."""
    typer.echo(f"cvm {version('cvm-chain')}")
