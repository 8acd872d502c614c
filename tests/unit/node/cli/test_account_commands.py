"""`cvm account`: keys come and go as keystore files, and never as an argument or in an output."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.cli.app import build_app
from node.keys import load_key

APP = build_app("account")
SECRET = "4c" * 32
PASSWORD = b"choose your own"


@pytest.fixture
def password(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_bytes(PASSWORD + b"\n")
    return path


def run(*arguments: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    done = CliRunner().invoke(APP, ["account", *arguments], env=env)
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize("option", ["--password", "--password-file"])
def test_a_key_from_a_file_becomes_a_keystore(tmp_path: Path, password: Path, option: str) -> None:
    (tmp_path / "key").write_text(f"0x{SECRET}\n")
    data = str(tmp_path / "data")
    code, out, err = run("import", str(tmp_path / "key"), "--datadir", data, option, str(password))
    assert (code, err) == (0, "")
    address, path = out.split()
    assert SECRET not in out
    assert load_key(Path(path), PASSWORD).to_bytes().hex() == SECRET
    assert json.loads(Path(path).read_text())["version"] == 3
    assert run("list", "--datadir", data)[1] == f"{address}  {path}\n"


def test_a_key_from_the_environment_becomes_the_same_keystore(
    tmp_path: Path, password: Path
) -> None:
    _code, out, _err = run(
        *("import", "--key-env", "SOME_KEY", "--datadir", str(tmp_path)),
        *("--password-file", str(password)),
        env={"SOME_KEY": SECRET},
    )
    assert load_key(Path(out.split()[1]), PASSWORD).to_bytes().hex() == SECRET


def test_a_new_key_opens_with_its_password(tmp_path: Path, password: Path) -> None:
    code, out, _err = run("new", "--datadir", str(tmp_path), "--password-file", str(password))
    assert code == 0
    address, path = out.split()
    assert "0x" + load_key(Path(path), PASSWORD).address.hex() == address


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("secretsecret", "holds no 32-byte hex key", id="no hex"),
        pytest.param("00" * 32, "holds no 32-byte hex key", id="no key of the curve"),
        pytest.param("", "holds no 32-byte hex key", id="nothing"),
    ],
)
def test_a_file_without_a_key_is_refused_and_not_shown(
    tmp_path: Path, password: Path, text: str, words: str
) -> None:
    (tmp_path / "key").write_text(text)
    code, out, err = run(
        *("import", str(tmp_path / "key"), "--datadir", str(tmp_path)),
        *("--password-file", str(password)),
    )
    assert (code, out) == (2, "")
    assert words in err
    assert "secretsecret" not in err


def test_no_key_at_all_is_refused() -> None:
    assert "name the file that holds the key" in run("import")[2]
