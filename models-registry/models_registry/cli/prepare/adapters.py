"""Puts integers in front of and behind a float model: pixels, fixed point, argmax, top-k."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from onnx import TensorProto

from cvm.inference.tensor_type import Array, TensorType
from models_registry.cli.prepare.draft import Draft, DraftInput, DraftNode, FreshNames
from models_registry.cli.prepare.faults import CannotPrepare

INPUT_FORM = "NAME=uint8[:SCALE[:MEAN]] or NAME=fixed32:SCALE"
OUTPUT_FORM = "NAME=argmax[:AXIS], NAME=topk:K[:AXIS] or NAME=fixed32:SCALE"


@dataclass(frozen=True, slots=True)
class InputAdapter:
    """An integer input: the model gets (value - mean) * scale.

    `scale` and `mean` are float64 of one element or one per channel (axis 1).
    """

    name: str
    dtype: str
    scale: Array
    mean: Array

    def to_real(self, integers: Array) -> Array:
        """Return what the model gets for some integers, as float32."""
        shape = (-1, *(1,) * (integers.ndim - 2)) if self.scale.size > 1 else ()
        mean_shape = (-1, *(1,) * (integers.ndim - 2)) if self.mean.size > 1 else ()
        centred = integers.astype(np.float64) - self.mean.reshape(mean_shape)
        return np.asarray((centred * self.scale.reshape(shape)).astype(np.float32))

    def to_integers(self, real: Array) -> Array:
        """Return the nearest integers that stand for some real inputs."""
        shape = (-1, *(1,) * (real.ndim - 2)) if self.scale.size > 1 else ()
        mean_shape = (-1, *(1,) * (real.ndim - 2)) if self.mean.size > 1 else ()
        scaled = real.astype(np.float64) / self.scale.reshape(shape)
        limits = np.iinfo(self.dtype)
        whole = np.rint(scaled + self.mean.reshape(mean_shape))
        return np.asarray(np.clip(whole, limits.min, limits.max).astype(self.dtype))


@dataclass(frozen=True, slots=True)
class OutputAdapter:
    """An integer output: `argmax`, `topk` (the indices of the `count` largest) or `fixed32`.

    `axis` is searched, the last one if nothing else is said; fixed32 gives rint(value / scale),
    saturated.
    """

    name: str
    kind: str
    axis: int = -1
    count: int = 0
    scale: float = 1.0


def parse_input_adapter(text: str) -> InputAdapter:
    """Return the adapter of an `--input` option; raises `CannotPrepare`."""
    name, kind, rest = _parts(text, "--input", INPUT_FORM)
    if kind == "uint8" and len(rest) <= 2:
        scale = _numbers(rest[0], text) if rest else np.ones(1)
        mean = _numbers(rest[1], text) if len(rest) == 2 else np.zeros(1)
    elif kind == "fixed32" and len(rest) == 1:
        scale, mean = _numbers(rest[0], text), np.zeros(1)
    else:
        raise CannotPrepare(f"--input {text!r} is not of the form {INPUT_FORM}")
    if not (scale > 0).all() or (kind == "fixed32" and scale.size > 1):
        raise CannotPrepare(f"--input {text!r}: SCALE must be above 0 (fixed32: one number)")
    return InputAdapter(name, "uint8" if kind == "uint8" else "int32", scale, mean)


def parse_output_adapter(text: str) -> OutputAdapter:
    """Return the adapter of an `--output` option; raises `CannotPrepare`."""
    name, kind, rest = _parts(text, "--output", OUTPUT_FORM)
    if kind == "argmax" and (axis := _axis(rest)) is not None:
        return OutputAdapter(name, kind, axis)
    if kind == "topk" and rest and re.fullmatch("[1-9][0-9]{0,6}", rest[0]):
        axis = _axis(rest[1:])
        if axis is not None:
            return OutputAdapter(name, kind, axis, count=int(rest[0]))
    if kind == "fixed32" and len(rest) == 1:
        scale = _numbers(rest[0], text)
        if scale.size == 1 and scale[0] > 0:
            return OutputAdapter(name, kind, scale=float(scale[0]))
    raise CannotPrepare(f"--output {text!r} is not of the form {OUTPUT_FORM}")


def _parts(text: str, option: str, form: str) -> tuple[str, str, list[str]]:
    name, separator, rest = text.rpartition("=")
    if not separator or not name:
        raise CannotPrepare(f"{option} {text!r} is not of the form {form}")
    kind, *parts = rest.split(":")
    return name, kind, parts


def _axis(parts: list[str]) -> int | None:
    """Return the axis, -1 if none is named, or None for something else."""
    if not parts:
        return -1
    return int(parts[0]) if len(parts) == 1 and re.fullmatch("-?[0-9]", parts[0]) else None


def _numbers(text: str, option: str) -> Array:
    """Return one number or a list by commas; each is 0.5, 1e-3 or 1/255."""
    try:
        return np.array([_number(part) for part in text.split(",")])
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise CannotPrepare(
            f"{option!r}: {text!r} is no number, nor a list of numbers by commas (0.5, 1/255)"
        ) from error


def _number(text: str) -> float:
    """Return 0.5, 1e-3, 1/255 or 1/127.5."""
    above, separator, below = text.partition("/")
    return float(Fraction(above) / Fraction(below) if separator else Fraction(above))


def check_input_adapters(draft: Draft, adapters: Mapping[str, InputAdapter]) -> None:
    """Raise `CannotPrepare` where an adapter does not fit the inputs."""
    inputs = {value.name: value for value in draft.inputs}
    for name, adapter in adapters.items():
        if name not in inputs:
            raise CannotPrepare(f"--input names {name!r}; the inputs are {', '.join(inputs)}")
        _check_input(inputs[name], adapter)


def add_input_adapters(draft: Draft, adapters: Mapping[str, InputAdapter]) -> list[str]:
    """Make inputs integers that keep their names; the adapters fit them."""
    fresh, notes = FreshNames(draft.names()), []
    for value in draft.inputs:
        adapter = adapters.get(value.name)
        if adapter is not None:
            _add_input(draft, value, adapter, fresh)
            notes.append(f"input {value.name} is {adapter.dtype}")
    return notes


def _check_input(value: DraftInput, adapter: InputAdapter) -> None:
    if value.dtype != "float32":
        raise CannotPrepare(f"--input {value.name}: the input is {value.dtype}, not float32")
    channels = value.dims[1] if value.dims is not None and len(value.dims) > 1 else 1
    for numbers, what in ((adapter.scale, "SCALE"), (adapter.mean, "MEAN")):
        if numbers.size not in (1, channels):
            raise CannotPrepare(
                f"--input {value.name}: {what} lists {numbers.size} numbers, the input has "
                f"{channels} channels"
            )


def _add_input(draft: Draft, value: DraftInput, adapter: InputAdapter, fresh: FreshNames) -> None:
    real = fresh.take(f"{value.name}_real")
    draft.rename_reads({value.name: real})
    value.dtype = adapter.dtype
    draft.nodes[:0] = _input_nodes(draft, value, adapter, real, fresh)


def _input_nodes(
    draft: Draft, value: DraftInput, adapter: InputAdapter, real: str, fresh: FreshNames
) -> list[DraftNode]:
    """Return DequantizeLinear, with a mean that is a whole pixel as its zero point, else Add."""

    def constant(part: str, array: Array) -> str:
        name = fresh.take(f"{value.name}_{part}")
        draft.constants[name] = array
        return name

    axis: dict[str, int] = {"axis": 1} if adapter.scale.size > 1 else {}
    scale = adapter.scale if axis else adapter.scale.reshape(())
    inputs = [value.name, constant("scale", scale.astype(np.float32))]
    is_pixel = adapter.mean.size == 1 and float(adapter.mean[0]) in range(256)
    if adapter.dtype == "uint8" and is_pixel:
        zero = np.broadcast_to(adapter.mean.reshape(()), scale.shape).astype(np.uint8)
        inputs.append(constant("zero", np.array(zero)))
    if is_pixel or not adapter.mean.any():
        return [DraftNode("DequantizeLinear", inputs, [real], dict(axis))]
    scaled = fresh.take(f"{value.name}_scaled")
    rank = len(value.dims or ())
    offset = (-adapter.mean * adapter.scale).astype(np.float32)
    shape = (-1, *(1,) * (rank - 2)) if offset.size > 1 else ()
    return [
        DraftNode("DequantizeLinear", inputs, [scaled], dict(axis)),
        DraftNode("Add", [scaled, constant("offset", offset.reshape(shape))], [real]),
    ]


def add_output_adapters(
    draft: Draft, adapters: Mapping[str, OutputAdapter], types: Mapping[str, TensorType]
) -> list[str]:
    """Make outputs integers that keep their names."""
    for name in adapters:
        if name not in draft.outputs:
            listed = ", ".join(draft.outputs)
            raise CannotPrepare(f"--output names {name!r}; the outputs are {listed}")
    fresh, notes = FreshNames(draft.names()), []
    for name in draft.outputs:
        adapter = adapters.get(name)
        if adapter is None:
            continue
        if types[name].dtype != "float32" or not types[name].rank:
            raise CannotPrepare(f"--output {name}: the output is {types[name]}, no float32 list")
        real = fresh.take(f"{name}_real")
        for node in draft.nodes:
            node.outputs = [real if made == name else made for made in node.outputs]
        draft.rename_reads({name: real})
        draft.nodes += _output_nodes(draft, adapter, real, types[name], fresh)
        notes.append(f"output {name} is {adapter.kind}")
    return notes


def _output_nodes(
    draft: Draft, adapter: OutputAdapter, real: str, found: TensorType, fresh: FreshNames
) -> list[DraftNode]:
    name = adapter.name
    if not -found.rank <= adapter.axis < found.rank:
        raise CannotPrepare(f"--output {name}: {found} has no axis {adapter.axis}")
    if adapter.kind == "argmax":
        return [DraftNode("ArgMax", [real], [name], {"axis": adapter.axis, "keepdims": 0})]
    label = fresh.take(f"{name}_{'count' if adapter.kind == 'topk' else 'scale'}")
    if adapter.kind == "topk":
        if adapter.count > found.shape[adapter.axis]:
            raise CannotPrepare(f"--output {name}=topk:{adapter.count}: {found} holds fewer")
        draft.constants[label] = np.array([adapter.count], np.int64)
        values = fresh.take(f"{name}_values")
        return [DraftNode("TopK", [real, label], [values, name], {"axis": adapter.axis})]
    draft.constants[label] = np.array(adapter.scale, np.float32)
    scaled, whole = fresh.take(f"{name}_scaled"), fresh.take(f"{name}_whole")
    return [
        DraftNode("Div", [real, label], [scaled]),
        DraftNode("Round", [scaled], [whole]),
        DraftNode("Cast", [whole], [name], {"to": int(TensorProto.INT32)}),
    ]
