"""Each rule of the operators that move and make elements refuses the node that breaks it."""

import numpy as np
import pytest

from cvm.inference.faults import InvalidModel
from cvm.inference.graph import AttributeValue
from cvm.inference.tensor_type import Array
from tests.unit.inference.operators.nodes import Operand, const, f32, node, spec_of, t

X = t("float32", 2, 3, 4)
IMAGE = t("float32", 1, 8, 4, 6)
HUGE = 2**62


def ints(*values: int) -> Array:
    return np.array(values, np.int64)


def scales(*values: float) -> Array:
    return np.array(values, np.float32)


Case = tuple[str, list[Operand], dict[str, AttributeValue], str, str]

CASES: dict[str, Case] = {
    "Concat without axis": ("Concat", [X], {}, "attribute value", "axis is required"),
    "Concat of two dtypes": (
        "Concat", [X, t("int8", 2, 3, 4)], {"axis": 0}, "operand dtype", "int8"),
    "Concat of other lengths": (
        "Concat", [X, t("float32", 2, 4, 4)], {"axis": 0}, "operand shape", "input 1"),
    "Concat of another rank": (
        "Concat", [X, t("float32", 2, 3)], {"axis": 0}, "operand shape", "join"),
    "Concat of scalars": ("Concat", [t("float32")], {"axis": 0}, "attribute value", "found 0"),
    "Concat of nothing": ("Concat", [], {"axis": 0}, "operand count", "missing"),
    "Split both ways": ("Split", [X, ints(2)], {"num_outputs": 1}, "attribute value", "either"),
    "Split neither way": ("Split", [X], {}, "attribute value", "either"),
    "Split of other lengths": ("Split", [X, ints(3)], {}, "operand value", "adding up"),
    "Split into too many": ("Split", [X], {"num_outputs": HUGE}, "attribute value", str(HUGE)),
    "Split at run time": ("Split", [X, t("int64", 1)], {}, "constant operand", "split"),
    "Slice by 0": (
        "Slice", [X, ints(0), ints(1), ints(0), ints(0)], {}, "operand value", "hold a 0"),
    "Slice of one axis twice": (
        "Slice", [X, ints(0, 0), ints(1, 1), ints(0, -3)], {}, "operand value", "twice"),
    "Slice of an axis that is not there": (
        "Slice", [X, ints(0), ints(1), ints(3)], {}, "operand value", "found 3"),
    "Slice by lists of two lengths": (
        "Slice", [X, ints(0, 0), ints(1)], {}, "operand shape", "[2, 1, 2, 2]"),
    "Slice at run time": ("Slice", [X, t("int64", 1), ints(1)], {}, "constant operand", "starts"),
    "Transpose of too few axes": ("Transpose", [X], {"perm": (1, 0)}, "attribute value", "[1, 0]"),
    "Transpose naming an axis twice": (
        "Transpose", [X], {"perm": (1, 1, 0)}, "attribute value", "[1, 1, 0]"),
    "Squeeze of a long axis": ("Squeeze", [X, ints(0)], {}, "operand value", "length 1"),
    "Unsqueeze twice": ("Unsqueeze", [X, ints(0, -5)], {}, "operand value", "twice"),
    "Unsqueeze at run time": ("Unsqueeze", [X, t("int64", 1)], {}, "constant operand", "axes"),
    "Expand below 0": ("Expand", [X, ints(-1, 3, 4)], {}, "operand value", "negative"),
    "Expand to another length": ("Expand", [X, ints(2, 3, 5)], {}, "operand shape", "broadcast"),
    "Expand at run time": ("Expand", [X, t("int64", 3)], {}, "constant operand", "shape"),
    "Tile of too few axes": ("Tile", [X, ints(2)], {}, "operand value", "3 counts"),
    "Tile below 0": ("Tile", [X, ints(1, -1, 1)], {}, "operand value", "-1"),
    "Dropout in training": ("Dropout", [X, f32(0.5), const("bool", True)], {}, "operand value",
                            "inference only"),
    "Dropout whose training_mode is data": (
        "Dropout", [X, None, t("bool")], {}, "constant operand", "training_mode"),
    "DepthToSpace by 0": ("DepthToSpace", [IMAGE], {}, "attribute value", "found 0"),
    "DepthToSpace by 3": ("DepthToSpace", [IMAGE], {"blocksize": 3}, "operand shape", "3 x 3"),
    "DepthToSpace by much": (
        "DepthToSpace", [IMAGE], {"blocksize": HUGE}, "attribute value", str(HUGE)),
    "DepthToSpace in another mode": (
        "DepthToSpace", [IMAGE], {"blocksize": 2, "mode": "RDC"}, "attribute value", "'RDC'"),
    "SpaceToDepth by 4": ("SpaceToDepth", [IMAGE], {"blocksize": 4}, "operand shape", "4 x 4"),
    "Gather by floats": ("Gather", [X, t("float32", 1)], {}, "operand dtype", "float32"),
    "Gather from a scalar": ("Gather", [t("int8"), t("int64")], {}, "attribute value", "axis"),
    "GatherElements past the data": (
        "GatherElements", [X, t("int64", 1, 4, 4)], {}, "operand shape", "beside axis 0"),
    "GatherElements of another rank": (
        "GatherElements", [X, t("int64", 2, 3)], {}, "operand shape", "within"),
    "GatherND by tuples that are too long": (
        "GatherND", [X, t("int64", 4)], {}, "operand shape", "do not fit"),
    "GatherND by nothing": ("GatherND", [X, t("int64", 2, 0)], {}, "operand shape", "do not fit"),
    "GatherND of other batches": (
        "GatherND", [X, t("int64", 3, 1)], {"batch_dims": 1}, "operand shape", "past 1"),
    "GatherND of too many batch axes": (
        "GatherND", [X, t("int64", 1)], {"batch_dims": 1}, "attribute value", "batch_dims 1"),
    "ScatterND of two updates for a place": (
        "ScatterND", [t("int8", 4), ints(0, -4)[:, None], t("int8", 2)], {}, "operand value",
        "two indices name one place"),
    "ScatterND outside": (
        "ScatterND", [t("int8", 4), ints(4)[:, None], t("int8", 1)], {}, "operand value",
        "index 4 outside [-4, 3]"),
    "ScatterND at run time": (
        "ScatterND", [t("int8", 4), t("int64", 1, 1), t("int8", 1)], {}, "constant operand",
        "indices"),
    "ScatterND with a reduction": (
        "ScatterND", [t("int8", 4), ints(0)[:, None], t("int8", 1)], {"reduction": "add"},
        "attribute value", "'add'"),
    "ScatterND of many places in no order": (
        "ScatterND", [t("int8", 2**15), ints(*range(2**15 - 1, -1, -1))[:, None], t("int8", 2**15)],
        {}, "operand value", "ascending"),
    "ScatterND of other updates": (
        "ScatterND", [X, ints(0)[:, None], t("float32", 1, 3)], {}, "operand shape", "[1, 3, 4]"),
    "ScatterElements of two updates for a place": (
        "ScatterElements", [t("int8", 4), ints(1, -3), t("int8", 2)], {}, "operand value",
        "two indices"),
    "ScatterElements past the data": (
        "ScatterElements", [t("int8", 1, 2), ints(0, 0)[:, None], t("int8", 2, 1)], {"axis": 1},
        "operand shape", "within"),
    "TopK of too many": ("TopK", [X, ints(5)], {}, "operand value", "k 5"),
    "TopK of none": ("TopK", [X, ints(0)], {}, "operand value", "k 0"),
    "TopK of a scalar": ("TopK", [t("int8"), ints(1)], {}, "attribute value", "axis"),
    "TopK at run time": ("TopK", [X, t("int64", 1)], {}, "constant operand", "k"),
    "ArgMin of bool": ("ArgMin", [t("bool", 2)], {}, "operand dtype", "bool"),
    "OneHot of no depth": ("OneHot", [t("int64", 2), ints(0), f32(0, 1)], {}, "operand value", "0"),
    "OneHot of half a depth": (
        "OneHot", [t("int64", 2), f32(1.5), f32(0, 1)], {}, "operand value", "1.5"),
    "OneHot of a huge depth": (
        "OneHot", [t("int64", 2), ints(HUGE), f32(0, 1)], {}, "operand value", "1048576"),
    "OneHot of three values": (
        "OneHot", [t("int64", 2), ints(2), t("float32", 3)], {}, "operand shape", "off and on"),
    "ReverseSequence past the time": (
        "ReverseSequence", [t("int8", 3, 2), ints(1, 4)], {}, "operand value", "0 to 3"),
    "ReverseSequence along one axis": (
        "ReverseSequence", [t("int8", 3, 2), ints(1, 1)], {"time_axis": 1},
        "attribute value", "(1, 1)"),
    "ConstantOfShape below 0": ("ConstantOfShape", [ints(-1)], {}, "operand value", "negative"),
    "ConstantOfShape of two values": (
        "ConstantOfShape", [ints(1)], {"value": f32(1, 2)}, "attribute value", "one element"),
    "Constant of nothing": ("Constant", [], {}, "attribute value", "give one of"),
    "Constant of another kind": (
        "Constant", [], {"value_ints": (np.float32(1),)}, "attribute type", "value_ints"),
    "Range by 0": (
        "Range", [const("int64", 0), const("int64", 1), const("int64", 0)], {}, "operand value",
        "must not be 0"),
    "Range of two dtypes": (
        "Range", [const("int64", 0), const("int32", 1), const("int64", 1)], {}, "operand dtype",
        "int32"),
    "Range of vectors": (
        "Range", [ints(0, 1), ints(1, 2), ints(1, 1)], {}, "operand shape", "scalar"),
    "EyeLike of a cube": ("EyeLike", [X], {}, "operand shape", "no matrix"),
    "EyeLike of double": ("EyeLike", [t("int8", 2, 2)], {"dtype": 11}, "attribute value", "11"),
    "Trilu of a vector": ("Trilu", [t("int8", 2)], {}, "operand shape", "no matrix"),
    "CumSum of int8": ("CumSum", [t("int8", 2), ints(0)], {}, "operand dtype", "int8"),
    "CumSum of an axis that is not there": ("CumSum", [X, ints(3)], {}, "operand value", "found 3"),
    "Pad by half a list": ("Pad", [X, ints(1, 1, 1)], {}, "operand shape", "3 axes"),
    "Pad that takes all": ("Pad", [X, ints(-2, 0, 0, -1, 0, 0)], {}, "operand value", "-2, -1"),
    "Pad by much": ("Pad", [X, ints(HUGE, 0, 0, 0, 0, 0)], {}, "operand value", str(HUGE)),
    "Pad below 0 in mode edge": (
        "Pad", [X, ints(-1, 0, 0, 0, 0, 0)], {"mode": "edge"}, "operand value", "below 0"),
    "Pad in another mode": (
        "Pad", [X, ints(*[0] * 6)], {"mode": "mirror"}, "attribute value", "'mirror'"),
    "Pad at run time": ("Pad", [X, t("int64", 6)], {}, "constant operand", "pads"),
    "Resize by nothing": ("Resize", [X], {}, "operand count", "either"),
    "Resize both ways": ("Resize", [X, None, scales(1, 1, 1), ints(2, 3, 4)], {}, "operand count",
                         "either"),
    "Resize below 0": ("Resize", [X, None, scales(1, 1, -1)], {}, "operand value", "above 0"),
    "Resize to nothing": ("Resize", [X, None, scales(1, 1, 0.1)], {}, "operand value", "become 0"),
    "Resize to much": ("Resize", [X, None, scales(1, 1, 1e30)], {}, "operand value", "axis 2"),
    "Resize to a huge size": ("Resize", [X, None, None, ints(1, 1, HUGE)], {}, "operand value",
                              str(HUGE)),
    "Resize cubic": ("Resize", [X, None, scales(1, 1, 2)], {"mode": "cubic"}, "attribute value",
                     "'cubic'"),
    "Resize with antialias": ("Resize", [X, None, scales(1, 1, 2)], {"antialias": 1},
                              "attribute value", "antialias"),
    "Resize of a region": (
        "Resize", [X, None, scales(1, 1, 2)],
        {"coordinate_transformation_mode": "tf_crop_and_resize"}, "attribute value", "tf_crop"),
    "Resize linear of bytes": (
        "Resize", [t("uint8", 4), None, scales(2)], {"mode": "linear"}, "operand dtype", "uint8"),
    "Resize by a ratio of large numbers": (
        "Resize", [t("float32", 100), None, scales(1.1)],
        {"coordinate_transformation_mode": "align_corners"}, "operand value", "give sizes"),
    "Resize through a large tensor": (
        "Resize", [t("float32", 1000, 1), None, None, ints(1, 1000)], {"mode": "linear"},
        "operand value", "1000000 elements between"),
    "Resize at run time": (
        "Resize", [X, None, None, t("int64", 3)], {}, "constant operand", "sizes"),
    "Einsum of one": ("Einsum", [X], {"equation": "abc->cba"}, "operand count", "x"),
    "Einsum of a diagonal": (
        "Einsum", [t("float32", 2, 2), t("float32", 2)], {"equation": "ii,i->i"},
        "attribute value", "stands once"),
    "Einsum with a sum over one operand": (
        "Einsum", [t("float32", 2, 3), t("float32", 2)], {"equation": "ij,i->i"},
        "attribute value", "must stand in the result"),
    "Einsum of an ellipsis that the result lacks": (
        "Einsum", [X, X], {"equation": "...a,...a->a"}, "attribute value", "ellipsis"),
    "Einsum of two ellipses in a term": (
        "Einsum", [X, X], {"equation": "...a...,...a->...a"}, "attribute value", "ellipsis"),
    "Einsum of a term that is longer than its operand": (
        "Einsum", [X, X], {"equation": "...abcd,...a->...bcd"}, "attribute value", "ellipsis"),
    "Einsum of an ellipsis of two lengths": (
        "Einsum", [t("float32", 2, 3), t("float32", 1, 3)], {"equation": "...a,...a->..."},
        "operand shape", "is 2 and 1"),
    "Einsum of another label": (
        "Einsum", [t("float32", 2), t("float32", 2)], {"equation": "i,i->j"},
        "attribute value", "label of no operand"),
    "Einsum of two lengths": (
        "Einsum", [t("float32", 2), t("float32", 3)], {"equation": "i,i->"}, "operand shape",
        "'i' is 2 and 3"),
    "Einsum of another rank": (
        "Einsum", [t("float32", 2), t("float32", 2)], {"equation": "ij,i->j"},
        "operand shape", "'ij'"),
    "Einsum of two arrows": (
        "Einsum", [t("float32", 2), t("float32", 2)], {"equation": "i,i->->i"},
        "attribute value", "letters"),
    "Einsum of a long text": (
        "Einsum", [X, X], {"equation": "a" * 10**6}, "attribute value", "too long"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("op", "operands", "attributes", "rule", "value"), CASES.values(), ids=list(CASES)
)
def test_broken_rule_is_named_with_its_value(
    op: str, operands: list[Operand], attributes: dict[str, AttributeValue], rule: str, value: str
) -> None:
    with pytest.raises(InvalidModel) as fault:
        spec_of(op).parse(node(op, *operands, attributes=attributes))
    assert fault.value.rule == rule
    assert value in fault.value.detail
