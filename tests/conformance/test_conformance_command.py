"""The command counts what it judged, shows what failed, and tells it by its status."""

import json
from pathlib import Path

import pytest

from tests.conformance.__main__ import main

VALID = {"text": {"in": "dog", "out": "0x83646f67"}}
WRONG = {"text": {"in": "dog", "out": "0x83646f68"}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an unpacked suite in a folder that the environment names."""
    monkeypatch.setenv("CONFORMANCE_DIR", str(tmp_path))
    (tmp_path / "RLPTests").mkdir()
    return tmp_path / "RLPTests"


def test_every_case_that_passes_is_counted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "one.json").write_text(json.dumps(VALID), "utf-8")
    assert main(["--suite", "RLPTests", "--processes", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 passed, 0 failed, 0 skipped"


def test_a_failure_is_shown_and_is_the_status(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "one.json").write_text(json.dumps(VALID), "utf-8")
    (folder / "two.json").write_text(json.dumps(WRONG), "utf-8")
    assert main(["--suite", "RLPTests", "--processes", "1"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("FAILED RLPTests/two.json::text: it is not read as dog")
    assert lines[-1] == "1 passed, 1 failed, 0 skipped"


def test_an_absent_suite_is_skipped_with_its_public_source(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "one.json").write_text(json.dumps(VALID), "utf-8")
    arguments = ["--suite", "RLPTests", "--suite", "TrieTests", "--processes", "1"]
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("public source: https://github.com/ethereum/tests, TrieTests" in x for x in lines)
    assert lines[-1] == "1 passed, 0 failed, 1 skipped"
