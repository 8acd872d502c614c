"""A tool that is missing is a reason to skip; what is installed is not installed again."""

from pathlib import Path

import pytest

from tests.clients.installing import (
    OLDEST_NODE,
    CannotInstall,
    install_npm,
    is_installed,
    mark_installed,
    node_version,
    reason_of,
    run_installer,
)
from tests.clients.tools import NO_BROWSER, Tools, find_tools


@pytest.mark.parametrize(
    ("needs", "reason"),
    [
        pytest.param((), None, id="nothing needed"),
        pytest.param(("pip",), None, id="what is there"),
        pytest.param(("pip", "npm"), "no npm on PATH", id="what is not"),
    ],
)
def test_what_is_missing_is_the_reason(
    tmp_path: Path, needs: tuple[str, ...], reason: str | None
) -> None:
    tools = Tools(tmp_path, None, {"npm": "no npm on PATH"})
    assert tools.lack(needs) == reason


def test_without_npm_its_packages_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert reason_of(lambda: install_npm(tmp_path)) == "no npm on PATH: it comes with Node.js"


@pytest.mark.parametrize(
    ("says", "version"),
    [
        pytest.param("v20.20.2", (20, 20), id="old"),
        pytest.param("v24.21.0", (24, 21), id="new"),
        pytest.param("not Node.js", (0, 0), id="another program"),
    ],
)
def test_the_version_of_node_is_read(tmp_path: Path, says: str, version: tuple[int, int]) -> None:
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho {says}\n")
    node.chmod(0o755)
    assert node_version(str(node)) == version


def test_no_node_is_an_old_node() -> None:
    assert node_version(None) < OLDEST_NODE


def test_foundrys_own_programs_come_before_npms_wrappers(tmp_path: Path) -> None:
    own = tmp_path / "node_modules" / "@foundry-rs" / "cast-linux-amd64" / "bin"
    own.mkdir(parents=True)
    wrappers = tmp_path / "node_modules" / ".bin"
    programs = Tools(tmp_path, None, {}).programs
    assert programs.index(own) < programs.index(wrappers)


def test_a_failed_installer_says_why(tmp_path: Path) -> None:
    with pytest.raises(CannotInstall, match="sh failed: no such package here"):
        run_installer(tmp_path, "/bin/sh", "-c", "echo no such package; echo here; exit 1")


def test_a_folder_is_installed_anew_once_its_list_changed(tmp_path: Path) -> None:
    packages = tmp_path / "package.json"
    packages.write_text("{}")
    assert not is_installed(tmp_path, [packages])
    mark_installed(tmp_path, [packages])
    assert is_installed(tmp_path, [packages])
    packages.write_text('{"dependencies": {}}')
    assert not is_installed(tmp_path, [packages])


def test_only_what_is_needed_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVM_CLIENTS_DIR", str(tmp_path / "clients"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CVM_BROWSER", raising=False)
    assert find_tools(set()).missing == {}
    assert find_tools({"browser", "npm"}).missing == {
        "browser": NO_BROWSER,
        "npm": "no npm on PATH: it comes with Node.js",
    }
