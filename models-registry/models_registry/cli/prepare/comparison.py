"""Compares a prepared model on data with the original, or with the float32 form it came from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cvm.inference.tensor_type import Array
from models_registry.cli.prepare.adapters import OutputAdapter
from models_registry.cli.prepare.counted import counted
from models_registry.cli.prepare.explanation import explanation_lines, explanations_json
from models_registry.cli.prepare.faults import CannotPrepare
from models_registry.cli.prepare.items import Items, both_sides, items_of
from models_registry.cli.prepare.onnx_runtime import OriginalModel
from models_registry.cli.prepare.pipeline import Options, PreparedModel

Runner = Callable[[bytes, Items], list[dict[str, Array]]]
"""Runs a model file on items: inputs by name in, outputs by name out, one mapping for each."""


CALIBRATION_ITEMS = 32
"""How many calibration items a quantised model is compared on where there is no other data."""

MAX_ROW_RANK = 3
"""Of a larger output with several axes longer than 1, none is taken for that of the classes."""


@dataclass(frozen=True, slots=True)
class OutputAgreement:
    """How one output compares over all items.

    `same_winner` is the share of rows whose largest element (or index, or first of the top k)
    is the original's, None for an output without rows; `equal` is the share of integers that are
    the original's, None for floats. `largest_difference` and `mean_difference` (of magnitudes)
    stand beside the `largest_value` of the original; all are None for indices and integers.
    """

    name: str
    same_winner: float | None
    largest_difference: float | None
    largest_value: float | None
    equal: float | None = None
    mean_difference: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found on `items` items; the accuracies are None without labels.

    `against` is what the prepared model was compared with, `source` what the items are.
    """

    items: int
    outputs: tuple[OutputAgreement, ...]
    accuracy: float | None = None
    original_accuracy: float | None = None
    against: str = "the original"
    source: str = "data"


def compare(
    original: Path,
    prepared: PreparedModel,
    options: Options,
    arrays: Mapping[str, Array],
    labels: Array | None,
    runner: Runner,
) -> Comparison:
    """Run both on the same data.

    An array of an adapter's dtype holds what a contract sends; any other holds what the original
    takes. Raises `CannotPrepare` where arrays do not fit the model, or onnxruntime is missing.
    """
    real = items_of(arrays, prepared.real_inputs, "the data file")
    ours, theirs = both_sides(real, prepared.real_inputs, options.inputs)
    if labels is not None and labels.shape != (len(real),):
        raise CannotPrepare(
            f"labels have shape {list(labels.shape)}; the data has {counted(len(real), 'item')}"
        )
    model = OriginalModel(original)
    wanted = [model.run(item) for item in theirs]
    found = runner(prepared.data, ours)
    outputs = _agreements(found, wanted, options)
    if labels is None or not outputs:
        return Comparison(len(real), outputs)
    scored = _scored([output.name for output in outputs], wanted[0])
    adapter = options.outputs.get(scored)
    return Comparison(
        len(real),
        outputs,
        _accuracy(_column(found, scored), labels, adapter),
        _accuracy(_best(_column(wanted, scored), adapter), labels, adapter),
    )


def compare_with_float_form(
    prepared: PreparedModel, options: Options, runner: Runner
) -> Comparison | None:
    """Run a quantised model beside the float32 form that it was made of, both on the engine.

    On the first `CALIBRATION_ITEMS` items of the calibration; None for a model that was not
    quantised.
    """
    if prepared.float_form is None or options.calibration is None:
        return None
    items = items_of(options.calibration, prepared.real_inputs, "the calibration file")
    items = items[:CALIBRATION_ITEMS]
    ours, theirs = both_sides(items, prepared.real_inputs, options.inputs)
    outputs = _agreements(runner(prepared.data, ours), runner(prepared.float_form, theirs), options)
    return Comparison(len(items), outputs, against="the float32 form", source="calibration")


def _agreements(found: Items, wanted: Items, options: Options) -> tuple[OutputAgreement, ...]:
    """Return how every output that both sides give as numbers compares."""
    names = [name for name in found[0] if name in wanted[0] and _is_number(wanted[0][name])]
    return tuple(
        _agreement(name, _column(found, name), _column(wanted, name), options.outputs.get(name))
        for name in names
    )


def _column(items: Sequence[Mapping[str, Array]], name: str) -> list[Array]:
    return [item[name] for item in items]


def _is_number(array: Array) -> bool:
    return array.dtype.kind in "fiub"


def _scored(names: Sequence[str], item: Mapping[str, Array]) -> str:
    """Return the output that labels are compared with: the first one of floats, else the first."""
    return next((name for name in names if item[name].dtype.kind == "f"), names[0])


def _agreement(
    name: str, found: list[Array], wanted: list[Array], adapter: OutputAdapter | None
) -> OutputAgreement:
    kind = "" if adapter is None else adapter.kind
    axis = -1 if adapter is None else adapter.axis
    if kind in ("argmax", "topk"):
        first = [np.take(a, 0, axis) if kind == "topk" else a for a in found]
        winners = [np.argmax(array, axis=axis) for array in wanted]
        return OutputAgreement(name, _share(first, winners), None, None)
    if adapter is None and all(array.dtype.kind in "iub" for array in wanted):
        return OutputAgreement(name, None, None, None, _share(found, wanted))
    scale = adapter.scale if adapter is not None and kind == "fixed32" else 1.0
    real = [array.astype(np.float64) * scale for array in found]
    meant = [
        array.astype(np.float64).reshape(r.shape) for array, r in zip(wanted, real, strict=True)
    ]
    differences = [np.abs(r - m) for r, m in zip(real, meant, strict=True)]
    classes = class_axis(meant[0].shape)
    same_winner = None
    if classes is not None:
        winners = [np.argmax(array, axis=classes) for array in meant]
        same_winner = _share([np.argmax(array, axis=classes) for array in real], winners)
    return OutputAgreement(
        name,
        same_winner,
        max(_largest(difference) for difference in differences),
        max(_largest(m) for m in meant),
        mean_difference=float(np.concatenate([d.reshape(-1) for d in differences]).mean()),
    )


def class_axis(shape: tuple[int, ...]) -> int | None:
    """Return the axis along which an output holds a score per class, None where none is clear.

    The only axis longer than 1; among several the last, but none of what may be an image.
    """
    long_axes = [axis for axis, dim in enumerate(shape) if dim > 1]
    if len(long_axes) == 1 or (long_axes and len(shape) <= MAX_ROW_RANK):
        return long_axes[-1]
    return None


def _largest(array: Array) -> float:
    """Return the largest magnitude, 0 of nothing."""
    return float(np.abs(array).max(initial=0.0))


def _share(found: Sequence[Array], wanted: Sequence[Array]) -> float:
    equal = [
        np.asarray(f).reshape(-1) == np.asarray(w).reshape(-1)
        for f, w in zip(found, wanted, strict=True)
    ]
    return float(np.concatenate(equal).mean())


def _accuracy(found: list[Array], labels: Array, adapter: OutputAdapter | None) -> float:
    """Return the share of items whose winner (or one of whose top k) is the label."""
    kind = "" if adapter is None else adapter.kind
    hits = [_hits(array, int(label), kind) for array, label in zip(found, labels, strict=True)]
    return sum(hits) / len(hits)


def _best(arrays: list[Array], adapter: OutputAdapter | None) -> list[Array]:
    """Return the original's values as an adapter of places would give them."""
    if adapter is None or adapter.kind not in ("argmax", "topk"):
        return arrays
    count = max(adapter.count, 1)
    order = [np.argsort(-array, axis=adapter.axis, kind="stable") for array in arrays]
    return [np.take(places, np.arange(count), axis=adapter.axis) for places in order]


def _hits(array: Array, label: int, kind: str) -> bool:
    if kind == "topk":
        return bool((array == label).any())
    if kind == "argmax" or array.size == 1:
        return int(array.reshape(-1)[0]) == label
    return int(np.argmax(array)) == label


def preparation_json(prepared: PreparedModel, comparison: Comparison | None) -> dict[str, Any]:
    """Return what `prepare --json` prints beside the report on the file."""
    steps = {"steps": list(prepared.notes)} | explanations_json(prepared.explanations)
    return steps if comparison is None else steps | {"comparison": _comparison_json(comparison)}


def preparation_text(prepared: PreparedModel, comparison: Comparison | None) -> str:
    """Return what `prepare` prints below the report on the file."""
    lines = [f"step        {note}" for note in prepared.notes or ("nothing to change",)]
    lines += explanation_lines(prepared.explanations)
    return "\n".join(lines + ([] if comparison is None else _comparison_lines(comparison)))


def _comparison_json(comparison: Comparison) -> dict[str, Any]:
    return {
        "against": comparison.against,
        "source": comparison.source,
        "items": comparison.items,
        "outputs": [asdict(output) for output in comparison.outputs],
        "accuracy": comparison.accuracy,
        "originalAccuracy": comparison.original_accuracy,
    }


def _comparison_lines(comparison: Comparison) -> list[str]:
    lines = []
    for output in comparison.outputs:
        parts = []
        if output.same_winner is not None:
            parts.append(f"same winner in {output.same_winner:.2%}")
        if output.equal is not None:
            parts.append(f"equal in {output.equal:.2%}")
        if output.largest_difference is not None:
            parts.append(
                f"largest difference {output.largest_difference:.3g}, "
                f"mean {output.mean_difference:.3g}, of values up to {output.largest_value:.3g}"
            )
        lines.append(
            f"agreement   {output.name}: {', '.join(parts)} with {comparison.against}, over "
            f"{counted(comparison.items, 'item')} of {comparison.source}"
        )
    if comparison.accuracy is not None:
        lines.append(
            f"accuracy    {comparison.accuracy:.2%}, "
            f"the original {comparison.original_accuracy:.2%}"
        )
    return lines
