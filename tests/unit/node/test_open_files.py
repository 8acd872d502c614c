"""The bound of open files is raised as far as this process may, and never lowered."""

import resource
from collections.abc import Iterator

import pytest

from node import open_files
from node.open_files import raise_open_files


@pytest.fixture
def hard() -> Iterator[int]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    ("soft", "wanted", "expected"),
    [
        pytest.param(256, 512, 512, id="raised"),
        pytest.param(512, 256, 512, id="never-lowered"),
    ],
)
def test_the_bound_is_raised(
    hard: int, soft: int, wanted: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_files, "WANTED_OPEN_FILES", wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert raise_open_files() == expected
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (expected, hard)


def test_the_systems_own_bound_holds(hard: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if hard == resource.RLIM_INFINITY:
        hard = 1 << 20
    monkeypatch.setattr(open_files, "WANTED_OPEN_FILES", hard + 1)
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (256, hard))
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _which, bounds: asked.append(bounds))
    assert raise_open_files() == hard
    assert asked == [(hard, hard)]
    monkeypatch.undo()
