"""`cvm model pull`: a model's bytes from a node, proven against its id."""

import json
from pathlib import Path
from typing import Annotated

import typer

from models_registry.cli.endings import faults_shown
from models_registry.cli.files import CannotRead
from models_registry.cli.http_client import RpcClient
from models_registry.cli.model_name import parse_model_id
from models_registry.cli.node_client import NodeClient
from models_registry.cli.options import DEFAULT_RPC, AsJson, Rpc
from models_registry.cli.pulling import pull_model
from models_registry.cli.terminal import TerminalProgress


def add_pull(app: typer.Typer) -> None:
    """Add `pull`."""

    @app.command()
    @faults_shown()
    def pull(
        model_id: Annotated[str, typer.Argument(help="0x and 64 hex digits")],
        target: Annotated[
            Path | None, typer.Option("-o", "--to", help="the file to write; ID.onnx if not given")
        ] = None,
        rpc: Rpc = DEFAULT_RPC,
        as_json: AsJson = False,
    ) -> None:
        """Download a model; run it again after an interruption and it goes on."""
        identity = parse_model_id(model_id)
        path = target or Path(f"{identity.hex()}.onnx")
        if path.is_dir() or not path.parent.is_dir():
            raise CannotRead(f"{path}: no file can be written there; name one with -o")
        with TerminalProgress() as progress:
            pulled = pull_model(NodeClient(RpcClient(rpc)), identity, path, progress)
        if as_json:
            told = {
                "modelId": "0x" + identity.hex(),
                "file": str(path),
                "sizeBytes": pulled.size_bytes,
                "chunks": pulled.chunks,
                "fetched": pulled.fetched,
            }
            typer.echo(json.dumps(told))
            return
        typer.echo(f"file        {path}, {pulled.size_bytes:,} bytes")
        typer.echo(f"chunks      {pulled.fetched} of {pulled.chunks} fetched, all proven")
