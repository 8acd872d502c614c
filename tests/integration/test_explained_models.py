"""`--explain` of scikit-learn models that skl2onnx exports, against scikit-learn's own answers."""

from typing import Any

import numpy as np
import pytest

from cvm.inference.backends.table import backend_named
from cvm.inference.engine import run_items
from cvm.inference.model_file import parse_model
from cvm.inference.tensor_bytes import encode_tensors
from cvm.inference.tensor_type import Array
from models_registry.cli.prepare import Options, PreparedModel, parse_explain, prepare_model
from tests.real_inputs import digit_data
from tests.real_models import outputs_of

pytestmark = pytest.mark.filterwarnings("ignore")
WHY = "make test-models installs it"
ensemble = pytest.importorskip("sklearn.ensemble", reason=WHY)
linear_model = pytest.importorskip("sklearn.linear_model", reason=WHY)
pipeline = pytest.importorskip("sklearn.pipeline", reason=WHY)
preprocessing = pytest.importorskip("sklearn.preprocessing", reason=WHY)
tree = pytest.importorskip("sklearn.tree", reason=WHY)
skl2onnx = pytest.importorskip("skl2onnx", reason=WHY)

TRAINING, ITEMS = 300, 20


def explained(
    model: Any, kind: str, *, targets: Array | None = None
) -> tuple[PreparedModel, Array]:
    """Return a trained model's prepared file, and its last output for the items, as one batch."""
    images, labels = digit_data()
    images = images.astype(np.float32)
    model.fit(images[:TRAINING], labels[:TRAINING] if targets is None else targets)
    options = {id(model): {"zipmap": False}} if hasattr(model, "classes_") else {}
    opsets = {"": 18, "ai.onnx.ml": 3}
    file = skl2onnx.to_onnx(model, images[:1], options=options, target_opset=opsets)
    wanted = Options(explain=(parse_explain(kind),))
    prepared = prepare_model(bytes(file.SerializeToString()), wanted)
    checked = parse_model(prepared.data)
    data = encode_tensors([items()])
    found = {
        name: run_items(backend_named(name).plan(checked.graph), checked, data)
        for name in ("reference", "cpu")
    }
    assert found["reference"] == found["cpu"]
    size = checked.output_bytes
    parts = [found["cpu"][place : place + size] for place in range(0, ITEMS * size, size)]
    return prepared, np.concatenate([outputs_of(checked, part)[-1] for part in parts])


def items() -> Array:
    return np.asarray(digit_data()[0][-ITEMS:].astype(np.float32))


FORESTS = [
    pytest.param(lambda: tree.DecisionTreeClassifier(random_state=0), id="tree"),
    pytest.param(lambda: ensemble.RandomForestClassifier(12, random_state=0), id="forest"),
    pytest.param(lambda: ensemble.ExtraTreesRegressor(7, random_state=0), id="extra trees"),
    pytest.param(lambda: ensemble.RandomForestRegressor(9, random_state=0), id="regressor"),
    pytest.param(
        lambda: ensemble.GradientBoostingClassifier(n_estimators=4, random_state=0), id="boosting"
    ),
]


@pytest.mark.parametrize("make", FORESTS)
def test_the_leaves_are_those_that_apply_gives(make: Any) -> None:
    model = make()
    _, found = explained(model, "leaves")
    wanted = model.apply(items()).reshape(ITEMS, -1)
    assert found.tolist() == wanted.astype(np.int64).tolist()


@pytest.mark.parametrize("make", FORESTS[:4])
def test_the_path_is_the_decision_path(make: Any) -> None:
    model = make()
    _, found = explained(model, "path")
    trees = getattr(model, "estimators_", [model])
    for number, one in enumerate(trees):
        visited = one.decision_path(items())
        for row in range(ITEMS):
            steps = [node for node in found[row, number].tolist() if node >= 0]
            assert sorted(steps) == visited[row].indices.tolist()
            assert steps[-1] == one.apply(items())[row]


SCORES = [
    pytest.param(FORESTS[0].values[0], "predict_proba", id="tree"),
    pytest.param(FORESTS[1].values[0], "predict_proba", id="forest"),
    pytest.param(FORESTS[2].values[0], "predict", id="extra trees"),
    pytest.param(FORESTS[3].values[0], "predict", id="regressor"),
    pytest.param(FORESTS[4].values[0], "decision_function", id="boosting"),
    pytest.param(
        lambda: linear_model.LogisticRegression(max_iter=5_000), "decision_function", id="logistic"
    ),
    pytest.param(lambda: linear_model.Ridge(), "predict", id="ridge"),
    pytest.param(
        lambda: pipeline.make_pipeline(
            preprocessing.StandardScaler(), linear_model.LogisticRegression(max_iter=5_000)
        ),
        "decision_function",
        id="scaled logistic",
    ),
]


@pytest.mark.parametrize(("make", "method"), SCORES)
def test_the_contributions_sum_to_what_the_model_says(make: Any, method: str) -> None:
    model = make()
    prepared, found = explained(model, "contributions")
    totals = found.sum(axis=2) * np.array(prepared.explanations[0].units)
    wanted = np.asarray(getattr(model, method)(items())).reshape(ITEMS, -1)
    np.testing.assert_allclose(totals, wanted, rtol=1e-5, atol=1e-4)
    assert np.abs(wanted).max() > 0.5


def test_two_classes_are_explained_by_the_margin_of_the_second() -> None:
    model = ensemble.GradientBoostingClassifier(n_estimators=5, random_state=0)
    second = (digit_data()[1][:TRAINING] > 4).astype(np.int64)
    prepared, found = explained(model, "contributions", targets=second)
    assert "the score of label 1, before LOGISTIC" in prepared.explanations[0].meaning
    totals = found.sum(axis=2)[:, 0] * prepared.explanations[0].units[0]
    np.testing.assert_allclose(totals, model.decision_function(items()), rtol=1e-5, atol=1e-5)


def test_weights_times_pixels_are_a_linear_model_s_contributions() -> None:
    model = linear_model.Ridge()
    prepared, found = explained(model, "contributions")
    parts = found[:, 0, :-1] * prepared.explanations[0].units[0]
    np.testing.assert_allclose(parts, items() * model.coef_, rtol=1e-5, atol=1e-5)
