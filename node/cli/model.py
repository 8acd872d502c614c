"""Mounts `cvm model`: the registry's commands with the node's rules and prices."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import typer

from cvm.inference.backends.table import backend_named
from cvm.inference.engine import run_items, trace_items
from cvm.inference.faults import BadInputSize, InferenceFault, InvalidModel
from cvm.inference.float_environment import default_float_environment
from cvm.inference.limits import OFF_CHAIN_LIMITS
from cvm.inference.model_file import parse_model
from cvm.inference.tensor_type import Array
from models_registry.cli.commands import model_commands
from models_registry.cli.report import GasQuote, ModelReport, inspect_file
from models_registry.cli.rules import ModelRules, NodeHash, Rerun
from models_registry.record import ModelRecord
from node.dev_keys import dev_key
from opcodes import errors
from opcodes.gas import InferenceGas, inference_gas
from opcodes.model_record import ModelRefused, validate_callable, validate_royalty


def inspect_off_chain(data: bytes) -> ModelReport:
    """Check a file by the rules of the engine alone, and say why a chain refuses it, if so."""
    try:
        return inspect(data)
    except InvalidModel as fault:
        return replace(inspect_file(data, OFF_CHAIN_LIMITS), refusal=str(fault))


def inspect(data: bytes) -> ModelReport:
    """Check a file by every rule of a validator; raises `InvalidModel`."""
    report = inspect_file(data)
    try:
        validate_callable(record_of(report))
    except ModelRefused as error:
        raise InvalidModel("a model that can be called", str(error)) from error
    return report


def check_royalty(report: ModelReport, royalty_gas: int) -> None:
    """Refuse a royalty that no validator would attest; raises `InvalidModel`."""
    try:
        validate_royalty(record_of(report), royalty_gas)
    except ModelRefused as error:
        raise InvalidModel("a royalty that can be paid", str(error)) from error


def record_of(report: ModelReport) -> ModelRecord:
    """Return a model's record but for the hash of its test output."""
    return ModelRecord(
        engine=report.engine,
        size_bytes=report.size_bytes,
        batchable=report.batchable,
        input_bytes=report.input_bytes,
        output_bytes=report.output_bytes,
        cost=report.cost,
        test_hash=bytes(32),
    )


def price(report: ModelReport) -> GasQuote:
    """Return what a cold call with one item is charged."""
    charge: InferenceGas = inference_gas(
        report.cost,
        size_bytes=report.size_bytes,
        batch=1,
        item_input_bytes=report.input_bytes,
        item_output_bytes=report.output_bytes,
        registered_royalty=0,
        first_touch=True,
    )
    return GasQuote(charge.base, charge.load, charge.compute, charge.io_bytes)


def run(data: bytes, items: Sequence[Mapping[str, Array]]) -> list[dict[str, Array]]:
    """Run a checked model file on items with the `cpu` backend; inputs and outputs by name."""
    graph = parse_model(data, OFF_CHAIN_LIMITS).graph
    plan = backend_named("cpu").plan(graph)
    names = [value.name for value in graph.outputs]
    with default_float_environment():
        found = [plan.run(tuple(item[value.name] for value in graph.inputs)) for item in items]
    return [dict(zip(names, outputs, strict=True)) for outputs in found]


def rerun(data: bytes, call_input: bytes, backend: str, *, nodes: bool) -> Rerun:
    """Run a model on a call's input as a node does; raises `InvalidModel` or a `LocalFault`."""
    model = parse_model(data)
    batch = max(len(call_input) // model.input_bytes, 1)
    charge = inference_gas(
        model.cost,
        size_bytes=model.size_bytes,
        batch=batch,
        item_input_bytes=model.input_bytes,
        item_output_bytes=model.output_bytes,
        registered_royalty=0,
        first_touch=True,
    )
    quote = GasQuote(charge.base, charge.load, charge.compute, charge.io_bytes)
    plan = backend_named(backend).plan(model.graph)
    try:
        if not nodes:
            return Rerun(True, run_items(plan, model, call_input), quote, ())
        output, traced = trace_items(plan, model, call_input)
    except BadInputSize:
        return Rerun(False, errors.BAD_INPUT_SIZE, quote, ())
    except InferenceFault:
        return Rerun(False, errors.INPUT_OUT_OF_RANGE, quote, ())
    hashes = tuple(NodeHash(n.name, n.op_type, bytes.fromhex(n.sha256)) for n in traced)
    return Rerun(True, output, quote, hashes)


def add_commands(app: typer.Typer) -> None:
    """Add the group `cvm model`; its `--account dev` is the first TEST account."""
    rules = ModelRules(
        inspect, inspect_off_chain, check_royalty, price, run, rerun, dev_key(0).to_bytes()
    )
    app.add_typer(model_commands(rules), name="model")
