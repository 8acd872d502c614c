"""The table of real models in the engine's README is that of the models which are listed."""

import pytest

from cvm.inference.backends.cpu import CpuBackend
from cvm.inference.engine import output_sha256, run_items
from tests.real_models import BEGIN, END, README, prepared, real_models, table_text

LISTED = real_models()


def shown_rows() -> dict[str, list[str]]:
    """Return the cells of each row by the model's name."""
    section = README.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    assert lines[:2] == table_text([]).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    return {row[0]: row for row in cells}


def test_the_table_shows_every_listed_model() -> None:
    assert list(shown_rows()) == [real.name for real in LISTED]


def test_every_model_of_the_table_agrees_with_onnxruntime_on_the_winner() -> None:
    assert [name for name, row in shown_rows().items() if row[6] != "yes"] == []


@pytest.mark.parametrize("name", ["digits_float32", "digits_int8"])
def test_the_table_shows_the_hash_of_today(name: str) -> None:
    real = next(real for real in LISTED if real.name == name)
    model, data = prepared(real)
    output = run_items(CpuBackend().plan(model.graph), model, data)
    assert shown_rows()[name][-1] == output_sha256(output)[:16]
