"""Keystore files: encrypted, private, and clear about what is wrong with them."""

import io
import json
import stat
from functools import partial
from pathlib import Path

import pytest
import structlog

from cvm.evm.private_key import PrivateKey
from models_registry.cli.keystore import encode_keystore
from node import keys
from node.cli.faults import BadArgument, read_password
from node.config import NodeConfig
from node.dev_keys import dev_accounts, dev_key, dev_validator
from node.keys import (
    BadKeystore,
    StoredAccount,
    address_of,
    draw_secret,
    list_accounts,
    load_key,
    load_node_key,
    new_account,
    store_key,
)

KEY = PrivateKey(b"\x91" * 32)  # TEST key
PASSWORD = b"correct horse"
ANVIL_FIRST = "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"
"""The first account of the mnemonic `test ... junk`, as anvil's and hardhat's manuals print it."""


@pytest.fixture(autouse=True)
def _quick_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derive with few rounds: what is under test is the file, not scrypt."""
    monkeypatch.setattr(keys, "encode_keystore", partial(encode_keystore, scrypt_n=2))


def test_a_stored_key_comes_back(tmp_path: Path) -> None:
    stored = store_key(tmp_path / "keystore", KEY, PASSWORD)
    assert stored.address == address_of(KEY)
    assert load_key(stored.path, PASSWORD) == KEY


def test_a_new_account_has_a_key_of_its_own(tmp_path: Path) -> None:
    first, second = (new_account(tmp_path, PASSWORD) for _ in range(2))
    assert first.address != second.address
    assert address_of(load_key(first.path, PASSWORD)) == first.address


def test_only_the_owner_can_read_the_file_and_the_folder(tmp_path: Path) -> None:
    stored = store_key(tmp_path / "keystore", KEY, PASSWORD)
    assert stat.S_IMODE(stored.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(stored.path.parent.stat().st_mode) == 0o700


def test_the_file_is_keystore_v3_and_holds_no_secret(tmp_path: Path) -> None:
    text = store_key(tmp_path, KEY, PASSWORD).path.read_text()
    document = json.loads(text)
    assert document["version"] == 3
    assert document["crypto"]["kdf"] == "scrypt"
    assert document["address"].lower().removeprefix("0x") == address_of(KEY).hex()
    assert KEY.to_bytes().hex() not in text
    assert PASSWORD.decode() not in text


def test_the_name_is_geths(tmp_path: Path) -> None:
    name = store_key(tmp_path, KEY, PASSWORD).path.name
    assert name.startswith("UTC--")
    assert name.endswith("--" + address_of(KEY).hex())


def test_nothing_else_is_left_in_the_folder(tmp_path: Path) -> None:
    stored = store_key(tmp_path, KEY, PASSWORD)
    assert list(tmp_path.iterdir()) == [stored.path]


def test_accounts_are_listed_by_name(tmp_path: Path) -> None:
    stored = store_key(tmp_path, KEY, PASSWORD)
    (tmp_path / "notes.txt").write_text("mine")
    assert list_accounts(tmp_path) == (StoredAccount(stored.address, stored.path),)


def test_what_a_killed_process_left_is_not_listed(tmp_path: Path) -> None:
    stored = store_key(tmp_path, KEY, PASSWORD)
    (tmp_path / (stored.path.name + ".partial")).write_text('{"addr')
    assert [account.path for account in list_accounts(tmp_path)] == [stored.path]


def test_no_folder_holds_no_account(tmp_path: Path) -> None:
    assert list_accounts(tmp_path / "nowhere") == ()


@pytest.mark.parametrize("text", ["", "[]", "{}", "5", '{"address": 5}', '{"address": "0xzz"}'])
def test_a_file_that_is_no_keystore_is_named_in_a_list(tmp_path: Path, text: str) -> None:
    path = tmp_path / "UTC--1--aa"
    path.write_text(text)
    with pytest.raises(BadKeystore, match=f"^{path} is not a keystore V3 file"):
        list_accounts(tmp_path)


def test_a_wrong_password_is_named_and_not_shown(tmp_path: Path) -> None:
    stored = store_key(tmp_path, KEY, PASSWORD)
    with pytest.raises(BadKeystore, match="does not open with this password") as caught:
        load_key(stored.path, b"battery staple")
    assert "staple" not in str(caught.value)


PBKDF2 = (
    '{"version": 3, "crypto": {"kdf": "pbkdf2", "mac": "", "ciphertext": "", "kdfparams": '
    '{"salt": "00", "dklen": 32, "c": %s, "prf": %s}}}'
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[]", id="a list"),
        pytest.param("5", id="a number"),
        pytest.param("{}", id="an empty object"),
        pytest.param('{"version": 3}', id="no crypto"),
        pytest.param('{"version": 3, "crypto": 5}', id="crypto is a number"),
        pytest.param('{"version": "x"}', id="another version"),
        pytest.param('{"version": 3, "crypto": {"kdf": "none"}}', id="another kdf"),
        pytest.param(PBKDF2 % ("2", '""'), id="no hash of pbkdf2"),
        pytest.param(PBKDF2 % ("2", "5"), id="a hash that is a number"),
        pytest.param(PBKDF2 % (2**70, '"hmac-sha256"'), id="too many rounds"),
    ],
)
def test_json_that_is_no_keystore_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(text)
    with pytest.raises(BadKeystore, match=f"^{path} is not a keystore V3 file"):
        load_key(path, PASSWORD)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe"])
def test_a_file_that_is_not_json_cannot_be_read(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "key.json"
    path.write_bytes(data)
    with pytest.raises(BadKeystore, match="cannot read keystore"):
        load_key(path, PASSWORD)


def test_a_missing_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadKeystore, match="No such file"):
        load_key(tmp_path / "none", PASSWORD)


def test_no_representation_shows_the_secret(tmp_path: Path) -> None:
    stored = store_key(tmp_path, KEY, PASSWORD)
    config = NodeConfig(tmp_path, None, "cpu", KEY, instant=True, idle_blocks=True)
    secret = KEY.to_bytes().hex()
    for shown in (repr(stored), repr(config), str(config)):
        assert secret not in shown


def test_storing_a_key_logs_nothing(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as lines:
        new_account(tmp_path, PASSWORD)
    assert lines == []


def test_a_drawn_secret_is_a_scalar_of_the_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([bytes(32), b"\xff" * 32, b"\x07" * 32])
    monkeypatch.setattr("node.keys.secrets.token_bytes", lambda _count: next(drawn))
    assert draw_secret() == b"\x07" * 32


def test_dev_accounts_are_anvils() -> None:
    accounts = dev_accounts()
    assert len(accounts) == 10
    assert address_of(accounts[0]).hex() == ANVIL_FIRST
    assert accounts[0] == dev_key(0)
    assert dev_validator() not in accounts


@pytest.mark.parametrize(
    ("content", "password"),
    [
        pytest.param(b"secret\n", b"secret", id="a line"),
        pytest.param(b"secret", b"secret", id="no line end"),
        pytest.param(b"secret\r\nsecond\r\n", b"secret", id="another system's line ends"),
        pytest.param(b" se cret \n", b" se cret ", id="spaces belong to it"),
        pytest.param("пароль\n".encode(), "пароль".encode(), id="UTF-8"),
        pytest.param(b"\xff\xfe\n", b"\xff\xfe", id="any bytes"),
        pytest.param(b"\n", b"", id="an empty line"),
    ],
)
def test_the_first_line_of_a_file_is_the_password(
    tmp_path: Path, content: bytes, password: bytes
) -> None:
    path = tmp_path / "password"
    path.write_bytes(content)
    assert read_password(path, "unused") == password


def test_without_a_file_and_a_terminal_there_is_nobody_to_ask_for_a_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("from a pipe\n"))
    with pytest.raises(BadArgument, match=r"^password of k: there is nobody to ask; --password"):
        read_password(None, "password of k")


def test_an_empty_password_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.touch()
    with pytest.raises(BadArgument, match="is empty: its first line is the password"):
        read_password(path, "unused")


def test_a_node_key_is_drawn_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "network" / "nodekey"
    first = load_node_key(path)
    assert load_node_key(path) == first
    assert path.read_text() == first.hex()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_node_key(tmp_path / "other") != first


@pytest.mark.parametrize("text", ["", "00" * 32, "ff" * 32, "ab" * 31, "no digits"])
def test_a_file_without_a_key_is_no_node_key(tmp_path: Path, text: str) -> None:
    (tmp_path / "nodekey").write_text(text)
    with pytest.raises(BadKeystore, match="does not hold a node key"):
        load_node_key(tmp_path / "nodekey")
