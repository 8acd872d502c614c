"""Single nodes that `prepare` takes or leaves, found by ONNX's own node tests."""

import numpy as np
import pytest
from onnx import helper

from models_registry.cli.prepare import CannotPrepare
from tests.unit.models_registry.prepared import operators, ordinary, prepare, ramp

X = {"x": ramp(2, 3)}


def test_a_dropout_of_training_is_refused_and_not_removed() -> None:
    weights = {"ratio": np.array(0.5, np.float32), "training": np.array(True)}
    model = ordinary(
        [helper.make_node("Dropout", ["x", "ratio", "training"], ["y"])], X, ["y"], weights
    )
    with pytest.raises(CannotPrepare, match="training_mode must be false"):
        prepare(model)


def test_a_file_of_ml_operators_alone_need_not_import_the_default_ones() -> None:
    nodes = [helper.make_node("Binarizer", ["x"], ["y"], threshold=2.0, domain="ai.onnx.ml")]
    model = ordinary(nodes, X, ["y"], ml_opset=3)
    del model.opset_import[0]
    assert operators(prepare(model)) == ["Binarizer"]
