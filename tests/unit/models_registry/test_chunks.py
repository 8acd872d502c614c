"""Chunk trees and model ids: published vectors, own vectors, and hostile proofs."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_registry.chunks import (
    CHUNK_BYTES,
    MAX_MODEL_BYTES,
    BadChunk,
    BadChunkIndex,
    BadChunkLength,
    BadModelSize,
    BadProofLength,
    WrongChunk,
    chunk_count,
    chunk_length,
    chunk_proofs,
    id_from_root,
    inclusion_proof,
    leaf_hash,
    merkle_root,
    model_id,
    root_from_proof,
    split_chunks,
    validate_chunk,
    verify_inclusion,
)

# Leaves and roots of the Certificate Transparency reference tests (google/certificate-transparency,
# merkle_tree_test.cc): the root over the first 1, 2, ... 8 leaves.
CT_LEAVES = (
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)
CT_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def model_bytes(size: int) -> bytes:
    """Return 0, 1, ... 250, 0, 1, ...: no two chunks are alike."""
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def leaves_of(count: int) -> list[bytes]:
    return [sha256(bytes([index])).digest() for index in range(count)]


@pytest.mark.parametrize("count", range(1, 9))
def test_roots_are_those_of_the_reference_implementation(count: int) -> None:
    leaves = [leaf_hash(bytes.fromhex(leaf)) for leaf in CT_LEAVES[:count]]
    assert merkle_root(leaves).hex() == CT_ROOTS[count - 1]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        pytest.param(
            1, "ee8acb9cb20eaf4b807ef586e552774d803cc3dd837bf26e9f509500cc2604bd", id="one byte"
        ),
        pytest.param(
            262144,
            "76f273df2a4fcd5ce84584741994735ce58c759bc10168e2770f3b0d75257593",
            id="one chunk",
        ),
        pytest.param(
            262145,
            "d9b47d928ab6f1476341974f572778a85ae63cc998a0d10c6273bb7aeee8d560",
            id="one chunk and a byte",
        ),
        pytest.param(
            786432,
            "4dbd5b83f967d049efd060129093171a6d6f3c2a03bcfafe309d07d4c3e6d30c",
            id="three chunks",
        ),
        pytest.param(
            1310720,
            "7a7d960bc3d8a8ff0d3c8ba05893114a3ebdbddbc327dc01d3cd797a67c28792",
            id="five chunks",
        ),
        pytest.param(
            1835003,
            "4b192eb3a7aa4527733298eef4aa5e8bcf08782319aaa17f12e771e2016c41b2",
            id="seven chunks",
        ),
    ],
)
def test_a_model_has_one_id(size: int, expected: str) -> None:
    assert model_id(model_bytes(size)).hex() == expected


@pytest.mark.parametrize("size", [pytest.param(0, id="empty"), pytest.param(-1, id="negative")])
def test_no_model_is_empty(size: int) -> None:
    with pytest.raises(BadModelSize, match=f"a model of {size} bytes"):
        chunk_count(size)


def test_an_empty_file_has_no_id() -> None:
    with pytest.raises(BadModelSize, match="a model of 0 bytes; the chain takes 1 to 67108864"):
        model_id(b"")


def test_no_model_is_larger_than_the_limit() -> None:
    assert chunk_count(MAX_MODEL_BYTES) == 256
    with pytest.raises(BadModelSize, match="a model of 67108865 bytes"):
        chunk_count(MAX_MODEL_BYTES + 1)


@pytest.mark.parametrize(
    ("size", "lengths"),
    [
        pytest.param(1, [1], id="one byte"),
        pytest.param(CHUNK_BYTES, [CHUNK_BYTES], id="one whole chunk"),
        pytest.param(CHUNK_BYTES + 1, [CHUNK_BYTES, 1], id="one byte more"),
        pytest.param(3 * CHUNK_BYTES - 1, [CHUNK_BYTES] * 2 + [CHUNK_BYTES - 1], id="three"),
    ],
)
def test_only_the_last_chunk_is_shorter(size: int, lengths: list[int]) -> None:
    assert [len(chunk) for chunk in split_chunks(model_bytes(size))] == lengths
    assert [chunk_length(size, index) for index in range(chunk_count(size))] == lengths


@pytest.mark.parametrize("chunks", [1, 2, 3, 5, 7])
def test_every_chunk_of_a_model_is_proven_by_its_path(chunks: int) -> None:
    data = model_bytes(chunks * CHUNK_BYTES - 5)
    identity = model_id(data)
    for index, (chunk, proof) in enumerate(
        zip(split_chunks(data), chunk_proofs(data), strict=True)
    ):
        validate_chunk(identity, len(data), index, chunk, proof)


def test_a_path_has_its_nearest_sibling_first() -> None:
    a, b, c = leaves_of(3)
    left = sha256(b"\x01" + a + b).digest()
    assert inclusion_proof([a, b, c], 0) == (b, c)
    assert inclusion_proof([a, b, c], 1) == (a, c)
    assert inclusion_proof([a, b, c], 2) == (left,)


@settings(derandomize=True, max_examples=200)
@given(st.integers(1, 70).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1))))
def test_a_path_proves_its_leaf_at_its_index_only(size_and_index: tuple[int, int]) -> None:
    count, index = size_and_index
    leaves = leaves_of(count)
    root, proof = merkle_root(leaves), inclusion_proof(leaves, index)
    assert [
        other
        for other in range(count)
        if verify_inclusion(leaves[index], other, count, proof, root)
    ] == [index]


@settings(derandomize=True, max_examples=200)
@given(
    st.integers(2, 70).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1))),
    st.integers(0, 6),
    st.integers(0, 255),
)
def test_a_path_with_one_changed_bit_proves_nothing(
    size_and_index: tuple[int, int], step: int, bit: int
) -> None:
    count, index = size_and_index
    leaves = leaves_of(count)
    root, proof = merkle_root(leaves), list(inclusion_proof(leaves, index))
    step %= len(proof)
    changed = int.from_bytes(proof[step], "big") ^ (1 << bit)
    proof[step] = changed.to_bytes(32, "big")
    assert not verify_inclusion(leaves[index], index, count, proof, root)


DATA = model_bytes(2 * CHUNK_BYTES + 100)
IDENTITY = model_id(DATA)
CHUNKS = split_chunks(DATA)
PROOFS = chunk_proofs(DATA)


@pytest.mark.parametrize(
    ("size", "index", "chunk", "proof", "fault", "message"),
    [
        pytest.param(
            0, 0, b"", (), BadModelSize, "a model of 0 bytes; the chain takes", id="size 0"
        ),
        pytest.param(
            len(DATA),
            3,
            b"",
            (),
            BadChunkIndex,
            "chunk index 3; the model has chunks 0 to 2",
            id="3",
        ),
        pytest.param(
            len(DATA), -1, b"", (), BadChunkIndex, "chunk index -1; the model has", id="negative"
        ),
        pytest.param(
            len(DATA),
            0,
            CHUNKS[0][:-1],
            PROOFS[0],
            BadChunkLength,
            "chunk 0 has 262143 bytes; at its place it has 262144",
            id="short chunk",
        ),
        pytest.param(
            len(DATA),
            2,
            CHUNKS[2] + b"\x00",
            PROOFS[2],
            BadChunkLength,
            "chunk 2 has 101 bytes; at its place it has 100",
            id="long last chunk",
        ),
        pytest.param(
            len(DATA),
            0,
            CHUNKS[0],
            PROOFS[0][:-1],
            BadProofLength,
            "the proof of chunk 0 has 1 hashes",
            id="short proof",
        ),
        pytest.param(
            len(DATA),
            2,
            CHUNKS[2],
            (PROOFS[2][0][:31],),
            BadProofLength,
            "the proof of chunk 2 has 1 hashes of 32 bytes",
            id="31-byte hash",
        ),
        pytest.param(
            len(DATA),
            1,
            CHUNKS[0],
            PROOFS[1],
            WrongChunk,
            f"not to 0x{IDENTITY.hex()}",
            id="another chunk",
        ),
        pytest.param(
            len(DATA) - 1,
            1,
            CHUNKS[1],
            PROOFS[1],
            WrongChunk,
            "chunk 1 leads to model",
            id="another size",
        ),
    ],
)
def test_a_chunk_that_does_not_belong_is_refused(
    size: int,
    index: int,
    chunk: bytes,
    proof: tuple[bytes, ...],
    fault: type[BadChunk],
    message: str,
) -> None:
    with pytest.raises(fault) as caught:
        validate_chunk(IDENTITY, size, index, chunk, proof)
    assert message in str(caught.value)


def test_a_node_of_the_tree_cannot_pass_for_a_chunk() -> None:
    data = model_bytes(2 * CHUNK_BYTES)
    left, right = (leaf_hash(chunk) for chunk in split_chunks(data))
    forged = left + right
    assert leaf_hash(forged) != merkle_root([left, right])
    with pytest.raises(WrongChunk):
        validate_chunk(model_id(data), len(forged), 0, forged, ())


def test_the_same_tree_under_another_size_is_another_model() -> None:
    root = merkle_root(leaves_of(1))
    assert id_from_root(1, root) != id_from_root(2, root)


def test_a_tree_has_leaves() -> None:
    with pytest.raises(BadModelSize):
        merkle_root([])
    with pytest.raises(BadChunkIndex):
        inclusion_proof([], 0)


def test_a_path_outside_the_tree_is_refused() -> None:
    with pytest.raises(BadChunkIndex):
        root_from_proof(bytes(32), 1, 1, ())
    assert not verify_inclusion(bytes(32), 1, 1, (), bytes(32))
