"""A model's identity: its size and the Merkle root over its chunks, checked chunk by chunk.

`model_id` = SHA-256(0x02 || uint64be(size) || root). The root is RFC 6962's Merkle tree hash
(section 2.1) over chunks of 256 KiB, the last one shorter: SHA-256(0x00 || chunk) for a leaf,
SHA-256(0x01 || left || right) for a node. A chunk with its audit path gives the root, and the root
with the size gives the id, so a proof needs the path alone. The three prefixes keep a leaf, a node
and an id from ever being mistaken for one another.
"""

from collections.abc import Sequence
from hashlib import sha256

CHUNK_BYTES = 256 * 1024
"""Bytes of every chunk but the last."""

MAX_MODEL_BYTES = 64 * 1024 * 1024
"""Largest model (EXACT section 4), so at most 256 chunks."""

_LEAF_PREFIX = b"\x00"
_NODE_PREFIX = b"\x01"
_MODEL_PREFIX = b"\x02"


class BadChunk(Exception):
    """A chunk, its place or its proof does not belong to the model that it was sent for."""


class BadModelSize(BadChunk):
    """A model has at least one byte and at most `MAX_MODEL_BYTES`."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"a model of {size_bytes} bytes; the chain takes 1 to {MAX_MODEL_BYTES}")
        self.size_bytes = size_bytes


class BadChunkIndex(BadChunk):
    """The model has no chunk of that index."""

    def __init__(self, index: int, count: int) -> None:
        super().__init__(f"chunk index {index}; the model has chunks 0 to {count - 1}")
        self.index = index
        self.count = count


class BadChunkLength(BadChunk):
    """Only the last chunk is shorter than the others."""

    def __init__(self, index: int, length: int, expected: int) -> None:
        super().__init__(f"chunk {index} has {length} bytes; at its place it has {expected}")
        self.index = index
        self.length = length
        self.expected = expected


class BadProofLength(BadChunk):
    """The audit path has another length than the tree gives it, or a hash that is not 32 bytes."""

    def __init__(self, index: int, length: int, expected: int) -> None:
        super().__init__(
            f"the proof of chunk {index} has {length} hashes of 32 bytes; "
            f"a tree of that size needs {expected}"
        )
        self.index = index
        self.length = length
        self.expected = expected


class WrongChunk(BadChunk):
    """Chunk and proof lead to another model id: the bytes are damaged, or not of this model."""

    def __init__(self, model_id: bytes, index: int, found: bytes) -> None:
        super().__init__(f"chunk {index} leads to model 0x{found.hex()}, not to 0x{model_id.hex()}")
        self.model_id = model_id
        self.index = index
        self.found = found


class TooManyUnregisteredBytes(BadChunk):
    """The node keeps only so much that the registry does not know; register what is here first."""

    def __init__(self, held: int, limit: int) -> None:
        super().__init__(
            f"this node holds {held} bytes of models that are not registered, at most {limit}: "
            "register them first, or use a node of your own"
        )
        self.held = held
        self.limit = limit


def validate_model_size(size_bytes: int) -> None:
    """Refuse a size that no model may have with `BadModelSize`."""
    if not 1 <= size_bytes <= MAX_MODEL_BYTES:
        raise BadModelSize(size_bytes)


def chunk_count(size_bytes: int) -> int:
    """Return how many chunks a model of that size has; raises `BadModelSize`."""
    validate_model_size(size_bytes)
    return -(-size_bytes // CHUNK_BYTES)


def chunk_length(size_bytes: int, index: int) -> int:
    """Return the bytes of one chunk; raises `BadModelSize` or `BadChunkIndex`."""
    count = chunk_count(size_bytes)
    if not 0 <= index < count:
        raise BadChunkIndex(index, count)
    return min(CHUNK_BYTES, size_bytes - index * CHUNK_BYTES)


def split_chunks(data: bytes) -> tuple[bytes, ...]:
    """Return a model's chunks in order; raises `BadModelSize`."""
    validate_model_size(len(data))
    return tuple(data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES))


def leaf_hash(chunk: bytes) -> bytes:
    """Return the leaf of a chunk."""
    return sha256(_LEAF_PREFIX + chunk).digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes, of which there is at least one (RFC 6962, 2.1)."""
    if not leaves:
        raise BadModelSize(0)
    if len(leaves) == 1:
        return leaves[0]
    middle = _split_point(len(leaves))
    return _node_hash(merkle_root(leaves[:middle]), merkle_root(leaves[middle:]))


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the audit path of a leaf, nearest sibling first (RFC 6962, 2.1.1).

    Raises `BadChunkIndex` for an index outside the leaves.
    """
    if not 0 <= index < len(leaves):
        raise BadChunkIndex(index, len(leaves))
    if len(leaves) == 1:
        return ()
    middle = _split_point(len(leaves))
    if index < middle:
        return (*inclusion_proof(leaves[:middle], index), merkle_root(leaves[middle:]))
    return (*inclusion_proof(leaves[middle:], index - middle), merkle_root(leaves[:middle]))


def root_from_proof(leaf: bytes, index: int, count: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that a leaf and its audit path lead to in a tree of `count` leaves.

    Raises `BadChunkIndex` or `BadProofLength`.
    """
    if not 0 <= index < count:
        raise BadChunkIndex(index, count)
    turns = _turns(index, count)
    if len(proof) != len(turns) or any(len(sibling) != 32 for sibling in proof):
        raise BadProofLength(index, len(proof), len(turns))
    root = leaf
    for is_right, sibling in zip(turns, proof, strict=True):
        root = _node_hash(sibling, root) if is_right else _node_hash(root, sibling)
    return root


def verify_inclusion(
    leaf: bytes, index: int, count: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Return whether the audit path leads from a leaf to the root."""
    try:
        return root_from_proof(leaf, index, count, proof) == root
    except (BadChunkIndex, BadProofLength):
        return False


def id_from_root(size_bytes: int, root: bytes) -> bytes:
    """Return the id of a model of that size and root; raises `BadModelSize`."""
    validate_model_size(size_bytes)
    return sha256(_MODEL_PREFIX + size_bytes.to_bytes(8, "big") + root).digest()


def model_id(data: bytes) -> bytes:
    """Return the id of a model's bytes; raises `BadModelSize`."""
    leaves = [leaf_hash(chunk) for chunk in split_chunks(data)]
    return id_from_root(len(data), merkle_root(leaves))


def chunk_proofs(data: bytes) -> tuple[tuple[bytes, ...], ...]:
    """Return the audit path of every chunk of a model; raises `BadModelSize`."""
    leaves = [leaf_hash(chunk) for chunk in split_chunks(data)]
    return tuple(inclusion_proof(leaves, index) for index in range(len(leaves)))


def validate_chunk(
    model: bytes, size_bytes: int, index: int, chunk: bytes, proof: Sequence[bytes]
) -> None:
    """Refuse a chunk that does not belong at `index` of model `model`, by a `BadChunk` fault.

    A chunk that passes also proves the size: the id binds both.
    """
    expected = chunk_length(size_bytes, index)
    if len(chunk) != expected:
        raise BadChunkLength(index, len(chunk), expected)
    root = root_from_proof(leaf_hash(chunk), index, chunk_count(size_bytes), proof)
    found = id_from_root(size_bytes, root)
    if found != model:
        raise WrongChunk(model, index, found)


def _node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(_NODE_PREFIX + left + right).digest()


def _split_point(count: int) -> int:
    """Return the largest power of two below `count`, which is at least 2."""
    return 1 << ((count - 1).bit_length() - 1)


def _turns(index: int, count: int) -> tuple[bool, ...]:
    """Return, from the leaf up, whether the path's node is the right child of its parent."""
    turns: list[bool] = []
    while count > 1:
        middle = _split_point(count)
        is_right = index >= middle
        turns.append(is_right)
        index, count = (index - middle, count - middle) if is_right else (index, middle)
    return tuple(reversed(turns))
