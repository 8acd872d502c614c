"""What this validator signed, on disk before anybody sees it.

Tables: `records` (8-byte height || 4-byte sequence -> record) holds what a restart in the middle of
a height needs, `signed` (8-byte height || code || 4-byte round -> keccak256 of the payload) what
was signed, so that no second answer to one question ever is; there, too, the chain's genesis hash.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lmdb

from consensus.qbft.events import OwnMessage, Record
from consensus.qbft.faults import BadMessage
from consensus.qbft.messages import Message
from consensus.qbft.records import decode_record, encode_record
from cvm.evm.keccak import keccak256
from cvm.faults import DatabaseFault, LocalFault
from node.storage.database_lock import lock_for_writing

MAP_SIZE_BYTES = 1 << 36
HEIGHT_BYTES, SEQUENCE_BYTES, ROUND_BYTES = 8, 4, 4
KEPT_HEIGHTS = 2
"""The height under way and the one before it."""

CHAIN_KEY = b"genesis hash"
"""Sorts behind every height, so that it is never forgotten."""


class DoubleVote(LocalFault):
    """This validator was about to sign two things in one round, which would cost its bond."""

    def __init__(self, message: Message) -> None:
        payload = message.payload
        super().__init__(
            f"a second message 0x{payload.CODE:02x} in round {payload.round} of height "
            f"{payload.height}: another process votes with this key, or the vote log is damaged"
        )


class OtherChainsVotes(DatabaseFault):
    """The folder holds what was signed on another chain, which guards nothing on this one."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"the vote log in {path} is of a chain with another genesis block: "
            "use another --datadir, or move the folder away"
        )


class VoteLog:
    """The one writer of a data directory's `votes` folder; every save is synced to disk.

    Raises `DatabaseInUse` where another process has it, `OtherChainsVotes`, `DatabaseFault`.
    """

    def __init__(self, path: Path, genesis_hash: bytes) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._lock = lock_for_writing(path)
        try:
            self._open(path, genesis_hash)
        except lmdb.Error as error:
            self._lock.close()
            raise DatabaseFault(f"cannot open the vote log in {path}: {error}") from error
        except DatabaseFault:
            self.close()
            raise

    def _open(self, path: Path, genesis_hash: bytes) -> None:
        self._env = lmdb.open(str(path), map_size=MAP_SIZE_BYTES, max_dbs=2, sync=True)
        self._records = self._env.open_db(b"records")
        self._signed = self._env.open_db(b"signed")
        with self._env.begin(write=True) as transaction:
            transaction.put(CHAIN_KEY, genesis_hash, db=self._signed, overwrite=False)
            if transaction.get(CHAIN_KEY, db=self._signed) != genesis_hash:
                raise OtherChainsVotes(path)

    def close(self) -> None:
        """Release the files."""
        self._env.close()
        self._lock.close()

    def save(self, height: int, records: Sequence[Record]) -> None:
        """Write records of one height, all or none; they are on disk when this returns.

        Raises `DoubleVote`, having written nothing, or `DatabaseFault`.
        """
        try:
            with self._env.begin(write=True) as transaction:
                for record in records:
                    if isinstance(record, OwnMessage):
                        self._note_signed(transaction, record.message)
                    self._append(transaction, height, record)
                self._forget_before(transaction, height - KEPT_HEIGHTS + 1)
        except lmdb.Error as error:
            raise DatabaseFault(f"cannot write the vote log: {error}") from error

    def records(self, height: int) -> tuple[Record, ...]:
        """Return what was saved for a height, in order; raises `DatabaseFault`."""
        prefix = height.to_bytes(HEIGHT_BYTES, "big")
        found = []
        try:
            with self._env.begin(db=self._records) as transaction, transaction.cursor() as cursor:
                is_there = cursor.set_range(prefix)
                while is_there and cursor.key().startswith(prefix):
                    found.append(decode_record(cursor.value()))
                    is_there = cursor.next()
        except (lmdb.Error, BadMessage) as error:
            raise DatabaseFault(f"the vote log is damaged at height {height}: {error}") from error
        return tuple(found)

    def _note_signed(self, transaction: Any, message: Message) -> None:  # lmdb ships no types
        payload = message.payload
        key = (
            payload.height.to_bytes(HEIGHT_BYTES, "big")
            + bytes((payload.CODE,))
            + payload.round.to_bytes(ROUND_BYTES, "big")
        )
        digest = keccak256(payload.encode())
        known = transaction.get(key, db=self._signed)
        if known is None:
            transaction.put(key, digest, db=self._signed)
        elif known != digest:
            raise DoubleVote(message)

    def _append(self, transaction: Any, height: int, record: Record) -> None:  # the same
        prefix = height.to_bytes(HEIGHT_BYTES, "big")
        sequence = 0
        with transaction.cursor(db=self._records) as cursor:
            after = cursor.set_range((height + 1).to_bytes(HEIGHT_BYTES, "big"))
            last = cursor.prev() if after else cursor.last()
            if last and cursor.key().startswith(prefix):
                sequence = int.from_bytes(cursor.key()[HEIGHT_BYTES:], "big") + 1
        key = prefix + sequence.to_bytes(SEQUENCE_BYTES, "big")
        transaction.put(key, encode_record(record), db=self._records)

    def _forget_before(self, transaction: Any, height: int) -> None:  # the same
        bound = max(height, 0).to_bytes(HEIGHT_BYTES, "big")
        for table in (self._records, self._signed):
            with transaction.cursor(db=table) as cursor:
                while cursor.first() and cursor.key() < bound:
                    cursor.delete()
