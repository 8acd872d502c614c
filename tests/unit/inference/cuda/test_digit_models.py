"""The digit models give the definition's bytes, at the end and after every node."""

import ctypes
from pathlib import Path

import numpy as np
import pytest

import models_registry
from cvm.inference.backends.cuda import CudaBackend
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.engine import run_items, trace_items
from cvm.inference.model_file import parse_model
from tests.unit.inference.cuda.shim_device import ShimDevice

MODELS = Path(models_registry.__file__).parents[1] / "models"
NAMES = ["digits_float32", "digits_int8"]


def digits(count: int) -> bytes:
    return bytes(np.load(MODELS / "digits_100_images.npy")[:count].tobytes())


@pytest.mark.parametrize("name", NAMES)
def test_one_hundred_digits_equal_the_definition(shim: ctypes.CDLL, name: str) -> None:
    model = parse_model((MODELS / f"{name}.onnx").read_bytes())
    plan = CudaBackend(ShimDevice(shim)).plan(model.graph)
    expected = run_items(ReferenceBackend().plan(model.graph), model, digits(100))
    assert run_items(plan, model, digits(100)) == expected


@pytest.mark.parametrize("name", NAMES)
def test_the_trace_equals_the_definition(shim: ctypes.CDLL, name: str) -> None:
    model = parse_model((MODELS / f"{name}.onnx").read_bytes())
    plan = CudaBackend(ShimDevice(shim)).plan(model.graph)
    expected = trace_items(ReferenceBackend().plan(model.graph), model, digits(3))
    assert trace_items(plan, model, digits(3)) == expected
