"""Which models a node must hold, read from the registry of a real chain."""

import json
from pathlib import Path

from models_registry.chunks import model_id
from node.listed_models import ListedModels
from node.sample_models import sample_model_path
from node.storage.model_store import ModelStore
from tests.chain_world import ChainWorld, genesis_document

GENESIS = json.dumps(genesis_document()).encode()
INT8 = sample_model_path("digits_int8.onnx").read_bytes()


def test_a_model_is_wanted_from_its_registration_and_missed_once_it_may_run(tmp_path: Path) -> None:
    world = ChainWorld(tmp_path / "chain", GENESIS)
    listed = ListedModels(world.chain, ModelStore(tmp_path / "bare"))
    pending = b"\x77" * 32
    assert listed.wanted() == {}
    world.make_pending(pending, 1000, salt=b"\x01" * 32)
    assert listed.wanted() == {pending: 1000}
    assert listed.missing_active() == ()
    model = world.register_model()
    assert model == model_id(INT8)
    assert list(listed.wanted()) == [model, pending]
    assert listed.missing_active() == (model,)
    assert listed.size_of(model) == len(INT8)
    assert listed.size_of(b"\x78" * 32) is None
    assert ListedModels(world.chain, world.store).missing_active() == ()
    world.close()
