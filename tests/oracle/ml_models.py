"""The models of ai.onnx.ml once more, one row and one scalar at a time, on exact fractions."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.oracle import float32, transcendental
from tests.oracle.operators import dot

Row = list[float]


@dataclass(frozen=True)
class Branch:
    """A node that compares: (mode, feature, value, true child, false child, NaN goes true)."""

    mode: str
    feature: int
    value: float
    true: "Branch | Leaf"
    false: "Branch | Leaf"
    missing: bool = False


@dataclass(frozen=True)
class Leaf:
    """A leaf: (column, weight) in the order in which they are added."""

    weights: tuple[tuple[int, float], ...]


Tree = Branch | Leaf

COMPARE: dict[str, Callable[[float, float], bool]] = {
    "BRANCH_LEQ": lambda a, b: a <= b,
    "BRANCH_LT": lambda a, b: a < b,
    "BRANCH_GTE": lambda a, b: a >= b,
    "BRANCH_GT": lambda a, b: a > b,
    "BRANCH_EQ": lambda a, b: a == b,
    "BRANCH_NEQ": lambda a, b: a != b,
}


def leaf_of(tree: Tree, row: Row) -> Leaf:
    """Return the leaf that a row reaches."""
    while isinstance(tree, Branch):
        x = row[tree.feature]
        goes_true = tree.missing if math.isnan(x) else COMPARE[tree.mode](x, tree.value)
        tree = tree.true if goes_true else tree.false
    return tree


def collected(trees: dict[int, Tree], row: Row) -> list[tuple[int, float]]:
    """Return the (column, weight) pairs of a row, trees by ascending id."""
    return [pair for tree_id in sorted(trees) for pair in leaf_of(trees[tree_id], row).weights]


def tree_sums(trees: dict[int, Tree], row: Row, base: Row) -> Row:
    """Add what a row collects to the base values."""
    sums = list(base)
    for column, weight in collected(trees, row):
        sums[column] = float32.add(sums[column], weight)
    return sums


def tree_attributes(trees: dict[int, Tree], prefix: str) -> dict[str, object]:
    """Return the attributes of an ensemble, trees in the order of the dict, nodes in preorder."""
    rows: list[tuple[int, int, int, str, float, int, int, int]] = []
    leaves: list[tuple[int, int, int, float]] = []

    def place(tree_id: int, tree: Tree, next_id: list[int]) -> int:
        node_id = next_id[0]
        next_id[0] += 1
        at = len(rows)
        if isinstance(tree, Leaf):
            rows.append((tree_id, node_id, 0, "LEAF", 0.0, 0, 0, 0))
            leaves.extend((tree_id, node_id, column, weight) for column, weight in tree.weights)
            return node_id
        rows.append((tree_id, node_id, tree.feature, tree.mode, tree.value, 0, 0, 0))
        true = place(tree_id, tree.true, next_id)
        false = place(tree_id, tree.false, next_id)
        rows[at] = (*rows[at][:5], true, false, int(tree.missing))
        return node_id

    for tree_id, tree in trees.items():
        place(tree_id, tree, [tree_id * 10])
    names = ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids")
    attributes: dict[str, object] = {
        f"nodes_{name}": [row[index] for row in rows] for index, name in enumerate(names)
    }
    attributes["nodes_values"] = floats(*(row[4] for row in rows))
    attributes["nodes_missing_value_tracks_true"] = [row[7] for row in rows]
    for index, name in enumerate(("treeids", "nodeids", "ids")):
        attributes[f"{prefix}_{name}"] = [leaf[index] for leaf in leaves]
    attributes[f"{prefix}_weights"] = floats(*(leaf[3] for leaf in leaves))
    return attributes


def floats(*values: float) -> list[dict[str, str]]:
    """Return a list attribute of float32."""
    return [{"float": float32.to_bits(value)} for value in values]


def softmax(values: Row) -> Row:
    """Return SOFTMAX of a row."""
    return _quotients([transcendental.exp(float32.subtract(v, max(values))) for v in values])


def softmax_zero(values: Row) -> Row:
    """Return SOFTMAX_ZERO of a row."""
    greatest = max(values)
    terms = []
    for value in values:
        if abs(value) <= float32.from_bits("33d6bf95"):
            terms.append(float32.multiply(value, transcendental.exp(-greatest)))
        else:
            terms.append(transcendental.exp(float32.subtract(value, greatest)))
    return [0.5] * len(values) if sum(terms) == 0 else _quotients(terms)


def _quotients(terms: Row) -> Row:
    total = float32.chunked_sum(terms)
    return [float32.divide(term, total) for term in terms]


def logistic(values: Row) -> Row:
    """Return LOGISTIC of a row."""
    return [transcendental.sigmoid(value) for value in values]


def linear(row: Row, coefficients: Sequence[Row], intercepts: Row) -> Row:
    """Return the scores of a linear model."""
    sums = [dot(list(zip(row, weights, strict=True))) for weights in coefficients]
    if not intercepts:
        return sums
    return [float32.add(s, b) for s, b in zip(sums, intercepts, strict=True)]


def svm_kernel(kind: str, parameters: Sequence[float], row: Row, vector: Row) -> float:
    """Return the kernel of a row and a support vector."""
    gamma, coef0, degree = parameters
    if kind == "RBF":
        steps = [float32.subtract(a, b) for a, b in zip(row, vector, strict=True)]
        distance = dot([(d, d) for d in steps])
        return transcendental.exp(float32.multiply(distance, -gamma))
    product = dot(list(zip(row, vector, strict=True)))
    if kind == "LINEAR":
        return product
    t = float32.add(float32.multiply(product, gamma), coef0)
    if kind == "SIGMOID":
        return transcendental.tanh(t)
    power = 1.0
    for _ in range(int(degree)):
        power = float32.multiply(power, t)
    return power


def coupled(chances: dict[tuple[int, int], float], n: int) -> Row:
    """Return the probabilities of n classes out of the chances of i against j, for i < j."""
    add, mul, div = float32.add, float32.multiply, float32.divide
    r = dict(chances)
    r.update({(j, i): float32.subtract(1.0, chance) for (i, j), chance in chances.items()})
    q = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(n):
            if j != i:
                q[i][i] = add(q[i][i], mul(r[j, i], r[j, i]))
                q[i][j] = -mul(r[i, j], r[j, i])
    p = [div(1.0, float(n))] * n
    tolerance = div(float32.from_bits("3ba3d70a"), float(n))
    for _ in range(100):
        product = [0.0] * n
        c = 0.0
        for i in range(n):
            for j in range(n):
                product[i] = add(product[i], mul(q[i][j], p[j]))
            c = add(c, mul(p[i], product[i]))
        if all(abs(float32.subtract(value, c)) < tolerance for value in product):
            break
        for i in range(n):
            d = div(float32.subtract(c, product[i]), q[i][i])
            p[i] = add(p[i], d)
            whole = add(1.0, d)
            inner = add(mul(d, q[i][i]), mul(2.0, product[i]))
            c = div(div(add(c, mul(d, inner)), whole), whole)
            product = [div(add(v, mul(d, q[i][j])), whole) for j, v in enumerate(product)]
            p = [div(value, whole) for value in p]
    return p
