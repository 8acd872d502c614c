"""Logs: two forms, levels, files that turn over, and nothing secret in any of them."""

import io
import json
from pathlib import Path

import pytest
import structlog

from cvm.evm.private_key import PrivateKey
from node.logs import LogConfig, LogFile, configure_logs

KEY = PrivateKey(b"\x5a" * 32)


def log_lines(capsys: pytest.CaptureFixture[str], config: LogConfig) -> list[str]:
    """Log one line of each level, and return what came."""
    file = configure_logs(config)
    log = structlog.get_logger("test")
    for level in ("error", "warning", "info", "debug"):
        getattr(log, level)(f"at {level}", number=7)
    if file is not None:
        file.close()
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(("verbosity", "count"), [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 4)])
def test_verbosity_is_geths(capsys: pytest.CaptureFixture[str], verbosity: int, count: int) -> None:
    assert len(log_lines(capsys, LogConfig(verbosity=verbosity))) == count


def test_a_json_line_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    line = json.loads(log_lines(capsys, LogConfig(as_json=True))[0])
    del line["timestamp"]
    assert line == {"event": "at error", "level": "error", "number": 7}


def test_a_pretty_line_has_no_colours_where_nobody_looks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = log_lines(capsys, LogConfig())[0]
    assert "at error" in line
    assert "number=7" in line
    assert "\x1b" not in line


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("name", ["password", "private_key", "Mnemonic", "key", "secret", "seed"])
def test_what_is_named_like_a_secret_is_hidden(
    capsys: pytest.CaptureFixture[str], as_json: bool, name: str
) -> None:
    configure_logs(LogConfig(as_json=as_json))
    structlog.get_logger("test").info("opened", **{name: "hunter2"})
    line = capsys.readouterr().err
    assert "opened" in line
    assert "hunter2" not in line


def test_a_private_key_is_hidden_under_any_name(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(LogConfig())
    structlog.get_logger("test").info("opened", validator=KEY)
    assert "5a5a" not in capsys.readouterr().err


def test_a_traceback_shows_no_values_of_variables(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(LogConfig())
    password = "hunter2"
    try:
        int("x" * len(password))
    except ValueError:
        structlog.get_logger("test").exception("failed")
    line = capsys.readouterr().err
    assert "ValueError" in line
    assert "hunter2" not in line.replace('password = "hunter2"', "")


def test_a_file_gets_what_standard_error_gets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "logs" / "cvm.log"
    lines = log_lines(capsys, LogConfig(file=file))
    assert file.read_text().splitlines() == lines
    assert len(lines) == 3


def test_a_full_file_becomes_the_first_backup_and_the_oldest_goes(tmp_path: Path) -> None:
    path = tmp_path / "cvm.log"
    stream = LogFile(LogConfig(max_bytes=10, backups=2), path, io.StringIO())
    for line in ("first\n", "second\n", "third\n", "fourth\n"):
        stream.write(line)
    stream.flush()
    stream.close()
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {
        "cvm.log": "fourth\n",
        "cvm.log.1": "third\n",
        "cvm.log.2": "second\n",
    }


def test_a_file_goes_on_where_an_earlier_process_ended(tmp_path: Path) -> None:
    path = tmp_path / "cvm.log"
    path.write_text("before\n")
    stream = LogFile(LogConfig(max_bytes=10, backups=1), path, io.StringIO())
    stream.write("after\n")
    stream.close()
    assert (path.read_text(), (tmp_path / "cvm.log.1").read_text()) == ("after\n", "before\n")
