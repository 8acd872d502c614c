"""The part of ONNX's protobuf format that engine 1 reads, and the part that it refuses by name.

Field numbers are those of onnx.proto (ONNX 1.16, IR version 10). Whatever is neither listed nor
refused here is an unknown field. Text that only informs (`doc_string`, `metadata_props`,
producer) is read over: nothing in it changes a result.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from cvm.inference.protobuf_wire import Field, Kind
from cvm.inference.tensor_type import Array

INTEGER, FLOAT, TEXT = Kind.INTEGER, Kind.FLOAT, Kind.TEXT
OCTETS, PACKED, REFUSED, MESSAGE = Kind.OCTETS, Kind.PACKED, Kind.REFUSED, Kind.MESSAGE


@dataclass(frozen=True, slots=True)
class OnnxEntry:
    """StringStringEntryProto: a remark."""

    key: Annotated[str, Field(1, TEXT)] = ""
    value: Annotated[str, Field(2, TEXT)] = ""


@dataclass(frozen=True, slots=True)
class OnnxTensor:
    """TensorProto: a weight."""

    dims: Annotated[tuple[int, ...], Field(1, INTEGER, repeated=True)] = ()
    data_type: Annotated[int, Field(2, INTEGER)] = 0
    segment: Annotated[None, Field(3, REFUSED)] = None
    float_data: Annotated[memoryview | None, Field(4, PACKED)] = None
    int32_data: Annotated[memoryview | None, Field(5, PACKED)] = None
    string_data: Annotated[None, Field(6, REFUSED)] = None
    int64_data: Annotated[memoryview | None, Field(7, PACKED)] = None
    name: Annotated[str, Field(8, TEXT)] = ""
    raw_data: Annotated[memoryview | None, Field(9, OCTETS)] = None
    double_data: Annotated[None, Field(10, REFUSED)] = None
    uint64_data: Annotated[None, Field(11, REFUSED)] = None
    doc_string: Annotated[str, Field(12, TEXT)] = ""
    external_data: Annotated[None, Field(13, REFUSED)] = None
    data_location: Annotated[int, Field(14, INTEGER)] = 0
    metadata_props: Annotated[
        tuple[OnnxEntry, ...], Field(16, MESSAGE, repeated=True, message=OnnxEntry)
    ] = ()


@dataclass(frozen=True, slots=True)
class OnnxAttribute:
    """AttributeProto: None tells a value that is absent from one that is zero."""

    name: Annotated[str, Field(1, TEXT)] = ""
    f: Annotated[np.float32 | None, Field(2, FLOAT)] = None
    i: Annotated[int | None, Field(3, INTEGER)] = None
    s: Annotated[memoryview | None, Field(4, OCTETS)] = None
    t: Annotated[OnnxTensor | None, Field(5, MESSAGE, message=OnnxTensor)] = None
    g: Annotated[None, Field(6, REFUSED)] = None
    floats: Annotated[Array | None, Field(7, FLOAT, repeated=True, listed=True)] = None
    ints: Annotated[Array | None, Field(8, INTEGER, repeated=True, listed=True)] = None
    strings: Annotated[tuple[str, ...], Field(9, TEXT, repeated=True, listed=True)] = ()
    tensors: Annotated[None, Field(10, REFUSED)] = None
    graphs: Annotated[None, Field(11, REFUSED)] = None
    doc_string: Annotated[str, Field(13, TEXT)] = ""
    tp: Annotated[None, Field(14, REFUSED)] = None
    type_protos: Annotated[None, Field(15, REFUSED)] = None
    type: Annotated[int, Field(20, INTEGER)] = 0
    ref_attr_name: Annotated[None, Field(21, REFUSED)] = None
    sparse_tensor: Annotated[None, Field(22, REFUSED)] = None
    sparse_tensors: Annotated[None, Field(23, REFUSED)] = None


@dataclass(frozen=True, slots=True)
class OnnxNode:
    """NodeProto: an operator and the names of its values."""

    input: Annotated[tuple[str, ...], Field(1, TEXT, repeated=True)] = ()
    output: Annotated[tuple[str, ...], Field(2, TEXT, repeated=True)] = ()
    name: Annotated[str, Field(3, TEXT)] = ""
    op_type: Annotated[str, Field(4, TEXT)] = ""
    attribute: Annotated[
        tuple[OnnxAttribute, ...], Field(5, MESSAGE, repeated=True, message=OnnxAttribute)
    ] = ()
    doc_string: Annotated[str, Field(6, TEXT)] = ""
    domain: Annotated[str, Field(7, TEXT)] = ""
    overload: Annotated[None, Field(8, REFUSED)] = None
    metadata_props: Annotated[
        tuple[OnnxEntry, ...], Field(9, MESSAGE, repeated=True, message=OnnxEntry)
    ] = ()
    device_configurations: Annotated[None, Field(10, REFUSED)] = None


@dataclass(frozen=True, slots=True)
class OnnxDimension:
    """TensorShapeProto.Dimension: engine 1 takes fixed sizes only."""

    dim_value: Annotated[int, Field(1, INTEGER)] = 0
    dim_param: Annotated[None, Field(2, REFUSED)] = None
    denotation: Annotated[None, Field(3, REFUSED)] = None


@dataclass(frozen=True, slots=True)
class OnnxShape:
    """TensorShapeProto."""

    dim: Annotated[
        tuple[OnnxDimension, ...], Field(1, MESSAGE, repeated=True, message=OnnxDimension)
    ] = ()


@dataclass(frozen=True, slots=True)
class OnnxTensorType:
    """TypeProto.Tensor: without a shape the rank is unknown."""

    elem_type: Annotated[int, Field(1, INTEGER)] = 0
    shape: Annotated[OnnxShape | None, Field(2, MESSAGE, message=OnnxShape)] = None


@dataclass(frozen=True, slots=True)
class OnnxType:
    """TypeProto: tensors only."""

    tensor_type: Annotated[OnnxTensorType | None, Field(1, MESSAGE, message=OnnxTensorType)] = None
    sequence_type: Annotated[None, Field(4, REFUSED)] = None
    map_type: Annotated[None, Field(5, REFUSED)] = None
    denotation: Annotated[None, Field(6, REFUSED)] = None
    opaque_type: Annotated[None, Field(7, REFUSED)] = None
    sparse_tensor_type: Annotated[None, Field(8, REFUSED)] = None
    optional_type: Annotated[None, Field(9, REFUSED)] = None


@dataclass(frozen=True, slots=True)
class OnnxValue:
    """ValueInfoProto: a name and its type."""

    name: Annotated[str, Field(1, TEXT)] = ""
    type: Annotated[OnnxType | None, Field(2, MESSAGE, message=OnnxType)] = None
    doc_string: Annotated[str, Field(3, TEXT)] = ""
    metadata_props: Annotated[
        tuple[OnnxEntry, ...], Field(4, MESSAGE, repeated=True, message=OnnxEntry)
    ] = ()


@dataclass(frozen=True, slots=True)
class OnnxGraph:
    """GraphProto."""

    node: Annotated[tuple[OnnxNode, ...], Field(1, MESSAGE, repeated=True, message=OnnxNode)] = ()
    name: Annotated[str, Field(2, TEXT)] = ""
    initializer: Annotated[
        tuple[OnnxTensor, ...], Field(5, MESSAGE, repeated=True, message=OnnxTensor)
    ] = ()
    doc_string: Annotated[str, Field(10, TEXT)] = ""
    input: Annotated[
        tuple[OnnxValue, ...], Field(11, MESSAGE, repeated=True, message=OnnxValue)
    ] = ()
    output: Annotated[
        tuple[OnnxValue, ...], Field(12, MESSAGE, repeated=True, message=OnnxValue)
    ] = ()
    value_info: Annotated[
        tuple[OnnxValue, ...], Field(13, MESSAGE, repeated=True, message=OnnxValue)
    ] = ()
    quantization_annotation: Annotated[None, Field(14, REFUSED)] = None
    sparse_initializer: Annotated[None, Field(15, REFUSED)] = None
    metadata_props: Annotated[
        tuple[OnnxEntry, ...], Field(16, MESSAGE, repeated=True, message=OnnxEntry)
    ] = ()


@dataclass(frozen=True, slots=True)
class OnnxOperatorSet:
    """OperatorSetIdProto: the operators' domain and its version."""

    domain: Annotated[str, Field(1, TEXT)] = ""
    version: Annotated[int, Field(2, INTEGER)] = 0


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """ModelProto: the whole file."""

    ir_version: Annotated[int, Field(1, INTEGER)] = 0
    producer_name: Annotated[str, Field(2, TEXT)] = ""
    producer_version: Annotated[str, Field(3, TEXT)] = ""
    domain: Annotated[str, Field(4, TEXT)] = ""
    model_version: Annotated[int, Field(5, INTEGER)] = 0
    doc_string: Annotated[str, Field(6, TEXT)] = ""
    graph: Annotated[OnnxGraph | None, Field(7, MESSAGE, message=OnnxGraph)] = None
    opset_import: Annotated[
        tuple[OnnxOperatorSet, ...], Field(8, MESSAGE, repeated=True, message=OnnxOperatorSet)
    ] = ()
    metadata_props: Annotated[
        tuple[OnnxEntry, ...], Field(14, MESSAGE, repeated=True, message=OnnxEntry)
    ] = ()
    training_info: Annotated[None, Field(20, REFUSED)] = None
    functions: Annotated[None, Field(25, REFUSED)] = None
    configuration: Annotated[None, Field(26, REFUSED)] = None


def attribute_tensors(graph: OnnxGraph) -> tuple[OnnxTensor, ...]:
    """Return the tensors that stand in the attributes of nodes."""
    attributes = (attribute for node in graph.node for attribute in node.attribute)
    return tuple(attribute.t for attribute in attributes if attribute.t is not None)
