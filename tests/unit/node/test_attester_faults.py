"""A model that this machine cannot judge is not attested; blocks go on without it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cvm.faults import OutOfMemory
from cvm.inference.backends.backend import Plan
from cvm.inference.backends.table import backend_named
from cvm.inference.graph import Graph
from models_registry.chunks import model_id as id_of
from node.sample_models import sample_model_path
from tests.chain_world import ChainWorld, genesis_document

DIGITS = sample_model_path("digits_int8.onnx").read_bytes()


class SmallMachine:
    """The reference backend on a machine whose memory holds no plan, until it is given more."""

    name = "small"

    def __init__(self) -> None:
        self.tries = 0
        self.has_memory = False

    def plan(self, graph: Graph) -> Plan:
        self.tries += 1
        if not self.has_memory:
            raise OutOfMemory(1 << 29)
        return backend_named("reference").plan(graph)


@pytest.fixture
def backend() -> SmallMachine:
    return SmallMachine()


@pytest.fixture
def world(tmp_path: Path, backend: SmallMachine) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path, json.dumps(genesis_document()).encode(), backend)
    yield world
    world.close()


def register(world: ChainWorld) -> bytes:
    model_id = id_of(DIGITS)
    world.store.add_file(DIGITS)
    world.make_pending(model_id, len(DIGITS))
    return model_id


def test_blocks_go_on_and_the_fault_is_shown(world: ChainWorld) -> None:
    model_id = register(world)
    judged = world.attester.judged(model_id)
    assert judged is not None
    assert (judged.record, judged.signature) == (None, None)
    assert judged.refusal == (
        "this node cannot judge it: out of memory in an inference that needs 536870912 bytes"
    )


def test_it_is_not_tried_again_in_every_block(world: ChainWorld, backend: SmallMachine) -> None:
    register(world)
    tries = backend.tries
    world.propose()
    assert backend.tries == tries


def test_a_restarted_node_tries_again(world: ChainWorld, backend: SmallMachine) -> None:
    model_id = register(world)
    backend.has_memory = True
    restarted = type(world.attester)(world.chain, None)
    restarted.judge_pending()
    judged = restarted.judged(model_id)
    assert judged is not None
    assert judged.record is not None
