"""Rows that are hard to order, to normalise or to classify: sorted, tiny, long, deep trees."""

from collections.abc import Iterator

import numpy as np

from bench.gas_cases.case import GasCase
from bench.gas_cases.classical import Attributes, complete_trees, leaf_weights
from bench.gas_hunt.hunted import Hunt, floats, form_of, hunted, hunted_ml, int64, integers, random
from cvm.inference.tensor_type import Array

NORMED = (
    (2**14, 1),
    (2**14, 2),
    (2**13, 3),
    (2**12, 7),
    (1, 2**14),
    (2, 2**16),
    (1024, 33),
    (256, 256),
)

FORESTS = (
    (1, 1, 1),
    (1, 100, 1),
    (1, 1000, 3),
    (1, 100, 10),
    (1, 1, 12),
    (64, 1, 12),
    (2, 100, 10),
    (3, 1000, 2),
)
"""Rows, trees and depth of complete trees."""

VINES = ((1, 1, 255), (1, 100, 255), (64, 100, 255), (4, 10, 100))
"""Rows, trees and depth of trees whose branches have a leaf on one side."""

MACHINES = (
    (1, 4096, 1),
    (1, 1, 4096),
    (1, 50, 3),
    (512, 1, 1),
    (64, 33, 17),
    (2, 100, 100),
    (17, 1, 300),
)
"""Rows, support vectors and features."""


def orders() -> Iterator[GasCase]:
    """Make the largest of rows that lie in every order."""
    rng = random()
    for shape, axis in (
        ((64, 1024), 1),
        ((1, 2**15), 1),
        ((1024, 64), 0),
        ((2**13, 4), 1),
        ((2**14, 2), 0),
    ):
        length = shape[axis]
        rising = np.sort(rng.standard_normal(shape).astype(np.float32), axis=axis)
        saw = np.take(rising, np.argsort(np.arange(length) % 97, kind="stable"), axis=axis)
        data = {
            "rising": rising,
            "falling": np.flip(rising, axis).copy(),
            "equal": np.zeros(shape, np.float32),
            "random": floats(*shape),
            "saw": saw,
            "zeros": np.where(floats(*shape) > 0, np.float32(0), np.float32(-0.0)),
        }
        for k in sorted({1, 5, length // 2, length} & set(range(1, length + 1))):
            for order, x in data.items():
                form = f"{form_of(*shape)} axis {axis} {order} {k}"
                for largest in (0, 1):
                    kept = int64(k)
                    yield hunted(
                        "TopK",
                        f"{form} {'largest' if largest else 'least'}",
                        *(x, kept),
                        constants=(1,),
                        outputs=2,
                        axis=axis,
                        largest=largest,
                    )
        wide = integers("int64", *shape)
        yield hunted(
            "TopK",
            f"{form_of(*shape)} int64",
            wide,
            int64(length),
            constants=(1,),
            outputs=2,
            axis=axis,
        )
        for order, x in data.items():
            for op in ("ArgMax", "ReduceMax"):
                if op == "ArgMax":
                    yield hunted(
                        op,
                        f"{form_of(*shape)} axis {axis} {order}",
                        x,
                        axis=axis,
                        select_last_index=1,
                    )
                else:
                    yield hunted(
                        op, f"{form_of(*shape)} axis {axis} {order}", x, int64(axis), constants=(1,)
                    )


def norms() -> Iterator[GasCase]:
    """Make normalisations of tiny slices and of long ones."""
    for rows, width in NORMED:
        x, form = floats(rows, width), form_of(rows, width)
        affine = floats(width), floats(width)
        yield hunted("LayerNormalization", form, x, *affine, constants=(1, 2))
        yield hunted("LayerNormalization", f"{form} three", x, *affine, constants=(1, 2), outputs=3)
        maps = x.reshape(1, rows, width, 1)
        by_channel = floats(rows), floats(rows)
        yield hunted("InstanceNormalization", form, maps, *by_channel, constants=(1, 2))
        yield hunted(
            "BatchNormalization",
            form,
            maps,
            *by_channel,
            floats(rows),
            np.abs(floats(rows)) + 1,
            constants=(1, 2, 3, 4),
        )
        yield hunted(
            "BatchNormalization",
            f"{form} turned",
            x,
            *affine,
            floats(width),
            np.abs(floats(width)) + 1,
            constants=(1, 2, 3, 4),
        )
        for groups in {1, rows}:
            yield hunted(
                "GroupNormalization",
                f"{form} {groups}",
                maps,
                *by_channel,
                constants=(1, 2),
                num_groups=groups,
            )
        yield hunted("MeanVarianceNormalization", form, maps)
        yield hunted("MeanVarianceNormalization", f"{form} last", maps, axes=(2,))
        yield hunted("LRN", f"{form} size 3", maps, size=3)
        yield hunted("LRN", f"{form} size 4096", maps, size=4095)
        yield hunted("LpPool", f"{form}", maps, kernel_shape=(1, 1), p=4)
        for norm in ("L1", "L2", "MAX"):
            yield hunted_ml("Normalizer", f"{form} {norm}", x, norm=norm)
        yield hunted_ml("Scaler", form, x, offset=floats(width), scale=floats(width))
        yield hunted("DynamicQuantizeLinear", form, x, outputs=3)
        scales = np.abs(floats(width)) + 1
        zeros = np.zeros(width, np.uint8)
        yield hunted(
            "QuantizeLinear", f"{form} last axis", x, scales, zeros, constants=(1, 2), axis=1
        )
        y = integers("uint8", rows, width)
        yield hunted(
            "DequantizeLinear", f"{form} last axis", y, scales, zeros, constants=(1, 2), axis=1
        )


def vines(rng: np.random.Generator, trees: int, depth: int, features: int) -> Attributes:
    """Return trees in which every branch has a leaf for its false child."""
    nodes = 2 * depth + 1
    ids = np.arange(nodes)
    is_branch = (ids % 2 == 0) & (ids < 2 * depth)
    modes = tuple("BRANCH_LEQ" if branch else "LEAF" for branch in is_branch)
    return {
        "nodes_treeids": np.repeat(np.arange(trees), nodes),
        "nodes_nodeids": np.tile(ids, trees),
        "nodes_modes": modes * trees,
        "nodes_featureids": rng.integers(0, features, trees * nodes),
        "nodes_values": np.full(trees * nodes, 100, np.float32),
        "nodes_truenodeids": np.tile(np.where(is_branch, ids + 2, 0), trees),
        "nodes_falsenodeids": np.tile(np.where(is_branch, ids + 1, 0), trees),
        "target_treeids": np.repeat(np.arange(trees), depth + 1),
        "target_nodeids": np.tile(ids[~is_branch], trees),
        "target_ids": np.zeros(trees * (depth + 1), np.int64),
        "target_weights": rng.standard_normal(trees * (depth + 1)).astype(np.float32),
    }


def trees() -> Iterator[GasCase]:
    """Make forests of stumps, of deep vines, and of leaves with many weights."""
    rng = random()
    for rows, count, depth in FORESTS:
        nodes = complete_trees(rng, count, depth, 16)
        for columns in (1, 64):
            weights = leaf_weights(rng, "target", columns, count, depth)
            form = f"{form_of(rows, count, depth)} to {columns}"
            targets: Attributes = {**nodes, **weights, "n_targets": columns}
            yield hunted_ml("TreeEnsembleRegressor", form, floats(rows, 16), also=targets)
    for rows, count, depth in VINES:
        vine: Attributes = {**vines(rng, count, depth, 16), "n_targets": 1}
        form = f"vine {form_of(rows, count, depth)}"
        yield hunted_ml("TreeEnsembleRegressor", form, floats(rows, 16), also=vine)


def machines() -> Iterator[GasCase]:
    """Make machines of few vectors or few features, and linear models of few classes."""
    for rows, vectors, features in MACHINES:
        x, form = floats(rows, features), form_of(rows, vectors, features)
        for kernel in ("LINEAR", "POLY", "RBF", "SIGMOID"):
            machine: Attributes = {
                "kernel_type": kernel,
                "kernel_params": np.array([0.1, 0.5, 32 if kernel == "POLY" else 3], np.float32),
                "support_vectors": floats(vectors * features),
            }
            single: Attributes = {
                "coefficients": floats(vectors),
                "n_supports": vectors,
                "rho": floats(1),
            }
            yield hunted_ml("SVMRegressor", f"{form} {kernel}", x, also={**machine, **single})
        for columns in (1, 3, 16):
            weights: Attributes = {"coefficients": floats(columns * features), "targets": columns}
            yield hunted_ml("LinearRegressor", f"{form} {columns}", x, also=weights)
    yield from votes()
    yield from tables()


def votes() -> Iterator[GasCase]:
    """Make votes of many classes."""
    for rows, classes in ((1, 40), (16, 10), (64, 2)):
        pairs = classes * (classes - 1) // 2
        for chances in (False, True):
            vote: Attributes = {
                "kernel_type": "RBF",
                "kernel_params": np.array([0.1, 0.5, 3], np.float32),
                "support_vectors": floats(classes * 4),
                "classlabels_ints": np.arange(classes),
                "coefficients": floats((classes - 1) * classes),
                "vectors_per_class": np.ones(classes, np.int64),
                "rho": floats(pairs),
            }
            if chances:
                vote |= {"prob_a": floats(pairs), "prob_b": floats(pairs)}
            form = f"{rows} of {classes} classes{' with chances' * chances}"
            yield hunted_ml("SVMClassifier", form, floats(rows, 4), outputs=2, also=vote)


def tables() -> Iterator[GasCase]:
    """Make searches of long lists, and rows of few features."""
    rng = random()
    for keys in (1, 16, 2**16):
        table: Attributes = {
            "keys_int64s": np.arange(keys) * 3,
            "values_int64s": rng.permutation(keys),
            "default_int64": -1,
        }
        labels: Array = rng.integers(0, 3 * keys, (2**14,))
        yield hunted_ml("LabelEncoder", f"{keys} keys", labels, also=table)
        if keys < 2**12:
            categories: Attributes = {"cats_int64s": np.arange(keys), "zeros": 1}
            yield hunted_ml("OneHotEncoder", f"{keys} categories", labels[:4096], also=categories)
    for rows, width in ((2**14, 1), (1, 2**14), (2**13, 3)):
        x = floats(rows, width)
        form = form_of(rows, width)
        filling: Attributes = {
            "imputed_value_floats": floats(1),
            "replaced_value_float": np.float32(np.nan),
        }
        yield hunted_ml("Imputer", form, x, also=filling)
        yield hunted_ml("Binarizer", form, x, threshold=np.float32(0.5))
        yield hunted_ml("FeatureVectorizer", form, x, x)
        columns = rng.integers(0, width, max(1, width // 2))
        yield hunted_ml("ArrayFeatureExtractor", form, x, columns)


HUNTS: dict[str, Hunt] = {"orders": orders, "slices": norms, "trees": trees, "machines": machines}
