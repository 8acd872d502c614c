"""`cvm model bind` on models that people use: the libraries compile without a warning."""

from hashlib import sha256
from typing import Any

import onnxruntime
import pytest

from cvm.inference.limits import OFF_CHAIN_LIMITS
from cvm.inference.model_file import parse_model
from models_registry.cli.bind import binding_of, library_name
from models_registry.cli.prepare import Options, prepare_model
from tests.real_models import RealModel, real_models
from tests.solidity import compile_sources
from tests.unit.models_registry.bound_models import used_source

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
AVAILABLE = [real for real in real_models() if not real.missing() and real.calibration is None]


def source_of(real: RealModel) -> str:
    data = real.load()
    options: Any = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    shapes = {session.get_inputs()[0].name: tuple(real.item().shape)}
    strict = prepare_model(data, Options(shapes=shapes)).data
    model = parse_model(strict, OFF_CHAIN_LIMITS)
    identity = sha256(strict).digest()  # a chain gives none to a model that is too large for it
    binding = binding_of(identity, model.graph.inputs, model.graph.outputs, model.batchable)
    return used_source(binding, library_name(real.name))


@pytest.mark.parametrize("real", AVAILABLE, ids=lambda real: real.name)
def test_a_real_model_has_a_library(real: RealModel) -> None:
    compiled = compile_sources({"Real.sol": source_of(real)})
    assert compiled.diagnostics == ()
    assert f"{library_name(real.name)}User" in compiled.contracts
