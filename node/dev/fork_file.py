"""The state that a development chain begins with, from a file.

A file of `cvm snapshot export` brings a whole chain's state, which goes on at the height that it
had. JSON brings accounts only: geth's genesis file or its `alloc`, or what `geth dump` writes.
"""

import json
from pathlib import Path
from typing import Any

from consensus.faults import InvalidGenesis
from consensus.genesis import parse_alloc
from node.chain_archive import BadArchive, read_items
from node.dev.dev_database import DevDatabase
from node.dev.faults import BadForkFile
from node.snapshot_file import MAGIC, VERSION, StateReader, read_pivot
from node.storage.model_store import ModelStore

MAX_JSON_BYTES = 256 << 20
Accounts = dict[str, dict[str, Any]]  # as JSON has them


def is_json(path: Path) -> bool:
    """Tell whether a file begins as a JSON object does; raises `OSError`."""
    with path.open("rb") as file:
        return file.read(64).lstrip()[:1] == b"{"


def load_accounts(path: Path) -> Accounts:
    """Return the accounts of a JSON file in geth's genesis form; raises `BadForkFile`."""
    if path.stat().st_size > MAX_JSON_BYTES:
        raise BadForkFile(path, f"over {MAX_JSON_BYTES >> 20} MiB of JSON: use a snapshot")
    try:
        document = json.loads(path.read_bytes())
    except ValueError as error:
        raise BadForkFile(path, f"not JSON: {error}") from error
    accounts = document
    for name in ("alloc", "accounts"):
        if isinstance(document.get(name), dict):
            accounts = document[name]
    try:
        made = {address: account_of(fields) for address, fields in accounts.items()}
        parse_alloc(made)
    except InvalidGenesis as error:
        raise BadForkFile(path, str(error)) from error
    return made


def account_of(fields: Any) -> dict[str, Any]:
    """Return an account as a genesis file has it, without what geth's dump says beside."""
    if not isinstance(fields, dict):
        raise InvalidGenesis("an account is not an object")
    kept = {name: fields[name] for name in ("balance", "nonce", "code") if name in fields}
    return {**kept, "storage": fields.get("storage") or {}}


def take_snapshot_file(database: DevDatabase, store: ModelStore, path: Path) -> None:
    """Make the block of a snapshot the head of a new chain, each part of its state proven.

    Raises `BadForkFile`, or a `LocalFault`.
    """
    try:
        with path.open("rb") as file:
            items = read_items(file)
            match next(items, None):
                case [bytes(magic), bytes(version), bytes(_genesis)] if (
                    magic == MAGIC and version == bytes((VERSION,))
                ):
                    reader = StateReader(database, store, read_pivot(next(items, None)))
                case _:
                    raise BadForkFile(path, "neither a snapshot nor JSON")
            for item in items:
                reader.take(item)
        reader.finish()
    except BadArchive as error:
        raise BadForkFile(path, str(error)) from error
