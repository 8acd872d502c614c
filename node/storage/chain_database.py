"""Blocks, receipts, certificates and state in LMDB; one durable transaction per block.

Tables: `meta` (genesis JSON, head hash), `numbers` (8-byte height -> block hash), `blocks`
(hash -> geth RLP), `receipts` (hash -> RLP list), `certificates` (hash -> RLP), `transactions`
(tx hash -> block hash || 4-byte index), `state` (trie nodes and code by their hash).
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import lmdb
from eth.abc import BlockHeaderAPI, ReceiptAPI

from consensus.block import Block, decode_block, decode_header
from consensus.certificate import CommitCertificate, decode_certificate
from cvm.evm.execution import decoded_receipts, encoded_receipts
from cvm.evm.strict_rlp import decode_rlp
from cvm.faults import LocalFault

MAP_SIZE_BYTES = 1 << 40
TABLES = ("meta", "numbers", "blocks", "receipts", "certificates", "transactions", "state")
HASH_BYTES = 32


class DatabaseFault(LocalFault):
    """The database on disk cannot be opened, read or written."""


class DatabaseInUse(DatabaseFault):
    """Another process writes this database; two writers would make two chains of one."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"the data directory {path.parent} is in use by another process: "
            "stop it, or use another --datadir"
        )


class NoChainHere(Exception):
    """The data directory holds no chain yet."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"no chain in {path}: run `cvm init GENESIS.json --datadir {path}` first")


@dataclass(frozen=True, slots=True)
class FinalBlock:
    """All that one block adds to the database."""

    block: Block
    receipts: tuple[ReceiptAPI, ...]
    certificate: CommitCertificate | None
    state_writes: dict[bytes, bytes]


class ChainDatabase:
    """The one writer of a data directory's `chain` folder; readers may be on any thread.

    Raises `DatabaseInUse` where another process is the writer, `NoChainHere` where there is
    nothing to read.
    """

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

    def close(self) -> None:
        """Release the files."""
        self._env.close()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()

    def _get(self, table: str, key: bytes) -> bytes | None:
        try:
            with self._env.begin(db=self._tables[table]) as transaction:
                value = transaction.get(key)
        except lmdb.Error as error:
            raise DatabaseFault(f"cannot read table {table}: {error}") from error
        return None if value is None else bytes(value)

    def state(self, key: bytes) -> bytes | None:
        """Return a trie node or code by its hash."""
        return self._get("state", key)

    def genesis_json(self) -> bytes | None:
        """Return the genesis file that the chain started from."""
        return self._get("meta", b"genesis")

    def head_hash(self) -> bytes | None:
        """Return the newest final block's hash."""
        return self._get("meta", b"head")

    def hash_at(self, number: int) -> bytes | None:
        """Return the hash of the block at a height."""
        if not 0 <= number < 1 << 64:
            return None
        return self._get("numbers", number.to_bytes(8, "big"))

    def block_bytes(self, block_hash: bytes) -> bytes | None:
        """Return a block's RLP."""
        return self._get("blocks", block_hash)

    def block(self, block_hash: bytes) -> Block | None:
        """Return a block by its hash."""
        data = self.block_bytes(block_hash)
        return None if data is None else decode_block(data)

    def header(self, block_hash: bytes) -> BlockHeaderAPI | None:
        """Return a header by its hash, without decoding the block's transactions."""
        data = self.block_bytes(block_hash)
        return None if data is None else decode_header(decode_rlp(data)[0])

    def receipts(self, block_hash: bytes) -> tuple[ReceiptAPI, ...]:
        """Return a block's receipts in order, none for a hash that is not here."""
        data = self._get("receipts", block_hash)
        return () if data is None else decoded_receipts(data)

    def certificate(self, block_hash: bytes) -> CommitCertificate | None:
        """Return the certificate that made a block final; genesis has none."""
        data = self._get("certificates", block_hash)
        return None if data is None else decode_certificate(data)

    def transaction_location(self, tx_hash: bytes) -> tuple[bytes, int] | None:
        """Return block hash and index of an included transaction."""
        data = self._get("transactions", tx_hash)
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

    def write_genesis(
        self, genesis_json: bytes, header: BlockHeaderAPI, state_writes: dict[bytes, bytes]
    ) -> None:
        """Start a chain: genesis file, block 0 and its state, in one transaction."""
        block = Block(header, ())
        with self._writing() as transaction:
            self._put(transaction, "meta", b"genesis", genesis_json)
            self._write_block(transaction, FinalBlock(block, (), None, state_writes))

    def write_block(self, final: FinalBlock) -> None:
        """Append a block and make it the head, in one synced transaction."""
        with self._writing() as transaction:
            self._write_block(transaction, final)

    @contextmanager
    def _writing(self) -> Iterator[Any]:  # lmdb ships no types
        """Give a transaction that is synced at the end, or that never was.

        A reader that was killed would pin its pages, and the file would grow without end.
        """
        try:
            self._env.reader_check()
            with self._env.begin(write=True) as transaction:
                yield transaction
        except lmdb.Error as error:
            raise DatabaseFault(f"cannot write the database in {self.path}: {error}") from error

    def _put(self, transaction: Any, table: str, key: bytes, value: bytes) -> None:
        transaction.put(key, value, db=self._tables[table])

    def _write_block(self, transaction: Any, final: FinalBlock) -> None:
        block = final.block
        for key, value in final.state_writes.items():
            self._put(transaction, "state", key, value)
        self._put(transaction, "blocks", block.hash, block.encode())
        self._put(transaction, "receipts", block.hash, encoded_receipts(final.receipts))
        if final.certificate is not None:
            self._put(transaction, "certificates", block.hash, final.certificate.encode())
        for index, tx in enumerate(block.transactions):
            location = block.hash + index.to_bytes(4, "big")
            self._put(transaction, "transactions", bytes(tx.hash), location)
        self._put(transaction, "numbers", block.number.to_bytes(8, "big"), block.hash)
        self._put(transaction, "meta", b"head", block.hash)


def has_database(path: Path) -> bool:
    """Tell whether a `chain` folder holds a database."""
    return (path / "data.mdb").exists()


def lock_for_writing(path: Path) -> BinaryIO:
    """Hold the folder's lock until the file is closed or the process ends."""
    file = (path / "writer.lock").open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise DatabaseInUse(path) from error
    return file
