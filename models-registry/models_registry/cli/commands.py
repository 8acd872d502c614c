"""The commands of `cvm model`; what they know of opcodes and gas is handed in by the node."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from cvm.inference.faults import InvalidModel
from cvm.inference.tensor_type import Array
from models_registry.chunks import BadModelSize, model_id
from models_registry.cli.chain_client import ChainClient
from models_registry.cli.files import (
    MAX_ORDINARY_BYTES,
    PREPARE_FIRST,
    CannotRead,
    check_target,
    load_arrays,
    load_file,
    load_labels,
    save_file,
)
from models_registry.cli.http_client import ClientFault, RpcClient
from models_registry.cli.keys import BadKey, load_key
from models_registry.cli.prepare import (
    EXPLAIN_FORM,
    INPUT_FORM,
    OUTPUT_FORM,
    CannotPrepare,
    Comparison,
    Options,
    PreparedModel,
    Runner,
    compare,
    compare_with_float_form,
    parse_explain,
    parse_input_adapter,
    parse_output_adapter,
    parse_shape,
    preparation_json,
    preparation_text,
    prepare_model,
)
from models_registry.cli.registration import Registration, RegistrationFault
from models_registry.cli.report import (
    GasQuote,
    ModelReport,
    origin_text,
    report_json,
    report_text,
)
from models_registry.cli.terminal import TerminalProgress, WallClock

REFUSED = 2
"""Exit status for an input that is refused, as for wrong options."""

FAILED = 1
"""Exit status where the chain or the machine did not do its part."""

DEFAULT_RPC = "http://127.0.0.1:8545"

ModelFile = Annotated[Path, typer.Argument(help="an ONNX file")]
Rpc = Annotated[str, typer.Option("--rpc", help="the node's JSON-RPC address")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON on stdout")]


@dataclass(frozen=True, slots=True)
class ModelRules:
    """What the node knows and this package may not.

    `inspect` raises `InvalidModel` for every file that validators would refuse, and
    `inspect_off_chain` only for one that the engine cannot run at any size; `check_royalty` raises
    it for a royalty that they would refuse; `price` is what one cold call with one item costs;
    `run` runs a file that `inspect` takes, for comparisons;
    `dev_key` is the dev chain's funded key, if there is one.
    """

    inspect: Callable[[bytes], ModelReport]
    inspect_off_chain: Callable[[bytes], ModelReport]
    check_royalty: Callable[[ModelReport, int], None]
    price: Callable[[ModelReport], GasQuote]
    run: Runner
    dev_key: bytes | None = None


def model_commands(rules: ModelRules) -> typer.Typer:
    """Return `prepare`, `check`, `register`, `list` and `show`, to be mounted as `cvm model`."""
    app = typer.Typer(help="Prepare, check, register and list models.", no_args_is_help=True)
    _add_prepare(app, rules)
    _add_check(app, rules)
    _add_register(app, rules)
    _add_list_and_show(app)
    return app


def _add_prepare(app: typer.Typer, rules: ModelRules) -> None:
    @app.command()
    def prepare(
        model: ModelFile,
        strict: Annotated[Path, typer.Option("-o", "--to", help="the file to write")],
        shape: Annotated[
            list[str] | None, typer.Option(help="NAME=1,3,224,224: fix an input's shape")
        ] = None,
        inputs: Annotated[list[str] | None, typer.Option("--input", help=INPUT_FORM)] = None,
        outputs: Annotated[list[str] | None, typer.Option("--output", help=OUTPUT_FORM)] = None,
        explain: Annotated[
            list[str] | None,
            typer.Option(
                help=f"{EXPLAIN_FORM}: add an output that explains trees or a linear model"
            ),
        ] = None,
        quantize: Annotated[
            Path | None, typer.Option(help=".npz of typical inputs: bring the model to 8 bits")
        ] = None,
        data: Annotated[
            Path | None, typer.Option(help=".npz of inputs: compare with the original")
        ] = None,
        labels: Annotated[
            Path | None, typer.Option(help=".npy of right answers to --data: accuracy")
        ] = None,
        off_chain: Annotated[
            bool, typer.Option("--off-chain", help="lift the size limits that a chain sets")
        ] = False,
        as_json: AsJson = False,
    ) -> None:
        """Turn an ordinary ONNX file into the strict form, check it and report on it."""
        with _faults_shown():
            check_target(strict, model)
            options = Options(
                shapes=dict(parse_shape(text) for text in shape or ()),
                folder=model.parent,
                calibration=None if quantize is None else load_arrays(quantize),
                inputs={a.name: a for a in map(parse_input_adapter, inputs or ())},
                outputs={a.name: a for a in map(parse_output_adapter, outputs or ())},
                explain=tuple(map(parse_explain, explain or ())),
            )
            given = _load_data(data, labels)
            if quantize is not None:
                _note(f"running onnxruntime on every item of {quantize} to find the scales")
            prepared = prepare_model(load_file(model, MAX_ORDINARY_BYTES), options)
            report = _inspected(prepared.data, rules, off_chain)
            comparison = _compared(model, prepared, options, given, rules)
            save_file(strict, prepared.data)
            quote = rules.price(report)
            before = _float_form(prepared, rules)
            typer.echo(
                json.dumps(
                    report_json(report, quote)
                    | preparation_json(prepared, comparison)
                    | ({} if before is None else {"floatForm": report_json(*before)})
                )
                if as_json
                else "\n".join(
                    [report_text(report, quote)]
                    + ([] if before is None else [origin_text(*before)])
                    + [preparation_text(prepared, comparison)]
                )
            )


def _note(text: str) -> None:
    """Say on stderr what takes a while; stdout is for the result."""
    typer.echo(text, err=True)


def _float_form(prepared: PreparedModel, rules: ModelRules) -> tuple[ModelReport, GasQuote] | None:
    """Return the report on what was quantised, None where nothing was, or it is too large."""
    if prepared.float_form is None:
        return None
    try:
        report = rules.inspect_off_chain(prepared.float_form)
    except InvalidModel:
        return None
    return report, rules.price(report)


def _inspected(data: bytes, rules: ModelRules, off_chain: bool) -> ModelReport:
    """Return the report on a file; a refusal says whether the file runs off chain."""
    if off_chain:
        return rules.inspect_off_chain(data)
    try:
        return rules.inspect(data)
    except (InvalidModel, BadModelSize) as fault:
        rules.inspect_off_chain(data)
        raise CannotPrepare(
            f"{fault}; no chain takes it, --off-chain prepares it for `cvm infer --off-chain`"
        ) from fault


def _strict(data: bytes, rules: ModelRules) -> ModelReport:
    """Return the report on a file that was prepared; a refusal says what to do."""
    try:
        return rules.inspect(data)
    except InvalidModel as fault:
        raise CannotRead(f"{fault}; {PREPARE_FIRST}") from fault


@dataclass(frozen=True, slots=True)
class _Data:
    """What `--data` and `--labels` hold."""

    arrays: Mapping[str, Array]
    labels: Array | None


def _load_data(data: Path | None, labels: Path | None) -> _Data | None:
    """Return the data to compare on, if any; raises `CannotRead` or `CannotPrepare`."""
    if data is not None:
        return _Data(load_arrays(data), None if labels is None else load_labels(labels))
    if labels is not None:
        raise CannotPrepare("--labels are answers to --data: give both")
    return None


def _compared(
    model: Path, prepared: PreparedModel, options: Options, data: _Data | None, rules: ModelRules
) -> Comparison | None:
    """Compare with the original where there is data, else a quantised model with its origin."""
    if data is not None:
        _note("comparing with the original")
        return compare(model, prepared, options, data.arrays, data.labels, rules.run)
    if prepared.float_form is not None:
        _note("comparing with the float32 form")
    return compare_with_float_form(prepared, options, rules.run)


def _add_check(app: typer.Typer, rules: ModelRules) -> None:
    @app.command()
    def check(model: ModelFile, as_json: AsJson = False) -> None:
        """Print a file's id, inputs, outputs, cost and gas, or the rule that it breaks."""
        with _faults_shown():
            _print_report(_strict(load_file(model), rules), rules, as_json)


def _add_register(app: typer.Typer, rules: ModelRules) -> None:
    @app.command()
    def register(
        model: ModelFile,
        rpc: Rpc = DEFAULT_RPC,
        uri: Annotated[str, typer.Option(help="where people can read about the model")] = "",
        royalty: Annotated[
            int, typer.Option(min=0, help="gas an item that you earn; at most 1/4 of its compute")
        ] = 0,
        key_env: Annotated[
            str | None, typer.Option(help="environment variable that holds the key in hex")
        ] = None,
        keystore: Annotated[Path | None, typer.Option(help="keystore file, version 3")] = None,
        password_file: Annotated[Path | None, typer.Option(help="its password")] = None,
        account: Annotated[
            str | None, typer.Option(help="dev: the dev chain's funded account")
        ] = None,
        timeout: Annotated[float, typer.Option(help="seconds to wait in each stage")] = 600.0,
        as_json: AsJson = False,
    ) -> None:
        """Bring a model to ACTIVE; run it again after an interruption and it goes on."""
        with _faults_shown():
            data = load_file(model)
            report = _strict(data, rules)
            rules.check_royalty(report, royalty)
            key = load_key(
                os.environ,
                rules.dev_key,
                key_env=key_env,
                keystore=keystore,
                password_file=password_file,
                account=account,
            )
            chain = ChainClient(RpcClient(rpc))
            with TerminalProgress() as progress:
                progress.note(f"model id 0x{model_id(data).hex()}")
                registration = Registration(
                    chain, key, data, uri, royalty, progress, WallClock(), timeout_s=timeout
                )
                identity = registration.run()
            entry = chain.model(identity) or {}
            _print_registered(entry, registration, report, rules.price(report), as_json)


def _add_list_and_show(app: typer.Typer) -> None:
    @app.command("list")
    def list_models(rpc: Rpc = DEFAULT_RPC, as_json: AsJson = False) -> None:
        """List the registered models."""
        with _faults_shown():
            models = ChainClient(RpcClient(rpc)).models()
            if as_json:
                typer.echo(json.dumps(models))
                return
            for model in models:
                typer.echo(
                    f"{model.get('modelId')}  {model.get('status')!s:<8}  "
                    f"{_shown(model.get('size'))} bytes  {model.get('uri') or ''}".rstrip()
                )
            if not models:
                typer.echo("no models are registered; `cvm model register FILE` registers one")

    @app.command()
    def show(
        model_id: Annotated[str, typer.Argument(help="0x and 64 hex digits")],
        rpc: Rpc = DEFAULT_RPC,
        as_json: AsJson = False,
    ) -> None:
        """Show one registered model."""
        with _faults_shown():
            identity = _parse_model_id(model_id)
            model = ChainClient(RpcClient(rpc)).model(identity)
            if model is None:
                raise CannotRead(f"no model 0x{identity.hex()} is registered; see `cvm model list`")
            if as_json:
                typer.echo(json.dumps(model))
                return
            for name, value in model.items():
                shown = value if name in _HEX_FIELDS else _shown(value)
                typer.echo(f"{name:<17}{shown}")


_HEX_FIELDS = frozenset({"modelId", "owner", "recordHash", "uri"})


def _print_registered(
    model: Mapping[str, Any],
    registration: Registration,
    report: ModelReport,
    quote: GasQuote,
    as_json: bool,
) -> None:
    if as_json:
        result = {
            **report_json(report, quote),
            "status": model.get("status"),
            "activationHeight": model.get("activationHeight"),
            "transactions": registration.transactions,
        }
        typer.echo(json.dumps(result))
        return
    typer.echo(report_text(report, quote))
    typer.echo(
        f"status      {model.get('status')} from block {_shown(model.get('activationHeight'))}"
    )


def _print_report(report: ModelReport, rules: ModelRules, as_json: bool) -> None:
    quote = rules.price(report)
    shown = json.dumps(report_json(report, quote)) if as_json else report_text(report, quote)
    typer.echo(shown)


def _shown(value: Any) -> str:
    """Return a JSON-RPC value as a person reads it: quantities in decimal."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(inner)}" for name, inner in value.items())
    if value is None:
        return "-"
    if isinstance(value, str) and value.startswith("0x"):
        return f"{int(value, 16):,}"
    return str(value)


def _parse_model_id(text: str) -> bytes:
    digits = text.removeprefix("0x")
    try:
        identity = bytes.fromhex(digits)
    except ValueError:
        identity = b""
    if len(identity) != 32 or len(digits) != 64:
        raise CannotRead(f"{text!r} is not a model id: 0x and 64 hex digits")
    return identity


@contextmanager
def _faults_shown() -> Iterator[None]:
    """Turn a fault into one line on stderr and an exit status."""
    try:
        yield
    except (InvalidModel, BadModelSize, CannotPrepare, CannotRead, BadKey) as fault:
        typer.echo(f"error: {fault}", err=True)
        raise typer.Exit(REFUSED) from fault
    except (ClientFault, RegistrationFault) as fault:
        typer.echo(f"error: {fault}", err=True)
        raise typer.Exit(FAILED) from fault
