"""How nodes of older opsets are written in newer ones: one function per change of an operator.

Sources: the ONNX operators' changelog (docs/Changelog.md of ONNX 1.16). A rule takes a node in
the form in force before an opset and returns nodes in the form of that opset.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from cvm.inference.tensor_type import Array
from models_registry.cli.prepare.draft import DraftNode, FreshNames
from models_registry.cli.prepare.faults import CannotPrepare


@dataclass(slots=True)
class Conversion:
    """What a rule may use: known shapes, constants (to read and to add), and free names."""

    shapes: Mapping[str, tuple[int, ...]]
    constants: dict[str, Array]
    fresh: FreshNames

    def constant(self, node: DraftNode, label: str, value: Array) -> str:
        """Add a constant for a node and return its name."""
        name = self.fresh.take(f"{node.outputs[0]}_{label}")
        self.constants[name] = value
        return name


Rule = Callable[[Conversion, DraftNode], list[DraftNode]]


def _refusal(node: DraftNode, detail: str) -> CannotPrepare:
    return CannotPrepare(f"{node.op_type} node {node.name or node.outputs[0]!r}: {detail}")


def _append_input(node: DraftNode, position: int, name: str) -> None:
    node.inputs += [""] * (position - len(node.inputs))
    node.inputs.append(name)


def _list_to_input(attribute: str, position: int) -> Rule:
    """Return a rule that makes a list of integers an int64 input."""

    def rule(conversion: Conversion, node: DraftNode) -> list[DraftNode]:
        values = node.ints(attribute)
        node.attributes.pop(attribute, None)
        if values:
            array = np.array(values, np.int64)
            _append_input(node, position, conversion.constant(node, attribute, array))
        return [node]

    return rule


def _number_to_input(attribute: str, position: int) -> Rule:
    """Return a rule that makes a float attribute a scalar input."""

    def rule(conversion: Conversion, node: DraftNode) -> list[DraftNode]:
        if attribute in node.attributes:
            array = np.array(node.number(attribute, 0), np.float32)
            _append_input(node, position, conversion.constant(node, attribute, array))
            del node.attributes[attribute]
        return [node]

    return rule


def _in_turn(*rules: Rule) -> Rule:
    """Return a rule that applies others to one node."""

    def rule(conversion: Conversion, node: DraftNode) -> list[DraftNode]:
        for inner in rules:
            (node,) = inner(conversion, node)
        return [node]

    return rule


def batch_normalization_9(_conversion: Conversion, node: DraftNode) -> list[DraftNode]:
    """Drop `spatial`, which opset 9 takes as 1."""
    if node.attributes.pop("spatial", 1) != 1:
        raise _refusal(node, "spatial=0 has no form since opset 9; export with spatial=1")
    return [node]


def batch_normalization_14(_conversion: Conversion, node: DraftNode) -> list[DraftNode]:
    """Drop the outputs of training."""
    del node.outputs[1:]
    return [node]


def top_k_10(conversion: Conversion, node: DraftNode) -> list[DraftNode]:
    """Make `k` an input."""
    k = np.array([node.integer("k", 0)], np.int64)
    del node.attributes["k"]
    _append_input(node, 1, conversion.constant(node, "k", k))
    return [node]


def split_18(_conversion: Conversion, node: DraftNode) -> list[DraftNode]:
    """Say how many outputs there are where their lengths are not given."""
    if not node.input_at(1):
        node.attributes["num_outputs"] = len(node.outputs)
    return [node]


def upsample_9(conversion: Conversion, node: DraftNode) -> list[DraftNode]:
    """Make `scales` an input."""
    scales = np.array(node.attributes.pop("scales", ()), np.float32)
    _append_input(node, 1, conversion.constant(node, "scales", scales))
    return [node]


def upsample_10(_conversion: Conversion, node: DraftNode) -> list[DraftNode]:
    """Rename it: Resize-10 is the same."""
    node.op_type = "Resize"
    return [node]


def resize_11(_conversion: Conversion, node: DraftNode) -> list[DraftNode]:
    """Name what Resize-10 did: coordinates times scale, rounded down for nearest."""
    node.inputs = [node.inputs[0], "", *node.inputs[1:]]
    node.attributes["coordinate_transformation_mode"] = "asymmetric"
    if node.text("mode", "nearest") == "nearest":
        node.attributes["nearest_mode"] = "floor"
    return [node]


def resize_13(_conversion: Conversion, node: DraftNode) -> list[DraftNode]:
    """Write tf_half_pixel_for_nn with floor as half_pixel with round_prefer_ceil.

    floor((x + 0.5) * s) is (x + 0.5) * s - 0.5 rounded to nearest with halves up.
    """
    if node.text("coordinate_transformation_mode", "") == "tf_half_pixel_for_nn":
        if node.text("nearest_mode", "round_prefer_floor") != "floor":
            raise _refusal(node, "tf_half_pixel_for_nn without nearest_mode floor; export again")
        node.attributes["coordinate_transformation_mode"] = "half_pixel"
        node.attributes["nearest_mode"] = "round_prefer_ceil"
    return [node]


def scatter_11(_conversion: Conversion, node: DraftNode) -> list[DraftNode]:
    """Rename it."""
    node.op_type = "ScatterElements"
    return [node]


def softmax_13(conversion: Conversion, node: DraftNode) -> list[DraftNode]:
    """Write a softmax over all axes from `axis` on as one over the last axis of a matrix."""
    axis = node.integer("axis", 1)
    shape = conversion.shapes.get(node.inputs[0])
    only = None if shape is None else _only_axis(shape, axis % len(shape)) if shape else None
    if axis == -1 or only is not None:
        node.attributes["axis"] = -1 if only is None else only
        return [node]
    output = node.outputs[0]
    names = [conversion.fresh.take(f"{output}_{part}") for part in ("shape", "matrix", "rows")]
    return [
        DraftNode("Shape", [node.inputs[0]], [names[0]]),
        DraftNode("Flatten", [node.inputs[0]], [names[1]], {"axis": axis}),
        DraftNode(node.op_type, [names[1]], [names[2]], {"axis": -1}, node.name),
        DraftNode("Reshape", [names[2], names[0]], [output]),
    ]


def _only_axis(shape: tuple[int, ...], first: int) -> int | None:
    """Return the one axis from `first` on that is not of length 1, or None for several."""
    long = [axis for axis in range(first, len(shape)) if shape[axis] != 1]
    if not long:
        return first
    return long[0] if len(long) == 1 else None


def roi_align_16(_conversion: Conversion, node: DraftNode) -> list[DraftNode]:
    """Name the coordinates that were meant."""
    node.attributes["coordinate_transformation_mode"] = "output_half_pixel"
    return [node]


def grid_sample_20(_conversion: Conversion, node: DraftNode) -> list[DraftNode]:
    """Rename the modes."""
    mode = node.text("mode", "bilinear")
    node.attributes["mode"] = {"bilinear": "linear", "bicubic": "cubic"}.get(mode, mode)
    return [node]


def group_normalization_21(conversion: Conversion, node: DraftNode) -> list[DraftNode]:
    """Repeat a scale and bias per group for each channel of the group."""
    shape = conversion.shapes.get(node.inputs[0])
    groups = node.integer("num_groups", 1)
    for index in (1, 2):
        values = conversion.constants.get(node.inputs[index])
        if values is None or shape is None or len(shape) < 2:
            raise _refusal(node, "opset 18 form needs constant scale and bias, and a known shape")
        if groups < 1 or shape[1] % groups or values.shape != (groups,):
            raise _refusal(node, f"{groups} groups of {shape[1]} channels, scale {values.shape}")
        repeated = np.repeat(values, shape[1] // groups)
        node.inputs[index] = conversion.constant(node, f"channels_{index}", repeated)
    return [node]


REDUCE_18 = ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare")

RULES: dict[str, dict[int, Rule]] = {
    "BatchNormalization": {9: batch_normalization_9, 14: batch_normalization_14},
    "Clip": {11: _in_turn(_number_to_input("min", 1), _number_to_input("max", 2))},
    "Dropout": {12: _number_to_input("ratio", 1)},
    "GridSample": {20: grid_sample_20},
    "GroupNormalization": {21: group_normalization_21},
    "Hardmax": {13: softmax_13},
    "LogSoftmax": {13: softmax_13},
    "Pad": {11: _in_turn(_list_to_input("pads", 1), _number_to_input("value", 2))},
    "ReduceSum": {13: _list_to_input("axes", 1)},
    **{f"Reduce{name}": {18: _list_to_input("axes", 1)} for name in REDUCE_18},
    "Resize": {11: resize_11, 13: resize_13},
    "RoiAlign": {16: roi_align_16},
    "Scatter": {11: scatter_11},
    "Slice": {
        10: _in_turn(
            _list_to_input("starts", 1), _list_to_input("ends", 2), _list_to_input("axes", 3)
        )
    },
    "Softmax": {13: softmax_13},
    "Split": {13: _list_to_input("split", 1), 18: split_18},
    "Squeeze": {13: _list_to_input("axes", 1)},
    "TopK": {10: top_k_10},
    "Unsqueeze": {13: _list_to_input("axes", 1)},
    "Upsample": {9: upsample_9, 10: upsample_10},
}
"""By operator: the opsets that changed its form, each with the rule that follows it."""
