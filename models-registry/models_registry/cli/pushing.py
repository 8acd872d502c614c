"""Brings a model's bytes to a node: the chunks that it lacks, each with its Merkle proof."""

from models_registry.chunks import chunk_proofs, model_id, split_chunks
from models_registry.cli.node_client import NodeClient
from models_registry.cli.sending import Progress


def push_chunks(node: NodeClient, data: bytes, progress: Progress) -> int:
    """Send the chunks that the node lacks and return how many; the same call goes on later."""
    identity = model_id(data)
    missing = node.missing_chunks(identity, len(data))
    chunks, proofs = split_chunks(data), chunk_proofs(data)
    if len(missing) < len(chunks):
        progress.note(f"the node has {len(chunks) - len(missing)} of {len(chunks)} chunks")
    for done, index in enumerate(missing):
        progress.chunks(done, len(missing))
        node.put_chunk(identity, len(data), index, chunks[index], proofs[index])
    progress.chunks(len(missing), len(missing))
    return len(missing)
