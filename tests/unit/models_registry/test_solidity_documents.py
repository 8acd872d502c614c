"""What the documents show in Solidity compiles as it stands, without a warning."""

import pytest

from tests.documents import ROOT, code_blocks
from tests.solidity import HEADER, compile_sources

DOCUMENTS = ("models-registry/contracts/README.md",)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_solidity_block_compiles(document: str) -> None:
    blocks = code_blocks((ROOT / document).read_text(encoding="utf-8"), "solidity")
    sources = {f"block{index}.sol": HEADER + block for index, block in enumerate(blocks)}
    compiled = compile_sources(sources)
    assert compiled.diagnostics == ()
    assert len(compiled.contracts) > len(blocks) > 0
