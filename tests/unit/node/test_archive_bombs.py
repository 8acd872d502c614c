"""A short archive cannot make the importer hold much more than its own bytes."""

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
import rlp

from node.chain_archive import MAGIC, VERSION, BadArchive, import_chain
from tests.chain_world import ChainWorld, genesis_document

SIZE = 2_000_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path / "node", json.dumps(genesis_document()).encode())
    yield world
    world.close()


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(b"\xc0", id="empty lists: 64 bytes of memory for each byte"),
        pytest.param(b"\x01", id="single bytes"),
    ],
)
def test_a_long_list_is_refused_before_it_is_unfolded(
    world: ChainWorld, tmp_path: Path, item: bytes
) -> None:
    opening = rlp.encode([MAGIC, VERSION, world.chain.domain.genesis_hash])
    path = tmp_path / "bomb.cvm"
    path.write_bytes(opening + b"\xfa" + SIZE.to_bytes(3, "big") + item * SIZE)
    tracemalloc.start()
    try:
        with pytest.raises(BadArchive, match="an item is neither a model nor a block"):
            import_chain(world.chain, world.store, path, lambda _done, _total: None)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * SIZE
