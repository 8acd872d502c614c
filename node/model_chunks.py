"""Serves the chunks of models that lie here whole, each with its Merkle proof."""

from collections import OrderedDict
from threading import Lock

from cvm.faults import ModelDataMissing
from models_registry.chunks import (
    BadChunk,
    BadChunkIndex,
    inclusion_proof,
    leaf_hash,
    split_chunks,
    validate_chunk,
)
from node.rpc.chain_view import ModelChunk
from node.storage.model_store import ModelStore

KEPT_TREES = 256
"""Models whose leaves are remembered: 8 KiB each at most."""


class ModelChunks:
    """Reads chunks from the store; any thread may call it."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._leaves: OrderedDict[bytes, tuple[bytes, ...]] = OrderedDict()
        self._lock = Lock()

    def read(self, model: bytes, index: int) -> ModelChunk:
        """Return a chunk; raises `ModelDataMissing` or `BadChunkIndex`.

        A file that was damaged since its leaves were read counts as missing.
        """
        leaves = self._leaves_of(model)
        if index >= len(leaves):
            raise BadChunkIndex(index, len(leaves))
        size_bytes, chunk = self._store.read_chunk(model, index)
        proof = inclusion_proof(leaves, index)
        try:
            validate_chunk(model, size_bytes, index, chunk, proof)
        except BadChunk as fault:
            raise ModelDataMissing(model) from fault
        return ModelChunk(size_bytes, index, chunk, proof)

    def _leaves_of(self, model: bytes) -> tuple[bytes, ...]:
        with self._lock:
            found = self._leaves.get(model)
            if found is not None:
                self._leaves.move_to_end(model)
                return found
        leaves = tuple(leaf_hash(chunk) for chunk in split_chunks(self._store.read(model)))
        with self._lock:
            self._leaves[model] = leaves
            if len(self._leaves) > KEPT_TREES:
                self._leaves.popitem(last=False)
        return leaves
