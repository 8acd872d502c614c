"""From what a block changes to the state root and the trie nodes that are new.

Tries stay in memory between blocks, by their root, so consecutive blocks read few nodes. A block
that is computed and never becomes final leaves nothing that a later block could see: an update
copies what it changes, and a parent that has left memory is read from the store again.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cvm.evm.account_encoding import ROOT_FROM_END, decode_account, encode_account, encode_number
from cvm.evm.keccak import keccak256
from cvm.evm.state_reader import EMPTY_TRIE_ROOT, Account, StateChanges
from cvm.evm.trie import node_hashes, read_value, trim
from cvm.evm.trie_nodes import Node
from cvm.evm.trie_update import ReadNode, TrieUpdate

KEPT_COMMITS = 8
"""Nodes of so many last commits are never dropped: a caller may be so far behind with writing."""
KEPT_VERSIONS = 3
"""A trie that was replaced stays warm for so many commits: its block may be computed again."""
MAX_WARM_NODES = 500_000
"""Nodes in memory before the ones that were not touched of late go."""
MAX_KEY_HASHES = 1 << 17
"""Hashes of addresses and slots that are kept; then they are forgotten together."""


@dataclass(frozen=True, slots=True)
class StateUpdate:
    """All that a block makes of its parent's state, ready to be written.

    `accounts` carry their storage roots. `repeated` are hashes in `nodes` that came to more than
    one place (once for each further place), `removed` those that lost a place: what counting
    references needs.
    """

    root: bytes
    parent_root: bytes
    nodes: dict[bytes, bytes]
    repeated: tuple[bytes, ...]
    removed: tuple[bytes, ...]
    accounts: dict[bytes, Account | None]
    storage: dict[bytes, dict[int, int]]
    cleared: frozenset[bytes]
    codes: dict[bytes, bytes]


class AccountTrieUpdate(TrieUpdate):
    """Changes of accounts, which keep their storage root unless it is among those given."""

    def __init__(self, read: ReadNode, born: int, new_roots: Mapping[bytes, bytes]) -> None:
        super().__init__(read, born)
        self._new_roots = new_roots
        self.kept_roots: dict[bytes, bytes] = {}

    def merged(self, key: bytes, old: bytes, value: bytes) -> bytes:
        """Return the account's RLP with the storage root that stands in the old leaf."""
        kept = old[ROOT_FROM_END]
        if kept == value[ROOT_FROM_END] or key in self._new_roots:
            return value
        self.kept_roots[key] = kept[1:]
        return value[:-66] + kept + value[-33:]


class StateCommitter:
    """Computes state roots over a store of nodes; for one thread at a time.

    `read` gives a trie node by its hash. The nodes of an update must be in the store before
    `KEPT_COMMITS` further commits are made. Raises `cvm.faults.MissingTrieNode`.
    """

    def __init__(self, read: ReadNode, max_warm_nodes: int = MAX_WARM_NODES) -> None:
        self._store_read = read
        self._max_warm_nodes = max_warm_nodes
        self._trimmed_at = 0
        self._warm_nodes = 0
        self._generation = 0
        self._roots: dict[bytes, Node] = {}
        self._superseded: deque[tuple[int, bytes]] = deque()
        self._recent: deque[dict[bytes, bytes]] = deque(maxlen=KEPT_COMMITS)
        self._key_hashes: dict[bytes, bytes] = {}
        self._last: deque[tuple[StateChanges, StateUpdate]] = deque(maxlen=2)

    @property
    def warm_nodes(self) -> int:
        """Return about how many nodes are in memory."""
        return self._warm_nodes

    def commit(self, parent_root: bytes, changes: StateChanges) -> StateUpdate:
        """Return the state after `changes` on the state of `parent_root`.

        Who proposes a block and then checks it as any other asks twice, and gets the same answer.
        """
        for known, update in self._last:
            if update.parent_root == parent_root and known == changes:
                return update
        update = self._commit(parent_root, changes)
        self._last.append((changes, update))
        return update

    def _commit(self, parent_root: bytes, changes: StateChanges) -> StateUpdate:
        self._generation += 1
        nodes: dict[bytes, bytes] = {}
        repeated: list[bytes] = []
        removed: list[bytes] = []
        self._recent.append(nodes)
        new_roots: dict[bytes, bytes] = {}
        for address, old_root in self._changed_storages(parent_root, changes):
            slots = changes.storage.get(address, {})
            if changes.accounts[address] is None:
                slots = {}
            base = old_root
            if address in changes.cleared or changes.accounts[address] is None:
                base = EMPTY_TRIE_ROOT
                removed.extend(node_hash for node_hash, _node in node_hashes(self._read, old_root))
            update = TrieUpdate(self._read, self._generation)
            items = sorted((self._slot_hash(s), _slot_value(value)) for s, value in slots.items())
            root = self._apply(update, base, items)
            repeated.extend(update.nodes.keys() & nodes.keys())
            nodes.update(update.nodes)
            removed += update.removed
            new_roots[self._hash(address)] = root
        return self._commit_accounts(parent_root, changes, new_roots, nodes, repeated, removed)

    def _commit_accounts(
        self,
        parent_root: bytes,
        changes: StateChanges,
        new_roots: dict[bytes, bytes],
        nodes: dict[bytes, bytes],
        repeated: list[bytes],
        removed: list[bytes],
    ) -> StateUpdate:
        addresses = {self._hash(address): address for address in changes.accounts}
        items = []
        for key, address in sorted(addresses.items()):
            account = changes.accounts[address]
            root = new_roots.get(key, EMPTY_TRIE_ROOT)
            items.append((key, b"" if account is None else encode_account(account, root)))
        update = AccountTrieUpdate(self._read, self._generation, new_roots)
        root = self._apply(update, parent_root, items)
        nodes.update(update.nodes)
        accounts = with_roots(changes.accounts, addresses, new_roots, update.kept_roots)
        self._bound()
        return StateUpdate(
            root,
            parent_root,
            nodes,
            tuple(repeated),
            tuple(removed + update.removed),
            accounts,
            changes.storage,
            changes.cleared,
            changes.codes,
        )

    def _changed_storages(
        self, parent_root: bytes, changes: StateChanges
    ) -> Iterable[tuple[bytes, bytes]]:
        """Yield address and old storage root of every account whose storage may change."""
        gone = {address for address, account in changes.accounts.items() if account is None}
        for address in sorted(changes.storage.keys() | changes.cleared | gone):
            data = self._read_account(parent_root, self._hash(address))
            if address not in changes.accounts:
                raise ValueError(f"storage of {address.hex()} changes, but not its account")
            yield address, EMPTY_TRIE_ROOT if data is None else decode_account(data).storage_root

    def _read_account(self, root: bytes, key: bytes) -> bytes | None:
        return read_value(self._read, root, self._roots.get(root), key, self._generation)

    def _apply(self, update: TrieUpdate, root: bytes, items: list[tuple[bytes, bytes]]) -> bytes:
        new_root, node = update.apply(root, self._roots.get(root), items)
        if node is not None:
            self._roots[new_root] = node
            if new_root != root:
                self._superseded.append((self._generation, root))
        self._warm_nodes += len(update.nodes) + update.resolved - len(update.removed)
        return new_root

    def _read(self, node_hash: bytes) -> bytes | None:
        for nodes in self._recent:
            data = nodes.get(node_hash)
            if data is not None:
                return data
        return self._store_read(node_hash)

    def _hash(self, key: bytes) -> bytes:
        """Return the hash of an address, or of a slot's bytes.

        Python hashes bytes with a secret; integers it does not, and many could be made to collide.
        """
        key_hash = self._key_hashes.get(key)
        if key_hash is None:
            key_hash = self._key_hashes[key] = keccak256(key)
        return key_hash

    def _slot_hash(self, slot: int) -> bytes:
        return self._hash(slot.to_bytes(32, "big"))

    def _bound(self) -> None:
        """Keep memory bounded: older versions, nodes that were not touched of late, key hashes."""
        self._drop_versions(self._generation - KEPT_VERSIONS)
        if len(self._key_hashes) > MAX_KEY_HASHES:
            self._key_hashes.clear()
        trims_again = self._generation >= self._trimmed_at + KEPT_COMMITS
        if self._warm_nodes > self._max_warm_nodes and trims_again:
            self._trim()

    def _drop_versions(self, last: int) -> None:
        """Forget tries that were replaced in a generation up to `last`."""
        while self._superseded and self._superseded[0][0] <= last:
            self._roots.pop(self._superseded.popleft()[1], None)

    def _trim(self) -> None:
        """Drop every node that the last commits neither made nor read."""
        self._drop_versions(self._generation)
        oldest = self._generation - KEPT_COMMITS
        self._roots = {root: node for root, node in self._roots.items() if node.born > oldest}
        self._warm_nodes = sum(trim(node, oldest + 1) for node in self._roots.values())
        self._trimmed_at = self._generation


def with_roots(
    accounts: Mapping[bytes, Account | None],
    addresses: Mapping[bytes, bytes],
    *roots: Mapping[bytes, bytes],
) -> dict[bytes, Account | None]:
    """Return accounts with their storage roots; `roots` go by the hash of the address."""
    result = {
        address: account
        if account is None or account.storage_root == EMPTY_TRIE_ROOT
        else replace(account, storage_root=EMPTY_TRIE_ROOT)
        for address, account in accounts.items()
    }
    for some in roots:
        for key, root in some.items():
            account = result[addresses[key]]
            if account is not None and root != EMPTY_TRIE_ROOT:
                result[addresses[key]] = replace(account, storage_root=root)
    return result


def _slot_value(value: int) -> bytes:
    return encode_number(value) if value else b""
