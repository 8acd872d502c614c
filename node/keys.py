"""Keys of this node: keystore V3 files, and the key that names it to its peers."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from cvm.evm.private_key import PrivateKey
from cvm.evm.signatures import CURVE_ORDER
from models_registry.cli.keystore import (
    NotAKeystore,
    WrongPassword,
    decode_keystore,
    encode_keystore,
)
from node.clock import now_s

PARTIAL_SUFFIX = ".partial"


class BadKeystore(Exception):
    """A keystore file cannot be read or opened."""


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """A keystore file and the address that it says it holds."""

    address: bytes
    path: Path


def address_of(key: PrivateKey) -> bytes:
    """Return the 20-byte address of a key."""
    return key.address


def new_account(folder: Path, password: bytes) -> StoredAccount:
    """Draw a key and keep it as a keystore V3 file that only its owner can read."""
    return store_key(folder, PrivateKey(draw_secret()), password)


def draw_secret() -> bytes:
    """Return 32 bytes that are a secp256k1 secret."""
    while True:
        secret = secrets.token_bytes(32)
        if 0 < int.from_bytes(secret, "big") < CURVE_ORDER:
            return secret


def draw_bytes(size: int) -> bytes:
    """Return so many random bytes: for keys and nonces that are needed once."""
    return secrets.token_bytes(size)


def load_node_key(path: Path) -> bytes:
    """Return the secret that names this node to its peers, drawn when it is first asked for.

    The file is geth's `nodekey`: 64 hexadecimal digits, for its owner only. Raises `BadKeystore`.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = path.with_suffix(PARTIAL_SUFFIX)
        partial.touch(mode=0o600)
        partial.write_text(draw_secret().hex())
        partial.replace(path)
    try:
        secret = bytes.fromhex(path.read_text().strip())
        address_of(PrivateKey(secret))
    except (OSError, ValueError) as error:
        raise BadKeystore(f"{path} does not hold a node key: {error}") from error
    return secret


def store_key(folder: Path, key: PrivateKey, password: bytes) -> StoredAccount:
    """Write a key as a keystore V3 file (scrypt, mode 0600), complete or not at all."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    document = encode_keystore(key.to_bytes(), password, draw_bytes)
    address = address_of(key)
    path = folder / f"UTC--{now_s()}--{address.hex()}"
    partial = path.with_suffix(PARTIAL_SUFFIX)
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(document))
    partial.replace(path)
    return StoredAccount(address, path)


def list_accounts(folder: Path) -> tuple[StoredAccount, ...]:
    """Return the keystore files of a folder, oldest first."""
    accounts = []
    for path in sorted(folder.glob("UTC--*")) if folder.is_dir() else ():
        if path.suffix == PARTIAL_SUFFIX:
            continue  # left by a process that was killed while it wrote
        try:
            address = bytes.fromhex(json.loads(path.read_text())["address"].removeprefix("0x"))
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise BadKeystore(f"{path} is not a keystore V3 file: {error}") from error
        accounts.append(StoredAccount(address, path))
    return tuple(accounts)


def load_key(path: Path, password: bytes) -> PrivateKey:
    """Open a keystore V3 file; raises `BadKeystore`."""
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadKeystore(f"cannot read keystore {path}: {error}") from error
    try:
        return PrivateKey(decode_keystore(document, password))
    except WrongPassword as error:
        raise BadKeystore(f"keystore {path} does not open with this password: {error}") from error
    except (NotAKeystore, ValueError) as error:
        raise BadKeystore(f"{path} is not a keystore V3 file: {error}") from error
