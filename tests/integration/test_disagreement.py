"""A proposer whose backend flips one bit is caught, and the refusal names what it ran."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import structlog

from consensus.block import decode_block
from consensus.faults import ExecutionDisagrees
from cvm.faults import BackendDisagrees
from cvm.inference.backends.backend import Backend, Plan, Trace
from cvm.inference.backends.table import backend_named
from cvm.inference.graph import Graph
from cvm.inference.tensor_type import Array
from node.sample_models import sample_model_path
from tests.chain_world import ChainWorld, genesis_document

GENESIS = json.dumps(genesis_document()).encode()


class FlippedBit:
    """The reference backend, with one bit of its first output wrong."""

    name = "flipped"
    flips = False

    def plan(self, graph: Graph) -> Plan:
        return FlippedPlan(self, backend_named("reference").plan(graph))


class FlippedPlan:
    def __init__(self, backend: FlippedBit, honest: Plan) -> None:
        self._backend = backend
        self._honest = honest

    def run(self, inputs: Sequence[Array], trace: Trace | None = None) -> tuple[Array, ...]:
        first, *rest = self._honest.run(inputs, trace)
        if not self._backend.flips:
            return (first, *rest)
        flipped = np.frombuffer(first.tobytes(), np.uint8).copy()
        flipped[0] ^= 1
        return (flipped.view(first.dtype).reshape(first.shape), *rest)


def digit(index: int) -> bytes:
    images = np.load(sample_model_path("digits_100_images.npy"), allow_pickle=False)
    return bytes(images[index].tobytes())


@pytest.fixture
def proposer(tmp_path: Path) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path / "proposer", GENESIS, FlippedBit())
    yield world
    world.close()


@pytest.fixture
def importer(tmp_path: Path) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path / "importer", GENESIS)
    yield world
    world.close()


def follow(importer: ChainWorld, proposer: ChainWorld) -> None:
    """Import what the proposer has and the importer has not."""
    for model_id in proposer.store.list_models():
        importer.store.add_file(proposer.store.read(model_id))
    first = int(importer.chain.head.block_number) + 1
    for number in range(first, int(proposer.chain.head.block_number) + 1):
        block_hash = proposer.database.hash_at(number)
        assert block_hash is not None
        data = proposer.database.block_bytes(block_hash)
        certificate = proposer.database.certificate(block_hash)
        assert data is not None
        assert certificate is not None
        importer.chain.import_block(decode_block(data), certificate)


def flipping(backend: Backend) -> FlippedBit:
    assert isinstance(backend, FlippedBit)
    return backend


def test_an_honest_chain_is_followed(proposer: ChainWorld, importer: ChainWorld) -> None:
    contract = proposer.deploy_classifier(proposer.register_model())
    proposer.classify(contract, digit(0))
    follow(importer, proposer)
    assert importer.chain.head.state_root == proposer.chain.head.state_root


def test_one_flipped_bit_is_refused_with_transaction_and_model(
    proposer: ChainWorld, importer: ChainWorld
) -> None:
    model_id = proposer.register_model()
    contract = proposer.deploy_classifier(model_id)
    proposer.host._backend.flips = True  # type: ignore[attr-defined]
    guilty = proposer.classify(contract, digit(0))
    tx_hash = bytes(guilty.block.transactions[0].hash)
    with pytest.raises(ExecutionDisagrees) as refusal:
        follow(importer, proposer)
    assert refusal.value.field == "receiptsRoot"
    assert [(tx, call.model_id) for tx, call in refusal.value.inferences] == [(tx_hash, model_id)]
    assert f"0x{tx_hash.hex()} ran model 0x{model_id.hex()}" in str(refusal.value)


def test_a_refused_block_leaves_nothing_behind(proposer: ChainWorld, importer: ChainWorld) -> None:
    contract = proposer.deploy_classifier(proposer.register_model())
    proposer.host._backend.flips = True  # type: ignore[attr-defined]
    guilty = proposer.classify(contract, digit(0)).block
    with pytest.raises(ExecutionDisagrees):
        follow(importer, proposer)
    assert int(importer.chain.head.block_number) == guilty.number - 1
    assert importer.database.hash_at(guilty.number) is None
    assert importer.database.block_bytes(guilty.hash) is None
    assert importer.database.state(bytes(guilty.header.state_root)) is None
    assert importer.database.transaction_location(bytes(guilty.transactions[0].hash)) is None


def test_a_node_whose_own_backend_is_wrong_follows_on_the_definition(
    proposer: ChainWorld, tmp_path: Path
) -> None:
    model_id = proposer.register_model()
    contract = proposer.deploy_classifier(model_id)
    proposer.classify(contract, digit(0))
    backend = FlippedBit()
    wrong = ChainWorld(tmp_path / "wrong", GENESIS, backend)
    try:
        follow(wrong, proposer)
        guilty = proposer.classify(contract, digit(1))
        backend.flips = True
        with structlog.testing.capture_logs() as logged:
            follow(wrong, proposer)
        assert wrong.chain.head.hash == proposer.chain.head.hash
        assert wrong.host.quarantined == "flipped"
    finally:
        wrong.close()
    line = next(line for line in logged if line["event"] == "inference diverges")
    assert line["tx"] == f"0x{guilty.block.transactions[0].hash.hex()}"
    assert line["model_id"] == f"0x{model_id.hex()}"
    assert line["backend"] == "flipped"


def test_a_node_whose_backend_fails_its_vectors_stops(proposer: ChainWorld, tmp_path: Path) -> None:
    contract = proposer.deploy_classifier(proposer.register_model())
    proposer.classify(contract, digit(0))
    backend = FlippedBit()
    backend.flips = True
    wrong = ChainWorld(tmp_path / "wrong", GENESIS, backend)
    try:
        with pytest.raises(BackendDisagrees, match="'flipped' fails"):
            follow(wrong, proposer)
    finally:
        wrong.close()
