"""The models that are timed: ONNX bytes for onnxruntime and the strict form of the same network."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.networks import NETWORKS
from bench.tree_ensembles import tree_classifier, tree_regressor
from cvm.inference.tensor_type import Array
from models_registry.cli.prepare.pipeline import Options, prepare_model
from models_registry.cli.prepare.quantise import quantised

TREE_ROWS = (1, 1_000)
QUANTISED = ("resnet50", "mobilenet_v2")
CALIBRATION_ITEMS = 4
SEED = 7


@dataclass(frozen=True, slots=True)
class TimedModel:
    """A network or a tree ensemble: its file as onnxruntime runs it, and in the strict form."""

    name: str
    dtype: str
    peer: bytes
    strict: bytes
    x: Array


def timed_models() -> Iterator[TimedModel]:
    """Make the float32 networks, then the tree ensembles and the 8-bit networks, one at a time.

    8-bit networks are quantised by onnxruntime (static, per channel) on random images; it runs
    its own form, and the strict form is lowered from that.
    """
    rng = np.random.default_rng(SEED)
    for name, make in NETWORKS.items():
        data = make().SerializeToString()
        yield TimedModel(name, "float32", data, data, _input(make().graph.input[0], rng))
    for name, make_trees in (("classifier", tree_classifier), ("regressor", tree_regressor)):
        for rows in TREE_ROWS:
            model = make_trees(rows)
            data = model.SerializeToString()
            x = _input(model.graph.input[0], rng)
            yield TimedModel(f"trees_{name}_{rows}", "float32", data, data, x)
    for name in QUANTISED:
        make = NETWORKS[name]
        items = [_input(make().graph.input[0], rng) for _ in range(CALIBRATION_ITEMS)]
        peer = quantised(make(), [{"x": item} for item in items]).SerializeToString()
        calibration = {"x": np.concatenate(items)}
        prepared = prepare_model(make().SerializeToString(), Options(calibration=calibration))
        yield TimedModel(name, "int8", peer, prepared.data, items[0])


def _input(value: object, rng: np.random.Generator) -> Array:
    """Return a random input of the declared shape."""
    dims = value.type.tensor_type.shape.dim  # type: ignore[attr-defined]
    return rng.standard_normal([dim.dim_value for dim in dims]).astype(np.float32)
