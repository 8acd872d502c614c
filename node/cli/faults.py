"""How a command ends when something is wrong: one line that says what, and what to do."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from consensus.ethereum.faults import UnknownParent, UnsupportedFork
from consensus.faults import InvalidBlock, InvalidGenesis
from cvm.faults import LocalFault
from cvm.inference.faults import InferenceFault, InvalidModel
from models_registry.genesis import BadGenesis
from node.chain import OtherGenesis
from node.chain_archive import BadArchive
from node.checkpoint import BadCheckpoint, CheckpointRefused
from node.config import NotTheOnlyValidator
from node.dev.faults import AlreadyBegun, BadForkFile
from node.ethereum_archive import NoEthereumChainHere, OtherBlockHere, OtherForks
from node.keys import BadKeystore
from node.p2p.eth_download import NobodyToAsk
from node.p2p.faults import BadEnode
from node.storage.chain_database import NoChainHere

USAGE_ERROR = 2
LOCAL_FAULT = 3

EXPECTED = (
    AlreadyBegun,
    BadArchive,
    BadCheckpoint,
    BadEnode,
    BadForkFile,
    BadGenesis,
    BadKeystore,
    InferenceFault,
    InvalidBlock,
    InvalidGenesis,
    InvalidModel,
    NoChainHere,
    NoEthereumChainHere,
    NobodyToAsk,
    NotTheOnlyValidator,
    OtherBlockHere,
    OtherForks,
    OtherGenesis,
    CheckpointRefused,
    UnknownParent,
    UnsupportedFork,
)


class BadArgument(Exception):
    """A command was given something that it cannot use."""


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn what a user can cause or meet into one line on standard error and an exit code.

    2 for bad input or a refused block, 3 for a fault of this machine.
    """
    try:
        yield
    except LocalFault as fault:
        typer.echo(f"error: {fault}", err=True)
        raise typer.Exit(LOCAL_FAULT) from fault
    except (*EXPECTED, BadArgument) as fault:
        typer.echo(f"error: {fault}", err=True)
        raise typer.Exit(USAGE_ERROR) from fault
    except OSError as fault:
        where = f"{fault.filename}: " if fault.filename else ""
        typer.echo(f"error: {where}{fault.strerror or fault}", err=True)
        raise typer.Exit(USAGE_ERROR) from fault


def read_password(password_file: Path | None, prompt: str, *, confirm: bool = False) -> bytes:
    """Read a password from a file's first line, or ask for it; never from an argument."""
    if password_file is not None:
        lines = password_file.read_bytes().splitlines()
        if not lines:
            raise BadArgument(f"{password_file} is empty: its first line is the password")
        return lines[0]
    if not sys.stdin.isatty():
        raise BadArgument(f"{prompt}: there is nobody to ask; --password FILE names a file with it")
    return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=confirm)).encode()
