"""Cases of ai.onnx.ml: trees, vector machines, lines, and what prepares their rows."""

from collections.abc import Iterator

import numpy as np

from bench.gas_cases.case import GasCase, normal, rows
from cvm.inference.graph import AttributeValue
from cvm.inference.operators.op_spec import ML_DOMAIN
from cvm.inference.tensor_type import Array

FORESTS = {"small": (1, 20, 6), "middle": (16, 100, 8), "large": (256, 200, 10)}
"""Rows, trees and depth."""

MACHINES = {"small": (1, 50, 8), "middle": (16, 100, 16), "large": (256, 500, 32)}
"""Rows, support vectors and features."""

LINES = {"small": (1, 64), "middle": (64, 128), "large": (2048, 512)}
"""Rows and features."""

CLASSES = 3

Attributes = dict[str, AttributeValue]


def complete_trees(rng: np.random.Generator, trees: int, depth: int, features: int) -> Attributes:
    """Return the nodes of complete trees with random branches, the leaves with one weight each."""
    branches = 2**depth - 1
    nodes = 2 * branches + 1
    ids = np.arange(nodes)
    is_branch = ids < branches
    values = np.where(is_branch, rng.standard_normal((trees, nodes)), 0).astype(np.float32)
    modes = ("BRANCH_LEQ",) * branches + ("LEAF",) * (branches + 1)
    return {
        "nodes_treeids": np.repeat(np.arange(trees), nodes),
        "nodes_nodeids": np.tile(ids, trees),
        "nodes_modes": modes * trees,
        "nodes_featureids": rng.integers(0, features, trees * nodes),
        "nodes_values": values.reshape(-1),
        "nodes_truenodeids": np.tile(np.where(is_branch, 2 * ids + 1, 0), trees),
        "nodes_falsenodeids": np.tile(np.where(is_branch, 2 * ids + 2, 0), trees),
    }


def leaf_weights(
    rng: np.random.Generator, prefix: str, columns: int, trees: int, depth: int
) -> Attributes:
    """Return one weight for each leaf of complete trees."""
    leaves = np.arange(2**depth - 1, 2 ** (depth + 1) - 1)
    return {
        f"{prefix}_treeids": np.repeat(np.arange(trees), leaves.size),
        f"{prefix}_nodeids": np.tile(leaves, trees),
        f"{prefix}_ids": rng.integers(0, columns, trees * leaves.size),
        f"{prefix}_weights": normal(rng, trees * leaves.size),
    }


def _case(op: str, size: str, x: Array, attributes: Attributes, form: str = "") -> GasCase:
    """Return a case of the domain; a classifier names two outputs."""
    outputs = 2 if op.endswith("Classifier") else 1
    return GasCase(op, size, (x,), frozenset(), attributes, ML_DOMAIN, form, outputs)


def forests(rng: np.random.Generator, size: str) -> Iterator[GasCase]:
    """Make ensembles of trees over 16 features."""
    count, trees, depth = FORESTS[size]
    x, nodes = normal(rng, count, 16), complete_trees(rng, trees, depth, 16)
    targets = leaf_weights(rng, "target", 1, trees, depth)
    yield _case("TreeEnsembleRegressor", size, x, {**nodes, **targets, "n_targets": 1})
    classes = leaf_weights(rng, "class", CLASSES, trees, depth)
    labels: Attributes = {"classlabels_int64s": np.arange(CLASSES), "post_transform": "SOFTMAX"}
    yield _case("TreeEnsembleClassifier", size, x, {**nodes, **classes, **labels})


def machines(rng: np.random.Generator, size: str) -> Iterator[GasCase]:
    """Make support vector machines of each kernel, and a vote with probabilities."""
    count, vectors, features = MACHINES[size]
    x = normal(rng, count, features)
    for kernel in ("LINEAR", "POLY", "RBF", "SIGMOID"):
        shared: Attributes = {
            "kernel_type": kernel,
            "kernel_params": np.array([0.1, 0.5, 3], np.float32),
            "support_vectors": normal(rng, vectors * features),
        }
        single: Attributes = {
            "coefficients": normal(rng, vectors),
            "n_supports": vectors,
            "rho": normal(rng, 1),
        }
        yield _case("SVMRegressor", size, x, {**shared, **single}, kernel)
        pairs = CLASSES * (CLASSES - 1) // 2
        vote: Attributes = {
            "classlabels_ints": np.arange(CLASSES),
            "coefficients": normal(rng, (CLASSES - 1) * vectors),
            "vectors_per_class": np.array([vectors - 20, 10, 10]),
            "rho": normal(rng, pairs),
        }
        yield _case("SVMClassifier", size, x, {**shared, **vote}, kernel)
        if kernel == "RBF":
            chances = {"prob_a": normal(rng, pairs), "prob_b": normal(rng, pairs)}
            yield _case("SVMClassifier", size, x, {**shared, **vote, **chances}, "probabilities")


def lines(rng: np.random.Generator, size: str) -> Iterator[GasCase]:
    """Make linear models."""
    count, features = LINES[size]
    x = normal(rng, count, features)
    weights: Attributes = {
        "coefficients": normal(rng, CLASSES * features),
        "intercepts": normal(rng, CLASSES),
    }
    yield _case("LinearRegressor", size, x, {**weights, "targets": CLASSES})
    labels: Attributes = {"classlabels_ints": np.arange(CLASSES), "post_transform": "SOFTMAX"}
    yield _case("LinearClassifier", size, x, {**weights, **labels})


def features(rng: np.random.Generator, size: str) -> Iterator[GasCase]:
    """Make operators that prepare rows."""
    x = normal(rng, *rows(size))
    width = x.shape[1]
    scaling: Attributes = {"offset": normal(rng, width), "scale": normal(rng, width)}
    yield _case("Scaler", size, x, scaling)
    for norm in ("L1", "L2", "MAX"):
        yield _case("Normalizer", size, x, {"norm": norm}, norm)
    yield _case("Binarizer", size, x, {"threshold": np.float32(0.5)})
    gaps = np.where(normal(rng, *x.shape) > 1, np.float32(np.nan), x)
    filling: Attributes = {
        "imputed_value_floats": normal(rng, width),
        "replaced_value_float": np.float32(np.nan),
    }
    yield _case("Imputer", size, gaps, filling)
    labels: Array = rng.integers(0, 256, x.shape)
    table: Attributes = {
        "keys_int64s": np.arange(256),
        "values_int64s": rng.permutation(256),
        "default_int64": -1,
    }
    yield _case("LabelEncoder", size, labels, table)
    categories: Attributes = {"cats_int64s": np.arange(width), "zeros": 1}
    yield _case("OneHotEncoder", size, labels[:, 0] % width, categories)
    half = width // 2
    parts = (x[:, :half], x[:, half:])
    yield GasCase("FeatureVectorizer", size, parts, domain=ML_DOMAIN)
    columns = rng.integers(0, width, half)
    yield GasCase("ArrayFeatureExtractor", size, (x, columns), domain=ML_DOMAIN)
