"""What is installed is ours alone, complete, and says the same version everywhere."""

import re
import tomllib
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "cvm": ROOT / "cvm",
    "models_registry": ROOT / "models-registry/models_registry",
    "opcodes": ROOT / "opcodes",
    "consensus": ROOT / "consensus",
    "node": ROOT / "node",
}
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def foreign_owners(name: str, installed: dict[str, list[str]]) -> set[str]:
    """Return the distributions other than ours that install a top-level name."""
    return set(installed.get(name, [])) - {PROJECT["project"]["name"]}


@pytest.mark.parametrize("name", PACKAGES)
def test_no_other_distribution_owns_our_name(name: str) -> None:
    assert foreign_owners(name, dict(packages_distributions())) == set()


def test_a_foreign_owner_is_seen() -> None:
    assert foreign_owners("node", {"node": ["node", "cvm-chain"]}) == {"node"}
    assert packages_distributions()["numpy"] == ["numpy"]


@pytest.mark.parametrize(("name", "folder"), PACKAGES.items())
def test_our_name_imports_our_package(name: str, folder: Path) -> None:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).resolve() == folder / "__init__.py"


@pytest.mark.parametrize(("name", "folder"), PACKAGES.items())
def test_package_is_typed_and_described(name: str, folder: Path) -> None:
    assert (folder / "py.typed").is_file()
    assert (ROOT / folder.relative_to(ROOT).parts[0] / "README.md").is_file(), name


def test_version_is_the_newest_in_the_changelog() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", changes, re.MULTILINE)
    assert headings[0] == PROJECT["project"]["version"] == version("cvm-chain")


def test_licence_is_mit() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("MIT License\n")
    assert 'THE SOFTWARE IS PROVIDED "AS IS"' in text
    assert PROJECT["project"]["license"] == "MIT"


def test_files_that_the_wheel_adds_exist() -> None:
    added = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert [path for path in added if not (ROOT / path).exists()] == []
    packed = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert sorted(packed) == sorted(p.relative_to(ROOT).as_posix() for p in PACKAGES.values())


def test_one_console_script_is_installed() -> None:
    assert PROJECT["project"]["scripts"] == {"cvm": "node.cli:main"}
