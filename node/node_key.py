"""The key by which other nodes know this one; it signs no block and owns nothing."""

from pathlib import Path

from coincurve import PrivateKey as CoincurveKey
from eth_keys.datatypes import PrivateKey

from node.keys import draw_secret

FILE_NAME = "nodekey"
SECRET_BYTES = 32


class BadNodeKey(Exception):
    """The node key's file does not hold a key."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} does not hold a node key of 64 hex digits: remove it, and a new one is drawn"
        )


def load_node_key(datadir: Path) -> bytes:
    """Return the 32-byte secret of a data directory's `nodekey`, drawn where there is none.

    The file has geth's form: 64 hex digits. Raises `BadNodeKey`.
    """
    path = datadir / FILE_NAME
    if not path.exists():
        save_node_key(datadir, draw_secret())
    try:
        secret = bytes.fromhex(path.read_text())
        CoincurveKey(secret)
    except ValueError as error:
        raise BadNodeKey(path) from error
    if len(secret) != SECRET_BYTES:
        raise BadNodeKey(path)
    return secret


def save_node_key(datadir: Path, secret: bytes) -> None:
    """Write a node key that only its owner can read, complete or not at all."""
    datadir.mkdir(parents=True, exist_ok=True)
    partial = datadir / f"{FILE_NAME}.partial"
    partial.touch(mode=0o600)
    partial.write_text(secret.hex())
    partial.replace(datadir / FILE_NAME)


def node_id(secret: bytes) -> bytes:
    """Return the 64-byte public key by which a node is addressed."""
    return bytes(PrivateKey(secret).public_key.to_bytes())
