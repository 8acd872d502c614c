"""scikit-learn models, exported by skl2onnx, give what scikit-learn and two runtimes give.

The files and the rows come from `tests/data/ml/make_models.py`.
"""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator

from cvm.inference.backends.cpu import CpuBackend
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.graph import Graph
from cvm.inference.model_file import parse_model
from cvm.inference.tensor_bytes import encode_tensor
from cvm.inference.tensor_type import Array
from tests.unit.inference.cpu.levels import LEVELS

FOLDER = Path(__file__).parents[2] / "data" / "ml"
NAMES = sorted(path.stem for path in FOLDER.glob("*.onnx"))
ROWS = np.load(FOLDER / "rows.npz")
TOLERANCE = 2e-5
OTHER_COUPLING = {"svc_probability_iris"}
"""onnx.reference couples probabilities of pairs in another way than libsvm and onnxruntime."""


def file_of(name: str) -> bytes:
    return (FOLDER / f"{name}.onnx").read_bytes()


def graph_of(name: str) -> Graph:
    return parse_model(file_of(name)).graph


def rows_of(name: str) -> list[Array]:
    return [row.reshape(1, -1) for row in ROWS[f"{name}_rows"]]


def assert_close(found: Array, expected: Array) -> None:
    """Compare labels exactly and scores within a tolerance."""
    if found.dtype == np.int64:
        assert found.tolist() == expected.tolist()
    else:
        np.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE)


def test_every_model_is_small() -> None:
    assert len(NAMES) >= 22
    assert max(len(file_of(name)) for name in NAMES) < 100_000


@pytest.mark.parametrize("name", NAMES)
def test_predictions_are_those_of_scikit_learn(name: str) -> None:
    plan = CpuBackend(LEVELS[0]).plan(graph_of(name))
    predicted = ROWS[f"{name}_predicted"].reshape(-1)
    for row, expected in zip(rows_of(name), predicted, strict=True):
        (found,) = plan.run((row,))[0].reshape(-1)
        assert_close(np.asarray(found), np.asarray(expected))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", NAMES)
def test_every_level_has_the_bits_of_the_definition(name: str, level: str) -> None:
    graph = graph_of(name)
    reference, plan = ReferenceBackend().plan(graph), CpuBackend(level).plan(graph)
    rows = rows_of(name)[:6]
    hostile = np.full_like(rows[0], np.nan)
    for row in (*rows, hostile, -rows[0] * np.float32(1e30)):
        expected = [encode_tensor(output) for output in reference.run((row,))]
        assert [encode_tensor(output) for output in plan.run((row,))] == expected


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_near_those_of_two_runtimes(name: str) -> None:
    data = file_of(name)
    plan = CpuBackend(LEVELS[0]).plan(parse_model(data).graph)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    runtimes = [session.run]
    if name not in OTHER_COUPLING:
        runtimes.append(ReferenceEvaluator(data).run)
    (given,) = [entry.name for entry in session.get_inputs()]
    for row in rows_of(name)[:8]:
        outputs = plan.run((row,))
        for run in runtimes:
            for found, expected in zip(outputs, run(None, {given: row}), strict=True):
                assert_close(found, np.asarray(expected))
