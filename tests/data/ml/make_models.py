"""Train small scikit-learn models on its own data sets and write them as ONNX files.

    python make_models.py     (scikit-learn 1.9.1, skl2onnx 1.20, protobuf 6.31.1)

Each file is what skl2onnx exports, with a batch of one row and the opset imports that it uses;
`rows.npz` holds, by file name, rows of the data set and what scikit-learn predicts for them.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import helper
from skl2onnx import to_onnx
from sklearn import datasets, ensemble, linear_model, neural_network, pipeline, preprocessing, svm
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

FOLDER = Path(__file__).parent
ROWS = 24

MODELS = {
    "decision_tree_iris": (DecisionTreeClassifier(random_state=0), "iris"),
    "decision_tree_regressor": (DecisionTreeRegressor(max_depth=6, random_state=0), "diabetes"),
    "random_forest_digits": (
        ensemble.RandomForestClassifier(12, max_depth=5, random_state=0),
        "digits",
    ),
    "random_forest_cancer": (
        ensemble.RandomForestClassifier(20, max_depth=5, random_state=0),
        "breast_cancer",
    ),
    "random_forest_regressor": (
        ensemble.RandomForestRegressor(10, max_depth=5, random_state=0),
        "diabetes",
    ),
    "extra_trees_iris": (ensemble.ExtraTreesClassifier(15, max_depth=6, random_state=0), "iris"),
    "gradient_boosting_cancer": (
        ensemble.GradientBoostingClassifier(n_estimators=20, random_state=0),
        "breast_cancer",
    ),
    "gradient_boosting_iris": (
        ensemble.GradientBoostingClassifier(n_estimators=10, random_state=0),
        "iris",
    ),
    "hist_gradient_boosting_cancer": (
        ensemble.HistGradientBoostingClassifier(max_iter=15, max_depth=4, random_state=0),
        "breast_cancer",
    ),
    "hist_gradient_boosting_regressor": (
        ensemble.HistGradientBoostingRegressor(max_iter=15, max_depth=4, random_state=0),
        "diabetes",
    ),
    "logistic_iris": (linear_model.LogisticRegression(max_iter=2000), "iris"),
    "logistic_cancer": (linear_model.LogisticRegression(max_iter=10000), "breast_cancer"),
    "linear_regression": (linear_model.LinearRegression(), "diabetes"),
    "linear_svc_iris": (svm.LinearSVC(random_state=0), "iris"),
    "linear_svc_cancer": (svm.LinearSVC(random_state=0, C=1e-4), "breast_cancer"),
    "svc_iris": (svm.SVC(), "iris"),
    "svc_poly_iris": (svm.SVC(kernel="poly", degree=3), "iris"),
    "svc_cancer": (
        pipeline.make_pipeline(preprocessing.StandardScaler(), svm.SVC()),
        "breast_cancer",
    ),
    "svc_probability_iris": (svm.SVC(probability=True, random_state=0), "iris"),
    "svr": (svm.SVR(), "diabetes"),
    "mlp_digits": (
        pipeline.make_pipeline(
            preprocessing.StandardScaler(),
            neural_network.MLPClassifier((24,), max_iter=60, random_state=0),
        ),
        "digits",
    ),
    "normalized_logistic_iris": (
        pipeline.make_pipeline(
            preprocessing.Normalizer("l2"), linear_model.LogisticRegression(max_iter=500)
        ),
        "iris",
    ),
}


def exported(model: object, rows: np.ndarray) -> onnx.ModelProto:
    """Return what skl2onnx makes of a trained model, for one row."""
    imports = {"": 21, "ai.onnx.ml": 3}
    last = model[-1] if isinstance(model, pipeline.Pipeline) else model
    has_scores = hasattr(last, "predict_proba") or isinstance(last, svm.SVC)
    options = {id(last): {"zipmap": False}} if has_scores else None
    file: onnx.ModelProto = to_onnx(model, rows[:1], options=options, target_opset=imports)
    for value in [*file.graph.input, *file.graph.output]:
        dims = value.type.tensor_type.shape.dim
        if dims:
            dims[0].Clear()
            dims[0].dim_value = 1
    del file.opset_import[:]
    domains = sorted({node.domain for node in file.graph.node} | {""})
    file.opset_import.extend(helper.make_opsetid(domain, imports[domain]) for domain in domains)
    return file


def main() -> None:
    """Write every file and `rows.npz`."""
    kept: dict[str, np.ndarray] = {}
    for name, (model, data) in MODELS.items():
        features, target = getattr(datasets, f"load_{data}")(return_X_y=True)
        rows = features.astype(np.float32)
        model.fit(rows, target)
        file = exported(model, rows)
        (FOLDER / f"{name}.onnx").write_bytes(file.SerializeToString(deterministic=True))
        chosen = rows[:: len(rows) // ROWS][:ROWS]
        kept[f"{name}_rows"] = chosen
        kept[f"{name}_predicted"] = model.predict(chosen)
    np.savez_compressed(FOLDER / "rows.npz", **kept)  # type: ignore[arg-type]  # any name


if __name__ == "__main__":
    main()
