"""What a transaction inferred, found again by running its block on the parent's state."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cvm.faults import ModelDataMissing
from cvm.inference.backends.table import backend_named
from cvm.inference.engine import NodeTrace, trace_items
from cvm.inference.model_file import parse_model
from models_registry.addresses import MODEL_REGISTRY
from models_registry.chunks import CHUNK_BYTES, BadChunkIndex, model_id, validate_chunk
from node.execution.call_request import CallRequest
from node.execution.messages import CallJob
from node.model_chunks import ModelChunks
from node.rpc.chain_view import TraceRequest, TransactionLocation
from node.sample_models import sample_model_path
from node.storage.model_store import ModelStore
from node.transaction_pool import TransactionPool
from opcodes.inference_trace import InferenceTrace
from tests.chain_world import (
    CHAIN_ID,
    USER,
    ChainWorld,
    address_of,
    genesis_document,
    live_chain,
    signed,
)

GENESIS = json.dumps(genesis_document()).encode()
TWIN = (0x0C00).to_bytes(20, "big")
DIGITS = sample_model_path("digits_int8.onnx").read_bytes()


class Traced:
    """A chain with the digit model, and the view that traces its transactions."""

    def __init__(self, folder: Path) -> None:
        self.world = ChainWorld(folder, GENESIS)
        pool = TransactionPool(CHAIN_ID)
        self.view = live_chain(self.world, pool)
        self.model = self.world.register_model(royalty_gas=10)

    def close(self) -> None:
        self.view.close()
        self.world.close()

    def include(self, *calls: bytes) -> bytes:
        """Include calls of the twin in one block and return its hash."""
        world = self.world
        raw = [signed(USER, world.nonce + i, to=TWIN, data=data) for i, data in enumerate(calls)]
        checked, left_out = world.propose(raw)
        assert left_out == ()
        world.nonce += len(calls)
        return bytes(checked.block.hash)

    def trace(
        self, block: bytes, place: int, *, nodes: bool = False, index: int | None = None
    ) -> tuple[InferenceTrace, ...]:
        location, request = TransactionLocation(block, place), TraceRequest(nodes, index)
        return asyncio.run(self.view.trace_inferences(location, request))


@pytest.fixture
def traced(tmp_path: Path) -> Iterator[Traced]:
    traced = Traced(tmp_path)
    yield traced
    traced.close()


def image(index: int) -> bytes:
    images = np.load(sample_model_path("digits_100_images.npy"), allow_pickle=False)
    return bytes(images[index].tobytes())


def expected(data: bytes) -> tuple[bytes, tuple[NodeTrace, ...]]:
    """Return output and nodes as the definition gives them."""
    model = parse_model(DIGITS)
    return trace_items(backend_named("reference").plan(model.graph), model, data)


def test_each_transaction_of_a_block_gives_its_own_call(traced: Traced) -> None:
    block = traced.include(traced.model + image(0), traced.model + image(1) + image(2))
    for index, data in enumerate((image(0), image(1) + image(2))):
        (found,) = traced.trace(block, index)
        assert (found.index, found.call.model_id, found.call.ok) == (0, traced.model, True)
        assert (found.call.input, found.call.output) == (data, expected(data)[0])
        assert found.call.gas.royalty == 10 * (index + 1)
        assert found.nodes is None


def test_blocks_in_between_do_not_change_a_trace(traced: Traced) -> None:
    block = traced.include(traced.model + image(0))
    before = traced.trace(block, 0)
    traced.include(traced.model + image(3))
    for _ in range(3):
        traced.world.propose()
    assert traced.trace(block, 0) == before


def test_nodes_are_those_of_the_definition(traced: Traced) -> None:
    block = traced.include(traced.model + image(4))
    (found,) = traced.trace(block, 0, nodes=True)
    assert found.nodes == expected(image(4))[1]


def test_a_call_of_a_model_that_is_not_there_has_run_nothing(traced: Traced) -> None:
    block = traced.include(bytes(32) + image(0))
    (found,) = traced.trace(block, 0, nodes=True)
    assert (found.call.ok, found.call.has_run, found.nodes) == (False, False, ())
    assert found.call.output.hex() == "eaba311e"


def test_only_the_call_of_a_place_is_given_where_one_is_named(traced: Traced) -> None:
    block = traced.include(traced.model + image(0))
    assert len(traced.trace(block, 0, index=0)) == 1
    assert traced.trace(block, 0, index=1) == ()


def test_a_trace_leaves_no_call_for_the_next_block(traced: Traced) -> None:
    block = traced.include(traced.model + image(0))
    traced.trace(block, 0)
    assert traced.world.propose()[0].inferences == ()


def test_a_block_gives_all_its_calls_with_their_transactions(traced: Traced) -> None:
    block = traced.include(traced.model + image(0), bytes(32), traced.model + image(1))
    found = asyncio.run(traced.view.block_inferences(block))
    assert [(place, trace.index, trace.call.input) for place, trace in found] == [
        (0, 0, image(0)),
        (1, 0, b""),
        (2, 0, image(1)),
    ]
    assert [trace for place, trace in found if place == 2] == list(traced.trace(block, 2))


def test_a_block_that_is_replayed_pays_royalties_as_it_did(traced: Traced) -> None:
    owner = b"\xab" * 20
    sender = address_of(USER)
    passed_on = bytes.fromhex("23b872dd") + bytes(12) + sender + bytes(12) + owner + traced.model
    traced.world.send(MODEL_REGISTRY, passed_on)
    for _ in range(2):
        block = traced.include(traced.model + image(0), traced.model + image(1))
        chain = traced.world.chain.execution
        with chain.replay(block) as replay:
            for tx in replay.transactions:
                replay.apply(tx)
            left = replay.state()
            header = chain.header(block)
            assert header is not None
            with chain.state_at(header) as state:
                for address in (owner, sender, header.coinbase):
                    now, then = left.account(address), state.account(address)
                    assert now is not None
                    assert then is not None
                    assert now.balance == then.balance > 0


def test_what_messages_owe_does_not_pile_up(traced: Traced) -> None:
    chain = traced.world.chain.execution
    traced.world.propose()
    request = CallRequest(bytes(20), TWIN, None, 0, 0, traced.model + image(0))
    for _ in range(3):
        found = CallJob(traced.world.chain.head.hash, request).run(chain)
        assert found.output == expected(image(0))[0]
    assert len(chain._machines.log.calls) == 1


def test_a_call_is_compared_with_the_definition(traced: Traced) -> None:
    block = traced.include(traced.model + image(0))
    location = TransactionLocation(block, 0)
    found = asyncio.run(traced.view.inference_of(location, 0))
    assert found is not None
    assert asyncio.run(traced.view.agrees_with_definition(found.call))
    wrong = replace(found.call, output=bytes(len(found.call.output)))
    assert not asyncio.run(traced.view.agrees_with_definition(wrong))
    assert asyncio.run(traced.view.inference_of(location, 1)) is None


def test_a_model_of_this_node_shows_its_interface(traced: Traced) -> None:
    found = asyncio.run(traced.view.model_interface(traced.model))
    assert [str(value.type) for value in found.inputs] == ["uint8[1,1,28,28]"]
    assert [str(value.type) for value in found.outputs] == ["int64[1]", "int32[1,10]"]
    assert found.batchable
    with pytest.raises(ModelDataMissing):
        asyncio.run(traced.view.model_interface(bytes(32)))


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


DATA = bytes(range(256)) * (CHUNK_BYTES // 128) + b"tail"


def test_every_chunk_of_a_whole_model_proves_its_place(store: ModelStore) -> None:
    model = store.add_file(DATA)
    chunks = ModelChunks(store)
    found = [chunks.read(model, index) for index in range(3)]
    for index, chunk in enumerate(found):
        validate_chunk(model, chunk.size_bytes, index, chunk.chunk, chunk.proof)
    assert b"".join(chunk.chunk for chunk in found) == DATA
    with pytest.raises(BadChunkIndex):
        chunks.read(model, 3)


def test_a_model_that_is_not_whole_here_has_no_chunks(store: ModelStore) -> None:
    with pytest.raises(ModelDataMissing):
        ModelChunks(store).read(model_id(DATA), 0)


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(b"\1" + DATA[1:], id="a byte"),
        pytest.param(DATA + b"x", id="longer"),
        pytest.param(DATA[:CHUNK_BYTES], id="shorter"),
    ],
)
def test_a_file_that_was_damaged_since_gives_no_chunk(
    store: ModelStore, tmp_path: Path, damaged: bytes
) -> None:
    model = store.add_file(DATA)
    chunks = ModelChunks(store)
    chunks.read(model, 0)
    (tmp_path / "models" / f"{model.hex()}.onnx").write_bytes(damaged)
    with pytest.raises(ModelDataMissing):
        chunks.read(model, 0)
