"""The one place that reaches onnxruntime, an optional peer: calibration and comparison only."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cvm.inference.tensor_type import Array
from models_registry.cli.prepare.faults import CannotPrepare

INSTALL = "pip install 'cvm-chain[prepare]' (or pip install onnxruntime)"


def load_runtime(option: str, module: str = "onnxruntime") -> Any:
    """Return onnxruntime or a module of it; raises `CannotPrepare` naming what wants it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise CannotPrepare(f"{option} needs onnxruntime: {INSTALL}") from error


def runtime_faults() -> tuple[type[Exception], ...]:
    """Return what onnxruntime raises, which shares no base class of its own."""
    state = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    own = [
        found
        for found in vars(state).values()
        if isinstance(found, type) and issubclass(found, Exception)
    ]
    return (*own, RuntimeError, ValueError, TypeError)


class OriginalModel:
    """The file as it was given, run by onnxruntime."""

    def __init__(self, path: Path) -> None:
        runtime = load_runtime("--data")
        settings = runtime.SessionOptions()
        settings.log_severity_level = 3
        self._faults = runtime_faults()
        try:
            self._session = runtime.InferenceSession(
                str(path), settings, providers=["CPUExecutionProvider"]
            )
        except self._faults as error:
            reason = _reason(error)
            raise CannotPrepare(f"onnxruntime cannot load the original: {reason}") from error
        self._inputs = {entry.name: entry.type for entry in self._session.get_inputs()}
        self._outputs = [entry.name for entry in self._session.get_outputs()]

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs by name; a list of maps (ZipMap) becomes an array of its values."""
        feeds = {
            name: array.astype(_DTYPES.get(self._inputs[name], array.dtype))
            for name, array in inputs.items()
            if name in self._inputs
        }
        try:
            found = self._session.run(self._outputs, feeds)
        except self._faults as error:
            raise CannotPrepare(f"onnxruntime cannot run the original: {_reason(error)}") from error
        return {name: _plain_array(value) for name, value in zip(self._outputs, found, strict=True)}


_DTYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(bool)": "bool",
}
"""onnxruntime's names of input types to NumPy's."""


def _plain_array(value: Any) -> Array:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return np.array([list(entry.values()) for entry in value])
    return np.asarray(value)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())
