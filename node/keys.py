"""Keys of this node: keystore V3 files, and the well-known accounts of development chains."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account
from eth_keyfile.exceptions import EthKeyfileValueError
from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json
from eth_keys.datatypes import PrivateKey
from eth_utils.exceptions import ValidationError

from cvm.evm.signatures import CURVE_ORDER
from models_registry.cli.keys import NOT_A_KEYSTORE
from node.clock import now_s

DEV_MNEMONIC = "test test test test test test test test test test test junk"  # public: test keys
DEV_ACCOUNT_COUNT = 10
DEV_VALIDATOR_INDEX = 100
DEV_BALANCE_WEI = 10_000 * 10**18
PARTIAL_SUFFIX = ".partial"


class BadKeystore(Exception):
    """A keystore file cannot be read or opened."""


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """A keystore file and the address that it says it holds."""

    address: bytes
    path: Path


def dev_key(index: int) -> PrivateKey:
    """Return a TEST key of the mnemonic that anvil and hardhat use; anyone can spend from it."""
    Account.enable_unaudited_hdwallet_features()
    account = Account.from_mnemonic(DEV_MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
    return PrivateKey(bytes(account.key))


def dev_accounts() -> tuple[PrivateKey, ...]:
    """Return the funded TEST accounts of a development chain."""
    return tuple(dev_key(index) for index in range(DEV_ACCOUNT_COUNT))


def dev_validator() -> PrivateKey:
    """Return the TEST validator of a development chain."""
    return dev_key(DEV_VALIDATOR_INDEX)


def address_of(key: PrivateKey) -> bytes:
    """Return the 20-byte address of a key."""
    return bytes(key.public_key.to_canonical_address())


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
    except (OSError, ValueError, ValidationError) as error:
        raise BadKeystore(f"{path} does not hold a node key: {error}") from error
    return secret


def store_key(folder: Path, key: PrivateKey, password: bytes) -> StoredAccount:
    """Write a key as a keystore V3 file (scrypt, mode 0600), complete or not at all."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    document = create_keyfile_json(key.to_bytes(), password, kdf="scrypt")
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
        return PrivateKey(decode_keyfile_json(document, password))
    except EthKeyfileValueError as error:
        raise BadKeystore(f"keystore {path} does not open with this password: {error}") from error
    except NOT_A_KEYSTORE as error:
        raise BadKeystore(f"{path} is not a keystore V3 file: {error!r}") from error
