"""`cvm model list` and `show`: what the registry holds."""

import json
from typing import Any

import typer

from models_registry.cli.amounts import ether_text
from models_registry.cli.endings import faults_shown
from models_registry.cli.files import CannotRead
from models_registry.cli.http_client import RpcClient
from models_registry.cli.model_name import named_model
from models_registry.cli.node_client import NodeClient
from models_registry.cli.options import DEFAULT_RPC, AsJson, ModelName, Rpc
from models_registry.cli.rules import ModelRules

HEX_FIELDS = frozenset({"modelId", "owner", "recordHash", "uri"})


def add_list(app: typer.Typer) -> None:
    """Add `list`."""

    @app.command("list")
    @faults_shown()
    def list_models(rpc: Rpc = DEFAULT_RPC, as_json: AsJson = False) -> None:
        """List the registered models."""
        models = NodeClient(RpcClient(rpc)).models()
        if as_json:
            typer.echo(json.dumps(models))
            return
        for model in models:
            typer.echo(
                f"{model.get('modelId')}  {model.get('status')!s:<8}  "
                f"{shown(model.get('size'))} bytes  {model.get('uri') or ''}".rstrip()
            )
        if not models:
            typer.echo("no models are registered; `cvm model register FILE` registers one")


def add_show(app: typer.Typer, rules: ModelRules) -> None:
    """Add `show`."""

    @app.command()
    @faults_shown()
    def show(model: ModelName, rpc: Rpc = DEFAULT_RPC, as_json: AsJson = False) -> None:
        """Show one registered model."""
        identity = named_model(model, rules).identity
        found = NodeClient(RpcClient(rpc)).model(identity)
        if found is None:
            raise CannotRead(f"no model 0x{identity.hex()} is registered; see `cvm model list`")
        if as_json:
            typer.echo(json.dumps(found))
            return
        for name, value in found.items():
            typer.echo(f"{name:<17}{_field(name, value)}")


def _field(name: str, value: Any) -> str:
    if name == "deposit":
        return ether_text(int(value, 16))
    return str(value) if name in HEX_FIELDS else shown(value)


def shown(value: Any) -> str:
    """Return a JSON-RPC value as a person reads it: quantities in decimal."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown(inner)}" for name, inner in value.items())
    if value is None:
        return "-"
    if isinstance(value, str) and value.startswith("0x"):
        return f"{int(value, 16):,}"
    return str(value)
