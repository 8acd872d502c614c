"""The cvm_ methods that move models: chunks of 256 KiB, each with its Merkle proof."""

from node.rpc.chain_view import ChainView
from node.rpc.encoding import data, quantity
from node.rpc.parameters import Data, Hash, Hashes, Uint64
from node.rpc.registry import JsonValue, rpc_method


@rpc_method("cvm_missingChunks")
async def missing_chunks(chain: ChainView, model_id: Hash, size_bytes: Uint64) -> list[JsonValue]:
    """Return the indices of the chunks that this node lacks of a model of that size."""
    return [quantity(index) for index in chain.missing_chunks(model_id, size_bytes)]


@rpc_method("cvm_putChunk")
async def put_chunk(
    chain: ChainView, model_id: Hash, size_bytes: Uint64, index: Uint64, chunk: Data, proof: Hashes
) -> bool:
    """Store a chunk of a model whose Merkle proof leads to the model's id."""
    await chain.put_chunk(model_id, size_bytes, index, chunk, proof)
    return True


@rpc_method("cvm_getChunk")
async def get_chunk(chain: ChainView, model_id: Hash, index: Uint64) -> JsonValue:
    """Return a chunk of a model that lies here whole, with the size and the proof that it needs."""
    found = await chain.chunk(model_id, index)
    return {
        "size": quantity(found.size_bytes),
        "index": quantity(found.index),
        "chunk": data(found.chunk),
        "proof": [data(sibling) for sibling in found.proof],
    }
