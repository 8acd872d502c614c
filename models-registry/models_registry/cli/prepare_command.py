"""`cvm model prepare` and `check`: from an ordinary ONNX file to one that a chain takes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from cvm.inference.faults import InvalidModel
from cvm.inference.tensor_type import Array
from models_registry.chunks import BadModelSize
from models_registry.cli.endings import faults_shown
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
from models_registry.cli.options import AsJson, ModelFile, with_options
from models_registry.cli.prepare import (
    EXPLAIN_FORM,
    INPUT_FORM,
    OUTPUT_FORM,
    CannotPrepare,
    Comparison,
    Options,
    PreparedModel,
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
from models_registry.cli.report import (
    GasQuote,
    ModelReport,
    origin_text,
    report_json,
    report_text,
)
from models_registry.cli.rules import ModelRules
from models_registry.cli.terminal import note


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user asks `prepare` for, as on the command line."""

    shapes: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    explain: tuple[str, ...] = ()
    quantize: Path | None = None
    data: Path | None = None
    labels: Path | None = None

    @property
    def is_any(self) -> bool:
        """Tell whether anything is asked for that a strict file does not have by itself."""
        return any((self.shapes, self.inputs, self.outputs, self.explain, self.quantize, self.data))

    def options(self, model: Path) -> Options:
        """Return the options of the preparation; raises `CannotPrepare` or `CannotRead`."""
        return Options(
            shapes=dict(parse_shape(text) for text in self.shapes),
            folder=model.parent,
            calibration=None if self.quantize is None else load_arrays(self.quantize),
            inputs={a.name: a for a in map(parse_input_adapter, self.inputs)},
            outputs={a.name: a for a in map(parse_output_adapter, self.outputs)},
            explain=tuple(map(parse_explain, self.explain)),
        )


def wishes(
    shape: Annotated[
        list[str] | None, typer.Option(help="NAME=1,3,224,224: fix an input's shape")
    ] = None,
    inputs: Annotated[list[str] | None, typer.Option("--input", help=INPUT_FORM)] = None,
    outputs: Annotated[list[str] | None, typer.Option("--output", help=OUTPUT_FORM)] = None,
    explain: Annotated[
        list[str] | None,
        typer.Option(help=f"{EXPLAIN_FORM}: add an output that explains trees or a linear model"),
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
) -> Wishes:
    """Return the group of options that say how a file is prepared."""
    return Wishes(
        tuple(shape or ()),
        tuple(inputs or ()),
        tuple(outputs or ()),
        tuple(explain or ()),
        quantize,
        data,
        labels,
    )


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """A file in the strict form, and what there is to say about it."""

    data: bytes
    report: ModelReport
    quote: GasQuote
    preparation: PreparedModel
    comparison: Comparison | None
    float_form: tuple[ModelReport, GasQuote] | None

    def json(self) -> dict[str, Any]:
        """Return what `prepare --json` prints."""
        before = {} if self.float_form is None else {"floatForm": report_json(*self.float_form)}
        told = preparation_json(self.preparation, self.comparison)
        return report_json(self.report, self.quote) | told | before

    def text(self) -> str:
        """Return the report as lines for people."""
        before = [] if self.float_form is None else [origin_text(*self.float_form)]
        told = preparation_text(self.preparation, self.comparison)
        return "\n".join([report_text(self.report, self.quote), *before, told])


def prepare_file(
    model: Path, wished: Wishes, rules: ModelRules, *, off_chain: bool = False
) -> PreparedFile:
    """Prepare a file; raises `CannotPrepare`, `CannotRead`, `InvalidModel` or `BadModelSize`."""
    options = wished.options(model)
    given = _load_data(wished.data, wished.labels)
    if wished.quantize is not None:
        note(f"running onnxruntime on every item of {wished.quantize} to find the scales")
    prepared = prepare_model(load_file(model, MAX_ORDINARY_BYTES), options)
    report = _inspected(prepared.data, rules, off_chain)
    comparison = _compared(model, prepared, options, given, rules)
    return PreparedFile(
        prepared.data,
        report,
        rules.price(report),
        prepared,
        comparison,
        _float_form(prepared, rules),
    )


def add_prepare(app: typer.Typer, rules: ModelRules) -> None:
    """Add `prepare`."""

    @app.command()
    @faults_shown()
    @with_options(wished=wishes)
    def prepare(
        model: ModelFile,
        strict: Annotated[Path, typer.Option("-o", "--to", help="the file to write")],
        wished: Wishes,
        off_chain: Annotated[
            bool, typer.Option("--off-chain", help="lift the size limits that a chain sets")
        ] = False,
        as_json: AsJson = False,
    ) -> None:
        """Turn an ordinary ONNX file into the strict form, check it and report on it."""
        check_target(strict, model)
        made = prepare_file(model, wished, rules, off_chain=off_chain)
        save_file(strict, made.data)
        typer.echo(json.dumps(made.json()) if as_json else made.text())


def add_check(app: typer.Typer, rules: ModelRules) -> None:
    """Add `check`."""

    @app.command()
    @faults_shown()
    def check(model: ModelFile, as_json: AsJson = False) -> None:
        """Print a file's id, inputs, outputs, cost and gas, or the rule that it breaks."""
        report = strict_report(load_file(model), rules)
        quote = rules.price(report)
        typer.echo(
            json.dumps(report_json(report, quote)) if as_json else report_text(report, quote)
        )


def strict_report(data: bytes, rules: ModelRules) -> ModelReport:
    """Return the report on a file that was prepared; a refusal says what to do."""
    try:
        return rules.inspect(data)
    except InvalidModel as fault:
        raise CannotRead(f"{fault}; {PREPARE_FIRST}") from fault


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
        note("comparing with the original")
        return compare(model, prepared, options, data.arrays, data.labels, rules.run)
    if prepared.float_form is not None:
        note("comparing with the float32 form")
    return compare_with_float_form(prepared, options, rules.run)
