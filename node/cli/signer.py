"""`cvm signer`: a validator's key in a process of its own, behind a local socket."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from consensus.certificate import SealDomain
from cvm.evm.keccak import HASH_BYTES
from node.cli.faults import BadArgument, clear_errors, read_password
from node.keys import load_key
from node.logs import LogConfig, configure_logs
from node.signer.guard import SignGuard
from node.signer.server import SignerService, serve_signer
from node.stopping import stop_on_signals


def signer(
    keystore: Annotated[Path, typer.Argument(help="keystore file of the validator")],
    socket: Annotated[Path, typer.Option("--socket", help="where nodes ask, for this user only")],
    guard: Annotated[Path, typer.Option("--guard", help="folder of what was signed")],
    chain_id: Annotated[
        int, typer.Option("--chain-id", help="the chain that is signed for", min=1)
    ],
    genesis_hash: Annotated[str, typer.Option("--genesis-hash", help="its block 0")],
    password: Annotated[
        Path | None, typer.Option("--password", "--password-file", help="file with the password")
    ] = None,
    log_json: Annotated[bool, typer.Option("--log.json", help="log JSON lines")] = False,
) -> None:
    """Sign what a node asks for, and never two things in one round of one height."""
    configure_logs(LogConfig(as_json=log_json))
    with clear_errors():
        key = load_key(keystore, read_password(password, f"password of {keystore.name}"))
        chain = SealDomain(chain_id, parse_hash(genesis_hash))
        signed = SignGuard(guard, chain)
        try:
            asyncio.run(serve(SignerService(key, chain, signed), socket))
        finally:
            signed.close()


async def serve(service: SignerService, socket: Path) -> None:
    """Answer until SIGINT or SIGTERM."""
    stop = stop_on_signals()
    async with serve_signer(service, socket):
        typer.echo(f"signing for 0x{service.address.hex()} at {socket}")
        await stop.wait()


def parse_hash(text: str) -> bytes:
    """Parse 0x and 64 hex digits; raises `BadArgument`."""
    try:
        found = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        found = b""
    if len(found) != HASH_BYTES:
        raise BadArgument(f"{text!r} is not a hash: 0x and 64 hex digits")
    return found


def add_commands(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("signer")(signer)
