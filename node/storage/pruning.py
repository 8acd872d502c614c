"""Keeps the trie nodes of the last N blocks only: counts of places, and lists of what died when.

A node of the head's state has a count of the places where it stands: 1 unless `node_counts` says
otherwise. When a block takes the last place away, the node is dead at that block, which `deaths`
lists; it goes N blocks later, unless a block has put it somewhere again. So a block pays for the
nodes that it changes, and for nothing else.
"""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from cvm.evm.account_encoding import decode_account
from cvm.evm.keccak import HASH_BYTES
from cvm.evm.state_committer import StateUpdate
from cvm.evm.state_reader import EMPTY_CODE_HASH
from cvm.evm.trie import node_hashes
from cvm.evm.trie_nodes import Leaf
from cvm.evm.trie_update import ReadNode

PRUNING_TABLES = ("node_counts", "deaths")
COUNT_BYTES = 4


class References:
    """The counts of one database, within one write transaction."""

    def __init__(
        self,
        transaction: Any,  # lmdb ships no types
        tables: Mapping[str, Any],  # the same
    ) -> None:
        self._transaction = transaction
        self._state = tables["state"]
        self._counts = tables["node_counts"]
        self._deaths = tables["deaths"]

    def count_block(self, number: int, update: StateUpdate) -> None:
        """Count what a block adds and takes away; call it before its nodes are written."""
        for node_hash in sorted(update.nodes):
            if self._transaction.get(node_hash, db=self._state) is not None:
                self._add(node_hash, 1)
        for node_hash in update.repeated:
            self._add(node_hash, 1)
        dead = [
            node_hash for node_hash in sorted(update.removed) if self._remove(node_hash, number)
        ]
        self.put_deaths(number, dead)

    def put_deaths(self, number: int, dead: Sequence[bytes]) -> None:
        """Remember which nodes have no place after a block."""
        self._transaction.put(number.to_bytes(8, "big"), b"".join(dead), db=self._deaths)

    def put_count(self, node_hash: bytes, count: int, number: int) -> None:
        """Set a count; `number` is the block of death where it is 0."""
        entry = count.to_bytes(COUNT_BYTES, "big") + number.to_bytes(8, "big")
        self._transaction.put(node_hash, entry, db=self._counts)

    def sweep(self, last: int) -> int:
        """Delete what died up to a block and is still dead; return how many nodes went."""
        swept = 0
        with self._transaction.cursor(db=self._deaths) as cursor:
            while cursor.first() and int.from_bytes(cursor.key(), "big") <= last:
                number, hashes = cursor.key(), cursor.value()
                dead = bytes(COUNT_BYTES) + number
                for start in range(0, len(hashes), HASH_BYTES):
                    node_hash = hashes[start : start + HASH_BYTES]
                    if self._transaction.get(node_hash, db=self._counts) == dead:
                        self._transaction.delete(node_hash, db=self._counts)
                        self._transaction.delete(node_hash, db=self._state)
                        swept += 1
                cursor.delete()
        return swept

    def _count(self, node_hash: bytes) -> int:
        entry = self._transaction.get(node_hash, db=self._counts)
        return 1 if entry is None else int.from_bytes(entry[:COUNT_BYTES], "big")

    def _add(self, node_hash: bytes, places: int) -> None:
        count = self._count(node_hash) + places
        if count == 1:
            self._transaction.delete(node_hash, db=self._counts)
        else:
            self.put_count(node_hash, count, 0)

    def _remove(self, node_hash: bytes, number: int) -> bool:
        count = self._count(node_hash) - 1
        if count == 1:
            self._transaction.delete(node_hash, db=self._counts)
        else:
            self.put_count(node_hash, count, number if count == 0 else 0)
        return count == 0


def places_in_state(read: ReadNode, root: bytes, known: Container[bytes]) -> Counter[bytes]:
    """Count the places of every node of a state, code hashes among them.

    Nodes in `known`, and what lies below them, are left out.
    """
    places: Counter[bytes] = Counter()
    storage_roots: Counter[bytes] = Counter()
    for node_hash, node in node_hashes(read, root, known):
        places[node_hash] += 1
        if type(node) is Leaf:
            account = decode_account(node.value())
            storage_roots[account.storage_root] += 1
            if account.code_hash != EMPTY_CODE_HASH:
                places[account.code_hash] += 1
    for storage_root, times in storage_roots.items():
        for node_hash, _node in node_hashes(read, storage_root, known):
            places[node_hash] += times
    return places


def mark_and_sweep(
    transaction: Any,  # lmdb ships no types
    tables: Mapping[str, Any],  # the same
    head: int,
    roots: Iterable[bytes],
) -> int:
    """Delete what no state of `roots` (the head's first) holds; begin to count references.

    Returns how many nodes went. Takes about 200 bytes of memory for each node that stays.
    """

    def read(node_hash: bytes) -> bytes | None:
        data: bytes | None = transaction.get(node_hash, db=tables["state"])
        return data

    head_root, *older_roots = roots
    places = places_in_state(read, head_root, ())
    kept = set(places)
    for root in older_roots:
        kept.update(places_in_state(read, root, kept))
    for name in PRUNING_TABLES:
        transaction.drop(tables[name], delete=False)
    swept = 0
    with transaction.cursor(db=tables["state"]) as cursor:
        found = cursor.first()
        while found:
            if cursor.key() in kept:
                found = cursor.next()
            else:
                swept += 1
                found = cursor.delete() and cursor.key() != b""
    references = References(transaction, tables)
    for node_hash, count in sorted(places.items()):
        if count > 1:
            references.put_count(node_hash, count, 0)
    dead = sorted(kept - places.keys())
    for node_hash in dead:
        references.put_count(node_hash, 0, head)
    references.put_deaths(head, dead)
    return swept
