"""Golden vectors of ai.onnx.ml: trees, linear models and what prepares their rows."""

import math
from collections.abc import Mapping, Sequence

from tests.oracle import float32, ml_models
from tests.oracle.case import case
from tests.oracle.ml_models import Branch, Leaf, Tree, floats
from tests.oracle.operators import dot
from tests.oracle.tensors import Json, Tensor, f32, ints

NAN = "7fc00000"
BIG = 2.0**24
TENTH = float32.from_bits("3dcccccd")
THIRD = float32.from_bits("3eaaaaab")


def ml_case(
    name: str,
    op: str,
    inputs: Sequence[Tensor],
    outputs: Tensor | Sequence[Tensor],
    attributes: Mapping[str, object] | None = None,
) -> Json:
    """Return a vector of an operator of ai.onnx.ml."""
    return {**case(name, op, inputs, outputs, attributes), "domain": "ai.onnx.ml"}


def rows_of(x: Tensor) -> list[list[float]]:
    """Return the rows of a matrix, or the one row of a vector."""
    width = x.shape[-1]
    return [[float(v) for v in x.data[i : i + width]] for i in range(0, len(x.data), width)]


def matrix(rows: list[list[float]]) -> Tensor:
    """Return a float32 matrix."""
    return Tensor("float32", (len(rows), len(rows[0])), [v for row in rows for v in row])


def best(labels: Sequence[int], scores: list[list[float]]) -> Tensor:
    """Return the label of the largest score of each row, the first of equals."""
    return ints("int64", (len(scores),), *(labels[row.index(max(row))] for row in scores))


def stump(weights: Leaf, others: Leaf, feature: int = 0, value: float = 0.0) -> Branch:
    """Return one branch: x <= value gives `weights`."""
    return Branch("BRANCH_LEQ", feature, value, weights, others)


FOREST: dict[int, Tree] = {
    7: Branch(
        "BRANCH_LEQ",
        0,
        0.5,
        stump(Leaf(((0, TENTH), (2, 1.5))), Leaf(((1, -0.25),)), 1, -1.0),
        Leaf(((2, THIRD), (2, TENTH))),
    ),
    2: stump(Leaf(((0, BIG), (1, BIG))), Leaf(((1, 0.75),)), 1),
    3: stump(Leaf(((0, 1.0), (1, 1.0))), Leaf(((2, -2.0),)), 1),
    11: Leaf(((0, -BIG), (1, -1.0))),
}
"""Ids out of order, three classes, sums that depend on the order, a tree that is a leaf."""

POINTS = f32((5, 2), 0.5, -1.0, 0.75, 0.25, NAN, -1.0, "7f800000", NAN, "80000000", 0.0)

MODES: dict[int, Tree] = {
    index: Branch(mode, 0, 1.5, Leaf(((index % 2, 2.0**index),)), Leaf(()), index % 2 == 1)
    for index, mode in enumerate(ml_models.COMPARE)
}
"""One tree for each mode; every other sends NaN to its true child."""

AROUND = f32((6, 1), 1.5, 1.0, 2.0, NAN, "ff800000", "3fc00001")


def tree_ensemble_classifier_cases() -> list[Json]:
    """Return TreeEnsembleClassifier: order, modes, NaN, ties, transforms, binary ensembles."""
    op, labels = "TreeEnsembleClassifier", [30, -5, 2**40]
    forest = ml_models.tree_attributes(FOREST, "class")
    base = [0.25, TENTH, -0.5]
    sums = [ml_models.tree_sums(FOREST, row, base) for row in rows_of(POINTS)]
    plain = [ml_models.tree_sums(FOREST, row, [0.0] * 3) for row in rows_of(POINTS)]
    cases = []
    for name, result in (
        ("NONE", sums),
        ("SOFTMAX", [ml_models.softmax(row) for row in sums]),
        ("LOGISTIC", [ml_models.logistic(row) for row in sums]),
    ):
        attributes = {
            **forest,
            "base_values": floats(*base),
            "classlabels_int64s": labels,
            "post_transform": name,
        }
        outputs = [best(labels, sums), matrix(result)]
        cases.append(ml_case(f"three classes, {name}", op, [POINTS], outputs, attributes))
    zeros = [best(labels, plain), matrix([ml_models.softmax_zero(row) for row in plain])]
    attributes = {**forest, "classlabels_int64s": labels, "post_transform": "SOFTMAX_ZERO"}
    cases.append(ml_case("no base, SOFTMAX_ZERO", op, [POINTS], zeros, attributes))
    by_mode = [ml_models.tree_sums(MODES, row, [0.0] * 2) for row in rows_of(AROUND)]
    attributes = {**ml_models.tree_attributes(MODES, "class"), "classlabels_int64s": [1, 2]}
    outputs = [best([1, 2], by_mode), matrix(by_mode)]
    cases.append(ml_case("every mode, NaN and ties", op, [AROUND], outputs, attributes))
    return cases + _binary_cases()


def _binary_cases() -> list[Json]:
    op, x = "TreeEnsembleClassifier", ints("int64", (3, 1), -(2**24) - 1, 0, 2**24 + 1)
    cases = []
    for name, low, base, threshold in (
        ("probability, a half is the first", 0.25, [0.25], 0.5),
        ("margin, zero is the first", -0.25, [0.25], 0.0),
    ):
        trees: dict[int, Tree] = {0: stump(Leaf(((0, low),)), Leaf(((0, 0.5),)))}
        sums = [ml_models.tree_sums(trees, row, base)[0] for row in rows_of(x)]
        other = [float32.subtract(1.0 if threshold else -0.0, s) for s in sums]
        pairs = [[a, b] for a, b in zip(other, sums, strict=True)]
        attributes = {
            **ml_models.tree_attributes(trees, "class"),
            "base_values": floats(*base),
            "classlabels_int64s": [8, 9],
        }
        chosen = ints("int64", (3,), *(9 if s > threshold else 8 for s in sums))
        cases.append(ml_case(name, op, [x], [chosen, matrix(pairs)], attributes))
        attributes["post_transform"] = "LOGISTIC"
        chosen = ints("int64", (3,), *(9 if s > 0 else 8 for s in sums))
        result = [ml_models.logistic([-s, s]) for s in sums]
        cases.append(ml_case(f"{name}, LOGISTIC", op, [x], [chosen, matrix(result)], attributes))
    return cases


def tree_ensemble_regressor_cases() -> list[Json]:
    """Return TreeEnsembleRegressor: every fold, targets without weights, transforms."""
    op, base = "TreeEnsembleRegressor", [THIRD, 0.0, -1.0]
    given = {**ml_models.tree_attributes(FOREST, "target"), "n_targets": 3}
    with_base = {**given, "base_values": floats(*base)}
    rows = rows_of(POINTS)
    sums = [ml_models.tree_sums(FOREST, row, base) for row in rows]
    cases = [ml_case("SUM", op, [POINTS], matrix(sums), {**with_base, "aggregate_function": "SUM"})]
    means = [ml_models.tree_sums(FOREST, row, [0.0] * 3) for row in rows]
    means = [
        [float32.add(float32.divide(s, 4.0), b) for s, b in zip(row, base, strict=True)]
        for row in means
    ]
    attributes = {**with_base, "aggregate_function": "AVERAGE"}
    cases.append(ml_case("AVERAGE", op, [POINTS], matrix(means), attributes))
    for name, choose in (("MIN", min), ("MAX", max)):
        result = []
        for row in rows:
            pairs = ml_models.collected(FOREST, row)
            held = [[w for column, w in pairs if column == target] for target in range(3)]
            result.append(
                [float32.add(choose(h) if h else 0.0, b) for h, b in zip(held, base, strict=True)]
            )
        attributes = {**with_base, "aggregate_function": name}
        cases.append(ml_case(name, op, [POINTS], matrix(result), attributes))
    soft = [ml_models.softmax(ml_models.tree_sums(FOREST, row, [0.0] * 3)) for row in rows]
    attributes = {**given, "post_transform": "SOFTMAX"}
    cases.append(ml_case("SOFTMAX of targets", op, [POINTS], matrix(soft), attributes))
    one = f32((2,), 0.5, -1.0)
    alone = [ml_models.tree_sums(FOREST, rows_of(one)[0], [0.0] * 3)]
    cases.append(ml_case("one row of rank 1", op, [one], matrix(alone), given))
    return cases


COEFFICIENTS = [[TENTH, -1.5, THIRD], [2.0**-130, 0.75, -TENTH], [1.0, 1.0, 0.0]]
INTERCEPTS = [0.5, -THIRD, 0.0]
FEATURES = f32((4, 3), 1.0, THIRD, -2.5, 0.0, 0.0, 0.0, 3.0, -7.0, TENTH, BIG, -1.0, 2.0)


def _linear_attributes(count: int, intercepts: bool = True) -> dict[str, object]:
    given: dict[str, object] = {
        "coefficients": floats(*(v for row in COEFFICIENTS[:count] for v in row))
    }
    if intercepts:
        given["intercepts"] = floats(*INTERCEPTS[:count])
    return given


def linear_classifier_cases() -> list[Json]:
    """Return LinearClassifier: every transform, ties, one score for two labels."""
    op, labels = "LinearClassifier", [4, -4, 0]
    sums = [ml_models.linear(row, COEFFICIENTS, INTERCEPTS) for row in rows_of(FEATURES)]
    cases = []
    for name, function in (
        ("NONE", list),
        ("LOGISTIC", ml_models.logistic),
        ("SOFTMAX", ml_models.softmax),
        ("SOFTMAX_ZERO", ml_models.softmax_zero),
    ):
        attributes = {
            **_linear_attributes(3),
            "classlabels_ints": labels,
            "multi_class": 1,
            "post_transform": name,
        }
        outputs = [best(labels, sums), matrix([function(row) for row in sums])]
        cases.append(ml_case(name, op, [FEATURES], outputs, attributes))
    single = [
        ml_models.linear(row, COEFFICIENTS[:1], INTERCEPTS[:1])[0] for row in rows_of(FEATURES)
    ]
    chosen = ints("int64", (4,), *(6 if s > 0 else 5 for s in single))
    attributes = {
        **_linear_attributes(1),
        "classlabels_ints": [5, 6],
        "post_transform": "LOGISTIC",
    }
    outputs = [chosen, matrix([ml_models.logistic([-s, s]) for s in single])]
    cases.append(ml_case("one score for two labels", op, [FEATURES], outputs, attributes))
    return cases


def linear_regressor_cases() -> list[Json]:
    """Return LinearRegressor: with and without intercepts, integers, transforms."""
    op = "LinearRegressor"
    rows = rows_of(FEATURES)
    with_bias = [ml_models.linear(row, COEFFICIENTS, INTERCEPTS) for row in rows]
    without = [ml_models.linear(row, COEFFICIENTS[:1], []) for row in rows]
    integers = ints("int32", (2, 3), 2**24 + 1, -3, 5, 0, 1, -(2**31))
    rounded = [[float32.from_int(int(v)) for v in row] for row in rows_of(integers)]
    hostile = f32((1, 3), "7f800000", 1.0, 1.0)
    targets = {**_linear_attributes(3), "targets": 3}
    logistic = matrix([ml_models.logistic(row) for row in with_bias])
    return [
        ml_case("three targets", op, [FEATURES], matrix(with_bias), targets),
        ml_case("no intercepts", op, [FEATURES], matrix(without), _linear_attributes(1, False)),
        ml_case(
            "integers are rounded first",
            op,
            [integers],
            matrix([ml_models.linear(row, COEFFICIENTS, INTERCEPTS) for row in rounded]),
            targets,
        ),
        ml_case(
            "infinity",
            op,
            [hostile],
            matrix([ml_models.linear(rows_of(hostile)[0], COEFFICIENTS, INTERCEPTS)]),
            targets,
        ),
        ml_case("LOGISTIC", op, [FEATURES], logistic, {**targets, "post_transform": "LOGISTIC"}),
    ]


VECTORS = [[0.0, 0.0, 0.0], [1.0, THIRD, -2.5], [TENTH, -1.0, 1.0], [-0.5, 0.25, 0.75]]
KERNELS = (
    ("LINEAR", (0.0, 0.0, 0.0)),
    ("POLY", (0.5, TENTH, 3.0)),
    ("RBF", (0.5, 0.0, 3.0)),
    ("SIGMOID", (0.25, -TENTH, 0.0)),
)
NEAR = f32((3, 3), 1.0, THIRD, -2.5, -0.25, 0.5, 1.5, NAN, 0.0, 0.0)


def _machine(kind: str, parameters: Sequence[float]) -> dict[str, object]:
    return {
        "support_vectors": floats(*(v for vector in VECTORS for v in vector)),
        "kernel_type": kind,
        "kernel_params": floats(*parameters),
    }


def _kernels(kind: str, parameters: Sequence[float], row: list[float]) -> list[float]:
    if any(map(math.isnan, row)):
        return [math.nan] * len(VECTORS)
    return [ml_models.svm_kernel(kind, parameters, row, vector) for vector in VECTORS]


def svm_regressor_cases() -> list[Json]:
    """Return SVMRegressor: every kernel, one class, no support vectors, NaN."""
    op, coefficients, rho = "SVMRegressor", [0.5, -THIRD, 1.25, TENTH], 0.75
    cases = []
    for kind, parameters in KERNELS:
        attributes = {
            **_machine(kind, parameters),
            "coefficients": floats(*coefficients),
            "n_supports": 4,
            "rho": floats(rho),
        }
        values = [
            ml_models.linear(_kernels(kind, parameters, row), [coefficients], [rho])
            for row in rows_of(NEAR)
        ]
        cases.append(ml_case(kind, op, [NEAR], matrix(values), attributes))
        if kind == "RBF":
            sides = [[1.0 if value > 0 else -1.0] for (value,) in values]
            attributes["one_class"] = 1
            cases.append(ml_case("one class", op, [NEAR], matrix(sides), attributes))
    line = [ml_models.linear(row, [COEFFICIENTS[0]], [rho]) for row in rows_of(FEATURES)]
    attributes = {"coefficients": floats(*COEFFICIENTS[0]), "rho": floats(rho)}
    cases.append(ml_case("no support vectors", op, [FEATURES], matrix(line), attributes))
    return cases


def svm_classifier_cases() -> list[Json]:
    """Return SVMClassifier: votes of pairs, probabilities, two classes, transforms."""
    op = "SVMClassifier"
    three = ([1, 2, 1], [[0.5, -1.0, TENTH, 0.75], [THIRD, 0.25, -1.5, 2.0]], [TENTH, -0.25, 0.5])
    two = ([3, 1], [[0.5, -1.0, TENTH, 0.75]], [0.125])
    a, b = [-1.5, -2.0, -0.5], [TENTH, 0.0, -0.25]
    cases = []
    for kind, parameters in KERNELS[1:]:
        cases.append(_svm_case(kind, kind, parameters, three, None, "NONE"))
    rbf = KERNELS[2]
    cases.append(_svm_case("probabilities", *rbf, three, (a, b), "NONE"))
    cases.append(_svm_case("probabilities, SOFTMAX", *rbf, three, (a, b), "SOFTMAX"))
    cases.append(_svm_case("two classes", *KERNELS[0], two, None, "NONE"))
    cases.append(_svm_case("two classes, LOGISTIC", *rbf, two, None, "LOGISTIC"))
    cases.append(_svm_case("two classes, probabilities", *rbf, two, (a[:1], b[:1]), "NONE"))
    assert {entry["op"] for entry in cases} == {op}
    return cases


Classes = tuple[list[int], list[list[float]], list[float]]


def _svm_case(
    name: str,
    kind: str,
    parameters: Sequence[float],
    classes: Classes,
    chances: tuple[list[float], list[float]] | None,
    transform: str,
) -> Json:
    counts, coefficients, rho = classes
    x = f32((2, 3), *NEAR.data[:6])
    labels = [10, 20, 30][: len(counts)]
    attributes = {
        **_machine(kind, parameters),
        "classlabels_ints": labels,
        "coefficients": floats(*(v for row in coefficients for v in row)),
        "post_transform": transform,
        "rho": floats(*rho),
        "vectors_per_class": counts,
    }
    if chances:
        attributes.update(prob_a=floats(*chances[0]), prob_b=floats(*chances[1]))
    chosen, scores = [], []
    for row in rows_of(x):
        pairs = _pair_sums(_kernels(kind, parameters, row), classes)
        votes = [0] * len(counts)
        for (i, j), s in pairs.items():
            votes[i if s > 0 else j] += 1
        chosen.append(labels[votes.index(max(votes))])
        scores.append(_svm_scores(pairs, len(counts), chances, transform))
    outputs = [ints("int64", (2,), *chosen), matrix(scores)]
    return ml_case(name, "SVMClassifier", [x], outputs, attributes)


def _pair_sums(values: list[float], classes: Classes) -> dict[tuple[int, int], float]:
    counts, coefficients, rho = classes
    starts = [sum(counts[:i]) for i in range(len(counts) + 1)]
    sums: dict[tuple[int, int], float] = {}
    for i in range(len(counts)):
        for j in range(i + 1, len(counts)):
            of_i = [(coefficients[j - 1][v], values[v]) for v in range(starts[i], starts[i + 1])]
            of_j = [(coefficients[i][v], values[v]) for v in range(starts[j], starts[j + 1])]
            sums[i, j] = float32.add(dot(of_i + of_j), rho[len(sums)])
    return sums


def _svm_scores(
    pairs: dict[tuple[int, int], float],
    count: int,
    chances: tuple[list[float], list[float]] | None,
    transform: str,
) -> list[float]:
    scores = list(pairs.values())
    if chances:
        bounded = {}
        for index, (pair, s) in enumerate(pairs.items()):
            t = float32.add(float32.multiply(s, chances[0][index]), chances[1][index])
            bounded[pair] = ml_models.logistic([-t])[0]
        scores = ml_models.coupled(bounded, count)
    elif count == 2:
        scores = [-scores[0], scores[0]]
    if transform == "NONE":
        return scores
    return (ml_models.softmax if transform == "SOFTMAX" else ml_models.logistic)(scores)
