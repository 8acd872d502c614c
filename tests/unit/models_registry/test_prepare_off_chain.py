"""A model that is too large for a chain is prepared for one's own machine, if that is asked for."""

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from onnx import helper
from typer.testing import CliRunner, Result

from cvm.inference.limits import OFF_CHAIN_LIMITS
from cvm.inference.model_file import parse_model
from node.cli.model import add_commands
from tests.unit.inference.onnx_models import encoded, model_of, value

APP = typer.Typer()
add_commands(APP)
DEPTH, COLUMNS = 2**8, 2**18 + 1
"""A weight of 2**26 + 2**8 elements, which the file holds as one number and a shape."""


@pytest.fixture
def large(tmp_path: Path) -> Path:
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["w"]),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    shape = {"shape": np.array([DEPTH, COLUMNS], np.int64)}
    path = tmp_path / "large.onnx"
    made = model_of(nodes, [value("x", (1, DEPTH))], [value("y", (1, COLUMNS))], shape)
    path.write_bytes(encoded(made))
    return path


def prepare(model: Path, *options: str) -> Result:
    strict = model.with_name("strict.onnx")
    return CliRunner().invoke(APP, ["model", "prepare", str(model), "-o", str(strict), *options])


def test_the_refusal_names_the_limit_and_the_option(large: Path) -> None:
    result = prepare(large)
    assert result.exit_code == 2
    assert "67109120 elements, limit 67108864; no chain takes it, --off-chain" in result.stderr
    assert not large.with_name("strict.onnx").exists()


def test_off_chain_writes_the_file_and_says_why_no_chain_takes_it(large: Path) -> None:
    result = prepare(large, "--off-chain")
    assert result.exit_code == 0, result.stderr
    assert "off chain   a chain refuses this file: elements: " in result.stdout
    data = large.with_name("strict.onnx").read_bytes()
    assert len(data) < 1_000
    assert parse_model(data, OFF_CHAIN_LIMITS).cost.macs == DEPTH * COLUMNS


def test_json_says_why_no_chain_takes_the_file(large: Path) -> None:
    report = json.loads(prepare(large, "--off-chain", "--json").stdout)
    assert report["refusedByChains"].startswith("elements: output of ConstantOfShape node ")


def test_off_chain_says_nothing_of_a_file_that_chains_take(tmp_path: Path) -> None:
    path = tmp_path / "small.onnx"
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    path.write_bytes(encoded(model_of(nodes, [value("x", (1, 2))], [value("y", (1, 2))])))
    result = prepare(path, "--off-chain")
    assert (result.exit_code, "off chain" in result.stdout) == (0, False)
