"""`cvm model bind`: source code that calls one model, with its inputs and outputs as types."""

from pathlib import Path
from typing import Annotated

import typer

from models_registry.cli.bind import (
    BadLibraryName,
    Binding,
    binding_of,
    library_name,
    library_sources,
    parse_library_name,
    solidity_source,
    vyper_source,
)
from models_registry.cli.endings import faults_shown
from models_registry.cli.files import CannotRead, save_file
from models_registry.cli.http_client import RpcClient
from models_registry.cli.model_name import named_model
from models_registry.cli.node_client import NodeClient
from models_registry.cli.options import DEFAULT_RPC, ModelName, Rpc
from models_registry.cli.prepare_command import strict_report
from models_registry.cli.pulling import pulled_bytes
from models_registry.cli.rules import ModelRules
from models_registry.cli.terminal import TerminalProgress

SHOWN_ID_DIGITS = 8
"""Digits of the id in the name of a library for a model that was named by its id."""


def add_bind(app: typer.Typer, rules: ModelRules) -> None:
    """Add `bind`."""

    @app.command()
    @faults_shown()
    def bind(
        model: ModelName,
        target: Annotated[
            Path | None, typer.Option("-o", "--to", help="the file to write; stdout if not given")
        ] = None,
        name: Annotated[
            str | None,
            typer.Option(help="the library's name; from the file to write if not given"),
        ] = None,
        vyper: Annotated[bool, typer.Option("--vyper", help="a Vyper module instead")] = False,
        libraries: Annotated[
            bool, typer.Option("--libraries", help="write CVM.sol and its kin beside it")
        ] = False,
        rpc: Rpc = DEFAULT_RPC,
    ) -> None:
        """Write a Solidity library (or Vyper module) that calls one model."""
        if target is not None and not target.parent.is_dir():
            raise CannotRead(f"{target}: there is no directory {target.parent}")
        if libraries and (target is None or vyper):
            raise CannotRead("--libraries are for Solidity, and lie beside the file that -o names")
        given = None if name is None else _parsed(name)
        binding, default_name = _binding(model, rpc, rules)
        chosen = given or (default_name if target is None else library_name(target.stem))
        source = (vyper_source if vyper else solidity_source)(binding, chosen)
        if target is None:
            typer.echo(source, nl=False)
            return
        save_file(target, source.encode())
        typer.echo(f"wrote {target}: {chosen} calls model 0x{binding.model_id.hex()}", err=True)
        if libraries:
            for file_name, text in library_sources().items():
                save_file(target.with_name(file_name), text.encode())


def _binding(model: str, rpc: str, rules: ModelRules) -> tuple[Binding, str]:
    """Return a model's binding, and a name for its library.

    A model that is named by its id is brought here and proven, so that its types are certain.
    """
    named = named_model(model, rules)
    data = named.data
    if data is None:
        with TerminalProgress() as progress:
            data = pulled_bytes(NodeClient(RpcClient(rpc)), named.identity, progress)
        text = f"Model {named.identity.hex()[:SHOWN_ID_DIGITS]}"
    else:
        text = Path(model).stem
    report = strict_report(data, rules)
    binding = binding_of(named.identity, report.inputs, report.outputs, report.batchable)
    return binding, library_name(text)


def _parsed(name: str) -> str:
    try:
        return parse_library_name(name)
    except BadLibraryName as fault:
        raise typer.BadParameter(str(fault), param_hint="--name") from fault
