"""What `cvm model` asks of one node: the models that it knows, and the bytes that it holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from cvm.inference.graph import Value
from cvm.inference.limits import MAX_ELEMENTS, MAX_RANK
from cvm.inference.tensor_type import TensorType
from models_registry.cli.http_client import BadAnswer, RpcClient, hex_text, octets, quantity
from models_registry.cli.rules import NodeHash
from models_registry.interface import ModelInterface

DTYPES = frozenset({"float32", "int8", "uint8", "int32", "int64", "bool"})


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """What `cvm_modelStatus` says; `activation_height` is 0 until a record was accepted."""

    status: str
    has_bytes: bool
    missing_chunks: tuple[int, ...]
    record: bytes | None
    refusal: str | None
    attestations: tuple[bytes, ...]
    activation_height: int


@dataclass(frozen=True, slots=True)
class GivenChunk:
    """A chunk that a node gave, not checked; `size_bytes` is what it says of the model."""

    size_bytes: int
    index: int
    chunk: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class CallGas:
    """What one call was or would be charged, in gas; `royalty` goes to the owner."""

    base: int
    load: int
    compute: int
    royalty: int
    io_bytes: int
    total: int


@dataclass(frozen=True, slots=True)
class TracedInference:
    """One inference of a past transaction, as the node found it by running the block again.

    `input` and `output` are None where the answer would be too large; `nodes` where nobody asked.
    """

    index: int
    model_id: bytes
    owner: bytes | None
    ok: bool
    has_run: bool
    gas: CallGas
    royalty_wei: int
    input_size: int
    input_hash: bytes
    input: bytes | None
    output_hash: bytes
    output: bytes | None
    nodes: tuple[NodeHash, ...] | None


@dataclass(frozen=True, slots=True)
class TracedTransaction:
    """The inferences of one transaction, and the block that holds it."""

    block_number: int
    inferences: tuple[TracedInference, ...]


class NodeClient:
    """The cvm_ methods of one node."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    @property
    def url(self) -> str:
        """Return the node's address."""
        return self._rpc.url

    def models(self) -> list[dict[str, Any]]:
        """Return every registered model."""
        models = self._rpc.call("cvm_listModels")
        if not isinstance(models, list) or not all(isinstance(model, dict) for model in models):
            raise BadAnswer(self._rpc.url, "cvm_listModels is not a list of models")
        return models

    def model(self, model_id: bytes) -> dict[str, Any] | None:
        """Return a registered model, or None."""
        model = self._rpc.call("cvm_getModel", hex_text(model_id))
        if model is not None and not isinstance(model, dict):
            raise BadAnswer(self._rpc.url, "cvm_getModel is neither a model nor null")
        return model

    def status(self, model_id: bytes, size_bytes: int | None = None) -> NodeStatus:
        """Return where a model stands on chain and at the node.

        The size tells how many chunks a model that is not registered has.
        """
        size = None if size_bytes is None else hex(size_bytes)
        return self._rpc.ask(_status, "cvm_modelStatus", hex_text(model_id), size)

    def missing_chunks(self, model_id: bytes, size_bytes: int) -> tuple[int, ...]:
        """Return the chunks of a model that the node lacks, ascending."""
        return self._rpc.ask(_indices, "cvm_missingChunks", hex_text(model_id), hex(size_bytes))

    def chunk(self, model_id: bytes, index: int) -> GivenChunk:
        """Return a chunk as the node gives it, which proves nothing before it is checked."""
        return self._rpc.ask(_chunk, "cvm_getChunk", hex_text(model_id), hex(index))

    def interface(self, model_id: bytes) -> ModelInterface:
        """Return what a model that the node holds takes and gives."""
        return self._rpc.ask(_interface, "cvm_modelInterface", hex_text(model_id))

    def call_gas(self, model_id: bytes, batch: int) -> CallGas:
        """Return what one call of an ACTIVE model would be charged."""
        return self._rpc.ask(_call_gas, "cvm_estimateInference", hex_text(model_id), hex(batch))

    def trace(self, tx_hash: str, *, nodes: bool, index: int | None) -> TracedTransaction:
        """Return the inferences of a past transaction, or the one of a place."""
        options: dict[str, Any] = {"nodes": nodes}
        if index is not None:
            options["index"] = hex(index)
        return self._rpc.ask(_traced, "cvm_traceInference", tx_hash, options)

    def put_chunk(
        self, model_id: bytes, size_bytes: int, index: int, chunk: bytes, proof: Sequence[bytes]
    ) -> None:
        """Give the node one chunk with its Merkle proof."""
        hashes = [hex_text(sibling) for sibling in proof]
        self._rpc.call(
            "cvm_putChunk",
            hex_text(model_id),
            hex(size_bytes),
            hex(index),
            hex_text(chunk),
            hashes,
        )


def _indices(answer: Any) -> tuple[int, ...]:
    return tuple(quantity(index) for index in answer)


def _chunk(answer: Any) -> GivenChunk:
    return GivenChunk(
        size_bytes=quantity(answer["size"]),
        index=quantity(answer["index"]),
        chunk=octets(answer["chunk"]),
        proof=tuple(octets(sibling) for sibling in answer["proof"]),
    )


def _interface(answer: Any) -> ModelInterface:
    return ModelInterface(
        tuple(map(_value, answer["inputs"])),
        tuple(map(_value, answer["outputs"])),
        bool(answer["batchable"]),
    )


def _value(answer: Any) -> Value:
    shape = tuple(quantity(length) for length in answer["shape"])
    dtype = str(answer["dtype"])
    if dtype not in DTYPES:
        raise ValueError(f"no model has values of dtype {dtype!r:.20}")
    if len(shape) > MAX_RANK or prod(shape) > MAX_ELEMENTS:
        raise ValueError(f"no model has values of shape {shape!r:.80}")
    return Value(str(answer["name"]), TensorType(dtype, shape))


def _call_gas(answer: Any) -> CallGas:
    parts = ("base", "load", "compute", "royalty", "bytes", "total")
    return CallGas(*(quantity(answer[part]) for part in parts))


def _traced(answer: Any) -> TracedTransaction:
    found = tuple(_inference(inference) for inference in answer["inferences"])
    return TracedTransaction(quantity(answer["blockNumber"]), found)


def _inference(answer: Any) -> TracedInference:
    nodes = answer["nodes"]
    return TracedInference(
        index=quantity(answer["index"]),
        model_id=octets(answer["modelId"]),
        owner=_optional(answer["owner"]),
        ok=bool(answer["ok"]),
        has_run=bool(answer["hasRun"]),
        gas=_call_gas(answer["gas"]),
        royalty_wei=quantity(answer["royaltyPaid"]),
        input_size=quantity(answer["inputSize"]),
        input_hash=octets(answer["inputHash"]),
        input=_optional(answer["input"]),
        output_hash=octets(answer["outputHash"]),
        output=_optional(answer["output"]),
        nodes=None if nodes is None else tuple(map(_node, nodes)),
    )


def _node(answer: Any) -> NodeHash:
    return NodeHash(str(answer["name"]), str(answer["opType"]), octets(answer["outputHash"]))


def _optional(text: Any) -> bytes | None:
    return None if text is None else octets(text)


def _status(answer: Any) -> NodeStatus:
    record, refusal = answer["record"], answer["refusal"]
    return NodeStatus(
        status=str(answer["status"]),
        has_bytes=bool(answer["hasBytes"]),
        missing_chunks=_indices(answer["missingChunks"]),
        record=None if record is None else octets(record),
        refusal=None if refusal is None else str(refusal),
        attestations=tuple(octets(text) for text in answer["attestations"]),
        activation_height=quantity(answer["activationHeight"] or "0x0"),
    )
