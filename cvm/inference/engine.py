"""Runs a model on the bytes of a call: one item after the other, the same bytes everywhere."""

from dataclasses import dataclass
from hashlib import sha256

from cvm.faults import OutOfMemory
from cvm.inference.backends.backend import Plan, Trace
from cvm.inference.faults import BadInputSize
from cvm.inference.float_environment import default_float_environment
from cvm.inference.graph import Node
from cvm.inference.limits import MAX_BATCH
from cvm.inference.model_file import Model
from cvm.inference.tensor_bytes import decode_item, encode_tensors
from cvm.inference.tensor_type import Array


@dataclass(frozen=True, slots=True)
class NodeTrace:
    """What one node made: the SHA-256 of its outputs' bytes, over all items in order."""

    name: str
    op_type: str
    sha256: str


def batch_size(model: Model, input_size_bytes: int) -> int:
    """Return how many items an input holds.

    Raises `BadInputSize` unless it is a whole number of items, from 1 to `MAX_BATCH`, and
    exactly one where the model is not batchable.
    """
    max_batch = MAX_BATCH if model.batchable else 1
    items, rest = divmod(input_size_bytes, model.input_bytes)
    if rest or not 1 <= items <= max_batch:
        raise BadInputSize(input_size_bytes, model.input_bytes, max_batch)
    return items


def run_items(plan: Plan, model: Model, data: bytes) -> bytes:
    """Run every item of an input and return the outputs, item after item.

    `data` holds packed big-endian elements: the inputs of item 0 in graph order, then those of
    item 1 ...; the result likewise. A batch is a loop: the bytes of an item never depend on the
    others. Raises `BadInputSize`, `InputOutOfRange`, or a `LocalFault` of this machine.
    """
    return _run_items(plan, model, data, None)


def trace_items(plan: Plan, model: Model, data: bytes) -> tuple[bytes, tuple[NodeTrace, ...]]:
    """Run like `run_items`; return also a hash per node, in graph order.

    The hash of a node covers its outputs as packed big-endian elements with canonical NaNs, so
    two machines that disagree find the first node whose hash differs.
    """
    hashers = {node.outputs[0]: sha256() for node in model.graph.nodes}

    def trace(node: Node, outputs: tuple[Array, ...]) -> None:
        hashers[node.outputs[0]].update(encode_tensors(outputs))

    output = _run_items(plan, model, data, trace)
    return output, tuple(
        NodeTrace(node.name, node.view.op_type, hashers[node.outputs[0]].hexdigest())
        for node in model.graph.nodes
    )


def output_sha256(output: bytes) -> str:
    """Return the hash by which machines compare an output, as 64 hex digits."""
    return sha256(output).hexdigest()


def _run_items(plan: Plan, model: Model, data: bytes, trace: Trace | None) -> bytes:
    """Run all items in the default float environment."""
    item_bytes = model.input_bytes
    view = memoryview(data)
    outputs: list[bytes] = []
    try:
        with default_float_environment():
            for start in range(0, batch_size(model, len(data)) * item_bytes, item_bytes):
                arrays = decode_item(view[start : start + item_bytes], model.graph.inputs)
                outputs.append(encode_tensors(plan.run(arrays, trace)))
    except MemoryError as error:
        raise OutOfMemory(model.cost.peak_bytes) from error
    return b"".join(outputs)
