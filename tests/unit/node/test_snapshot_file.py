"""A state in a file: written from one chain, taken into another, proven part by part."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from node.chain import Chain, init_chain
from node.chain_archive import BadArchive, encode_item, read_items
from node.checkpoint import CheckpointRefused
from node.database_check import find_faults
from node.snapshot_file import StateNotServed, export_snapshot, import_snapshot, read_pivot
from node.storage.chain_database import ChainDatabase
from node.storage.model_store import ModelStore
from node.storage.snapshot_store import ChainHasBlocks, SnapshotIncomplete, require_whole_state
from tests.chain_world import ChainWorld, genesis_document

GENESIS = json.dumps(genesis_document()).encode()
Items = list[list[bytes]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainWorld]:
    """Make a chain with a model, a contract and storage."""
    world = ChainWorld(tmp_path_factory.mktemp("source"), GENESIS)
    world.classify(world.deploy_classifier(world.register_model()), bytes(784))
    yield world
    world.close()


@pytest.fixture(scope="module")
def file(world: ChainWorld, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("file") / "state.snapshot"
    export_snapshot(world.chain, world.store, path)
    return path


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[ChainDatabase]:
    """Make a database at genesis."""
    with closing(ChainDatabase(tmp_path / "chain")) as database:
        init_chain(database, GENESIS)
        yield database


def test_a_new_node_stands_where_the_file_was_written(
    world: ChainWorld, file: Path, empty: ChainDatabase, tmp_path: Path
) -> None:
    store, head = ModelStore(tmp_path / "models"), world.chain.head
    summary = import_snapshot(empty, store, file, head.hash)
    chain = Chain(empty, world.host)
    assert (chain.head.hash, summary.header.hash) == (head.hash, head.hash)
    assert store.list_models() == world.store.list_models()
    assert list(find_faults(empty, lambda _done, _total: None)) == []
    assert chain.validators() == world.chain.validators()
    checked, _left_out = world.propose()
    certificate = world.chain.certificate_at(checked.block.number)
    assert certificate is not None
    assert chain.import_block(checked.block, certificate) is not None


def test_another_block_than_the_trusted_one_is_refused(
    file: Path, empty: ChainDatabase, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointRefused, match="which is not the trusted 0x0000"):
        import_snapshot(empty, ModelStore(tmp_path / "models"), file, bytes(32))
    require_whole_state(empty)


def without_the_last(items: Items) -> None:
    del items[-1]


def with_a_part_twice(items: Items) -> None:
    items.append(next(item for item in items if item[0] == b"part"))


def with_a_changed_part(items: Items) -> None:
    part = next(item for item in items if item[0] == b"part")
    part[2] = part[2][:-1] + bytes((part[2][-1] ^ 1,))


def with_a_changed_code(items: Items) -> None:
    code = next(item for item in items if item[0] == b"code")
    code[1] += b"\0"


def of_another_chain(items: Items) -> None:
    items[0][2] = bytes(32)


def of_another_version(items: Items) -> None:
    items[0][1] = b"\x02"


def of_another_kind(items: Items) -> None:
    items[0][0] = b"cvm-archive"


def without_a_block(items: Items) -> None:
    del items[1]


def with_an_unknown_item(items: Items) -> None:
    items.insert(2, [b"extra", b""])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(without_the_last, "parts of the state are missing", id="early end"),
        pytest.param(with_a_part_twice, "not of this state, or came before", id="part twice"),
        pytest.param(with_a_changed_part, "is not what its root says", id="changed part"),
        pytest.param(with_a_changed_code, "not of this state", id="changed code"),
        pytest.param(of_another_chain, "a snapshot of genesis 0x0000", id="chain"),
        pytest.param(of_another_version, "snapshot version 0x02", id="version"),
        pytest.param(of_another_kind, "not a snapshot", id="kind"),
        pytest.param(without_a_block, "second item is not its block", id="no block"),
        pytest.param(with_an_unknown_item, "neither a part of the state", id="unknown item"),
    ],
)
def test_a_file_that_is_not_whole_and_true_is_refused(
    file: Path,
    empty: ChainDatabase,
    tmp_path: Path,
    change: Callable[[Items], None],
    words: str,
) -> None:
    with file.open("rb") as opened:
        items = [item for item in read_items(opened) if item is not None]
    trusted = pivot_hash(file)
    change(items)
    changed = tmp_path / "changed"
    changed.write_bytes(b"".join(encode_item(*item) for item in items))
    with pytest.raises(BadArchive, match=words):
        import_snapshot(empty, ModelStore(tmp_path / "models"), changed, trusted)


def pivot_hash(file: Path) -> bytes:
    """Return the hash of the block whose state a file holds."""
    with file.open("rb") as opened:
        items = read_items(opened)
        next(items)
        return read_pivot(next(items)).block.hash


def test_an_import_that_ended_early_is_not_used_and_may_be_made_again(
    file: Path, empty: ChainDatabase, tmp_path: Path
) -> None:
    cut, models = tmp_path / "cut", ModelStore(tmp_path / "models")
    with file.open("rb") as opened:
        items = [item for item in read_items(opened) if item is not None]
    cut.write_bytes(b"".join(encode_item(*item) for item in items[:-1]))
    with pytest.raises(BadArchive, match="the file ends early"):
        import_snapshot(empty, models, cut, pivot_hash(file))
    with pytest.raises(SnapshotIncomplete):
        require_whole_state(empty)
    import_snapshot(empty, models, file, pivot_hash(file))
    require_whole_state(empty)


def test_a_chain_with_blocks_keeps_them(world: ChainWorld, file: Path, tmp_path: Path) -> None:
    with pytest.raises(ChainHasBlocks):
        import_snapshot(world.database, ModelStore(tmp_path / "models"), file, pivot_hash(file))


def test_genesis_is_nothing_to_export(tmp_path: Path) -> None:
    world = ChainWorld(tmp_path, GENESIS)
    try:
        with pytest.raises(StateNotServed, match="the head is the genesis block"):
            export_snapshot(world.chain, world.store, tmp_path / "file")
    finally:
        world.close()
    assert not (tmp_path / "file").exists()
