"""Transactions on disk, one record after the other, for a restart to read back.

A record is 4 bytes of length, 4 of CRC-32 (both big-endian) and the transaction's bytes. What a
process wrote is there after it was killed; a power cut may take the last seconds, as in
go-ethereum's journal, because no record is synced.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from zlib import crc32

import structlog

from cvm.faults import DatabaseFault

log = structlog.get_logger(__name__)
NUMBER_BYTES = 4
HEAD_BYTES = 2 * NUMBER_BYTES
MAX_RECORD_BYTES = 1 << 20
"""Above any transaction of a pool; a longer record is damage."""


class TransactionJournal:
    """An append-only file of transactions; whoever holds the data directory writes it.

    Raises `DatabaseFault` where the disk fails.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._open()
        except OSError as error:
            raise self._fault("open", error) from error

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(self._path, flags, 0o600)
        self.size_bytes = os.fstat(self._file).st_size

    def close(self) -> None:
        """Release the file."""
        os.close(self._file)

    def load(self) -> tuple[bytes, ...]:
        """Return every transaction, in the order of writing, up to a record that is damaged."""
        try:
            data = self._path.read_bytes()
        except OSError as error:
            raise self._fault("read", error) from error
        found = []
        at = 0
        while (record := record_at(data, at)) is not None:
            found.append(record)
            at += HEAD_BYTES + len(record)
        if at < len(data):
            log.warning("journal ends in damage", file=self._path.name, ignored=len(data) - at)
        return tuple(found)

    def append(self, raw_transaction: bytes) -> None:
        """Add a transaction; where the disk takes only a part of it, that part is removed again."""
        record = encode_record(raw_transaction)
        try:
            try:
                write_all(self._file, record)
            except OSError:
                os.ftruncate(self._file, self.size_bytes)
                raise
        except OSError as error:
            raise self._fault("write", error) from error
        self.size_bytes += len(record)

    def rewrite(self, raw_transactions: Iterable[bytes]) -> None:
        """Put these transactions in the place of everything; the old file stays until they are."""
        partial = self._path.with_suffix(".new")
        try:
            with partial.open("wb") as file:
                for raw_transaction in raw_transactions:
                    file.write(encode_record(raw_transaction))
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._path)
            os.close(self._file)
            self._open()
            sync_folder(self._path.parent)
        except OSError as error:
            raise self._fault("write", error) from error

    def _fault(self, what: str, error: OSError) -> DatabaseFault:
        reason = error.strerror or type(error).__name__
        return DatabaseFault(f"cannot {what} the transaction journal {self._path}: {reason}")


def encode_record(raw_transaction: bytes) -> bytes:
    """Return a transaction as the journal has it."""
    size = len(raw_transaction).to_bytes(NUMBER_BYTES, "big")
    return size + crc32(raw_transaction).to_bytes(NUMBER_BYTES, "big") + raw_transaction


def record_at(data: bytes, at: int) -> bytes | None:
    """Return the transaction of the record at an offset, or None where there is no whole one."""
    size = int.from_bytes(data[at : at + NUMBER_BYTES], "big")
    start = at + HEAD_BYTES
    if not 0 < size <= MAX_RECORD_BYTES or start + size > len(data):
        return None
    raw_transaction = data[start : start + size]
    checksum = int.from_bytes(data[at + NUMBER_BYTES : start], "big")
    return raw_transaction if crc32(raw_transaction) == checksum else None


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of some bytes; raises `OSError`, where a part of them may stand in the file."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk; raises `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
