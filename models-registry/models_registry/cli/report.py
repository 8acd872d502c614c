"""What `cvm model` says of a file: id, inputs, outputs, cost and price."""

from dataclasses import asdict, dataclass
from typing import Any

from cvm.inference.cost import Cost
from cvm.inference.graph import Value
from cvm.inference.limits import CHAIN_LIMITS, SizeLimits
from cvm.inference.model_file import parse_model
from models_registry.chunks import MAX_MODEL_BYTES, model_id


@dataclass(frozen=True, slots=True)
class ModelReport:
    """A file that keeps every rule of its engine; sizes are bytes, of one item.

    A file that is too large for any chain has no `model_id`. `refusal` is why a chain does not
    take the file, None where it may.
    """

    model_id: bytes | None
    engine: int
    size_bytes: int
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    batchable: bool
    input_bytes: int
    output_bytes: int
    cost: Cost
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class GasQuote:
    """What one call with one item costs when the model is first touched in a transaction."""

    base: int
    load: int
    compute: int
    io_bytes: int

    @property
    def total(self) -> int:
        """Return the whole charge."""
        return self.base + self.load + self.compute + self.io_bytes


def inspect_file(data: bytes, limits: SizeLimits = CHAIN_LIMITS) -> ModelReport:
    """Check a model file and report on it; raises `InvalidModel`, or `BadModelSize` if empty."""
    model = parse_model(data, limits)
    return ModelReport(
        model_id=None if len(data) > MAX_MODEL_BYTES else model_id(data),
        engine=model.engine,
        size_bytes=model.size_bytes,
        inputs=model.graph.inputs,
        outputs=model.graph.outputs,
        batchable=model.batchable,
        input_bytes=model.input_bytes,
        output_bytes=model.output_bytes,
        cost=model.cost,
    )


def report_json(report: ModelReport, quote: GasQuote) -> dict[str, Any]:
    """Return the report as `--json` prints it."""
    return {
        "modelId": _id_text(report),
        "refusedByChains": report.refusal,
        "engine": report.engine,
        "sizeBytes": report.size_bytes,
        "batchable": report.batchable,
        "inputs": [_value_json(value) for value in report.inputs],
        "outputs": [_value_json(value) for value in report.outputs],
        "inputBytes": report.input_bytes,
        "outputBytes": report.output_bytes,
        "macs": report.cost.macs,
        "cost": asdict(report.cost),
        "gas": {**asdict(quote), "total": quote.total},
    }


def report_text(report: ModelReport, quote: GasQuote) -> str:
    """Return the report as lines for people."""
    cost = report.cost
    lines = [f"model id    {_id_text(report) or 'none: the file is too large for a chain'}"]
    lines += [f"input       {value.name} {value.type}" for value in report.inputs]
    lines += [f"output      {value.name} {value.type}" for value in report.outputs]
    lines += [
        f"bytes       {report.input_bytes:,} in, {report.output_bytes:,} out, per item; "
        + ("batches up to 4,096 items" if report.batchable else "one item per call"),
        f"file        {report.size_bytes:,} bytes, engine {report.engine}",
        f"cost        {cost.macs:,} MACs ({cost.float32_macs:,} float32, {cost.int8_macs:,} int8), "
        f"{cost.nodes:,} passes of nodes, peak memory {cost.peak_bytes:,} bytes",
        gas_text(quote),
    ]
    if report.refusal is not None:
        lines.append(f"off chain   a chain refuses this file: {report.refusal}")
    return "\n".join(lines)


def gas_text(quote: GasQuote) -> str:
    """Return the line on what a call costs."""
    return (
        f"gas         {quote.total:,} for one cold call with one item: base {quote.base:,}, "
        f"load {quote.load:,}, compute {quote.compute:,}, bytes {quote.io_bytes:,}"
    )


def origin_text(report: ModelReport, quote: GasQuote) -> str:
    """Return the line that a quantised model's report gives to the float32 form it came from."""
    return (
        f"from        the float32 form, without adapters: {report.size_bytes:,} bytes, gas "
        f"{quote.total:,}, peak memory {report.cost.peak_bytes:,} bytes"
    )


def _id_text(report: ModelReport) -> str | None:
    return None if report.model_id is None else "0x" + report.model_id.hex()


def _value_json(value: Value) -> dict[str, Any]:
    return {"name": value.name, "dtype": value.type.dtype, "shape": list(value.type.shape)}
