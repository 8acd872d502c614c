"""Which address or slot has which hash: what a node needs to serve parts of its state tries.

Tries know keys by their hashes, the flat tables by addresses and slots. The index is made in one
walk over the flat tables and then follows the blocks by what they overwrote, which names every new
key. It covers every state from the height of that walk on.
"""

from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Any

from cvm.evm.keccak import keccak256
from node.storage.chain_database import ChainDatabase
from node.storage.flat_state import SLOT_BYTES, UNDO_BLOCKS
from node.storage.undo_record import COUNT_BYTES

ADDRESS_BYTES = 20
KEYS_AT_ONCE = 5_000
"""In one transaction, so that no block waits long to be written."""
FOLLOW_BLOCKS = UNDO_BLOCKS // 2
"""An index that is brought forward so often never has to be made anew."""
INDEXED = b"preimages"


class Preimages:
    """The index of one database; any thread may use it."""

    def __init__(self, database: ChainDatabase) -> None:
        self._database = database
        self._following = Lock()

    def find(self, key_hash: bytes) -> bytes | None:
        """Return the address or the slot of a hash."""
        return self._database.get("preimages", key_hash)

    def follow(self) -> None:
        """Bring the index to the head; the first time this walks over the whole state."""
        with self._following:
            self._follow()

    def _follow(self) -> None:
        indexed = self._indexed()
        head = self._head()
        if indexed == head:
            return
        if indexed is None or head - indexed > UNDO_BLOCKS:
            indexed = head
            self._walk("accounts", ADDRESS_BYTES)
            self._walk("storage", SLOT_BYTES)
            head = self._head()
        for number in range(indexed + 1, head + 1):
            self._add_block(number)
        with self._database.writing() as transaction:
            meta = self._database.table("meta")
            transaction.put(INDEXED, head.to_bytes(8, "big"), db=meta)

    def _indexed(self) -> int | None:
        data = self._database.get("meta", INDEXED)
        return None if data is None else int.from_bytes(data, "big")

    def _head(self) -> int:
        with self._database.head_state() as state:
            return state.number

    def _walk(self, name: str, size_bytes: int) -> None:
        """Add the last bytes of all keys of a flat table, a few thousand at a time."""
        after = b""
        while True:
            with self._database.writing() as transaction:
                keys = keys_after(transaction, self._database.table(name), after)
                self._put(transaction, (key[-size_bytes:] for key in keys))
            if not keys:
                return
            after = keys[-1]

    def _add_block(self, number: int) -> None:
        """Add the keys that a block wrote."""
        key = number.to_bytes(8, "big")
        with self._database.writing() as transaction:
            for name, width in (("accounts", ADDRESS_BYTES), ("storage", SLOT_BYTES)):
                table = self._database.table(f"old_{name}")
                record = transaction.get(key, db=table) or bytes(COUNT_BYTES)
                whole = ADDRESS_BYTES if name == "accounts" else ADDRESS_BYTES + SLOT_BYTES
                self._put(transaction, (found[-width:] for found in record_keys(record, whole)))

    def _put(self, transaction: Any, keys: Iterable[bytes]) -> None:  # lmdb ships no types
        hashed = sorted((keccak256(key), key) for key in keys)
        with transaction.cursor(db=self._database.table("preimages")) as cursor:
            cursor.putmulti(hashed, overwrite=False)


def keys_after(transaction: Any, table: Any, after: bytes) -> Sequence[bytes]:
    """Return the next keys of a table behind one of them."""
    keys: list[bytes] = []
    with transaction.cursor(db=table) as cursor:
        found = cursor.set_range(after) if after else cursor.first()
        if found and cursor.key() == after:
            found = cursor.next()
        while found and len(keys) < KEYS_AT_ONCE:
            keys.append(cursor.key())
            found = cursor.next()
    return keys


def record_keys(record: bytes, size_bytes: int) -> Iterable[bytes]:
    """Yield the keys of a record of what a block overwrote."""
    count = int.from_bytes(record[:COUNT_BYTES], "big")
    for start in range(COUNT_BYTES, COUNT_BYTES + count * size_bytes, size_bytes):
        yield record[start : start + size_bytes]
