"""The folder of compiled kernels follows the sources, and a second process compiles nothing."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import pytest

from cvm import numba_cache
from cvm.numba_cache import (
    KEPT_FOLDERS,
    cache_key,
    configure_numba_cache,
    default_cache_root,
    is_cache_configured,
)

SCRIPT = """
import sys
from pathlib import Path
from cvm.numba_cache import configure_numba_cache
configure_numba_cache(Path(sys.argv[1]))
from tests.unit.inference.cpu.one_node import draw, one_node_graph
from cvm.inference.backends.cpu import CpuBackend
inputs = [draw(1, "float32", 1, 4, 9, 9), draw(2, "float32", 8, 4, 3, 3)]
plan = CpuBackend("generic").plan(one_node_graph("Conv", {"pads": (1, 1, 1, 1)}, inputs, {1}))
kernels = [function for function, _ in plan.calls() if hasattr(function, "stats")]
hits = sum(sum(kernel.stats.cache_hits.values()) for kernel in kernels)
misses = sum(sum(kernel.stats.cache_misses.values()) for kernel in kernels)
print(len(kernels), hits, misses)
"""


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with one source that stands in for the package."""
    (tmp_path / "kernel.py").write_text("FACTOR = 2\n", encoding="utf-8")
    monkeypatch.setattr(numba_cache, "SOURCES", tmp_path)
    return tmp_path


def test_key_is_stable(sources: Path) -> None:
    assert cache_key() == cache_key()
    assert len(cache_key()) == 32


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("kernel.py", "FACTOR = 3\n", id="an edited source"),
        pytest.param("deeper/helper.py", "", id="a new source"),
    ],
)
def test_key_changes_with_the_sources(sources: Path, name: str, text: str) -> None:
    before = cache_key()
    (sources / name).parent.mkdir(exist_ok=True)
    (sources / name).write_text(text, encoding="utf-8")
    assert cache_key() != before


def test_key_ignores_other_files(sources: Path) -> None:
    before = cache_key()
    (sources / "notes.md").write_text("text", encoding="utf-8")
    assert cache_key() == before


def test_key_changes_with_the_cpu(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cache_key()
    monkeypatch.setattr("llvmlite.binding.get_host_cpu_name", lambda: "another")
    assert cache_key() != before


def test_root_is_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_cache_root() == Path("/somewhere/cvm/numba")


def test_environment_and_a_loaded_numba_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config: Any = numba.config
    monkeypatch.setenv("NUMBA_CACHE_DIR", "before")
    monkeypatch.setattr(config, "CACHE_DIR", "before")
    folder = configure_numba_cache(tmp_path)
    assert folder == tmp_path / cache_key()
    assert os.environ["NUMBA_CACHE_DIR"] == config.CACHE_DIR == str(folder)


def test_folder_that_cannot_be_written_is_replaced_for_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", "before")
    monkeypatch.setattr(numba.config, "CACHE_DIR", "before")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    blocked = tmp_path / "a file"
    blocked.write_text("no folder", encoding="utf-8")
    folder = configure_numba_cache(blocked)
    assert folder.name == cache_key()
    assert folder.parent.parent == tmp_path


def test_only_the_folder_of_these_sources_counts_as_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", "before")
    monkeypatch.setenv("NUMBA_CACHE_DIR", "before")
    assert not is_cache_configured()
    configure_numba_cache(tmp_path)
    assert is_cache_configured()


def test_second_process_compiles_nothing(tmp_path: Path) -> None:
    counts = []
    for _ in range(2):
        result = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        counts.append([int(word) for word in result.stdout.split()])
    (kernels, _, compiled), (_, loaded, recompiled) = counts
    assert compiled == kernels == loaded
    assert recompiled == 0


def test_old_folders_are_forgotten_beyond_the_newest_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", os.environ.get("NUMBA_CACHE_DIR", ""))
    monkeypatch.setattr(numba.config, "CACHE_DIR", os.environ["NUMBA_CACHE_DIR"])
    for age in range(KEPT_FOLDERS + 3):
        folder = tmp_path / f"{age:032x}"
        folder.mkdir()
        os.utime(folder, ns=(10**18 - age, 10**18 - age))
    kept = configure_numba_cache(tmp_path)
    left = sorted(path.name for path in tmp_path.iterdir() if path != kept)
    assert left == [f"{age:032x}" for age in range(KEPT_FOLDERS)]
