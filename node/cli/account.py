"""`cvm account`: keystore V3 files of this node."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cvm.evm.private_key import PrivateKey
from node.cli.faults import BadArgument, clear_errors, read_password
from node.cli.run import Datadir
from node.config import DEFAULT_DATADIR
from node.keys import list_accounts, new_account, store_key

account = typer.Typer(no_args_is_help=True, help="Make, import and list keystore files.")
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password", "--password-file", help="file with the password; asked for if not given"
    ),
]


@account.command("new")
def new_command(datadir: Datadir = DEFAULT_DATADIR, password: PasswordFile = None) -> None:
    """Draw a new key and keep it, encrypted."""
    with clear_errors():
        secret = read_password(password, "new password", confirm=True)
        stored = new_account(datadir / "keystore", secret)
        typer.echo(f"0x{stored.address.hex()}  {stored.path}")


@account.command("import")
def import_command(
    key_file: Annotated[Path | None, typer.Argument(help="file that holds the hex key")] = None,
    key_env: Annotated[
        str | None, typer.Option("--key-env", help="environment variable that holds the hex key")
    ] = None,
    datadir: Datadir = DEFAULT_DATADIR,
    password: PasswordFile = None,
) -> None:
    """Keep an existing key, encrypted; the key itself is never an argument."""
    with clear_errors():
        key = key_from_environment(key_env) if key_env else key_from_file(key_file)
        secret = read_password(password, "new password", confirm=True)
        stored = store_key(datadir / "keystore", key, secret)
        typer.echo(f"0x{stored.address.hex()}  {stored.path}")


@account.command("list")
def list_command(datadir: Datadir = DEFAULT_DATADIR) -> None:
    """List addresses and files."""
    with clear_errors():
        for stored in list_accounts(datadir / "keystore"):
            typer.echo(f"0x{stored.address.hex()}  {stored.path}")


def key_from_environment(name: str) -> PrivateKey:
    """Read a hex private key from an environment variable; raises `BadArgument`."""
    text = os.environ.get(name)
    if text is None:
        raise BadArgument(f"environment variable {name} is not set")
    return parse_key(text, f"environment variable {name}")


def key_from_file(path: Path | None) -> PrivateKey:
    """Read a hex private key from a file; raises `BadArgument` or `OSError`."""
    if path is None:
        raise BadArgument("name the file that holds the key, or --key-env NAME")
    return parse_key(path.read_text(errors="replace"), str(path))


def parse_key(text: str, place: str) -> PrivateKey:
    """Parse 64 hex digits, never showing them; raises `BadArgument`."""
    try:
        return PrivateKey(bytes.fromhex(text.strip().removeprefix("0x")))
    except ValueError:
        raise BadArgument(f"{place} holds no 32-byte hex key") from None


def add_commands(app: typer.Typer) -> None:
    """Add this file's group of commands."""
    app.add_typer(account, name="account")
