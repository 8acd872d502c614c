"""One network of real processes: a validator is killed and comes back while the others go on."""

import asyncio
from pathlib import Path

import pytest

from tests.testnets.manifest import load_manifest
from tests.testnets.scenario import Scenario

pytestmark = [pytest.mark.slow, pytest.mark.network]


def test_a_killed_validator_comes_back_and_no_height_has_two_hashes(tmp_path: Path) -> None:
    manifest = load_manifest(Path(__file__).parent / "kill.toml")
    report = asyncio.run(Scenario(manifest, tmp_path).run())
    assert report.faults == []
    assert report.blocks >= manifest.blocks
    assert report.transactions > 0
