"""Requests of no honest peer, or that a chain from a snapshot cannot answer, stop no node."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cvm.evm.keccak import keccak256
from cvm.evm.trie_state import TrieState
from models_registry.addresses import VALIDATOR_SET
from node.p2p.cvm_serving import CvmServing
from node.p2p.cvm_state_messages import GetStateChunk, StateChunk
from node.p2p.eth_answers import receipts_for
from node.p2p.eth_database_view import view_of_chain
from node.p2p.eth_handshake import own_status
from node.p2p.eth_status import Status69
from tests.chain_world import ChainWorld
from tests.unit.node.p2p.snapshot_world import (
    StateServer,
    download,
    empty_store,
    entries,
    pivot_of,
    rich_genesis,
)
from tests.unit.node.p2p.sync_world import source_of

GENESIS = rich_genesis(40)
SLOT = (2).to_bytes(32, "big")
NOTHING = StateChunk(1, (), ())


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path_factory.mktemp("full"), GENESIS)
    world.propose()
    world.propose()
    yield world
    world.close()


@pytest.fixture
def copy(full: ChainWorld, tmp_path: Path) -> Iterator[ChainWorld]:
    """Start a chain from a snapshot of the other."""
    database, store = empty_store(tmp_path, GENESIS)
    store.begin(pivot_of(full))
    download(store, [StateServer(b"a", full)])
    store.finish()
    database.close()
    world = ChainWorld(tmp_path, GENESIS)
    yield world
    world.close()


def storage_root(world: ChainWorld) -> bytes:
    state = TrieState(world.chain.head.state_root, world.database.state)
    proof = state.storage_proof(VALIDATOR_SET, int.from_bytes(SLOT, "big"))
    return keccak256(proof[0])


def test_a_slot_is_no_account(full: ChainWorld) -> None:
    """The root is one of a storage, and the account is named by the hash of a slot."""
    request = GetStateChunk(1, storage_root(full), keccak256(SLOT), b"")
    assert CvmServing(source_of(full)).answer(request) == NOTHING


@pytest.mark.parametrize(
    "account", [b"", keccak256(VALIDATOR_SET), keccak256(SLOT)], ids=["none", "account", "slot"]
)
@pytest.mark.parametrize("prefix", [b"", b"\x01", b"\x0f" * 64], ids=len)
def test_any_node_may_be_named_as_the_root_of_a_state(
    full: ChainWorld, account: bytes, prefix: bytes
) -> None:
    serving = CvmServing(source_of(full))
    roots = [node_hash for node_hash, _node in entries(full.database, "state")]
    assert len(roots) > 40
    for root in roots:
        answer = serving.answer(GetStateChunk(1, root, account, prefix))
        assert isinstance(answer, StateChunk)
        assert answer.leaves is not None
        assert all(len(key) in (20, 32) for key, _value in answer.leaves)


def test_receipts_that_a_snapshot_does_not_hold_are_left_out(copy: ChainWorld) -> None:
    view = view_of_chain(copy.database)
    pivot, genesis = copy.chain.head.hash, copy.database.hash_at(0) or b""
    assert receipts_for(view, (pivot,), 69) == ()
    assert receipts_for(view, (pivot, genesis), 69) == receipts_for(view, (genesis,), 69)


def test_a_chain_from_a_snapshot_greets_peers_of_eth_68(copy: ChainWorld) -> None:
    view = view_of_chain(copy.database)
    assert view.total_difficulty() == 0
    assert own_status(view, 68, view.total_difficulty()).head_hash == copy.chain.head.hash  # type: ignore[union-attr]


def test_a_chain_from_a_snapshot_greets_peers_of_eth_69_before_and_after_its_first_block(
    full: ChainWorld, copy: ChainWorld
) -> None:
    """A peer bans who says that its blocks end before they begin."""
    assert blocks_shown(copy) == (2, 2)
    copy.propose()
    assert blocks_shown(copy) == (3, 3)
    copy.propose()
    assert blocks_shown(copy) == (3, 4)
    assert blocks_shown(full) == (0, 2)


def blocks_shown(world: ChainWorld) -> tuple[int, int]:
    """Return the first and the last height that a peer of eth/69 is told of."""
    status = own_status(view_of_chain(world.database), 69, 0)
    assert isinstance(status, Status69)
    return status.earliest, status.latest
