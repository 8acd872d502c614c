"""The one place that reaches onnxruntime, an optional peer: calibration and comparison only."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any

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


def original_runner(data: bytes) -> Callable[[Mapping[str, Array]], dict[str, Array]]:
    """Return a function that runs a file as it was given and names its outputs."""
    runtime = load_runtime("--data")
    settings = runtime.SessionOptions()
    settings.log_severity_level = 3
    faults = runtime_faults()
    try:
        session = runtime.InferenceSession(data, settings, providers=["CPUExecutionProvider"])
    except faults as error:
        raise CannotPrepare(f"onnxruntime cannot load the original: {_reason(error)}") from error
    names = [entry.name for entry in session.get_outputs()]

    def run(inputs: Mapping[str, Array]) -> dict[str, Array]:
        try:
            return dict(zip(names, session.run(names, dict(inputs)), strict=True))
        except faults as error:
            raise CannotPrepare(f"onnxruntime cannot run the original: {_reason(error)}") from error

    return run


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())
