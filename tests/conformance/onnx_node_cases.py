"""Runs node tests of the onnx package through `prepare`, the strict check and the backends."""

import importlib
import pkgutil
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case import node as node_cases
from onnx.backend.test.case.test_case import TestCase

from cvm.inference.backends.backend import Backend
from cvm.inference.engine import run_items
from cvm.inference.faults import InferenceFault, InvalidModel
from cvm.inference.model_file import Model, parse_model
from cvm.inference.tensor_bytes import decode_tensor_bytes, encode_tensors
from cvm.inference.tensor_type import Array
from models_registry.cli.prepare import CannotPrepare, Options, prepare_model

ROUNDING = {"float16": 2.0**-9, "bfloat16": 2.0**-6}
"""A float32 result may lie this far from one of steps rounded to a shorter float, relatively."""
LARGEST = float(np.finfo(np.float32).max)
OTHER_FLOATS = frozenset({"float64", *ROUNDING})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case: `passed`, `refused` with a reason, or `wrong` with a difference.

    `as_float32` says that the case holds another float, which `prepare` makes float32.
    """

    case: str
    op_type: str
    verdict: str
    reason: str = ""
    as_float32: bool = False


_Accepted = tuple[Model, list[Array], bool]
"""A checked model, what feeds it, and whether `prepare` made infinite weights finite."""


class _NotTensors(Exception):
    """A case has an operand that is no tensor of numbers."""


def load_cases(modules: Sequence[str] | None = None) -> list[TestCase]:
    """Return the cases of some modules of onnx's node tests (`add`, `conv` ...), or of all.

    What other callers loaded before comes with them. Making all of them takes a while.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for name in sorted(_modules(node_cases)) if modules is None else modules:
            importlib.import_module(f"{node_cases.__name__}.{name}")
    return list(node_cases._NodeTestCases)


def _modules(package: ModuleType) -> Iterator[str]:
    """Yield the modules below a package, `ai_onnx_ml.binarizer` for one in a folder."""
    for _finder, name, is_package in pkgutil.iter_modules(package.__path__):
        if is_package:
            inner = importlib.import_module(f"{package.__name__}.{name}")
            yield from (f"{name}.{module}" for module in _modules(inner))
        else:
            yield name


def operator_of(case: TestCase) -> str:
    """Return the operator that a case is about, also where ONNX's function stands in its place."""
    name = re.sub(r"_expanded(_ver\d+)?$", "", case.name)
    node = node_cases._existing_names[name]
    return f"{node.domain}.{node.op_type}" if node.domain else str(node.op_type)


def judge(case: TestCase, backends: Sequence[Backend]) -> Outcome:
    """Prepare a case, run it on every backend and compare: floats within the case's tolerance.

    The backends' bytes must be the same. An input that the engine must know at planning becomes
    an initializer, which is what exporters write.
    """
    op_type = operator_of(case)
    try:
        inputs, wanted = _operands(case)
    except _NotTensors as fault:
        return Outcome(case.name, op_type, "refused", str(fault))
    dtypes = {str(array.dtype) for array in (*inputs, *wanted)}
    as_float32 = not OTHER_FLOATS.isdisjoint(dtypes)
    try:
        model, fed, is_clamped = _accepted(case, inputs)
        found = _run(model, fed, backends)
    except (CannotPrepare, InvalidModel, InferenceFault) as fault:
        return Outcome(case.name, op_type, "refused", " ".join(str(fault).split()), as_float32)
    except _Disagreement as fault:
        return Outcome(case.name, op_type, "wrong", str(fault), as_float32)
    difference = _difference(found, wanted, case, is_clamped)
    verdict = "wrong" if difference else "passed"
    return Outcome(case.name, op_type, verdict, difference, as_float32)


def _operands(case: TestCase) -> tuple[list[Array], list[Array]]:
    """Return inputs and outputs as arrays."""
    assert case.data_sets is not None
    ((inputs, outputs),) = case.data_sets
    return [_array(value) for value in inputs], [_array(value) for value in outputs]


def _array(value: Any) -> Array:
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    if not isinstance(value, np.ndarray | np.generic):
        raise _NotTensors(f"{type(value).__name__} instead of a tensor")
    array = np.asarray(value)
    if array.dtype.kind in "OUSc":
        raise _NotTensors("complex numbers" if array.dtype.kind == "c" else "strings")
    return array


def _accepted(case: TestCase, inputs: Sequence[Array]) -> _Accepted:
    """Return the checked model and what feeds it, with as few initializers as it takes.

    Raises what refused the form with most inputs after those that it must know.
    """
    assert case.model is not None
    if any(array.size == 0 for array in inputs):
        raise CannotPrepare("an operand without elements; dimensions are 1 or more")
    later = [index for index, array in enumerate(inputs) if index and _can_be_weight(array)]
    integers = [index for index in later if inputs[index].dtype.kind in "iu"]
    refusal: Exception | None = None
    for frozen in ([], integers, later):
        try:
            return _prepared(case.model, inputs, frozen)
        except (CannotPrepare, InvalidModel) as fault:
            refusal = fault
    assert refusal is not None
    raise refusal


def _can_be_weight(array: Array) -> bool:
    """Return whether a model file may hold the values."""
    return array.dtype.kind in "biu" or bool(np.isfinite(array.astype(np.float32)).all())


def _prepared(
    original: onnx.ModelProto, inputs: Sequence[Array], frozen: Sequence[int]
) -> _Accepted:
    """Return the model with some inputs as initializers."""
    file = onnx.ModelProto()
    file.CopyFrom(original)
    entries = list(file.graph.input)
    for index in frozen:
        file.graph.initializer.append(numpy_helper.from_array(inputs[index], entries[index].name))
    by_name = {entry.name: array for entry, array in zip(entries, inputs, strict=True)}
    del file.graph.input[:]
    file.graph.input.extend(e for index, e in enumerate(entries) if index not in frozen)
    prepared = prepare_model(file.SerializeToString(), Options())
    model = parse_model(prepared.data)
    fed = [by_name[value.name].astype(value.type.dtype) for value in model.graph.inputs]
    return model, fed, any(note.startswith("made infinite") for note in prepared.notes)


class _Disagreement(Exception):
    """Two backends gave different bytes."""


def _run(model: Model, fed: Sequence[Array], backends: Sequence[Backend]) -> list[Array]:
    """Return the outputs, which every backend gives with the same bytes."""
    data = encode_tensors(fed)
    found = [run_items(backend.plan(model.graph), model, data) for backend in backends]
    for backend, output in zip(backends, found, strict=True):
        if output != found[0]:
            raise _Disagreement(f"{backend.name} differs from {backends[0].name}")
    arrays, view = [], memoryview(found[0])
    for value in model.graph.outputs:
        part, view = view[: value.type.size_bytes], view[value.type.size_bytes :]
        arrays.append(decode_tensor_bytes(part, value.type, value.name))
    return arrays


def _difference(
    found: Sequence[Array], wanted: Sequence[Array], case: TestCase, is_clamped: bool
) -> str:
    """Return what is wrong, or nothing.

    Where `prepare` said that it made an infinite weight the largest float32, an expected
    infinity is that too.
    """
    if len(found) != len(wanted):
        return f"{len(found)} outputs instead of {len(wanted)}"
    for index, (ours, theirs) in enumerate(zip(found, wanted, strict=True)):
        dtype = str(theirs.dtype)
        expected = "float32" if dtype in OTHER_FLOATS else dtype
        if (str(ours.dtype), ours.shape) != (expected, theirs.shape):
            return f"output {index}: {ours.dtype}{ours.shape}, not {expected}{theirs.shape}"
        if expected != "float32":
            is_close = np.asarray(ours == theirs)
        else:
            ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
            if is_clamped:
                theirs = np.clip(theirs, -LARGEST, LARGEST)
            tolerance = max(case.rtol, ROUNDING.get(dtype, 0.0))
            is_close = np.isclose(ours, theirs, tolerance, case.atol, equal_nan=True)
        if not is_close.all():
            place = tuple(np.argwhere(~is_close)[0])
            return f"output {index} at {list(map(int, place))}: {ours[place]}, not {theirs[place]}"
    return ""
