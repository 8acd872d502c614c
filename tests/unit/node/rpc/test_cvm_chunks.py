"""The cvm_ methods that move models: proofs are checked both ways."""

import pytest

from models_registry.chunks import (
    CHUNK_BYTES,
    chunk_proofs,
    model_id,
    split_chunks,
    validate_chunk,
)
from tests.unit.node.rpc.fake_chain import small_chain
from tests.unit.node.rpc.rpc_caller import error, result, result_object

UNKNOWN = "0x" + "cc" * 32
MODEL = bytes(CHUNK_BYTES) + b"tail"
NAME = "0x" + model_id(MODEL).hex()


def octets(text: object) -> bytes:
    return bytes.fromhex(str(text)[2:])


def test_chunks_with_their_proofs_are_stored() -> None:
    chain = small_chain()
    pairs = zip(split_chunks(MODEL), chunk_proofs(MODEL), strict=True)
    for index, (chunk, proof) in enumerate(pairs):
        hashes = ["0x" + sibling.hex() for sibling in proof]
        params = (NAME, hex(len(MODEL)), hex(index), "0x" + chunk.hex(), hashes)
        assert result(chain, "cvm_putChunk", *params) is True
    assert chain.chunks == [(model_id(MODEL), 0), (model_id(MODEL), 1)]


def test_a_damaged_chunk_is_refused_by_its_rule() -> None:
    name = "0x" + model_id(b"model").hex()
    code, message = error(small_chain(), "cvm_putChunk", name, "0x5", "0x0", "0x6d6f64656d", [])
    assert code == -32602
    assert message.startswith("chunk 0 leads to model 0x")


def test_a_chunk_fits_the_body_of_one_request() -> None:
    assert 2 * CHUNK_BYTES < 5 * 2**20


def test_missing_chunks_are_counted_by_the_size() -> None:
    assert result(small_chain(), "cvm_missingChunks", NAME, hex(len(MODEL))) == ["0x1"]


def test_a_size_that_no_model_has_is_refused() -> None:
    code, message = error(small_chain(), "cvm_missingChunks", NAME, "0x0")
    assert code == -32602
    assert message == "a model of 0 bytes; the chain takes 1 to 67108864"


@pytest.mark.parametrize("index", [0, 1])
def test_a_chunk_comes_with_the_proof_that_leads_to_the_id(index: int) -> None:
    chain = small_chain()
    chain.held = MODEL
    found = result_object(chain, "cvm_getChunk", NAME, hex(index))
    proof = found["proof"]
    assert isinstance(proof, list)
    validate_chunk(
        model_id(MODEL),
        int(str(found["size"]), 16),
        int(str(found["index"]), 16),
        octets(found["chunk"]),
        [octets(sibling) for sibling in proof],
    )
    assert found["index"] == hex(index)


@pytest.mark.parametrize(
    ("name", "index", "code", "words"),
    [
        pytest.param(UNKNOWN, "0x0", -32010, "model data not available: 0xcccc", id="not here"),
        pytest.param(NAME, "0x2", -32602, "chunk index 2; the model has chunks 0 to 1", id="index"),
    ],
)
def test_a_chunk_that_is_not_here_is_an_error(name: str, index: str, code: int, words: str) -> None:
    chain = small_chain()
    chain.held = MODEL
    found = error(chain, "cvm_getChunk", name, index)
    assert found[0] == code
    assert words in found[1]
