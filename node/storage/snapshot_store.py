"""A state on its way here in parts, and the chain that starts from it once it is whole.

What is still to come stands in the table `snapshot`, and each part is written in the transaction
that takes it off: a kill at any moment loses nothing. Keys of the table:

    a <nibbles>              accounts below a prefix
    s <address> <nibbles>    storage of an account below a prefix -> its storage root
    c <code hash>            a code
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from consensus.block import Block, decode_block
from consensus.certificate import CommitCertificate, decode_certificate
from cvm.evm.account_encoding import decode_account
from cvm.evm.header import BlockHeader
from cvm.evm.keccak import HASH_BYTES
from cvm.evm.rlp_encoding import encode_list
from cvm.evm.rlp_lists import list_start, split_items
from cvm.evm.state_reader import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT
from cvm.evm.system_calls import HISTORY_STORAGE_ADDRESS
from cvm.evm.trie_nodes import string_of
from cvm.faults import DatabaseFault
from node.storage.chain_database import ChainDatabase
from node.storage.flat_state import FLAT_TABLES, SLOT_BYTES, encode_compact

ADDRESS_BYTES = 20
ACCOUNTS, STORAGE, CODE = b"a", b"s", b"c"
UNDER_WAY = b"snapshot"
HISTORY_SLOTS = 8191  # EIP-2935
BLOCKHASH_BLOCKS = 256
STATE_TABLES = tuple(name for name in FLAT_TABLES if name != "codes")

Leaves = Sequence[tuple[bytes, bytes]]
"""Addresses or slots, each with the value that its trie holds."""


class ChainHasBlocks(DatabaseFault):
    """A snapshot can only be taken into a chain that is still at its genesis block."""

    def __init__(self, height: int) -> None:
        super().__init__(
            f"the chain here is at block {height}: a snapshot needs an empty --datadir"
        )


class SnapshotIncomplete(DatabaseFault):
    """The state here is a part of a snapshot that was not finished."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"the state of block {number} is not whole here: run `cvm node --snapshot` again, "
            "which fetches the rest"
        )


@dataclass(frozen=True, slots=True)
class Pivot:
    """The block whose state is fetched, and its certificate."""

    block: Block
    certificate: CommitCertificate

    @property
    def header(self) -> BlockHeader:
        """Return the block's header."""
        return self.block.header

    def encode(self) -> bytes:
        """Return the RLP."""
        return encode_list(self.block.encode() + self.certificate.encode())


@dataclass(frozen=True, slots=True)
class SnapshotTask:
    """Something that is still to come: accounts, storage of `address`, or a code.

    `root` is the trie's for the first two and the code's hash for the last.
    """

    kind: bytes
    root: bytes
    address: bytes = b""
    prefix: bytes = b""

    @property
    def key(self) -> bytes:
        """Return the key in the table."""
        return self.kind + (self.root if self.kind == CODE else self.address + self.prefix)


class SnapshotStore:
    """The parts of one snapshot in a database; for one thread at a time."""

    def __init__(self, database: ChainDatabase) -> None:
        self._database = database

    @property
    def pivot(self) -> Pivot | None:
        """Return the block whose state is under way, None where none is."""
        data = self._database.get("meta", UNDER_WAY)
        if not data:
            return None
        items, _lists = split_items(data, list_start(data, 0, "a pivot"), len(data))
        block, certificate = map(encode_list, items)
        return Pivot(decode_block(block), decode_certificate(certificate))

    def begin(self, pivot: Pivot) -> None:
        """Forget any state that is here, and note that all of the pivot's is to come.

        Raises `ChainHasBlocks` unless the chain is at genesis.
        """
        head = self._database.header(self._database.head_hash() or b"")
        if head is None or head.block_number:
            raise ChainHasBlocks(0 if head is None else head.block_number)
        with self._database.writing() as transaction:
            for name in (*STATE_TABLES, "snapshot", "preimages"):
                transaction.drop(self._database.table(name), delete=False)
            meta = self._database.table("meta")
            for key in (b"flat", b"preimages"):
                transaction.delete(key, db=meta)
            transaction.put(UNDER_WAY, pivot.encode(), db=meta)
            self._add(transaction, [SnapshotTask(ACCOUNTS, pivot.header.state_root)])

    def tasks(self, most: int) -> tuple[SnapshotTask, ...]:
        """Return some of what is still to come: accounts, then codes, then storage."""
        pivot = self.pivot
        if pivot is None:
            return ()
        root = pivot.header.state_root
        with self._database.reading() as transaction:
            cursor = transaction.cursor(db=self._database.table("snapshot"))
            entries = [(bytes(key), bytes(value)) for key, value in islice(cursor, most)]
        return tuple(task_of(key, value, root) for key, value in entries)

    def count(self) -> int:
        """Return how many parts are known to be still to come."""
        with self._database.reading() as transaction:
            entries: int = transaction.stat(self._database.table("snapshot"))["entries"]
        return entries

    def split(self, task: SnapshotTask, prefixes: Sequence[bytes]) -> None:
        """Replace a part by smaller ones."""
        smaller = [SnapshotTask(task.kind, task.root, task.address, one) for one in prefixes]
        with self._database.writing() as transaction:
            self._done(transaction, task)
            self._add(transaction, smaller)

    def put_accounts(self, task: SnapshotTask, nodes: Mapping[bytes, bytes], found: Leaves) -> None:
        """Write accounts that were verified; their storage and codes are to come then."""
        accounts = sorted((address, decode_account(value)) for address, value in found)
        storages = [
            SnapshotTask(STORAGE, account.storage_root, address)
            for address, account in accounts
            if account.storage_root != EMPTY_TRIE_ROOT
        ]
        hashes = sorted({account.code_hash for _address, account in accounts} - {EMPTY_CODE_HASH})
        flat = [(address, encode_compact(account)) for address, account in accounts]
        with self._database.writing() as transaction:
            codes = self._database.table("codes")
            missing = [one for one in hashes if transaction.get(one, db=codes) is None]
            self._write(transaction, nodes, "accounts", flat)
            self._add(transaction, [*storages, *(SnapshotTask(CODE, one) for one in missing)])
            self._done(transaction, task)

    def put_slots(self, task: SnapshotTask, nodes: Mapping[bytes, bytes], found: Leaves) -> None:
        """Write slots of an account that were verified."""
        flat = sorted((task.address + slot, string_of(value)) for slot, value in found)
        with self._database.writing() as transaction:
            self._write(transaction, nodes, "storage", flat)
            self._done(transaction, task)

    def put_codes(self, codes: Mapping[bytes, bytes]) -> None:
        """Write codes whose hashes were checked."""
        with self._database.writing() as transaction:
            for code_hash, code in sorted(codes.items()):
                transaction.put(code_hash, code, db=self._database.table("codes"))
                self._done(transaction, SnapshotTask(CODE, code_hash))

    def finish(self) -> BlockHeader:
        """Make the pivot the head of the chain here; raises `SnapshotIncomplete`.

        The hashes of the blocks before it, which BLOCKHASH needs, are in its state (EIP-2935).
        """
        pivot = self.pivot
        if pivot is None:
            raise DatabaseFault("no snapshot is under way")
        if self.count():
            raise SnapshotIncomplete(pivot.block.number)
        block, number = pivot.block, pivot.block.number.to_bytes(8, "big")
        tables = self._database.table
        with self._database.writing() as transaction:
            for height, block_hash in self._recent_hashes(transaction, pivot.header):
                transaction.put(height.to_bytes(8, "big"), block_hash, db=tables("numbers"))
            transaction.put(number, block.hash, db=tables("numbers"))
            transaction.put(block.hash, block.encode(), db=tables("blocks"))
            sealed = pivot.certificate.encode()
            transaction.put(block.hash, sealed, db=tables("certificates"))
            root = pivot.header.state_root
            for key, value in (
                (b"flat", number + root),
                (b"oldest", number),
                (b"start", number),
                (b"head", block.hash),
            ):
                transaction.put(key, value, db=tables("meta"))
            transaction.delete(UNDER_WAY, db=tables("meta"))
        return pivot.header

    def _recent_hashes(self, transaction: Any, header: BlockHeader) -> Iterator[tuple[int, bytes]]:
        """Yield height and hash of the last blocks before one, as its state holds them."""
        number = header.block_number
        if number:
            yield number - 1, header.parent_hash
        for height in range(max(1, number - BLOCKHASH_BLOCKS), number - 1):
            slot = (height % HISTORY_SLOTS).to_bytes(SLOT_BYTES, "big")
            key = HISTORY_STORAGE_ADDRESS + slot
            value = transaction.get(key, db=self._database.table("storage"))
            if value is not None:
                yield height, value.rjust(HASH_BYTES, b"\0")

    def _write(
        self,
        transaction: Any,  # lmdb ships no types
        nodes: Mapping[bytes, bytes],
        table: str,
        entries: Sequence[tuple[bytes, bytes]],
    ) -> None:
        """Write trie nodes and entries of a flat table."""
        with transaction.cursor(db=self._database.table("state")) as cursor:
            cursor.putmulti(sorted(nodes.items()), overwrite=False)
        with transaction.cursor(db=self._database.table(table)) as cursor:
            cursor.putmulti(entries)

    def _add(self, transaction: Any, tasks: Sequence[SnapshotTask]) -> None:
        for task in tasks:
            value = task.root if task.kind == STORAGE else b""
            transaction.put(task.key, value, db=self._database.table("snapshot"))

    def _done(self, transaction: Any, task: SnapshotTask) -> None:
        transaction.delete(task.key, db=self._database.table("snapshot"))


def task_of(key: bytes, value: bytes, state_root: bytes) -> SnapshotTask:
    """Return the task of an entry of the table."""
    kind, rest = key[:1], key[1:]
    if kind == ACCOUNTS:
        return SnapshotTask(kind, state_root, b"", rest)
    if kind == STORAGE:
        return SnapshotTask(kind, value, rest[:ADDRESS_BYTES], rest[ADDRESS_BYTES:])
    return SnapshotTask(kind, rest)


def require_whole_state(database: ChainDatabase) -> None:
    """Raise `SnapshotIncomplete` where a snapshot is under way: no chain can run on a part."""
    pivot = SnapshotStore(database).pivot
    if pivot is not None:
        raise SnapshotIncomplete(pivot.block.number)
