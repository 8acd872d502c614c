"""The state of the head as flat tables: what execution reads, without walking a trie.

`accounts` holds address -> compact account, `storage` address and slot -> value. For each of the
last `UNDO_BLOCKS` blocks `old_accounts` and `old_storage` hold what the block overwrote, so the
states before it can be read as well.

A compact account is: flags and length of the nonce in one byte, the nonce, the storage root and the
code hash where they are not the empty ones, the balance. A value of a slot has no leading zeros.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import lmdb

from cvm.evm.state_committer import StateUpdate
from cvm.evm.state_reader import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, Account
from cvm.faults import DatabaseFault, MissingCode
from node.storage.undo_record import encode_record, find_old_value

UNDO_BLOCKS = 128
HAS_STORAGE = 0x40
HAS_CODE = 0x80
NONCE_LENGTH = 0x0F
SLOT_BYTES = 32
FLAT_TABLES = ("accounts", "storage", "codes", "old_accounts", "old_storage")


def encode_compact(account: Account) -> bytes:
    """Return an account's compact form, never empty."""
    nonce_length = (account.nonce.bit_length() + 7) >> 3
    flags = nonce_length
    middle = b""
    if account.storage_root != EMPTY_TRIE_ROOT:
        flags |= HAS_STORAGE
        middle = account.storage_root
    if account.code_hash != EMPTY_CODE_HASH:
        flags |= HAS_CODE
        middle += account.code_hash
    balance = account.balance
    return (
        bytes((flags,))
        + account.nonce.to_bytes(nonce_length, "big")
        + middle
        + balance.to_bytes((balance.bit_length() + 7) >> 3, "big")
    )


def decode_compact(data: bytes) -> Account:
    """Return the account of a compact form."""
    flags = data[0]
    position = 1 + (flags & NONCE_LENGTH)
    nonce = int.from_bytes(data[1:position], "big")
    storage_root, code_hash = EMPTY_TRIE_ROOT, EMPTY_CODE_HASH
    if flags & HAS_STORAGE:
        storage_root = data[position : position + 32]
        position += 32
    if flags & HAS_CODE:
        code_hash = data[position : position + 32]
        position += 32
    return Account(nonce, int.from_bytes(data[position:], "big"), storage_root, code_hash)


class FlatState:
    """A `StateReader` over one snapshot of the database: the head's state, or one shortly before.

    Blocks that are written later do not change it. Close it (or use `with`): a snapshot that stays
    open keeps the pages that it sees from being used again. `number` and `root` say whose it is.
    """

    def __init__(
        self,
        transaction: Any,  # lmdb ships no types
        tables: Mapping[str, Any],  # the same
        number: int,
        root: bytes,
        head_number: int,
    ) -> None:
        self.number = number
        self.root = root
        self._transaction = transaction
        self._accounts = tables["accounts"]
        self._storage = tables["storage"]
        self._codes = tables["codes"]
        numbers = [block.to_bytes(8, "big") for block in range(number + 1, head_number + 1)]
        self._old_accounts = [self._record(tables["old_accounts"], key) for key in numbers]
        self._old_storage = [self._record(tables["old_storage"], key) for key in numbers]

    def __enter__(self) -> "FlatState":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the snapshot."""
        self._transaction.abort()

    def account(self, address: bytes) -> Account | None:
        """Return an account, None where there is none."""
        data = self._value(self._accounts, self._old_accounts, address)
        return decode_compact(data) if data else None

    def storage(self, address: bytes, slot: int) -> int:
        """Return the value of a slot, 0 where nothing is stored."""
        key = address + slot.to_bytes(SLOT_BYTES, "big")
        data = self._value(self._storage, self._old_storage, key)
        return int.from_bytes(data, "big") if data else 0

    def code(self, code_hash: bytes) -> bytes:
        """Return code by its keccak256; raises `MissingCode`."""
        if code_hash == EMPTY_CODE_HASH:
            return b""
        code = self._get(self._codes, code_hash)
        if code is None:
            raise MissingCode(code_hash)
        return code

    def _value(self, table: Any, records: Sequence[bytes], key: bytes) -> bytes | None:
        for record in records:
            old = find_old_value(record, key)
            if old is not None:
                return old
        return self._get(table, key)

    def _record(self, table: Any, key: bytes) -> bytes:
        record = self._get(table, key)
        if record is None:
            number = int.from_bytes(key, "big")
            raise DatabaseFault(f"the database does not know what block {number} overwrote")
        return record

    def _get(self, table: Any, key: bytes) -> bytes | None:
        try:
            value: bytes | None = self._transaction.get(key, db=table)
        except lmdb.Error as error:
            raise DatabaseFault(f"cannot read the flat state: {error}") from error
        return value


def write_flat(
    transaction: Any,  # lmdb ships no types
    tables: Mapping[str, Any],  # the same
    number: int,
    update: StateUpdate,
) -> None:
    """Bring the flat tables to the state after block `number`, and keep what it overwrites."""
    key = number.to_bytes(8, "big")
    for name, changes in flat_changes(transaction, tables, update):
        old = replace_values(transaction, tables[name], changes)
        transaction.put(key, encode_record(old), db=tables[f"old_{name}"], append=True)
        if number >= UNDO_BLOCKS:
            expired = (number - UNDO_BLOCKS).to_bytes(8, "big")
            transaction.delete(expired, db=tables[f"old_{name}"])
    write_codes(transaction, tables, update)


def flat_changes(
    transaction: Any,  # lmdb ships no types
    tables: Mapping[str, Any],  # the same
    update: StateUpdate,
) -> tuple[tuple[str, Sequence[tuple[bytes, bytes]]], ...]:
    """Return for each flat table its sorted keys with their new values, empty to delete one."""
    accounts = sorted(
        (address, b"" if account is None else encode_compact(account))
        for address, account in update.accounts.items()
    )
    gone = {address for address, account in update.accounts.items() if account is None}
    slots: dict[bytes, bytes] = {}
    for address in sorted(update.cleared | gone):
        slots.update(dict.fromkeys(_keys_of(transaction, tables["storage"], address), b""))
    for address, values in update.storage.items():
        if address not in gone:
            slots.update(
                (address + slot.to_bytes(SLOT_BYTES, "big"), _slot_bytes(value))
                for slot, value in values.items()
            )
    return (("accounts", accounts), ("storage", sorted(slots.items())))


def write_codes(
    transaction: Any,  # lmdb ships no types
    tables: Mapping[str, Any],  # the same
    update: StateUpdate,
) -> None:
    """Keep new code by its hash."""
    for code_hash, code in sorted(update.codes.items()):
        transaction.put(code_hash, code, db=tables["codes"], overwrite=False)


def _slot_bytes(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) >> 3, "big")


def replace_values(
    transaction: Any, table: Any, changes: Sequence[tuple[bytes, bytes]]
) -> list[tuple[bytes, bytes]]:
    """Write sorted keys, an empty value deleting its key; return what was there before."""
    with transaction.cursor(db=table) as cursor:
        old = dict(cursor.getmulti([key for key, _value in changes]))
        cursor.putmulti([change for change in changes if change[1]])
    for key, value in changes:
        if not value and key in old:
            transaction.delete(key, db=table)
    return [(key, old.get(key, b"")) for key, _value in changes]


def _keys_of(transaction: Any, table: Any, address: bytes) -> Iterable[bytes]:
    """Return the keys of all slots of an account."""
    keys = []
    with transaction.cursor(db=table) as cursor:
        found = cursor.set_range(address)
        while found and cursor.key().startswith(address):
            keys.append(cursor.key())
            found = cursor.next()
    return keys
