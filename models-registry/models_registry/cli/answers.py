"""What a model answers, for programs and for people: numbers, the best classes, their labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cvm.inference.graph import Value
from cvm.inference.tensor_bytes import decode_item
from cvm.inference.tensor_type import Array
from models_registry.cli.files import CannotRead
from models_registry.cli.json_text import parse_json
from models_registry.cli.prepare import CONTRIBUTIONS, LEAVES, PATH
from models_registry.interface import ModelInterface

EXPLANATIONS = frozenset({LEAVES, PATH, CONTRIBUTIONS})
SHOWN_NUMBERS = 16
MAX_LABELS_BYTES = 16 * 1024 * 1024


def output_items(interface: ModelInterface, output: bytes) -> list[tuple[Array, ...]]:
    """Return the output arrays of each item; `output` is a whole number of items."""
    size = interface.output_bytes
    parts = (output[start : start + size] for start in range(0, len(output), size))
    return [decode_item(part, interface.outputs) for part in parts]


def outputs_json(interface: ModelInterface, output: bytes) -> list[dict[str, Any]]:
    """Return each output with its numbers, item after item."""
    items = output_items(interface, output)
    return [
        {
            "name": value.name,
            "dtype": value.type.dtype,
            "shape": list(value.type.shape),
            "items": [numbers(arrays[index]) for arrays in items],
        }
        for index, value in enumerate(interface.outputs)
    ]


def numbers(array: Array) -> list[int | float | str | bool]:
    """Return the elements in row-major order; NaN and infinities as text, which JSON lacks.

    A float32 gets its shortest decimal that reads back to the same bits.
    """
    if array.dtype != np.float32:
        return list(array.ravel().tolist())
    return [float(str(x)) if np.isfinite(x) else str(x) for x in array.ravel()]


def answer_lines(
    interface: ModelInterface, output: bytes, labels: Sequence[str], top: int
) -> list[str]:
    """Return the answer as people read it: the best classes of a vector, numbers of the rest."""
    lines = []
    for number, arrays in enumerate(output_items(interface, output)):
        if len(output) > interface.output_bytes:
            lines.append(f"item {number}")
        for value, array in zip(interface.outputs, arrays, strict=True):
            lines.append(f"{value.name} {value.type}")
            lines += [f"  {line}" for line in _value_lines(value, array, labels, top)]
    return lines


def load_classes(path: Path) -> tuple[str, ...]:
    """Return class names: one a line, or a JSON list; raises `CannotRead`."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_LABELS_BYTES).decode()
    except OSError as error:
        raise CannotRead(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CannotRead(f"{path}: is not text; labels are one name a line") from error
    if not text.lstrip().startswith("["):
        return tuple(line.strip() for line in text.splitlines())
    try:
        names = parse_json(text.encode())
    except ValueError as error:
        raise CannotRead(f"{path}: is no JSON list ({error})") from error
    return tuple(str(name) for name in names)


def _value_lines(value: Value, array: Array, labels: Sequence[str], top: int) -> list[str]:
    flat = array.ravel()
    found = numbers(flat)
    is_index = flat.size == 1 and flat.dtype.kind in "iu"
    if is_index and labels:
        return [f"{found[0]}  {_label(labels, int(flat[0]))}"]
    is_vector = flat.size > 1 and max(value.type.shape) == flat.size
    if is_vector and top > 0 and _holds_scores(value):
        best = np.argsort(-flat.astype(np.float64), kind="stable")[:top]
        return [
            f"{index:>5}  {found[index]!s:<14} {_label(labels, index)}".rstrip()
            for index in map(int, best)
        ]
    shown = " ".join(map(str, found[:SHOWN_NUMBERS]))
    return [shown + (f" ... ({flat.size:,} numbers)" if flat.size > SHOWN_NUMBERS else "")]


def _holds_scores(value: Value) -> bool:
    """Tell whether a vector is shown by rank: int64 are places, an explanation has an order."""
    return value.type.dtype not in ("bool", "int64") and value.name not in EXPLANATIONS


def _label(labels: Sequence[str], index: int) -> str:
    return labels[index] if 0 <= index < len(labels) else ""
