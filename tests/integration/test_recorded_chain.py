"""Replays a recorded chain: no consensus byte may change unnoticed.

`tests/vectors/chain/digits.cvm` holds a model's registration, a contract, classifications, a
batch, failed calls and transfers of every type, as they were once sealed; `genesis.json` holds
the code of the system contracts, so that compiling them anew changes nothing here. If this test
fails, a rule, a price or a bit of arithmetic has changed, and nodes on the two sides of the change
would split. Recording again (`python -m tests.vectors.chain.record`) is legitimate only together
with a new fork, under which the old file still replays; and before launch, while chains are
thrown away, with a line in CHANGELOG.md that says what changed.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from consensus.block import Block
from consensus.block_execution import Proposal
from cvm.inference.backends.table import backend_named
from node.chain_archive import ImportSummary, export_chain, import_chain
from tests.chain_world import ChainWorld, final_block
from tests.gpu import require_gpu
from tests.vectors.chain.record import ARCHIVE, GENESIS

GENESIS_HASH = "0x0703d1d6cc2783357d6316d4b339db99b8d2d809b863cf57d827e90823655446"
HEAD_HASH = "0x9110358d238c8f9cdb4d630867d937fea6bc9637c92377c4181bddfe26b895ce"
STATE_ROOT = "0x69964fa8c0e9ddb06f0176e049fcf20e71ccc96818ade76c88afa880e3eb9373"
ARCHIVE_SHA256 = "b59e72bbd47fe86fa4c15decff65864876a1910183c38ea28c6c8a1c80c7f287"
MODEL_ID = "72ac5e6a9f95781f16f76a7a924e0a237549572f663aefad0090d078245f8eab"
BLOCKS, INFERENCES = 12, 7
GAS_USED = [45652, 0, 279140, 196545, 261079, 56957, 40445, 39233, 226041, 104150, 0, 21000]
OUTPUTS_SHA256 = "f9414328edfaa13c18338c3dc92d5bd023d35e409e627e9efaaba13a4890a150"
MAX_BYTES = 100_000
BACKENDS = ["reference", "cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


def quiet(_done: int, _total: int) -> None:
    return None


@pytest.fixture(params=BACKENDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ChainWorld]:
    if request.param == "cuda":
        require_gpu()
    world = ChainWorld(tmp_path, GENESIS.read_bytes(), backend_named(request.param))
    yield world
    world.close()


def test_the_file_is_the_one_that_was_recorded() -> None:
    data = ARCHIVE.read_bytes()
    assert len(data) < MAX_BYTES
    assert sha256(data).hexdigest() == ARCHIVE_SHA256


def test_every_block_and_inference_is_valid_still(world: ChainWorld, tmp_path: Path) -> None:
    assert f"0x{world.chain.head.hash.hex()}" == GENESIS_HASH
    summary = import_chain(world.chain, world.store, ARCHIVE, quiet)
    assert summary == ImportSummary(BLOCKS, 0, 1, INFERENCES)
    assert f"0x{world.chain.head.hash.hex()}" == HEAD_HASH
    assert f"0x{world.chain.head.state_root.hex()}" == STATE_ROOT
    assert [model.hex() for model in world.store.list_models()] == [MODEL_ID]
    export_chain(world.chain, world.store, tmp_path / "again.cvm", quiet)
    assert (tmp_path / "again.cvm").read_bytes() == ARCHIVE.read_bytes()


def recorded(folder: Path) -> tuple[list[Block], list[bytes]]:
    """Return the blocks and the models of the file, as the definition checks them."""
    world = ChainWorld(folder, GENESIS.read_bytes())
    import_chain(world.chain, world.store, ARCHIVE, quiet)
    blocks = [final_block(world, number)[0] for number in range(1, BLOCKS + 1)]
    models = [world.store.read(model_id) for model_id in world.store.list_models()]
    world.close()
    return blocks, models


def test_proposing_the_same_transactions_gives_the_same_blocks(
    world: ChainWorld, tmp_path: Path
) -> None:
    """Neither the builder's way nor the checker's may drift from the record."""
    outputs, gas = sha256(), []
    blocks, models = recorded(tmp_path / "first")
    for model in models:
        world.store.add_file(model)
    for block in blocks:
        proposal = Proposal(bytes(block.header.coinbase), int(block.header.timestamp))
        made, left_out = world.make_final(proposal, block.transactions)
        assert left_out == ()
        assert made.block.hash == block.hash
        gas.append(made.executed.gas_used)
        for _tx_hash, call in made.inferences:
            outputs.update(call.output)
    assert gas == GAS_USED
    assert outputs.hexdigest() == OUTPUTS_SHA256
