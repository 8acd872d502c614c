"""`--data` and `--labels`: the prepared model beside the original."""

import json
from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from typer.testing import CliRunner, Result

from cvm.inference.tensor_type import Array
from models_registry.cli.commands import model_commands
from models_registry.cli.prepare.comparison import class_axis
from models_registry.cli.report import GasQuote, inspect_file
from models_registry.cli.rules import ModelRules
from node.cli.model import rerun
from node.cli.model import run as run_on_cpu
from tests.unit.models_registry.prepared import ordinary, ramp

ROWS: Array = np.array([[1, 5, 2], [9, 0, 1], [0, 0, 4], [3, 2, 1]], np.float32)
WINNERS = [1, 0, 2, 0]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return a file that doubles its scores."""
    doubled = ordinary([helper.make_node("Add", ["x", "x"], ["y"])], {"x": ramp(1, 3)}, ["y"])
    path = tmp_path / "model.onnx"
    path.write_bytes(doubled.SerializeToString())
    return path


def prepare(model: Path, *arguments: object, data: Array | None = ROWS) -> Result:
    rules = ModelRules(
        inspect_file,
        inspect_file,
        lambda _report, _royalty: None,
        lambda _report: GasQuote(1, 2, 3, 4),
        run_on_cpu,
        rerun,
    )
    command = ["prepare", str(model), "-o", str(model.with_name("strict.onnx"))]
    if data is not None:
        np.savez(model.with_name("data.npz"), x=data)
        command += ["--data", str(model.with_name("data.npz"))]
    return CliRunner().invoke(model_commands(rules), [*command, *map(str, arguments)])


def labels_file(model: Path, labels: list[int]) -> Path:
    path = model.with_name("labels.npy")
    np.save(path, np.array(labels))
    return path


def test_agreement_is_reported(model: Path) -> None:
    result = prepare(model)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.endswith(
        "agreement   y: same winner in 100.00%, largest difference 0, mean 0, of values up to 18 "
        "with the original, over 4 items of data\n"
    )


def test_accuracy_is_reported_with_labels(model: Path) -> None:
    result = prepare(model, "--labels", labels_file(model, [1, 0, 0, 0]))
    assert result.stdout.endswith("accuracy    75.00%, the original 75.00%\n")


@pytest.mark.parametrize(
    ("option", "accuracy"),
    [
        pytest.param("y=argmax", 0.75, id="argmax"),
        pytest.param("y=topk:1", 0.75, id="the top one"),
        pytest.param("y=topk:2", 1.0, id="one of the top two"),
        pytest.param("y=fixed32:1/4", 0.75, id="fixed32"),
    ],
)
def test_both_sides_of_an_integer_output_are_judged_alike(
    model: Path, option: str, accuracy: float
) -> None:
    labels = labels_file(model, [1, 0, 2, 1])
    result = prepare(model, "--output", option, "--labels", labels, "--json")
    assert result.exit_code == 0, result.stderr
    comparison = json.loads(result.stdout)["comparison"]
    (output,) = comparison["outputs"]
    assert (output["name"], output["same_winner"]) == ("y", 1.0)
    assert output["largest_difference"] == (0.0 if "fixed" in option else None)
    assert comparison["accuracy"] == accuracy
    assert comparison["originalAccuracy"] == accuracy


def test_integers_of_the_original_are_counted_where_they_are_equal(model: Path) -> None:
    nodes = [helper.make_node("ArgMax", ["x"], ["y"], axis=1, keepdims=0)]
    made = ordinary(nodes, {"x": ramp(1, 3)}, ["y"])
    model.write_bytes(made.SerializeToString())
    result = prepare(model)
    assert result.exit_code == 0, result.stderr
    assert (
        "agreement   y: equal in 100.00% with the original, over 4 items of data" in result.stdout
    )


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_data_may_be_what_a_contract_sends_or_what_the_original_takes(
    model: Path, dtype: str
) -> None:
    data = (ROWS * 2).astype(np.uint8) if dtype == "uint8" else ROWS
    result = prepare(model, "--input", "x=uint8:1/2", "--json", data=data)
    assert result.exit_code == 0, result.stderr
    (output,) = json.loads(result.stdout)["comparison"]["outputs"]
    assert output["largest_difference"] == 0.0
    assert output["largest_value"] == 18.0


def test_quantised_models_are_compared(model: Path, tmp_path: Path) -> None:
    weights = {"w": ramp(3, 4)}
    product = ordinary(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], {"x": ramp(1, 3)}, ["y"], weights
    )
    model.write_bytes(product.SerializeToString())
    np.savez(tmp_path / "calibration.npz", x=ROWS)
    result = prepare(model, "--quantize", tmp_path / "calibration.npz", "--json")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["cost"]["int8_macs"] == 12
    assert "quantised on 4 items" in report["steps"]
    (output,) = report["comparison"]["outputs"]
    assert output["largest_difference"] < 0.02 * output["largest_value"]


def quantised_report(model: Path, *arguments: object) -> Result:
    """Quantise one product on `ROWS` without other data."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    product = ordinary(nodes, {"x": ramp(1, 3)}, ["y"], {"w": ramp(3, 4)})
    model.write_bytes(product.SerializeToString())
    np.savez(model.with_name("calibration.npz"), x=ROWS)
    calibration = model.with_name("calibration.npz")
    return prepare(model, "--quantize", calibration, *arguments, data=None)


@pytest.mark.parametrize("option", [(), ("--input", "x=uint8:1/20")], ids=["floats", "pixels"])
def test_a_quantised_model_is_compared_with_its_float_form(
    model: Path, option: tuple[str, ...]
) -> None:
    result = quantised_report(model, "--json", *option)
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    comparison = report["comparison"]
    assert comparison["against"] == "the float32 form"
    assert (comparison["items"], comparison["source"]) == (4, "calibration")
    (output,) = comparison["outputs"]
    assert 0 < output["mean_difference"] < output["largest_difference"]
    assert output["largest_difference"] < 0.02 * output["largest_value"]
    assert report["floatForm"]["cost"]["float32_macs"] == 12


def test_the_text_of_a_quantised_model_says_what_it_came_from(model: Path) -> None:
    result = quantised_report(model)
    assert result.exit_code == 0, result.stderr
    assert "\nfrom        the float32 form, without adapters: " in result.stdout
    assert "with the float32 form, over 4 items of calibration\n" in result.stdout
    assert "comparing with the float32 form\n" in result.stderr


@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        pytest.param((1, 10), 1, id="scores"),
        pytest.param((1, 16, 100), 2, id="scores of a sequence"),
        pytest.param((1, 1000, 1, 1), 1, id="pooled scores"),
        pytest.param((1, 1), None, id="one number"),
        pytest.param((), None, id="scalar"),
        pytest.param((1, 1, 96, 320), None, id="mask"),
        pytest.param((1, 21, 32, 32), None, id="image of scores"),
    ],
)
def test_a_winner_is_looked_for_where_classes_are(shape: tuple[int, ...], axis: int | None) -> None:
    assert class_axis(shape) == axis


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        pytest.param(np.array([1, 2]), "labels have shape [2]; the data has 4 items", id="count"),
        pytest.param(np.array([0.5] * 4), "labels are a list of integers", id="dtype"),
    ],
)
def test_labels_that_do_not_fit_are_refused(model: Path, labels: Array, reason: str) -> None:
    np.save(model.with_name("labels.npy"), labels)
    result = prepare(model, "--labels", model.with_name("labels.npy"))
    assert result.exit_code == 2
    assert reason in result.stderr
    assert not model.with_name("strict.onnx").exists()


def test_labels_need_data(model: Path) -> None:
    result = prepare(model, "--labels", labels_file(model, [1]), data=None)
    assert (result.exit_code, result.stderr) == (
        2,
        "error: --labels are answers to --data: give both\n",
    )


@pytest.mark.parametrize("option", ["--data", "--quantize"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(None, "No such file or directory", id="absent"),
        pytest.param(b"PK\x03\x04 broken", "not a readable .npz archive", id="damaged"),
        pytest.param(b"text", "not a readable .npz archive", id="text"),
    ],
)
def test_an_archive_that_cannot_be_read_is_named(
    model: Path, option: str, content: bytes | None, reason: str
) -> None:
    path = model.with_name("arrays.npz")
    if content is not None:
        path.write_bytes(content)
    result = prepare(model, option, path, data=None)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {path}: {reason}")


def test_one_array_is_not_an_archive(model: Path) -> None:
    np.save(model.with_name("array.npy"), ROWS)
    result = prepare(model, "--data", model.with_name("array.npy"), data=None)
    assert result.exit_code == 2
    assert "save arrays by input name with numpy.savez" in result.stderr
