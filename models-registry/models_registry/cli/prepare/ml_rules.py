"""Writes nodes of ai.onnx.ml in the forms of version 3."""

import numpy as np

from models_registry.cli.prepare.draft import DraftNode
from models_registry.cli.prepare.faults import CannotPrepare

_ROUNDED_UP = frozenset({"BRANCH_LT", "BRANCH_GTE"})


_INTEGER_LABELS = {
    "TreeEnsembleClassifier": "classlabels_int64s",
    "LinearClassifier": "classlabels_ints",
    "SVMClassifier": "classlabels_ints",
}


def convert_ml_node(node: DraftNode) -> list[str]:
    """Write a node in the form of ai.onnx.ml 3, doubles as float32, texts as places.

    Returns notes. Raises `CannotPrepare` for an operator that came later.
    """
    if node.op_type == "TreeEnsemble":
        raise CannotPrepare(
            f"TreeEnsemble node {node.name or node.outputs[0]!r} of ai.onnx.ml 5 has no form in "
            "version 3; export with ai.onnx.ml 3 (TreeEnsembleRegressor or -Classifier)"
        )
    if node.op_type == "LabelEncoder":
        _label_tensors_to_lists(node)
    for name in [name for name in node.attributes if name.endswith("_as_tensor")]:
        _tree_tensor_to_list(node, name)
    return _number_labels(node)


def _number_labels(node: DraftNode) -> list[str]:
    """Let a classifier give the place of a label in its list where the labels are texts."""
    labels = node.attributes.get("classlabels_strings")
    integers = _INTEGER_LABELS.get(node.op_type)
    if integers is None or not isinstance(labels, tuple) or not labels:
        return []
    del node.attributes["classlabels_strings"]
    node.attributes[integers] = tuple(range(len(labels)))
    shown = ", ".join(map(str, labels[:20]))
    return [f"{node.label()} gives places in the labels {shown} instead of texts"]


def _tree_tensor_to_list(node: DraftNode, name: str) -> None:
    """Write a tensor of doubles as float32; thresholds keep every float32 comparison.

    x <= t and x > t hold for the same float32 x with t rounded down, x < t and x >= t with t
    rounded up; BRANCH_EQ and other lists are rounded to nearest.
    """
    values = node.attributes.pop(name)
    if not isinstance(values, np.ndarray):
        raise CannotPrepare(f"attribute {name!r} of {node.op_type} is not a tensor")
    rounded = values.reshape(-1).astype(np.float32)
    if name == "nodes_values_as_tensor" and values.dtype == np.float64:
        modes = node.attributes.get("nodes_modes", ())
        for index, mode in enumerate(modes if isinstance(modes, tuple) else ()):
            rounded[index] = _threshold(float(values.reshape(-1)[index]), str(mode))
    node.attributes[name.removesuffix("_as_tensor")] = tuple(np.float32(v) for v in rounded)


def _threshold(value: float, mode: str) -> np.float32:
    nearest = np.float32(value)
    if mode in ("BRANCH_LEQ", "BRANCH_GT") and float(nearest) > value:
        return np.float32(np.nextafter(nearest, np.float32(-np.inf)))
    if mode in _ROUNDED_UP and float(nearest) < value:
        return np.float32(np.nextafter(nearest, np.float32(np.inf)))
    return nearest


def _label_tensors_to_lists(node: DraftNode) -> None:
    """Write the tensors of LabelEncoder-4 as the lists of LabelEncoder-2."""
    for part in ("keys", "values", "default"):
        values = node.attributes.pop(f"{part}_tensor", None)
        if values is None:
            continue
        if not isinstance(values, np.ndarray):
            raise CannotPrepare(f"attribute {part}_tensor of LabelEncoder is not a tensor")
        is_float = values.dtype.kind == "f"
        items = values.reshape(-1)
        ending = "float" if is_float else "int64"
        if part == "default":
            node.attributes[f"default_{ending}"] = (
                np.float32(items[0]) if is_float else int(items[0])
            )
        elif is_float:
            node.attributes[f"{part}_floats"] = tuple(np.float32(v) for v in items)
        else:
            node.attributes[f"{part}_int64s"] = tuple(int(v) for v in items)
