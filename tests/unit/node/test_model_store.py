"""The model store: proven chunks, files that are whole or absent, and a disk that fails."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cvm.faults import LocalFault, ModelDataMissing
from models_registry.chunks import (
    CHUNK_BYTES,
    BadChunk,
    BadModelSize,
    WrongChunk,
    chunk_proofs,
    model_id,
    split_chunks,
)
from node.storage import model_store
from node.storage.model_store import ModelStore, ModelStoreFault

DATA = bytes(range(256)) * 2400
SIZE = len(DATA)
MODEL = model_id(DATA)
CHUNKS = split_chunks(DATA)
PROOFS = chunk_proofs(DATA)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def store(root: Path) -> ModelStore:
    return ModelStore(root)


def put(store: ModelStore, *indices: int) -> None:
    for index in indices:
        store.put_chunk(MODEL, SIZE, index, CHUNKS[index], PROOFS[index])


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_the_example_has_three_chunks() -> None:
    assert [len(chunk) for chunk in CHUNKS] == [CHUNK_BYTES, CHUNK_BYTES, 90_112]


def test_a_model_is_whole_when_its_last_chunk_came(store: ModelStore, root: Path) -> None:
    put(store, 2, 0)
    assert store.missing_chunks(MODEL, SIZE) == (1,)
    assert not store.has(MODEL)
    put(store, 1)
    assert store.missing_chunks(MODEL, SIZE) == ()
    assert store.has(MODEL)
    assert store.read(MODEL) == DATA
    assert files(root) == [f"{MODEL.hex()}.onnx"]


def test_chunks_lie_by_id_and_index_until_then(store: ModelStore, root: Path) -> None:
    put(store, 1)
    assert files(root) == [f"partial/{MODEL.hex()}/001.chunk"]


def test_nothing_of_an_unknown_model_is_here(store: ModelStore) -> None:
    assert store.missing_chunks(MODEL, SIZE) == (0, 1, 2)
    assert not store.has(MODEL)
    assert store.list_models() == ()
    with pytest.raises(ModelDataMissing, match=MODEL.hex()):
        store.read(MODEL)


def test_a_store_that_is_opened_again_goes_on_where_it_stopped(
    store: ModelStore, root: Path
) -> None:
    put(store, 0)
    again = ModelStore(root)
    assert again.missing_chunks(MODEL, SIZE) == (1, 2)
    put(again, 1, 2)
    assert ModelStore(root).read(MODEL) == DATA


def test_a_chunk_may_come_twice(store: ModelStore) -> None:
    put(store, 0, 0, 1, 2, 2)
    assert store.read(MODEL) == DATA


def test_chunks_may_come_in_many_threads_at_once(store: ModelStore, root: Path) -> None:
    with ThreadPoolExecutor(max_workers=8) as pool:
        for done in [pool.submit(put, store, index % 3) for index in range(48)]:
            done.result()
    assert store.read(MODEL) == DATA
    assert files(root) == [f"{MODEL.hex()}.onnx"]


def test_nothing_is_written_of_a_chunk_that_proves_nothing(store: ModelStore, root: Path) -> None:
    damaged = bytes([CHUNKS[0][0] ^ 1]) + CHUNKS[0][1:]
    with pytest.raises(WrongChunk):
        store.put_chunk(MODEL, SIZE, 0, damaged, PROOFS[0])
    assert files(root) == []
    assert not (root / "partial" / MODEL.hex()).exists()


@pytest.mark.parametrize("size", [pytest.param(0, id="empty"), pytest.param(1 << 40, id="huge")])
def test_a_size_that_no_model_has_is_refused(store: ModelStore, size: int) -> None:
    with pytest.raises(BadModelSize):
        store.missing_chunks(MODEL, size)
    with pytest.raises(BadChunk):
        store.put_chunk(MODEL, size, 0, b"", ())


def test_a_whole_file_is_added_under_its_id(store: ModelStore, root: Path) -> None:
    put(store, 1)
    assert store.add_file(DATA) == MODEL
    assert store.read(MODEL) == DATA
    assert files(root) == [f"{MODEL.hex()}.onnx"]


def test_models_are_listed_in_order_of_their_ids(store: ModelStore, root: Path) -> None:
    ids = [store.add_file(bytes([number])) for number in range(5)]
    (root / "notes.onnx").write_text("no model id")
    assert store.list_models() == tuple(sorted(ids))


@pytest.mark.parametrize(
    "contents",
    [
        pytest.param(DATA[:-1], id="truncated"),
        pytest.param(b"", id="emptied"),
        pytest.param(b"\x01" + DATA[1:], id="one bit"),
    ],
)
def test_a_damaged_file_is_set_aside_and_can_come_again(
    store: ModelStore, root: Path, contents: bytes
) -> None:
    store.add_file(DATA)
    (root / f"{MODEL.hex()}.onnx").write_bytes(contents)
    with pytest.raises(ModelDataMissing):
        store.read(MODEL)
    assert files(root) == [f"damaged/{MODEL.hex()}.onnx"]
    assert store.missing_chunks(MODEL, SIZE) == (0, 1, 2)
    put(store, 0, 1, 2)
    assert store.read(MODEL) == DATA


def test_a_chunk_that_was_damaged_on_disk_makes_no_model(store: ModelStore, root: Path) -> None:
    put(store, 0, 1)
    (root / "partial" / MODEL.hex() / "000.chunk").write_bytes(bytes(CHUNK_BYTES))
    put(store, 2)
    assert not store.has(MODEL)
    assert store.missing_chunks(MODEL, SIZE) == (0, 1, 2)


def test_what_a_crash_left_half_written_counts_for_nothing(store: ModelStore, root: Path) -> None:
    folder = root / "partial" / MODEL.hex()
    folder.mkdir()
    (folder / "000.chunk.new").write_bytes(b"half")
    (root / f"{MODEL.hex()}.onnx.new").write_bytes(b"half")
    again = ModelStore(root)
    assert again.list_models() == ()
    assert again.missing_chunks(MODEL, SIZE) == (0, 1, 2)
    put(again, 0, 1, 2)
    assert again.read(MODEL) == DATA
    assert files(root) == [f"{MODEL.hex()}.onnx"]


def test_chunks_that_a_crash_left_behind_a_whole_model_go_away(
    store: ModelStore, root: Path
) -> None:
    store.add_file(DATA)
    folder = root / "partial" / MODEL.hex()
    folder.mkdir()
    (folder / "000.chunk").write_bytes(CHUNKS[0])
    ModelStore(root)
    assert files(root) == [f"{MODEL.hex()}.onnx"]


def test_a_disk_that_fails_is_a_fault_of_this_machine(
    store: ModelStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(model_store, "_save", full)
    with pytest.raises(ModelStoreFault, match="No space left on device") as caught:
        put(store, 0)
    assert isinstance(caught.value, LocalFault)
    assert files(root) == []


def test_a_root_that_is_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "models"
    path.write_text("in the way")
    with pytest.raises(ModelStoreFault, match=str(path)):
        ModelStore(path)


def test_bytes_beside_counts_whole_models_and_chunks_of_others(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    listed = store.add_file(b"listed")
    store.add_file(b"another")
    data = b"\x07" * (CHUNK_BYTES + 5)
    store.put_chunk(model_id(data), len(data), 1, data[CHUNK_BYTES:], chunk_proofs(data)[1])
    assert store.bytes_beside([listed]) == len(b"another") + 5
