"""What the documents show in Solidity and Vyper compiles as it stands, without a warning."""

from functools import cache
from pathlib import Path

import pytest

from models_registry.cli.bind import binding_of, solidity_source
from models_registry.cli.report import inspect_file
from tests.documents import ROOT, code_blocks
from tests.solidity import HEADER, compile_sources
from tests.vyper import compile_vyper

DOCUMENTS = ("models-registry/contracts/README.md",)
DIGITS = ROOT / "models-registry" / "models" / "digits_int8.onnx"


@cache
def digits_library() -> str:
    """Return what `cvm model bind` writes for the digit model, which the examples import."""
    report = inspect_file(DIGITS.read_bytes())
    assert report.model_id is not None
    binding = binding_of(report.model_id, report.inputs, report.outputs, report.batchable)
    return solidity_source(binding, "Digits")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_solidity_block_compiles(document: str) -> None:
    blocks = code_blocks((ROOT / document).read_text(encoding="utf-8"), "solidity")
    sources = {f"block{index}.sol": HEADER + block for index, block in enumerate(blocks)}
    compiled = compile_sources(sources | {"Digits.sol": digits_library()})
    assert compiled.diagnostics == ()
    assert len(compiled.contracts) > len(blocks) > 0


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_vyper_block_compiles(document: str, tmp_path: Path) -> None:
    blocks = code_blocks((ROOT / document).read_text(encoding="utf-8"), "vyper")
    assert blocks
    for index, block in enumerate(blocks):
        path = tmp_path / f"block{index}.vy"
        path.write_text(block)
        assert compile_vyper(path)
