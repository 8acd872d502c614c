"""Models that people use give one hash on every backend, close to what onnxruntime gives."""

import pytest

from cvm.inference.backends.cpu import CpuBackend
from cvm.inference.engine import run_items
from cvm.inference.faults import InvalidModel
from cvm.inference.model_file import parse_model
from models_registry.cli.prepare import Options, prepare_model
from tests.real_inputs import magika_item
from tests.real_models import (
    RealModel,
    hashes,
    magika_file,
    magika_labels,
    measure,
    outputs_of,
    prepared,
    real_models,
)

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
ALL = real_models()
TOO_LARGE = [real for real in ALL if real.too_large]


def require(real: RealModel) -> None:
    """Skip where the model's package is missing."""
    if missing := real.missing():
        pytest.skip(f"{real.name} needs the package {missing}: make test-models installs it")


@pytest.mark.parametrize("real", ALL, ids=lambda real: real.name)
def test_every_backend_level_and_thread_gives_the_same_bytes(real: RealModel) -> None:
    require(real)
    found = hashes(*prepared(real))
    assert len(found) >= 4
    assert set(found.values()) == {found["reference"]}, found


@pytest.mark.parametrize("real", ALL, ids=lambda real: real.name)
def test_result_is_close_to_that_of_onnxruntime(real: RealModel) -> None:
    require(real)
    row = measure(real, rounds=1)
    assert row.difference <= real.tolerance
    assert row.same_winner


@pytest.mark.parametrize("real", TOO_LARGE, ids=lambda real: real.name)
def test_a_chain_refuses_a_model_that_is_too_large_for_it(real: RealModel) -> None:
    require(real)
    file = prepare_model(real.load(), Options()).data
    with pytest.raises(InvalidModel) as fault:
        parse_model(file)
    assert fault.value.rule == real.too_large


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
