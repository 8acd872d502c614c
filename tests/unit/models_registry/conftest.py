"""A fake node, its address, and a model file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.models_registry.fake_node import FakeNode, serving
from tests.unit.models_registry.model_cli import DATA, OWNER_KEY, use_fake_clock
from tests.unit.models_registry.registry_chain import address_of


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> FakeNode:
    use_fake_clock(monkeypatch)
    return FakeNode(rich=address_of(OWNER_KEY))


@pytest.fixture
def url(node: FakeNode) -> Iterator[str]:
    with serving(node) as address:
        yield address


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(DATA)
    return path
