"""Blocks, receipts, certificates and state in LMDB; one durable transaction per block.

Tables: `meta` (format, genesis JSON, head hash), `numbers` (8-byte height -> block hash), `blocks`
(hash -> geth RLP), `receipts` (hash -> RLP list), `certificates` (hash -> RLP), `transactions`
(tx hash -> block hash || 4-byte index), `state` (trie nodes and code by their hash), those of
`flat_state` (the head's state), of `pruning` (empty in an archive), of `preimages` and of
`snapshot_store`.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Protocol

import lmdb

from consensus.block import Block, decode_block
from consensus.certificate import CommitCertificate, decode_certificate
from cvm.evm.header import BlockHeader
from cvm.evm.keccak import HASH_BYTES
from cvm.evm.receipt import Receipt, decode_receipts, encode_receipts
from cvm.evm.state_committer import StateUpdate
from cvm.evm.transaction import Transaction
from cvm.faults import DatabaseFault
from node.storage.database_format import FORMAT, validate_format
from node.storage.database_lock import lock_for_writing
from node.storage.flat_state import FLAT_TABLES, UNDO_BLOCKS, FlatState, write_flat
from node.storage.pruning import PRUNING_TABLES, References, mark_and_sweep
from node.storage.state_faults import (
    FlatStateTooShort,
    NoFlatState,
    NoReceipts,
    NotTheNextBlock,
)
from node.storage.stored_header import header_of_block, header_of_stored

MAP_SIZE_BYTES = 1 << 40
CHAIN_TABLES = ("meta", "numbers", "blocks", "receipts", "certificates", "transactions", "state")
SYNC_TABLES = ("preimages", "snapshot")
TABLES = CHAIN_TABLES + FLAT_TABLES + PRUNING_TABLES + SYNC_TABLES


class NoChainHere(Exception):
    """The data directory holds no chain yet."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"no chain in {path}: run `cvm init GENESIS.json --datadir {path}` first")


class StoredBlock(Protocol):
    """A block as the database keeps it: one of our own chain, or a plain Ethereum block."""

    @property
    def number(self) -> int:
        """Return the height."""

    @property
    def hash(self) -> bytes:
        """Return keccak256 of the header's RLP."""

    @property
    def transactions(self) -> tuple[Transaction, ...]:
        """Return the transactions in order."""

    def encode(self) -> bytes:
        """Return geth's RLP."""


@dataclass(frozen=True, slots=True)
class FinalBlock:
    """All that one block adds to the database.

    `parent_certificate` replaces the parent's, where another quorum's is the one that counts.
    """

    block: StoredBlock
    receipts: tuple[Receipt, ...]
    certificate: CommitCertificate | None
    state: StateUpdate
    parent_certificate: CommitCertificate | None = None


class ChainDatabase:
    """The one writer of a data directory's `chain` folder; readers may be on any thread.

    Raises `DatabaseInUse` where another process is the writer, `NoChainHere` where there is
    nothing to read, `OtherFormat` where another version wrote it.
    """

    formats: ClassVar[tuple[bytes, ...]] = (FORMAT,)

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._lock: BinaryIO | None = None
        if read_only:
            if not has_database(path):
                raise NoChainHere(path.parent)
        else:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = lock_for_writing(path)
        self._open(read_only=read_only)

    def _open(self, *, read_only: bool) -> None:
        path = self.path
        try:
            self._env = lmdb.open(
                str(path),
                map_size=MAP_SIZE_BYTES,
                max_dbs=len(TABLES),
                max_readers=512,
                subdir=True,
                readonly=read_only,
                create=not read_only,
                metasync=True,
                sync=True,
            )
            self._tables = {
                name: self._env.open_db(name.encode(), create=not read_only) for name in TABLES
            }
        except lmdb.Error as error:
            self._unlock()
            raise DatabaseFault(f"cannot open the database in {path}: {error}") from error
        if self.genesis_json() is not None:
            try:
                validate_format(path.parent, self.get("meta", b"format"), self.formats)
            except DatabaseFault:
                self.close()
                raise

    def close(self) -> None:
        """Release the files."""
        self._env.close()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()

    def get(self, table: str, key: bytes) -> bytes | None:
        """Return a value of a table; raises `DatabaseFault`."""
        try:
            with self._env.begin(db=self._tables[table]) as transaction:
                value = transaction.get(key)
        except lmdb.Error as error:
            raise DatabaseFault(f"cannot read table {table}: {error}") from error
        return None if value is None else bytes(value)

    def table(self, name: str) -> Any:  # lmdb ships no types
        """Return a table for use in a transaction."""
        return self._tables[name]

    def state(self, key: bytes) -> bytes | None:
        """Return a trie node or code by its hash."""
        return self.get("state", key)

    def standing_root(self, state_root: bytes) -> bytes:
        """Return the root of the state that stands where a header shows one: that very root."""
        return state_root

    def changes(self) -> bytes:
        """Return what is another value whenever states of blocks have become others: nothing."""
        return b""

    def start_height(self) -> int:
        """Return the height from which on the chain is here beside genesis: 0, or a snapshot's."""
        return int.from_bytes(self.get("meta", b"start") or b"", "big")

    def genesis_json(self) -> bytes | None:
        """Return the genesis file that the chain started from."""
        return self.get("meta", b"genesis")

    def head_hash(self) -> bytes | None:
        """Return the newest final block's hash."""
        return self.get("meta", b"head")

    def hash_at(self, number: int) -> bytes | None:
        """Return the hash of the block at a height."""
        if not 0 <= number < 1 << 64:
            return None
        return self.get("numbers", number.to_bytes(8, "big"))

    def block_bytes(self, block_hash: bytes) -> bytes | None:
        """Return a block's RLP."""
        return self.get("blocks", block_hash)

    def block(self, block_hash: bytes) -> Block | None:
        """Return a block by its hash."""
        data = self.block_bytes(block_hash)
        return None if data is None else decode_block(data)

    def header(self, block_hash: bytes) -> BlockHeader | None:
        """Return a header by its hash, without decoding the block's transactions."""
        try:
            with self._env.begin(db=self._tables["blocks"], buffers=True) as transaction:
                data = transaction.get(block_hash)
                return None if data is None else header_of_stored(data)
        except lmdb.Error as error:
            raise DatabaseFault(f"cannot read a header: {error}") from error

    def receipts(self, block_hash: bytes) -> tuple[Receipt, ...]:
        """Return a block's receipts in order, none for a hash that is not here.

        Raises `NoReceipts` for a block whose receipts alone are not here.
        """
        data = self.get("receipts", block_hash)
        if data is None and self.block_bytes(block_hash) is not None:
            raise NoReceipts(block_hash)
        return () if data is None else decode_receipts(data)

    def certificate(self, block_hash: bytes) -> CommitCertificate | None:
        """Return the certificate that made a block final; genesis has none."""
        data = self.get("certificates", block_hash)
        return None if data is None else decode_certificate(data)

    def transaction_location(self, tx_hash: bytes) -> tuple[bytes, int] | None:
        """Return block hash and index of an included transaction."""
        data = self.get("transactions", tx_hash)
        if data is None:
            return None
        return data[:HASH_BYTES], int.from_bytes(data[HASH_BYTES:], "big")

    def hashes_below(self, number: int) -> Iterator[bytes]:
        """Return block hashes from height `number` - 1 downwards."""
        for height in range(number - 1, -1, -1):
            block_hash = self.hash_at(height)
            if block_hash is None:
                return
            yield block_hash

    def write_genesis(self, genesis_json: bytes, header: BlockHeader, state: StateUpdate) -> None:
        """Start a chain: genesis file, block 0 and its state, in one transaction."""
        with self.writing() as transaction:
            self._put(transaction, "meta", b"genesis", genesis_json)
            self._put(transaction, "meta", b"format", FORMAT)
            self._write(transaction, FinalBlock(Block(header, ()), (), None, state))

    def write_block(self, final: FinalBlock) -> None:
        """Append a block and make it the head, in one synced transaction.

        Raises `NotTheNextBlock` where it does not stand on the state that is there.
        """
        with self.writing() as transaction:
            self.write_within(transaction, final)

    def begin(self) -> Any:  # lmdb ships no types
        """Begin a transaction that writes, for a group of blocks; its caller ends it."""
        self._env.reader_check()
        return self._env.begin(write=True)

    def write_within(self, transaction: Any, final: FinalBlock) -> None:
        """Append a block as `write_block` does, in a transaction that its caller ends."""
        number, parent_root = final.block.number, final.state.parent_root
        flat = self._flat_head(transaction)
        if flat != (number - 1, parent_root):
            raise NotTheNextBlock(number, parent_root, flat)
        self._write(transaction, final)

    def read_within(self, transaction: Any, table: str, key: bytes) -> bytes | None:
        """Return a value as a transaction sees it."""
        value: bytes | None = transaction.get(key, db=self._tables[table])
        return value

    def flat_within(self, transaction: Any) -> FlatState:
        """Return the newest state as a transaction sees it; do not close it."""
        return self._flat_state(transaction, None)

    def head_state(self) -> FlatState:
        """Return the state of the newest block from the flat tables; close it after use."""
        return self.state_after(None)

    def state_after(self, number: int | None) -> FlatState:
        """Return the state after one of the last `UNDO_BLOCKS` blocks, the newest for None.

        Raises `DatabaseFault` where the flat tables do not reach so far.
        """
        with ExitStack() as on_fault:
            transaction = self._env.begin()
            on_fault.callback(transaction.abort)
            state = self._flat_state(transaction, number)
            on_fault.pop_all()
        return state

    def _flat_state(self, transaction: Any, number: int | None) -> FlatState:
        head, root = self._required_flat_head(transaction)
        if number is not None and number != head:
            if not max(0, head - UNDO_BLOCKS) <= number < head:
                raise FlatStateTooShort(head, number)
            root = self._state_root(transaction, number)
        return FlatState(transaction, self._tables, head if number is None else number, root, head)

    def _required_flat_head(self, transaction: Any) -> tuple[int, bytes]:
        flat = self._flat_head(transaction)
        if flat is None:
            raise NoFlatState
        return flat

    def code(self, code_hash: bytes) -> bytes | None:
        """Return code by its hash."""
        return self.get("codes", code_hash)

    def kept_blocks(self) -> int | None:
        """Return how many blocks keep their state in the tries, None for an archive."""
        data = self.get("meta", b"keep")
        return None if data is None else int.from_bytes(data, "big")

    def prune(self, keep_blocks: int) -> int:
        """Delete the trie nodes of all but the last blocks, and keep doing so with each block.

        Returns how many nodes went. The one transaction takes as long as reading the state does.
        """
        if keep_blocks < 1:
            raise ValueError("the state of the head cannot be pruned")
        with self.writing() as transaction:
            head = self._required_flat_head(transaction)[0]
            first = max(head - keep_blocks + 1, self._oldest_state(transaction, head))
            roots = [self._state_root(transaction, n) for n in range(head, first - 1, -1)]
            swept = mark_and_sweep(transaction, self._tables, head, roots)
            self._put(transaction, "meta", b"keep", keep_blocks.to_bytes(8, "big"))
            self._put(transaction, "meta", b"oldest", first.to_bytes(8, "big"))
        return swept

    def _oldest_state(self, transaction: Any, head: int) -> int:
        keep = transaction.get(b"keep", db=self._tables["meta"])
        oldest = int.from_bytes(transaction.get(b"oldest", b"", db=self._tables["meta"]), "big")
        return oldest if keep is None else max(oldest, head - int.from_bytes(keep, "big") + 1)

    def _flat_head(self, transaction: Any) -> tuple[int, bytes] | None:
        data = transaction.get(b"flat", db=self._tables["meta"])
        return None if data is None else (int.from_bytes(data[:8], "big"), data[8:])

    def _state_root(self, transaction: Any, number: int) -> bytes:
        block_hash = transaction.get(number.to_bytes(8, "big"), db=self._tables["numbers"])
        data = block_hash and transaction.get(block_hash, db=self._tables["blocks"])
        if data is None:
            raise DatabaseFault(f"the database has no block {number}")
        return header_of_block(data).state_root

    @contextmanager
    def reading(self) -> Iterator[Any]:  # lmdb ships no types
        """Give a transaction that sees one state of every table."""
        try:
            with self._env.begin() as transaction:
                yield transaction
        except lmdb.Error as error:
            raise DatabaseFault(f"cannot read the database in {self.path}: {error}") from error

    @contextmanager
    def writing(self) -> Iterator[Any]:  # lmdb ships no types
        """Give a transaction that is synced at the end, or that never was.

        A reader that was killed would pin its pages, and the file would grow without end.
        """
        try:
            self._env.reader_check()
            with self._env.begin(write=True) as transaction:
                yield transaction
        except lmdb.Error as error:
            raise DatabaseFault(
                f"cannot write the database in {self.path}: {error}; is the disk full?"
            ) from error

    def _put(self, transaction: Any, table: str, key: bytes, value: bytes) -> None:
        transaction.put(key, value, db=self._tables[table])

    def _write(self, transaction: Any, final: FinalBlock) -> None:
        block, update, tables = final.block, final.state, self._tables
        number = block.number.to_bytes(8, "big")
        keep = transaction.get(b"keep", db=tables["meta"])
        references = References(transaction, tables)
        if keep is not None:
            references.count_block(block.number, update)
        with transaction.cursor(db=tables["state"]) as cursor:
            cursor.putmulti(sorted(update.nodes.items()), overwrite=False)
        if keep is not None:
            references.sweep(block.number - int.from_bytes(keep, "big") + 1)
        write_flat(transaction, tables, block.number, update)
        self._put(transaction, "meta", b"flat", number + update.root)
        self._put(transaction, "blocks", block.hash, block.encode())
        self._put(transaction, "receipts", block.hash, encode_receipts(final.receipts))
        if final.certificate is not None:
            self._put(transaction, "certificates", block.hash, final.certificate.encode())
        if (parent := final.parent_certificate) is not None:
            self._put(transaction, "certificates", parent.header_hash, parent.encode())
        block_hash = block.hash
        locations = sorted(
            [
                (tx.hash, block_hash + index.to_bytes(4, "big"))
                for index, tx in enumerate(block.transactions)
            ]
        )
        with transaction.cursor(db=tables["transactions"]) as cursor:
            cursor.putmulti(locations)
        self._put(transaction, "numbers", number, block.hash)
        self._put(transaction, "meta", b"head", block.hash)


def has_database(path: Path) -> bool:
    """Tell whether a `chain` folder holds a database."""
    return (path / "data.mdb").exists()
