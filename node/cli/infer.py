"""`cvm infer` runs a model file on arrays; `cvm selftest` proves every backend on vectors."""

import json
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, NoReturn

import typer

from cvm.faults import BackendDisagrees, LocalFault, UnknownBackend
from cvm.inference.backends.table import BACKEND_NAMES, backend_named
from cvm.inference.engine import NodeTrace, batch_size, output_sha256, trace_items
from cvm.inference.faults import InferenceFault, InvalidModel
from cvm.inference.limits import CHAIN_LIMITS, OFF_CHAIN_LIMITS, SizeLimits
from cvm.inference.model_file import parse_model
from cvm.inference.self_test import run_self_test
from models_registry.cli.answers import outputs_json
from models_registry.cli.files import PREPARE_FIRST
from models_registry.cli.input_arrays import BadInputFile, load_input_arrays, pack_items
from models_registry.interface import ModelInterface
from node.cli.faults import LOCAL_FAULT, USAGE_ERROR
from node.cli.report import AsJson
from node.self_test_vectors import load_self_test_vectors
from node.side_by_side import run_side_by_side
from opcodes.gas import compute_gas

MAX_THREADS = 64


class TracedThreads(Exception):
    """A trace goes through the items in order, on one thread."""

    def __init__(self, threads: int) -> None:
        super().__init__(f"--trace runs one item after the other; leave out --threads {threads}")
        self.threads = threads


def add_commands(app: typer.Typer) -> None:
    """Add `infer` and `selftest`."""
    app.command()(infer)
    app.command()(selftest)


def infer(
    model: Annotated[Path, typer.Argument(help="the ONNX file")],
    inputs: Annotated[
        list[Path], typer.Option("--input", help=".npy, once per graph input, or one .npz")
    ],
    backend: Annotated[str, typer.Option(help=" or ".join(BACKEND_NAMES))] = "cpu",
    off_chain: Annotated[
        bool, typer.Option("--off-chain", help="lift the size limits that a chain sets")
    ] = False,
    threads: Annotated[
        int, typer.Option(min=1, max=MAX_THREADS, help="plans that share the items of a batch")
    ] = 1,
    trace: Annotated[bool, typer.Option("--trace", help="also print a hash per node")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a model on arrays and print its outputs, their hash, cost and time."""
    try:
        report = infer_report(
            model, inputs, backend, trace, OFF_CHAIN_LIMITS if off_chain else CHAIN_LIMITS, threads
        )
    except InvalidModel as fault:
        _fail(f"{fault}; {PREPARE_FIRST}", USAGE_ERROR)
    except (InferenceFault, UnknownBackend, BadInputFile, TracedThreads) as fault:
        _fail(str(fault), USAGE_ERROR)
    except LocalFault as fault:
        _fail(str(fault), LOCAL_FAULT)
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}", USAGE_ERROR)
    typer.echo(json.dumps(report, allow_nan=False) if as_json else _text(report))


def infer_report(
    model_path: Path,
    input_paths: list[Path],
    backend_name: str,
    wants_trace: bool,
    limits: SizeLimits = CHAIN_LIMITS,
    threads: int = 1,
) -> dict[str, Any]:
    """Return what `cvm infer --json` prints.

    Raises `InvalidModel`, `InferenceFault`, `LocalFault`, `BadInputFile`, `TracedThreads` or
    `OSError`.
    """
    if wants_trace and threads > 1:
        raise TracedThreads(threads)
    with model_path.open("rb") as stream:
        model = parse_model(stream.read(limits.file_bytes + 1), limits)
    graph = model.graph
    interface = ModelInterface(graph.inputs, graph.outputs, model.batchable)
    data = pack_items(input_paths[0], interface, load_input_arrays(input_paths, graph.inputs))
    backend = backend_named(backend_name)
    plans = [backend.plan(model.graph) for _ in range(min(threads, batch_size(model, len(data))))]
    started = perf_counter()
    traces: tuple[NodeTrace, ...] = ()
    if wants_trace:
        output, traces = trace_items(plans[0], model, data)
    else:
        output = run_side_by_side(plans, model, data)
    seconds = perf_counter() - started
    report: dict[str, Any] = {
        "backend": backend_name,
        "threads": len(plans),
        "items": len(data) // model.input_bytes,
        "outputs": outputs_json(interface, output),
        "output_sha256": output_sha256(output),
        "macs": model.cost.macs,
        "gas": compute_gas(model.cost),
        "milliseconds": round(seconds * 1000, 3),
    }
    if wants_trace:
        report["trace"] = [
            {"name": node.name, "op_type": node.op_type, "sha256": node.sha256} for node in traces
        ]
    return report


def selftest() -> None:
    """Run the golden vectors on every backend; exit 1 when one disagrees."""
    vectors = load_self_test_vectors()
    disagrees = False
    for name in BACKEND_NAMES:
        started = perf_counter()
        try:
            passed = run_self_test(backend_named(name), vectors)
        except BackendDisagrees as fault:
            disagrees = True
            typer.echo(f"{name} WRONG: {fault}")
        except LocalFault as fault:
            typer.echo(f"{name} unavailable: {fault}")
        else:
            typer.echo(f"{name} ok {passed} vectors {perf_counter() - started:.1f} s")
    if disagrees:
        raise typer.Exit(1)


def _fail(message: str, exit_code: int) -> NoReturn:
    """Print one line on stderr and leave."""
    typer.echo(f"error: {' '.join(message.split())}", err=True)
    raise typer.Exit(exit_code)


def _text(report: dict[str, Any]) -> str:
    """Return the report as lines for people."""
    lines = []
    for output in report["outputs"]:
        lines.append(f"{output['name']} {output['dtype']}{output['shape']}")
        lines += [f"  {' '.join(map(str, numbers))}" for numbers in output["items"]]
    lines.append(f"output_sha256 {report['output_sha256']}")
    lines.append(
        f"backend {report['backend']}, threads {report['threads']}, items {report['items']}, "
        f"MACs {report['macs']:,} and gas {report['gas']:,} per item, {report['milliseconds']} ms"
    )
    lines += [
        f"{node['sha256']} {node['op_type']} {node['name']}" for node in report.get("trace", ())
    ]
    return "\n".join(lines)
