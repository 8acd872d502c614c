"""Several blocks in one durable transaction, for importing many: a sync takes milliseconds."""

from types import TracebackType
from typing import Any

import lmdb

from cvm.evm.header import BlockHeader
from cvm.faults import DatabaseFault
from node.storage.chain_database import (
    ChainDatabase,
    FinalBlock,
)
from node.storage.flat_state import FlatState
from node.storage.state_faults import NotTheNextBlock
from node.storage.stored_header import header_of_block


class BlockGroup:
    """The head with blocks above it that are not durable yet; for one thread, as a context.

    Nobody else sees a block before its group is written, whole, when `size` blocks are together
    and when the context ends. A fault amid a block takes the whole group back.
    """

    def __init__(self, database: ChainDatabase, size: int) -> None:
        self._database = database
        self._size = size
        self._count = 0
        self._is_whole = True
        self._transaction: Any = None  # lmdb ships no types

    def __enter__(self) -> "BlockGroup":
        self._transaction = self._begin()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._is_whole:
            self._end()
        else:
            self._transaction.abort()

    def _begin(self) -> Any:
        try:
            return self._database.begin()
        except lmdb.Error as error:
            raise DatabaseFault(f"cannot begin to write blocks: {error}") from error

    def _end(self) -> None:
        try:
            self._transaction.commit()
        except lmdb.Error as error:
            raise DatabaseFault(f"cannot write {self._count} blocks: {error}") from error

    def write_block(self, final: FinalBlock) -> None:
        """Append a block; raises `NotTheNextBlock` where it does not stand on the head."""
        self._is_whole = False
        try:
            self._database.write_within(self._transaction, final)
        except NotTheNextBlock:
            self._is_whole = True
            raise
        except lmdb.Error as error:
            raise DatabaseFault(f"cannot write block {final.block.number}: {error}") from error
        self._is_whole = True
        self._count += 1
        if self._count == self._size:
            self._end()
            self._transaction, self._count = self._begin(), 0

    def head_state(self) -> FlatState:
        """Return the state of the newest block; it changes with the next one."""
        return self._database.flat_within(self._transaction)

    def state(self, key: bytes) -> bytes | None:
        """Return a trie node by its hash."""
        return self._database.read_within(self._transaction, "state", key)

    def code(self, code_hash: bytes) -> bytes | None:
        """Return code by its hash."""
        return self._database.read_within(self._transaction, "codes", code_hash)

    def header(self, block_hash: bytes) -> BlockHeader | None:
        """Return the header of a block that is here."""
        data = self.block_bytes(block_hash)
        return None if data is None else header_of_block(data)

    def block_bytes(self, block_hash: bytes) -> bytes | None:
        """Return the RLP of a block that is here."""
        return self._database.read_within(self._transaction, "blocks", block_hash)

    def hash_at(self, number: int) -> bytes | None:
        """Return the hash of the block at a height."""
        return self._database.read_within(self._transaction, "numbers", number.to_bytes(8, "big"))
