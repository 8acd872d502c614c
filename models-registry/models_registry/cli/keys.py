"""Where `cvm model` finds the private key that signs: never in an argument."""

import json
from collections.abc import Mapping
from pathlib import Path

from cvm.evm.private_key import PrivateKey
from cvm.evm.signatures import CURVE_ORDER
from models_registry.cli.keystore import NotAKeystore, WrongPassword, decode_keystore

NAME_ONE_KEY = (
    "name exactly one key: --key-env NAME, --keystore PATH with --password-file PATH, "
    "or --account dev"
)


class BadKey(Exception):
    """No usable private key was named; the message never holds any part of one."""


def load_key(
    environment: Mapping[str, str],
    dev_key: bytes | None,
    *,
    key_env: str | None,
    keystore: Path | None,
    password_file: Path | None,
    account: str | None,
) -> PrivateKey:
    """Return the key that the options name; exactly one of the three ways. Raises `BadKey`."""
    if sum(option is not None for option in (key_env, keystore, account)) != 1:
        raise BadKey(NAME_ONE_KEY)
    if key_env is not None:
        return _parse_key(environment.get(key_env), f"environment variable {key_env}")
    if keystore is not None:
        return _load_keystore(keystore, password_file)
    if account != "dev" or dev_key is None:
        raise BadKey(f"--account {account}: the only account with a known key is `dev`")
    return PrivateKey(dev_key)


def _parse_key(text: str | None, where: str) -> PrivateKey:
    if not text:
        raise BadKey(f"{where} is not set")
    try:
        key = bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError as error:
        raise BadKey(f"{where} does not hold hex digits") from error
    return _checked(key, where)


def _load_keystore(path: Path, password_file: Path | None) -> PrivateKey:
    if password_file is None:
        raise BadKey(f"--keystore {path} needs --password-file")
    password = _read_text(password_file).rstrip("\r\n")
    try:
        key = decode_keystore(json.loads(_read_text(path)), password.encode())
    except (ValueError, NotAKeystore, WrongPassword) as error:
        raise BadKey(
            f"keystore {path} cannot be opened: wrong password, or not a version 3 keystore"
        ) from error
    return _checked(key, f"keystore {path}")


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadKey(f"{path} is not text") from error
    except OSError as error:
        raise BadKey(f"{path}: {error.strerror}") from error


def _checked(key: bytes, where: str) -> PrivateKey:
    if len(key) != 32:
        raise BadKey(f"{where} holds {len(key)} bytes, a private key has 32")
    if not 0 < int.from_bytes(key, "big") < CURVE_ORDER:
        raise BadKey(f"{where} is not a private key of secp256k1")
    return PrivateKey(key)
