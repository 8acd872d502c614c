"""What `cvm model` asks of one node: the models that it knows, and the bytes that it holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models_registry.cli.http_client import BadAnswer, RpcClient, hex_text, octets, quantity


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
