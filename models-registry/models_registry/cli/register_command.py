"""`cvm model register` and `push`: from an ONNX file to a model that contracts call."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from cvm.evm.private_key import PrivateKey
from cvm.inference.faults import InvalidModel
from models_registry.chunks import MAX_MODEL_BYTES, BadModelSize, chunk_count, model_id
from models_registry.cli.chain_client import ChainClient
from models_registry.cli.endings import faults_shown
from models_registry.cli.files import (
    MAX_ORDINARY_BYTES,
    PREPARE_FIRST,
    CannotRead,
    check_target,
    load_file,
    save_file,
)
from models_registry.cli.http_client import RpcClient
from models_registry.cli.list_commands import shown
from models_registry.cli.node_client import NodeClient
from models_registry.cli.options import (
    DEFAULT_RPC,
    DEFAULT_TIMEOUT_S,
    AsJson,
    ModelFile,
    Rpc,
    Timeout,
    Yes,
    key_options,
    with_options,
)
from models_registry.cli.prepare_command import (
    PreparedFile,
    Wishes,
    prepare_file,
    strict_report,
    wishes,
)
from models_registry.cli.pushing import push_chunks
from models_registry.cli.registration import Registration
from models_registry.cli.report import ModelReport, gas_text, report_json, report_text
from models_registry.cli.rules import ModelRules
from models_registry.cli.sending import Sender
from models_registry.cli.terminal import TerminalProgress, WallClock, note


def add_push(app: typer.Typer, rules: ModelRules) -> None:
    """Add `push`."""

    @app.command()
    @faults_shown()
    def push(model: ModelFile, rpc: Rpc = DEFAULT_RPC, as_json: AsJson = False) -> None:
        """Bring a model's bytes to a node; run it again after an interruption and it goes on."""
        data = load_file(model)
        strict_report(data, rules)
        identity = model_id(data)
        with TerminalProgress() as progress:
            sent = push_chunks(NodeClient(RpcClient(rpc)), data, progress)
        chunks = chunk_count(len(data))
        if as_json:
            told = {"modelId": "0x" + identity.hex(), "chunks": chunks, "sent": sent}
            typer.echo(json.dumps(told))
            return
        typer.echo(f"model id    0x{identity.hex()}")
        typer.echo(f"chunks      {sent} of {chunks} sent, the node has the whole model")


def add_register(app: typer.Typer, rules: ModelRules) -> None:
    """Add `register`."""

    @app.command()
    @faults_shown()
    @with_options(key=key_options(rules.dev_key), wished=wishes)
    def register(
        model: ModelFile,
        key: PrivateKey,
        wished: Wishes,
        rpc: Rpc = DEFAULT_RPC,
        uri: Annotated[str, typer.Option(help="where people can read about the model")] = "",
        royalty: Annotated[
            int, typer.Option(min=0, help="gas an item that you earn; at most 1/4 of its compute")
        ] = 0,
        prepares: Annotated[
            bool, typer.Option("--prepare/--no-prepare", help="prepare an ordinary file first")
        ] = True,
        keep: Annotated[
            Path | None, typer.Option("-o", "--to", help="keep the prepared file here")
        ] = None,
        timeout: Timeout = DEFAULT_TIMEOUT_S,
        yes: Yes = False,
        as_json: AsJson = False,
    ) -> None:
        """Bring a model to ACTIVE; run it again after an interruption and it goes on."""
        file = _strict_file(model, wished, keep, rules, prepares=prepares)
        rules.check_royalty(file.report, royalty)
        rpc_client = RpcClient(rpc)
        node, chain = NodeClient(rpc_client), ChainClient(rpc_client)
        with TerminalProgress() as progress:
            sender = Sender(chain, key, progress, WallClock(), timeout)
            registration = Registration(node, sender, file.data, uri, royalty)
            cost = registration.cost()
            if cost is not None:
                progress.note(cost.text())
                is_play_money = key.to_bytes() == rules.dev_key
                progress.require_yes("Go on?", yes=yes or as_json or is_play_money)
            registration.run()
        _print_registered(registration, file, rules, as_json)


@dataclass(frozen=True, slots=True)
class _StrictFile:
    """A file that a chain takes; `made` is its preparation, None where it needed none."""

    data: bytes
    report: ModelReport
    made: PreparedFile | None


def _strict_file(
    model: Path, wished: Wishes, keep: Path | None, rules: ModelRules, *, prepares: bool
) -> _StrictFile:
    """Return the strict form of a file, which is prepared where it is not in that form yet."""
    data = load_file(model, MAX_ORDINARY_BYTES)
    if not wished.is_any and len(data) <= MAX_MODEL_BYTES:
        try:
            report = rules.inspect(data)
        except (InvalidModel, BadModelSize) as fault:
            if not prepares:
                raise CannotRead(f"{fault}; {PREPARE_FIRST}") from fault
            note(f"not in the strict form yet ({fault}): preparing it")
        else:
            note(report_text(report, rules.price(report)))
            return _StrictFile(data, report, None)
    if not prepares:
        raise CannotRead(f"{model}: has to be prepared; {PREPARE_FIRST}")
    if keep is not None:
        check_target(keep, model)
    made = prepare_file(model, wished, rules)
    note(made.text())
    if keep is not None:
        save_file(keep, made.data)
    return _StrictFile(made.data, made.report, made)


def _print_registered(
    registration: Registration, file: _StrictFile, rules: ModelRules, as_json: bool
) -> None:
    model = registration.node.model(registration.identity) or {}
    quote = rules.price(file.report)
    if as_json:
        told: dict[str, Any] = file.made.json() if file.made else report_json(file.report, quote)
        result = {
            **told,
            "status": model.get("status"),
            "activationHeight": model.get("activationHeight"),
            "transactions": registration.sender.transactions,
        }
        typer.echo(json.dumps(result))
        return
    typer.echo(f"model id    0x{registration.identity.hex()}\n{gas_text(quote)}")
    height = shown(model.get("activationHeight"))
    typer.echo(f"status      {model.get('status')} from block {height}")
