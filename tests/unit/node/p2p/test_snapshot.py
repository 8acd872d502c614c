"""A state fetched in parts: proven before a write, resumable at every step, fit to go on from."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cvm.evm.system_calls import HISTORY_STORAGE_ADDRESS
from cvm.evm.trie_state import TrieState
from cvm.evm.trie_subtree import WrongSubtree
from models_registry.addresses import MODEL_REGISTRY, VALIDATOR_SET
from node.chain_archive import export_chain
from node.p2p import state_serving
from node.p2p.cvm_serving import CvmServing
from node.p2p.cvm_state_messages import GetStateChunk, StateChunk
from node.p2p.snapshot_download import SnapshotGone, write_part
from node.sample_models import sample_model_path
from node.storage.chain_database import ChainDatabase
from node.storage.preimages import Preimages
from node.storage.snapshot_store import (
    ACCOUNTS,
    ChainHasBlocks,
    SnapshotIncomplete,
    SnapshotStore,
    SnapshotTask,
    require_whole_state,
)
from node.storage.state_faults import NoHistory, NoReceipts
from tests.chain_world import USER, ChainWorld, final_block, signed
from tests.unit.node.p2p.snapshot_world import (
    Distort,
    StateServer,
    download,
    empty_store,
    flat_state,
    pivot_of,
    rich_genesis,
)
from tests.unit.node.p2p.sync_world import Killed, source_of

ACCOUNT_COUNT = 60
GENESIS = rich_genesis(ACCOUNT_COUNT)
SMALL_CHUNK = 600


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainWorld]:
    """Make a chain with a model, a contract that runs it, and many accounts."""
    world = ChainWorld(tmp_path_factory.mktemp("full"), GENESIS)
    model = world.register_model()
    contract = world.deploy_classifier(model)
    world.classify(contract, image(3))
    yield world
    world.close()


def image(index: int) -> bytes:
    images = np.load(sample_model_path("digits_100_images.npy"))
    return bytes(images[index].astype(np.int8).tobytes())


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_serving, "CHUNK_BYTES", SMALL_CHUNK)


def taken(full: ChainWorld, folder: Path, *peers: StateServer) -> None:
    """Take a snapshot of a chain into an empty folder."""
    database, store = empty_store(folder, GENESIS)
    store.begin(pivot_of(full))
    download(store, peers)
    store.finish()
    database.close()


def test_a_snapshot_is_the_state(full: ChainWorld, tmp_path: Path) -> None:
    peers = [StateServer(bytes([name]), full) for name in range(3)]
    taken(full, tmp_path, *peers)
    copy = ChainWorld(tmp_path, GENESIS)
    head = full.chain.head
    assert copy.chain.head == head
    theirs = flat_state(full.database)
    assert flat_state(copy.database) == theirs
    assert len(theirs["accounts"]) > ACCOUNT_COUNT
    assert all(len(peer.asked) > 10 for peer in peers)
    copy.close()


def test_the_next_block_runs_on_a_snapshot_inference_included(
    tmp_path: Path,
) -> None:
    world = ChainWorld(tmp_path / "full", GENESIS)
    model = world.register_model()
    contract = world.deploy_classifier(model)
    taken(world, tmp_path / "copy", StateServer(b"a", world))
    copy = ChainWorld(tmp_path / "copy", GENESIS)
    copy.store.add_file(sample_model_path("digits_int8.onnx").read_bytes())
    for digit in range(3):
        world.classify(contract, image(digit))
        checked = copy.chain.import_block(*final_block(world, world.chain.head.block_number))
        assert checked is not None
        assert len(checked.inferences) == 1
    assert copy.chain.head == world.chain.head
    assert flat_state(copy.database) == flat_state(world.database)
    copy.close()
    world.close()


def test_a_snapshot_gives_the_proofs_of_its_height(full: ChainWorld, tmp_path: Path) -> None:
    taken(full, tmp_path, StateServer(b"a", full))
    copy = ChainWorld(tmp_path, GENESIS)
    root = full.chain.head.state_root
    ours, theirs = TrieState(root, copy.database.state), TrieState(root, full.database.state)
    for address in (MODEL_REGISTRY, VALIDATOR_SET, b"\xee" * 20, HISTORY_STORAGE_ADDRESS):
        assert ours.account_proof(address) == theirs.account_proof(address)
        assert ours.storage_proof(address, 0) == theirs.storage_proof(address, 0)
    copy.close()


def test_a_snapshot_knows_the_hashes_before_it_and_not_the_blocks(
    full: ChainWorld, tmp_path: Path
) -> None:
    taken(full, tmp_path, StateServer(b"a", full))
    copy = ChainWorld(tmp_path, GENESIS)
    height = full.chain.head.block_number
    for number in range(height + 1):
        assert copy.database.hash_at(number) == full.database.hash_at(number)
    assert copy.chain.header_at(height - 1) is None
    assert copy.chain.header_at(0) == full.chain.header_at(0)
    assert copy.database.start_height() == height
    assert source_of(copy).earliest_height() == height + 1
    with pytest.raises(NoReceipts, match="starts from a snapshot"):
        copy.database.receipts(copy.chain.head.hash)
    copy.close()


def test_what_came_before_a_snapshot_is_refused_in_words(full: ChainWorld, tmp_path: Path) -> None:
    taken(full, tmp_path, StateServer(b"a", full))
    copy = ChainWorld(tmp_path, GENESIS)
    height = full.chain.head.block_number
    with pytest.raises(NoHistory, match=f"the blocks before {height} are not here"):
        export_chain(copy.chain, copy.store, tmp_path / "archive", lambda _done, _all: None)
    assert not (tmp_path / "archive").exists()
    copy.close()


def test_a_snapshot_can_be_pruned_and_goes_on(tmp_path: Path) -> None:
    world = ChainWorld(tmp_path / "full", GENESIS)
    world.propose()
    taken(world, tmp_path / "copy", StateServer(b"a", world))
    copy = ChainWorld(tmp_path / "copy", GENESIS)
    copy.database.prune(2)
    for nonce in range(5):
        world.propose([signed(USER, nonce, to=bytes([nonce + 1]) * 20, value=1, gas=21_000)])
        copy.chain.import_block(*final_block(world, world.chain.head.block_number))
    assert flat_state(copy.database) == flat_state(world.database)
    root = copy.chain.head.state_root
    proof = TrieState(root, copy.database.state).account_proof(VALIDATOR_SET)
    assert proof == TrieState(root, world.database.state).account_proof(VALIDATOR_SET)
    copy.close()
    world.close()


def test_a_snapshot_can_be_served_again(full: ChainWorld, tmp_path: Path) -> None:
    taken(full, tmp_path / "first", StateServer(b"a", full))
    first = ChainWorld(tmp_path / "first", GENESIS)
    taken(first, tmp_path / "second", StateServer(b"a", first))
    second = ChainWorld(tmp_path / "second", GENESIS)
    assert flat_state(second.database) == flat_state(full.database)
    first.close()
    second.close()


def each(change: Distort) -> Distort:
    return lambda chunk: change(chunk) if chunk.leaves else chunk


def other_value(chunk: StateChunk) -> StateChunk:
    leaves = list(chunk.leaves or ())
    key, value = leaves[-1]
    leaves[-1] = (key, value[:-1] + bytes([value[-1] ^ 1]))
    return replace(chunk, leaves=tuple(leaves))


def other_key(chunk: StateChunk) -> StateChunk:
    leaves = list(chunk.leaves or ())
    key, value = leaves[0]
    leaves[0] = (key[:-1] + bytes([key[-1] ^ 1]), value)
    return replace(chunk, leaves=tuple(leaves))


def one_less(chunk: StateChunk) -> StateChunk:
    return replace(chunk, leaves=(chunk.leaves or ())[1:], nodes=(*chunk.nodes, b"\xc0"))


def one_twice(chunk: StateChunk) -> StateChunk:
    leaves = chunk.leaves or ()
    return replace(chunk, leaves=(leaves[0], *leaves))


def short_key(chunk: StateChunk) -> StateChunk:
    return replace(chunk, leaves=tuple((key[1:], value) for key, value in chunk.leaves or ()))


def other_nodes(chunk: StateChunk) -> StateChunk:
    return replace(chunk, nodes=(*(node[:-1] + b"\x00" for node in chunk.nodes), b"\xc0"))


def split_for_nothing(chunk: StateChunk) -> StateChunk:
    return replace(chunk, leaves=None)


LIES = [
    pytest.param(each(other_value), id="a changed value"),
    pytest.param(each(other_key), id="a changed key"),
    pytest.param(each(one_less), id="a leaf left out"),
    pytest.param(each(one_twice), id="a leaf twice"),
    pytest.param(each(short_key), id="keys of another length"),
    pytest.param(other_nodes, id="changed nodes"),
    pytest.param(each(split_for_nothing), id="a split without its node"),
]


@pytest.mark.parametrize("lie", LIES)
def test_a_liar_is_banned_and_the_state_is_right(
    full: ChainWorld, tmp_path: Path, lie: Distort
) -> None:
    liar, honest = StateServer(b"a", full, distort=lie), StateServer(b"b", full)
    taken(full, tmp_path, liar, honest)
    copy = ChainWorld(tmp_path, GENESIS)
    assert flat_state(copy.database) == flat_state(full.database)
    assert liar.points >= 100
    assert honest.points == 0
    copy.close()


@pytest.mark.parametrize("lie", LIES)
def test_of_a_liar_alone_nothing_untrue_is_written(
    full: ChainWorld, tmp_path: Path, lie: Distort
) -> None:
    database, store = empty_store(tmp_path, GENESIS)
    store.begin(pivot_of(full))
    with pytest.raises(SnapshotGone):
        download(store, [StateServer(b"a", full, distort=lie)])
    theirs, ours = flat_state(full.database), flat_state(database)
    for table in ("accounts", "storage"):
        assert ours[table].items() <= theirs[table].items()
    with pytest.raises(SnapshotIncomplete):
        store.finish()
    database.close()


def test_a_wrong_code_bans_its_sender_and_is_not_written(full: ChainWorld, tmp_path: Path) -> None:
    liar = StateServer(
        b"a", full, distort_codes=lambda codes: tuple(code + b"\x00" for code in codes)
    )
    database, store = empty_store(tmp_path, GENESIS)
    store.begin(pivot_of(full))
    with pytest.raises(SnapshotGone):
        download(store, [liar])
    assert liar.points >= 100
    codes = flat_state(database)["codes"]
    assert codes.items() < flat_state(full.database)["codes"].items()
    download(store, [StateServer(b"b", full)])
    store.finish()
    assert flat_state(database) == flat_state(full.database)
    database.close()


@pytest.mark.parametrize(
    "useless",
    [
        pytest.param({"is_silent": True}, id="silent"),
        pytest.param({"distort": lambda chunk: StateChunk(1, (), ())}, id="without this state"),
        pytest.param({"distort_codes": lambda codes: ()}, id="without codes"),
    ],
)
def test_a_useless_peer_does_not_hold_a_snapshot_up(
    full: ChainWorld, tmp_path: Path, useless: dict[str, Callable[[object], object]]
) -> None:
    peer = StateServer(b"a", full, **useless)  # type: ignore[arg-type]
    taken(full, tmp_path, peer, StateServer(b"b", full))
    assert peer.points < 100


def test_a_state_that_nobody_serves_is_said_to_be_gone(full: ChainWorld, tmp_path: Path) -> None:
    database, store = empty_store(tmp_path, GENESIS)
    pivot = pivot_of(full)
    store.begin(pivot)
    with pytest.raises(SnapshotGone, match=f"block {pivot.block.number}; 1 parts are missing"):
        download(store, [])
    database.close()


class KilledStore(SnapshotStore):
    """Dies before its n-th write."""

    writes_left = 0

    def _count_write(self) -> None:
        self.writes_left -= 1
        if self.writes_left < 0:
            raise Killed

    def split(self, *arguments: object) -> None:
        self._count_write()
        super().split(*arguments)  # type: ignore[arg-type]

    def put_accounts(self, *arguments: object) -> None:
        self._count_write()
        super().put_accounts(*arguments)  # type: ignore[arg-type]

    def put_slots(self, *arguments: object) -> None:
        self._count_write()
        super().put_slots(*arguments)  # type: ignore[arg-type]

    def put_codes(self, *arguments: object) -> None:
        self._count_write()
        super().put_codes(*arguments)  # type: ignore[arg-type]


def test_a_snapshot_that_is_killed_at_every_write_goes_on_each_time(
    full: ChainWorld, tmp_path: Path
) -> None:
    database, store = empty_store(tmp_path, GENESIS)
    store.begin(pivot_of(full))
    kills = 0
    while store.count():
        database.close()
        database, _store = empty_store(tmp_path, GENESIS)
        dying = KilledStore(database)
        dying.writes_left = 1
        store = SnapshotStore(database)
        with pytest.raises(SnapshotIncomplete):
            require_whole_state(database)
        before = store.tasks(1000)
        try:
            download(dying, [StateServer(b"a", full)])
        except Killed:
            kills += 1
            assert store.tasks(1000) != before
    store.finish()
    require_whole_state(database)
    assert kills > 20
    assert flat_state(database) == flat_state(full.database)
    database.close()


def test_a_chain_with_blocks_takes_no_snapshot(full: ChainWorld) -> None:
    with pytest.raises(ChainHasBlocks, match="needs an empty --datadir"):
        SnapshotStore(full.database).begin(pivot_of(full))


def test_every_changed_leaf_of_every_part_is_detected(full: ChainWorld, tmp_path: Path) -> None:
    database, store = empty_store(tmp_path, GENESIS)
    pivot = pivot_of(full)
    store.begin(pivot)
    serving = CvmServing(source_of(full))
    root = pivot.header.state_root
    checked = 0
    waiting = [SnapshotTask(ACCOUNTS, root)]
    while waiting:
        task = waiting.pop()
        answer = serving.answer(GetStateChunk(1, root, b"", task.prefix))
        assert isinstance(answer, StateChunk)
        for index, (key, value) in enumerate(answer.leaves or ()):
            changed = list(answer.leaves or ())
            changed[index] = (key, value[:4] + bytes([value[4] ^ 1]) + value[5:])
            with pytest.raises(WrongSubtree):
                write_part(store, task, replace(answer, leaves=tuple(changed)))
            checked += 1
        write_part(store, task, answer)
        if answer.leaves is None:
            waiting = [one for one in store.tasks(1000) if one.kind == ACCOUNTS]
        assert (
            flat_state(database)["accounts"].items()
            <= flat_state(full.database)["accounts"].items()
        )
    assert checked > ACCOUNT_COUNT
    database.close()


def test_hashes_are_known_of_every_state_since_the_index_was_made(tmp_path: Path) -> None:
    world = ChainWorld(tmp_path, GENESIS)
    serving = CvmServing(source_of(world))
    index = Preimages(world.database)
    index.follow()
    for nonce in range(4):
        world.propose([signed(USER, nonce, to=bytes([nonce + 1]) * 20, value=1, gas=21_000)])
    index.follow()
    for number in range(5):
        header = world.chain.header_at(number)
        assert header is not None
        answer = serving.answer(GetStateChunk(1, header.state_root, b"", b""))
        assert isinstance(answer, StateChunk)
        assert answer.nodes
    assert serving.answer(GetStateChunk(1, b"\x01" * 32, b"", b"")) == StateChunk(1, (), ())
    world.close()


def test_asking_for_states_writes_nothing_while_the_head_stands_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = ChainWorld(tmp_path, GENESIS)
    serving = CvmServing(source_of(world))
    root = world.chain.head.state_root
    serving.answer(GetStateChunk(1, root, b"", b""))

    def no_writing(_database: ChainDatabase) -> None:
        raise AssertionError("a question wrote to the database")

    monkeypatch.setattr(ChainDatabase, "writing", no_writing)
    for number in range(20):
        unknown = GetStateChunk(1, bytes([number + 1]) * 32, b"", b"")
        assert serving.answer(unknown) == StateChunk(1, (), ())
        assert serving.answer(GetStateChunk(1, root, b"", b"\x01")) != StateChunk(1, (), ())
    Preimages(world.database).follow()
    world.close()


def test_an_index_that_fell_too_far_behind_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.storage.preimages.UNDO_BLOCKS", 2)
    world = ChainWorld(tmp_path, GENESIS)
    index = Preimages(world.database)
    index.follow()
    for nonce in range(4):
        world.propose([signed(USER, nonce, to=bytes([nonce + 1]) * 20, value=1, gas=21_000)])
    walks: list[str] = []
    walk = Preimages._walk

    def noted(self: Preimages, name: str, size_bytes: int) -> None:
        walks.append(name)
        walk(self, name, size_bytes)

    monkeypatch.setattr(Preimages, "_walk", noted)
    index.follow()
    index.follow()
    assert walks == ["accounts", "storage"]
    root = world.chain.head.state_root
    answer = CvmServing(source_of(world)).answer(GetStateChunk(1, root, b"", b"\x01"))
    assert isinstance(answer, StateChunk)
    assert answer.nodes
    world.close()
