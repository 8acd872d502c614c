"""Bytes that nobody meant well: always `InvalidModel` with a reason, in little time and memory."""

import random
import subprocess
import sys
from collections.abc import Callable, Iterator

import numpy as np
import onnx
import pytest
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from google.protobuf.unknown_fields import UnknownFieldSet  # type: ignore[import-untyped]
from hypothesis import example, given, settings
from hypothesis import strategies as st
from onnx import helper

from cvm.inference.faults import InvalidModel
from cvm.inference.model_file import parse_model
from cvm.inference.onnx_messages import OnnxModel
from cvm.inference.operators.table import OPERATORS
from cvm.inference.protobuf_wire import MessageReader
from cvm.inference.tensor_type import Array
from tests.unit.inference.onnx_models import encoded, model_of, two_layers, value

VALID = encoded(two_layers())
PADDED_VARINT = bytes([0x80, 0x00])


def length_delimited(number: int, payload: bytes) -> bytes:
    """Return a protobuf field that holds bytes."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def varint(number: int) -> bytes:
    """Return a minimal varint."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def is_refused(data: bytes) -> bool:
    """Return whether a file is refused; another exception than `InvalidModel` passes through."""
    try:
        parse_model(data)
    except InvalidModel as fault:
        return bool(fault.rule) and 0 < len(fault.detail) < 2000
    return False


def test_every_truncation_is_refused() -> None:
    assert [size for size in range(len(VALID)) if not is_refused(VALID[:size])] == []


def mutations(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Return files with one to four bytes changed, inserted or removed."""
    source = random.Random(seed)
    for _ in range(count):
        changed = bytearray(data)
        for _ in range(source.randint(1, 4)):
            position = source.randrange(len(changed))
            match source.randrange(4):
                case 0:
                    changed[position] = source.randrange(256)
                case 1:
                    changed[position] ^= 1 << source.randrange(8)
                case 2:
                    changed.insert(position, source.randrange(256))
                case _:
                    del changed[position]
        yield bytes(changed)


def has_unknown_fields(message: object) -> bool:
    """Return whether the protobuf library kept a field that it does not know, at any depth."""
    if len(UnknownFieldSet(message)):
        return True
    for field, content in message.ListFields():  # type: ignore[attr-defined]  # any message
        if field.message_type is not None:
            children = [content] if hasattr(content, "ListFields") else list(content)
            if any(map(has_unknown_fields, children)):
                return True
    return False


def is_canonical_for_protobuf(data: bytes) -> bool:
    """Return whether google.protobuf reads the bytes, knows all, and writes them back."""
    try:
        model = onnx.ModelProto.FromString(data)
    except DecodeError:
        return False
    return encoded(model) == data and not has_unknown_fields(model)


def test_random_damage_is_refused_or_still_canonical() -> None:
    """Nothing but `InvalidModel` comes out, and the peer agrees with whatever is accepted."""
    accepted = [data for data in mutations(VALID, 1500, seed=1) if not is_refused(data)]
    assert 0 < len(accepted) < 750  # a changed weight is another good file
    assert [data for data in accepted if not is_canonical_for_protobuf(data)] == []


def test_reader_accepts_only_what_protobuf_writes() -> None:
    """The reader is at least as strict as parse and serialise, before any rule of a model."""
    for data in mutations(VALID, 3000, seed=2):
        try:
            MessageReader(data).read(OnnxModel)
        except InvalidModel:
            continue
        assert is_canonical_for_protobuf(data)


@given(st.binary(max_size=200))
@example(b"")
@settings(derandomize=True, max_examples=300, deadline=None)
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    assert is_refused(data)


@pytest.mark.parametrize(("domain", "op_type"), sorted(OPERATORS), ids=lambda name: name or "onnx")
def test_operator_with_senseless_operands_is_refused_or_sound(domain: str, op_type: str) -> None:
    """Random ranks, dtypes, attributes and constants make no other exception."""
    source = random.Random(op_type)
    refused = sum(is_refused(encoded(senseless(domain, op_type, source))) for _ in range(60))
    assert refused > 0


def senseless(domain: str, op_type: str, source: random.Random) -> onnx.ModelProto:
    """Return a one-node model whose parts do not fit each other."""
    attributes = sorted(OPERATORS[domain, op_type].attributes)
    dtypes = [np.float32, np.uint8, np.int8, np.int32, np.int64, np.bool_]
    sizes = [1, 1, 2, 3, 7]
    inputs = [value("unused", (1,))]
    weights: dict[str, Array] = {}
    names = [f"in{index}" for index in range(source.randrange(1, 10))]
    shapes = {name: [source.choice(sizes) for _ in range(source.randrange(5))] for name in names}
    for name in names:
        dtype = np.dtype(source.choice(dtypes))
        if source.random() < 0.5:
            filling = source.choice([0, 1, 1, 2, 100])
            weights[name] = np.full(shapes[name], filling, dtype)
        else:
            element_type = helper.np_dtype_to_tensor_dtype(dtype)
            inputs.append(value(name, shapes[name], element_type))
    hostile = [0, 1, -1, 2, 2**31, 2**62, -(2**63), [1], [2**62, 2**62], [-1, 0, 3, 3], 1.5, "SAME"]
    node = helper.make_node(op_type, names, ["out"], domain=domain)
    for name in attributes:
        if source.random() < 0.4:
            node.attribute.append(helper.make_attribute(name, source.choice(hostile)))
    output = value("out", source.choice(list(shapes.values())))
    model = model_of([node], inputs, [output], weights)
    if domain:
        model.opset_import.append(helper.make_opsetid(domain, 3))
    return model


CRAFTED = [
    pytest.param(VALID + PADDED_VARINT, "canonical bytes", id="padded varint"),
    pytest.param(VALID + length_delimited(99, b""), "unknown field", id="unknown field"),
    pytest.param(VALID + VALID, "canonical bytes", id="file twice"),
    pytest.param(b"\x0b" + VALID, "canonical bytes", id="group"),
    pytest.param(VALID + b"\x92\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "unknown field",
                 id="length of 2**64 - 1"),
    pytest.param(b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "canonical bytes",
                 id="varint over 64 bits"),
    pytest.param(b"\x08" + b"\xff" * 11, "whole file", id="varint without end"),
    pytest.param(b"\x08\x0a\x12\x02\xc3\x28", "canonical bytes", id="text that is not UTF-8"),
    pytest.param(b"\x08\x0a\x3a\xff\xff\xff\xff\x07", "whole file", id="graph past the end"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "rule"), CRAFTED)
def test_crafted_bytes_are_refused(data: bytes, rule: str) -> None:
    with pytest.raises(InvalidModel) as caught:
        parse_model(data)
    assert caught.value.rule == rule


def nodes_of_nothing(size_bytes: int) -> bytes:
    """Return a graph of empty nodes, 2 bytes each, which a library unpacks to 100 times that."""
    return b"\x08\x0a" + length_delimited(7, b"\x0a\x00" * (size_bytes // 2))


def dims_without_end(size_bytes: int) -> bytes:
    tensor = length_delimited(5, b"\x08\x01" * (size_bytes // 2))
    return b"\x08\x0a" + length_delimited(7, tensor)


def listed_integers(size_bytes: int) -> bytes:
    model = two_layers()
    model.graph.initializer.add(
        name="long", data_type=7, dims=[2**6, 2**20], int64_data=[1] * size_bytes
    )
    return encoded(model)


def false_size(size_bytes: int) -> bytes:
    model = two_layers()
    model.graph.initializer.add(
        name="empty", data_type=1, dims=[2**6, 2**20], raw_data=bytes(size_bytes)
    )
    return encoded(model)


def nested_graphs(depth: int) -> bytes:
    """Return subgraphs within attributes within nodes, as deep as the bytes go."""
    inner = b""
    for _ in range(depth):
        inner = length_delimited(1, length_delimited(5, length_delimited(6, inner)))
    return b"\x08\x0a" + length_delimited(7, inner)


def long_names(size_bytes: int) -> bytes:
    model = two_layers()
    model.graph.node[0].op_type = "x" * size_bytes
    return encoded(model)


def shared_weights(_size_bytes: int) -> bytes:
    """Return a graph in which 1,000 products each have the same 2**20 weights checked."""
    weights: dict[str, Array] = {"w": np.ones((2**10, 2**10), np.int8)}
    nodes = [helper.make_node("MatMulInteger", ["a", "w"], [f"y{index}"]) for index in range(1000)]
    inputs = [value("a", (1, 2**10), onnx.TensorProto.UINT8)]
    return encoded(model_of(nodes, inputs, [value("y0", (1, 2**10), 6)], weights))


def attribute_run(element: bytes, size_bytes: int) -> bytes:
    """Return a node with an attribute that repeats one element."""
    attribute = length_delimited(1, b"coefficients") + element * (size_bytes // len(element))
    return node_with(length_delimited(5, attribute))


def node_with(attributes: bytes) -> bytes:
    """Return a model of one node with these attribute fields."""
    return b"\x08\x0a" + length_delimited(7, length_delimited(1, attributes))


def listed_floats(size_bytes: int) -> bytes:
    return attribute_run(b"\x3d\x00\x00\x80\x3f", size_bytes)


def listed_ints(size_bytes: int) -> bytes:
    return attribute_run(b"\x40\x01", size_bytes)


def long_ints(size_bytes: int) -> bytes:
    return attribute_run(b"\x40" + b"\xff" * 9 + b"\x01", size_bytes)


def listed_texts(size_bytes: int) -> bytes:
    return attribute_run(b"\x4a\x00", size_bytes)


def short_runs(size_bytes: int) -> bytes:
    """Return attributes that are each just long enough to be read as a run."""
    attribute = length_delimited(5, b"\x40\x01" * 20)
    return node_with(attribute * (size_bytes // len(attribute)))


def ensemble(tree_ids: Array, true_ids: Array, false_ids: Array, leaves: Array) -> bytes:
    """Return a TreeEnsembleRegressor; a tree's nodes are numbered from 0."""
    size = len(tree_ids)
    first = np.flatnonzero(np.diff(tree_ids, prepend=-1))
    ids = np.arange(size) - np.repeat(first, np.diff(first, append=size))
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        nodes_treeids=tree_ids.tolist(),
        nodes_nodeids=ids.tolist(),
        nodes_featureids=[0] * size,
        nodes_values=[0.5] * size,
        nodes_modes=np.where(leaves, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_truenodeids=true_ids.tolist(),
        nodes_falsenodeids=false_ids.tolist(),
        target_treeids=tree_ids[leaves].tolist(),
        target_nodeids=ids[leaves].tolist(),
        target_ids=[0] * int(leaves.sum()),
        target_weights=[1.0] * int(leaves.sum()),
        n_targets=1,
    )
    model = model_of([node], [value("x", (1, 1))], [value("y", (1, 1))])
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 3))
    return encoded(model)


def stumps(size_bytes: int) -> bytes:
    """Return as many trees of three nodes as the limits allow, but declare a wrong output."""
    count = size_bytes // 3
    trees = np.repeat(np.arange(count), 3)
    kinds = np.tile([False, True, True], count)
    data = ensemble(trees, np.where(kinds, 0, 1), np.where(kinds, 0, 2), kinds)
    return data.replace(b"\x0a\x01y\x12", b"\x0a\x01z\x12")


def deep_tree(depth: int) -> bytes:
    """Return one tree that is a chain: node 2 k goes to leaf 2 k + 1 or to node 2 k + 2."""
    size = 2 * depth + 1
    ids = np.arange(size)
    leaves = (ids % 2 == 1) | (ids == size - 1)
    return ensemble(np.zeros(size, int), ids + 1, ids + 2, leaves)


BOMBS: dict[str, tuple[Callable[[int], bytes], int, str]] = {
    "empty nodes": (nodes_of_nothing, 60 * 2**20, "field count"),
    "endless dims": (dims_without_end, 60 * 2**20, "field count"),
    "listed integers": (listed_integers, 4 * 2**20, "listed integers"),
    "size that is not there": (false_size, 16, "tensor size"),
    "nested graphs": (nested_graphs, 2000, "refused field"),
    "long operator name": (long_names, 60 * 2**20, "operator"),
    "shared weights": (shared_weights, 0, "constant reads"),
    "listed floats": (listed_floats, 60 * 2**20, "list length"),
    "listed ints": (listed_ints, 60 * 2**20, "list length"),
    "long ints": (long_ints, 60 * 2**20, "list length"),
    "listed texts": (listed_texts, 60 * 2**20, "list length"),
    "short runs": (short_runs, 60 * 2**20, "field count"),
    "stumps": (stumps, 300_000, "graph output"),
    "deep tree": (deep_tree, 100_000, "tree"),
}

CHILD = """
import resource, sys
from cvm.inference.faults import InvalidModel
from cvm.inference.model_file import parse_model
data = sys.stdin.buffer.read()
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + 512 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
used = resource.getrusage(resource.RUSAGE_SELF)
seconds = int(used.ru_utime + used.ru_stime) + 3
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
try:
    parse_model(data)
except InvalidModel as fault:
    sys.stdout.write(fault.rule)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and resource limits")
@pytest.mark.parametrize("bomb", BOMBS)
def test_bomb_is_refused_within_2_seconds_and_512_mib(bomb: str) -> None:
    make, size_bytes, rule = BOMBS[bomb]
    child = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=make(size_bytes),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (child.stdout.decode(), child.stderr.decode()) == (rule, "")
