"""The templates hold today's library, what `cvm model bind` writes, and exact versions."""

import json
import re

import numpy as np
import pytest

from node.sample_models import sample_model_path
from tests.documents import ROOT, code_spans
from tests.solidity import CONTRACTS, compile_sources
from tests.unit.models_registry.test_solidity_documents import digits_library

TEMPLATES = ROOT / "models-registry" / "templates"
SOURCES = {"foundry": "src", "hardhat": "contracts"}


@pytest.mark.parametrize("template", SOURCES)
@pytest.mark.parametrize("name", ["CVM.sol", "CVMInput.sol"])
def test_the_library_is_the_repositorys(template: str, name: str) -> None:
    copy = TEMPLATES / template / SOURCES[template] / name
    assert copy.read_bytes() == (CONTRACTS / name).read_bytes()


@pytest.mark.parametrize("template", SOURCES)
def test_the_models_library_is_what_bind_writes(template: str) -> None:
    copy = TEMPLATES / template / SOURCES[template] / "Digits.sol"
    assert copy.read_text() == digits_library()


def test_both_templates_have_the_same_contract_and_image() -> None:
    foundry, hardhat = TEMPLATES / "foundry", TEMPLATES / "hardhat"
    contracts = [foundry / "src", hardhat / "contracts"]
    assert len({(folder / "DigitReader.sol").read_bytes() for folder in contracts}) == 1
    assert len({(folder / "test" / "two.hex").read_bytes() for folder in (foundry, hardhat)}) == 1


def test_the_image_is_the_second_of_the_bundled_digits() -> None:
    images = np.load(sample_model_path("digits_100_images.npy"), allow_pickle=False)
    shown = (TEMPLATES / "hardhat" / "test" / "two.hex").read_text().strip()
    assert shown == "0x" + images[1].tobytes().hex()


def test_the_foundry_project_compiles_without_a_warning() -> None:
    folder = TEMPLATES / "foundry"
    sources = {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.sol")
    }
    assert compile_sources(sources).diagnostics == ()


def test_every_package_has_an_exact_version() -> None:
    described = json.loads((TEMPLATES / "hardhat" / "package.json").read_text())
    versions = described["devDependencies"]
    assert versions["solc"] == "0.8.30"
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions.values())


@pytest.mark.parametrize("template", SOURCES)
def test_every_file_of_the_readme_is_there(template: str) -> None:
    folder = TEMPLATES / template
    named = [
        span
        for span in code_spans((folder / "README.md").read_text())
        if re.search(r"/\w+\.\w", span)
    ]
    assert len(named) > 3
    assert [span for span in named if not (folder / span).is_file()] == []
