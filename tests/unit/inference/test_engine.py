"""A call is a loop over items, and every machine can compare what each node made."""

import struct
from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import pytest
from onnx import helper

from cvm.faults import DeviceFault, OutOfMemory, UnknownBackend
from cvm.inference.backends.backend import Trace
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.backends.table import backend_named
from cvm.inference.engine import output_sha256, run_items, trace_items
from cvm.inference.faults import BadInputSize
from cvm.inference.model_file import Model, parse_model
from cvm.inference.tensor_type import Array
from tests.unit.inference.onnx_models import encoded, model_of, two_layers, value

ITEM = struct.pack(">3f", 1, 2, 3)
ITEM_OUTPUT = struct.pack(">2f", 22 * 3, 22 * 4)  # relu(16 - 20, 22) V
OTHER_ITEM = struct.pack(">3f", 0, 0, 10)
OTHER_OUTPUT = struct.pack(">2f", 20 + 50 * 3, 40 + 50 * 4)


@pytest.fixture(scope="module")
def model() -> Model:
    return parse_model(encoded(two_layers()))


def unbatchable() -> Model:
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    weights: dict[str, Array] = {"w": np.ones((1, 1), np.float32)}
    return parse_model(
        encoded(model_of([node], [value("x", (2, 1))], [value("y", (2, 1))], weights))
    )


def test_items_lie_one_after_the_other_on_both_sides(model: Model) -> None:
    plan = ReferenceBackend().plan(model.graph)
    output = run_items(plan, model, ITEM + OTHER_ITEM + ITEM)
    assert output == ITEM_OUTPUT + OTHER_OUTPUT + ITEM_OUTPUT


@pytest.mark.parametrize(
    "size_bytes",
    [
        pytest.param(0, id="empty"),
        pytest.param(11, id="less than an item"),
        pytest.param(13, id="more than an item"),
        pytest.param(12 * 4097, id="one item over the batch limit"),
    ],
)
def test_input_that_is_no_whole_number_of_items_is_refused(model: Model, size_bytes: int) -> None:
    plan = ReferenceBackend().plan(model.graph)
    with pytest.raises(BadInputSize) as caught:
        run_items(plan, model, bytes(size_bytes))
    assert (caught.value.size_bytes, caught.value.item_bytes) == (size_bytes, 12)
    assert caught.value.max_batch == 4096


def test_model_without_leading_one_takes_one_item(model: Model) -> None:
    single = unbatchable()
    plan = ReferenceBackend().plan(single.graph)
    assert run_items(plan, single, struct.pack(">2f", 5, 6)) == struct.pack(">2f", 5, 6)
    with pytest.raises(BadInputSize, match="1 to 1 items of exactly 8 bytes"):
        run_items(plan, single, bytes(16))


def test_trace_hashes_every_nodes_output_bytes_over_all_items(model: Model) -> None:
    plan = ReferenceBackend().plan(model.graph)
    output, traces = trace_items(plan, model, ITEM + OTHER_ITEM)
    assert output == ITEM_OUTPUT + OTHER_OUTPUT
    assert [(node.name, node.op_type) for node in traces] == [
        ("first", "Gemm"),
        ("Relu_1", "Relu"),
        ("last", "MatMul"),
    ]
    assert traces[0].sha256 == sha256(struct.pack(">4f", -4, 22, 20, 50)).hexdigest()
    assert traces[1].sha256 == sha256(struct.pack(">4f", 0, 22, 20, 50)).hexdigest()
    assert traces[2].sha256 == output_sha256(output)


def test_output_sha256_is_the_hash_of_the_bytes() -> None:
    assert output_sha256(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


class FullPlan:
    """A plan on a machine without memory."""

    def run(self, inputs: Sequence[Array], trace: Trace | None = None) -> tuple[Array, ...]:
        raise MemoryError


def test_memory_that_runs_out_is_a_fault_of_this_machine(model: Model) -> None:
    with pytest.raises(OutOfMemory) as caught:
        run_items(FullPlan(), model, ITEM)
    assert caught.value.needed_bytes == model.cost.peak_bytes


def test_reference_lets_values_die_after_their_last_reader(model: Model) -> None:
    names = ReferenceBackend().plan(model.graph).dying
    assert names == (("x",), ("h",), ("r",))


def test_unknown_backend_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownBackend, match="no backend 'tpu'; there are reference, cpu, cuda"):
        backend_named("tpu")


def test_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cvm.inference.backends.cuda", None)
    with pytest.raises(DeviceFault, match=r"pip install 'cvm-chain\[cuda\]'"):
        backend_named("cuda")
