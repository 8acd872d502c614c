"""The database of a development chain: its head's state can be changed, and its head go back.

A header keeps the state root that its block left. Where the state was changed after it, `meta`
names under that root the root that stands now, and the flat tables hold the new state. What a
block overwrote is kept for every block, so that the head can go back to any of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from consensus.block import Block, decode_block
from cvm.evm.header import BlockHeader
from cvm.evm.state_committer import StateUpdate
from cvm.faults import DatabaseFault
from node.dev.impersonation import name_senders
from node.storage.chain_database import ChainDatabase, FinalBlock
from node.storage.database_format import CHANGED_FORMAT, FORMAT
from node.storage.flat_state import (
    SLOT_BYTES,
    UNDO_BLOCKS,
    flat_changes,
    replace_values,
    write_codes,
)
from node.storage.stored_header import header_of_block
from node.storage.undo_record import decode_record, encode_record

STANDING = b"standing:"
CHANGES = b"changes"
FIRST = b"first"
COUNT_BYTES = 8
NOTHING_OVERWRITTEN = encode_record([])
"""Of a block that came with a snapshot of its state."""

ADDRESS_BYTES = 20
KEY_BYTES = {"accounts": ADDRESS_BYTES, "storage": ADDRESS_BYTES + SLOT_BYTES}
UNDO_TABLES = ("old_accounts", "old_storage")
BLOCK_TABLES = (
    *("numbers", "blocks", "receipts", "certificates", "transactions"),
    *("accounts", "storage", "codes", *UNDO_TABLES),
)
"""All that blocks write, but for trie nodes, which are kept by their hash."""


@dataclass(frozen=True, slots=True)
class Alteration:
    """One change of the head's state by hand, with all that takes it back.

    `standing` is the root that stood before, None where it was the header's; `records` are those
    of the block, and `values` the old values, by flat table.
    """

    number: int
    header_root: bytes
    standing: bytes | None
    records: dict[str, bytes]
    values: dict[str, list[tuple[bytes, bytes]]]


class DevDatabase(ChainDatabase):
    """See `ChainDatabase`; from the first change on, other programs refuse to open it."""

    formats: ClassVar[tuple[bytes, ...]] = (FORMAT, CHANGED_FORMAT)

    def standing_root(self, state_root: bytes) -> bytes:
        """Return the root of the state that stands where a header shows one."""
        return self.get("meta", STANDING + state_root) or state_root

    def changes(self) -> bytes:
        """Return what is another value whenever states of blocks have become others."""
        return self.get("meta", CHANGES) or b""

    def _count_change(
        self,
        transaction: Any,  # lmdb ships no types
    ) -> None:
        count = int.from_bytes(transaction.get(CHANGES, b"", db=self._tables["meta"]), "big") + 1
        self._put(transaction, "meta", CHANGES, count.to_bytes(COUNT_BYTES, "big"))

    def first_block(self) -> int:
        """Return the head that the chain had when its first caller came."""
        return int.from_bytes(self.get("meta", FIRST) or b"", "big")

    def begin_here(self) -> None:
        """Note that callers find the chain as it is now."""
        with self.writing() as transaction:
            head, _root = self._required_flat_head(transaction)
            self._put(transaction, "meta", FIRST, head.to_bytes(COUNT_BYTES, "big"))

    def block(self, block_hash: bytes) -> Block | None:
        """Return a block by its hash, with the senders of what no key signed."""
        data = self.block_bytes(block_hash)
        if data is None:
            return None
        block = decode_block(data)
        name_senders(block.transactions)
        return block

    def mark_changed(self) -> None:
        """Say durably that this chain follows the rules no more."""
        if self.get("meta", b"format") != CHANGED_FORMAT:
            with self.writing() as transaction:
                self._put(transaction, "meta", b"format", CHANGED_FORMAT)

    def alter(self, header_root: bytes, update: StateUpdate) -> Alteration:
        """Make an update the state after the head, in one synced transaction."""
        with self.writing() as transaction:
            number, root = self._required_flat_head(transaction)
            if root != update.parent_root:
                raise DatabaseFault("the state was changed by somebody else meanwhile")
            with transaction.cursor(db=self._tables["state"]) as cursor:
                cursor.putmulti(sorted(update.nodes.items()), overwrite=False)
            alteration = self._overwrite(transaction, number, header_root, update)
            write_codes(transaction, self._tables, update)
            key = number.to_bytes(8, "big")
            self._put(transaction, "meta", b"flat", key + update.root)
            self._put(transaction, "meta", STANDING + header_root, update.root)
            self._put(transaction, "meta", b"format", CHANGED_FORMAT)
            self._count_change(transaction)
        return alteration

    def _overwrite(
        self,
        transaction: Any,  # lmdb ships no types
        number: int,
        header_root: bytes,
        update: StateUpdate,
    ) -> Alteration:
        """Write an update to the flat tables; its block's records take up what they lack."""
        key, tables = number.to_bytes(8, "big"), self._tables
        standing = transaction.get(STANDING + header_root, db=tables["meta"])
        alteration = Alteration(number, header_root, standing, {}, {})
        for name, changes in flat_changes(transaction, tables, update):
            old = replace_values(transaction, tables[name], changes)
            record = transaction.get(key, NOTHING_OVERWRITTEN, db=tables[f"old_{name}"])
            alteration.values[name], alteration.records[name] = old, record
            merged = {**dict(old), **dict(decode_record(record, KEY_BYTES[name]))}
            encoded = encode_record(sorted(merged.items()))
            transaction.put(key, encoded, db=tables[f"old_{name}"])
        return alteration

    def go_back(self, number: int, alterations: Sequence[Alteration]) -> None:
        """Make an earlier block the head, in one synced transaction.

        `alterations` are those of that block which are taken back with it, oldest first.
        """
        with self.writing() as transaction:
            head, _root = self._required_flat_head(transaction)
            for height in range(head, number, -1):
                self._remove_block(transaction, height)
            for alteration in reversed(alterations):
                self._take_back(transaction, alteration)
            key = number.to_bytes(8, "big")
            block_hash = transaction.get(key, db=self._tables["numbers"])
            header_root = self._state_root(transaction, number)
            root = transaction.get(STANDING + header_root, header_root, db=self._tables["meta"])
            self._put(transaction, "meta", b"flat", key + root)
            self._put(transaction, "meta", b"head", block_hash)
            self._count_change(transaction)

    def _remove_block(
        self,
        transaction: Any,  # lmdb ships no types
        number: int,
    ) -> None:
        """Take the head away, and with it what it wrote."""
        key, tables = number.to_bytes(8, "big"), self._tables
        block_hash = transaction.get(key, db=tables["numbers"])
        data = transaction.get(block_hash, db=tables["blocks"])
        for name, key_bytes in KEY_BYTES.items():
            record = transaction.get(key, db=tables[f"old_{name}"])
            if record is None:
                raise DatabaseFault(f"the database does not know what block {number} overwrote")
            replace_values(transaction, tables[name], decode_record(record, key_bytes))
            transaction.delete(key, db=tables[f"old_{name}"])
        transaction.delete(STANDING + header_of_block(data).state_root, db=tables["meta"])
        for tx in decode_block(data).transactions:
            transaction.delete(tx.hash, db=tables["transactions"])
        for table in ("blocks", "receipts", "certificates"):
            transaction.delete(block_hash, db=tables[table])
        transaction.delete(key, db=tables["numbers"])

    def _take_back(
        self,
        transaction: Any,  # lmdb ships no types
        alteration: Alteration,
    ) -> None:
        """Undo a change of the head's state."""
        key, tables = alteration.number.to_bytes(8, "big"), self._tables
        for name, old in alteration.values.items():
            replace_values(transaction, tables[name], old)
            transaction.put(key, alteration.records[name], db=tables[f"old_{name}"])
        mark = STANDING + alteration.header_root
        if alteration.standing is None:
            transaction.delete(mark, db=tables["meta"])
        else:
            self._put(transaction, "meta", mark, alteration.standing)

    def restart(self, genesis: BlockHeader, update: StateUpdate) -> None:
        """Forget all but block 0 and its state, in one synced transaction."""
        with self.writing() as transaction:
            for table in BLOCK_TABLES:
                transaction.drop(self._tables[table], delete=False)
            with transaction.cursor(db=self._tables["meta"]) as cursor:
                while cursor.set_range(STANDING) and cursor.key().startswith(STANDING):
                    cursor.delete()
            self._put(transaction, "meta", b"format", FORMAT)
            self._count_change(transaction)
            self._write(transaction, FinalBlock(Block(genesis, ()), (), None, update))

    def _write(
        self,
        transaction: Any,  # lmdb ships no types
        final: FinalBlock,
    ) -> None:
        """Write a block, and keep the record that a chain of blocks would drop for it."""
        expiring = final.block.number - UNDO_BLOCKS
        key = max(expiring, 0).to_bytes(8, "big")
        kept = [
            (table, transaction.get(key, db=self._tables[table]))
            for table in UNDO_TABLES
            if expiring >= 0
        ]
        super()._write(transaction, final)
        for table, record in kept:
            if record is not None:
                transaction.put(key, record, db=self._tables[table])
