"""Private keys come from the environment, a keystore or the dev account, never from an argument."""

import json
from pathlib import Path

import pytest
from eth_keyfile.keyfile import create_keyfile_json

from models_registry.cli.keys import BadKey, load_key
from tests.unit.models_registry.registry_chain import marked_test_key

KEY = marked_test_key(7)
ORDER = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
PBKDF2 = (
    '{"version": 3, "crypto": {"kdf": "pbkdf2", "mac": "", "ciphertext": "", "kdfparams": '
    '{"salt": "00", "dklen": 32, "c": %s, "prf": %s}}}'
)


def save_keystore(folder: Path) -> Path:
    path = folder / "key.json"
    keystore = create_keyfile_json(KEY.to_bytes(), b"secret", kdf="pbkdf2", iterations=2)
    path.write_text(json.dumps(keystore))
    return path


def test_a_keystore_opens_with_its_password(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("secret\n")
    key = load_key(
        {},
        None,
        key_env=None,
        keystore=save_keystore(tmp_path),
        password_file=password,
        account=None,
    )
    assert key == KEY


@pytest.mark.parametrize(
    ("password", "keystore"),
    [
        pytest.param("wrong", None, id="password"),
        pytest.param("secret", "not json", id="no JSON"),
        pytest.param("secret", "[]", id="no keystore"),
        pytest.param("secret", '{"version": 4}', id="version"),
        pytest.param("secret", '{"version": 3}', id="nothing in it"),
        pytest.param("secret", PBKDF2 % ("2", '""'), id="no hash of pbkdf2"),
        pytest.param("secret", PBKDF2 % ("2", "5"), id="a hash that is a number"),
        pytest.param("secret", PBKDF2 % (2**70, '"hmac-sha256"'), id="too many rounds"),
    ],
)
def test_a_keystore_that_does_not_open_is_named(
    tmp_path: Path, password: str, keystore: str | None
) -> None:
    path = save_keystore(tmp_path)
    if keystore is not None:
        path.write_text(keystore)
    password_file = tmp_path / "password"
    password_file.write_text(password)
    with pytest.raises(BadKey, match=f"keystore {path} cannot be opened"):
        load_key({}, None, key_env=None, keystore=path, password_file=password_file, account=None)


@pytest.mark.parametrize(
    "text", [pytest.param(KEY.to_bytes().hex(), id="bare"), pytest.param(KEY.to_hex(), id="0x")]
)
def test_an_environment_variable_holds_hex(text: str) -> None:
    key = load_key(
        {"NAME": text}, None, key_env="NAME", keystore=None, password_file=None, account=None
    )
    assert key == KEY


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "NAME is not set", id="empty"),
        pytest.param("0xzz", "NAME does not hold hex digits", id="no hex"),
        pytest.param("00" * 31, "NAME holds 31 bytes", id="short"),
        pytest.param("00" * 32, "NAME is not a private key", id="zero"),
        pytest.param(ORDER, "NAME is not a private key", id="the order"),
    ],
)
def test_a_variable_that_holds_no_key_is_named_without_its_value(text: str, reason: str) -> None:
    with pytest.raises(BadKey) as caught:
        load_key(
            {"NAME": text}, None, key_env="NAME", keystore=None, password_file=None, account=None
        )
    assert reason in str(caught.value)
    assert not text or text not in str(caught.value)
