"""A chain in one file: written whole, read back exactly, refused where it is not one."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import rlp

from consensus.faults import BadCertificate, HeaderFieldWrong, InvalidBlock, MalformedBlock
from cvm.faults import ModelDataMissing
from node.chain_archive import BadArchive, ImportSummary, export_chain, import_chain
from node.sample_models import sample_model_path
from tests.chain_world import ChainWorld, genesis_document

GENESIS = json.dumps(genesis_document()).encode()


def quiet(_done: int, _total: int) -> None:
    return None


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Export a chain with a registered model and one classification."""
    folder = tmp_path_factory.mktemp("archive")
    world = ChainWorld(folder, GENESIS)
    contract = world.deploy_classifier(world.register_model())
    images = np.load(sample_model_path("digits_100_images.npy"), allow_pickle=False)
    world.classify(contract, images[0].tobytes())
    export_chain(world.chain, world.store, folder / "chain.cvm", quiet)
    world.close()
    return folder / "chain.cvm"


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path / "fresh", GENESIS)
    yield world
    world.close()


def items_of(path: Path) -> list[list[bytes]]:
    data, items = path.read_bytes(), []
    while data:
        item = rlp.decode(data, strict=False)
        items.append(item)
        data = data[len(rlp.encode(item)) :]
    return items


def rewritten(path: Path, items: Sequence[object]) -> Path:
    path.write_bytes(b"".join(rlp.encode(item) for item in items))
    return path


def run(world: ChainWorld, path: Path) -> ImportSummary:
    return import_chain(world.chain, world.store, path, quiet)


def height(world: ChainWorld) -> int:
    return int(world.chain.head.block_number)


def test_a_chain_comes_back_with_its_inferences(archive: Path, fresh: ChainWorld) -> None:
    assert run(fresh, archive) == ImportSummary(blocks=6, known_blocks=0, models=1, inferences=1)
    assert height(fresh) == 6


def test_the_copy_of_a_copy_is_the_same_file(
    archive: Path, fresh: ChainWorld, tmp_path: Path
) -> None:
    run(fresh, archive)
    assert export_chain(fresh.chain, fresh.store, tmp_path / "again.cvm", quiet) == 6
    assert (tmp_path / "again.cvm").read_bytes() == archive.read_bytes()


def test_progress_is_told_for_every_block(archive: Path, fresh: ChainWorld, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    import_chain(fresh.chain, fresh.store, archive, lambda *step: told.append(step))
    assert told == [(number, 0) for number in range(1, 7)]
    told.clear()
    export_chain(fresh.chain, fresh.store, tmp_path / "x", lambda *step: told.append(step))
    assert told == [(number, 6) for number in range(1, 7)]


def test_importing_again_finds_every_block_known(archive: Path, fresh: ChainWorld) -> None:
    run(fresh, archive)
    assert run(fresh, archive) == ImportSummary(blocks=0, known_blocks=6, models=1, inferences=0)


def test_an_empty_chain_is_an_archive_too(fresh: ChainWorld, tmp_path: Path) -> None:
    assert export_chain(fresh.chain, fresh.store, tmp_path / "empty.cvm", quiet) == 0
    assert run(fresh, tmp_path / "empty.cvm") == ImportSummary(0, 0, 0, 0)


def test_the_file_appears_only_when_it_is_whole(
    fresh: ChainWorld, archive: Path, tmp_path: Path
) -> None:
    run(fresh, archive)
    path = tmp_path / "new.cvm"

    def stop(done: int, _total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_chain(fresh.chain, fresh.store, path, stop)
    assert not path.exists()


def test_at_every_cut_the_whole_blocks_before_it_stay(
    archive: Path, fresh: ChainWorld, tmp_path: Path
) -> None:
    data, sizes = archive.read_bytes(), [len(rlp.encode(item)) for item in items_of(archive)]
    ends = [sum(sizes[: index + 1]) for index in range(len(sizes))]
    path = tmp_path / "cut.cvm"
    for blocks, end in enumerate(ends[1:-1]):
        for extra in (1, 2, 5, 100):
            path.write_bytes(data[: end + extra])
            with pytest.raises(BadArchive, match=r"ends \d+ bytes early|cut off"):
                run(fresh, path)
            assert height(fresh) == blocks
    run(fresh, archive)
    assert height(fresh) == 6


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "not a chain archive", id="nothing"),
        pytest.param(b"\x00" * 100, "byte 0x00 does not open an RLP list", id="zeros"),
        pytest.param(b"PK\x03\x04" * 100, "byte 0x50 does not open an RLP list", id="a zip file"),
        pytest.param(b"\xc0", "not a chain archive", id="an empty list"),
        pytest.param(b"\xc1\xc0", "not a chain archive", id="a list of a list"),
        pytest.param(b"\xff" * 9, "bytes, at most", id="an item of 2**64 - 1 bytes"),
        pytest.param(b"\xf8", "cut off|early", id="a length that is not there"),
        pytest.param(b"\xf8\x37" + bytes(55), "shortest form", id="a length in the wrong form"),
        pytest.param(rlp.encode([b"cvm-archive", 2, bytes(32)]), "archive version 0x02", id="v2"),
        pytest.param(rlp.encode([b"cvm-archive", 1]), "not a chain archive", id="no genesis"),
        pytest.param(rlp.encode([b"other", 1, bytes(32)]), "not a chain archive", id="other magic"),
        pytest.param(
            rlp.encode([b"cvm-archive", 1, bytes(32)]), "into its own --datadir", id="other chain"
        ),
    ],
)
def test_a_file_that_is_no_archive_of_this_chain_is_refused(
    fresh: ChainWorld, tmp_path: Path, data: bytes, reason: str
) -> None:
    path = tmp_path / "bad.cvm"
    path.write_bytes(data)
    with pytest.raises(BadArchive, match=reason):
        run(fresh, path)
    assert height(fresh) == 0


def test_a_strange_item_is_refused(archive: Path, fresh: ChainWorld, tmp_path: Path) -> None:
    opening, *rest = items_of(archive)
    shapes: list[object] = [[b"blob", b""], [b"block", b""], [b"model"], [b"model", [b""]], []]
    for strange in shapes:
        path = rewritten(tmp_path / "strange.cvm", [opening, strange, *rest])
        with pytest.raises(BadArchive, match="an item is neither a model nor a block"):
            run(fresh, path)


def test_an_empty_model_is_refused(archive: Path, fresh: ChainWorld, tmp_path: Path) -> None:
    opening = items_of(archive)[0]
    with pytest.raises(BadArchive, match="model"):
        run(fresh, rewritten(tmp_path / "x.cvm", [opening, [b"model", b""]]))
    assert fresh.store.list_models() == ()


def test_a_missing_model_is_a_fault_of_this_machine(
    archive: Path, fresh: ChainWorld, tmp_path: Path
) -> None:
    without = [item for item in items_of(archive) if item[0] != b"model"]
    with pytest.raises(ModelDataMissing):
        run(fresh, rewritten(tmp_path / "x.cvm", without))
    assert height(fresh) == 5
    assert run(fresh, archive).blocks == 1


def test_a_missing_block_is_refused(archive: Path, fresh: ChainWorld, tmp_path: Path) -> None:
    items = items_of(archive)
    del items[3]
    with pytest.raises(HeaderFieldWrong, match="number is 3, must be 2"):
        run(fresh, rewritten(tmp_path / "x.cvm", items))
    assert height(fresh) == 1


def test_bytes_that_are_no_block_are_refused(
    archive: Path, fresh: ChainWorld, tmp_path: Path
) -> None:
    items = items_of(archive)
    items[2][1] = b"\xc0"
    with pytest.raises(MalformedBlock):
        run(fresh, rewritten(tmp_path / "x.cvm", items))


def test_a_certificate_of_another_block_is_refused(
    archive: Path, fresh: ChainWorld, tmp_path: Path
) -> None:
    items = items_of(archive)
    items[2][2] = items[3][2]
    with pytest.raises(BadCertificate):
        run(fresh, rewritten(tmp_path / "x.cvm", items))
    assert height(fresh) == 0


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_changed_byte_in_the_last_block_is_refused(
    archive: Path, fresh: ChainWorld, tmp_path: Path, position: int
) -> None:
    """In the state root, the last transaction and the certificate's seal."""
    items = items_of(archive)
    block, certificate = bytearray(items[-1][1]), bytearray(items[-1][2])
    target = (block, block, certificate)[position]
    target[(100, len(block) - 40, len(certificate) - 20)[position]] ^= 1
    items[-1][1:] = [bytes(block), bytes(certificate)]
    with pytest.raises(InvalidBlock):
        run(fresh, rewritten(tmp_path / "x.cvm", items))
    assert height(fresh) == 5
