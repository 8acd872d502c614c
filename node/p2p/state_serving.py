"""Serves parts of states: the leaves of a trie below a prefix, by address and slot, with proofs."""

from typing import Protocol

from cvm.evm.account_encoding import decode_account
from cvm.evm.state_reader import EMPTY_TRIE_ROOT
from cvm.evm.trie import Trie
from cvm.evm.trie_subtree import NotARoot, read_subtree
from cvm.faults import MissingTrieNode
from node.p2p.cvm_state_messages import GetStateChunk, StateChunk

CHUNK_BYTES = 256 << 10
"""Of keys and values; a part with more is asked for in smaller ones."""
LEAST_ACCOUNT_BYTES = 70
"""Of an account's RLP, which holds two hashes; a slot's has 33 bytes at most."""


class StateSource(Protocol):
    """What a part of a state is made of; safe to call from a thread."""

    def state_node(self, node_hash: bytes) -> bytes | None:
        """Return a node of a state trie by its hash."""

    def preimage(self, key_hash: bytes) -> bytes | None:
        """Return the address or the slot of a hash."""

    def follow_head(self) -> None:
        """Bring what is known of hashes to the head."""


class StateServing:
    """Answers from any state whose tries are here and whose keys are known by their hashes."""

    def __init__(self, source: StateSource) -> None:
        self._source = source
        self._known_root = b""

    def answer(self, request: GetStateChunk) -> StateChunk:
        """Return a part of a state; nothing at all where this state is not served here."""
        absent = StateChunk(request.request_id, (), ())
        if self._source.state_node(request.state_root) is None:
            return absent
        if request.state_root != self._known_root:
            self._source.follow_head()
            self._known_root = request.state_root
        try:
            root = self._root(request)
            part = read_subtree(self._source.state_node, root, request.prefix, CHUNK_BYTES)
        except (MissingTrieNode, NotARoot):
            return absent
        if part.leaves is None:
            return StateChunk(request.request_id, part.nodes, None)
        leaves: list[tuple[bytes, bytes]] = []
        for key_hash, value in part.leaves:
            key = self._source.preimage(key_hash)
            if key is None:
                return absent
            leaves.append((key, value))
        return StateChunk(request.request_id, part.nodes, tuple(leaves))

    def _root(self, request: GetStateChunk) -> bytes:
        """Return the root of the trie that is asked for; raises `MissingTrieNode` or `NotARoot`.

        A peer may name any node as the root of a state, such as that of an account's storage.
        """
        if not request.account_hash:
            return request.state_root
        value = Trie(self._source.state_node, request.state_root).get(request.account_hash)
        if value is None:
            return EMPTY_TRIE_ROOT
        if len(value) < LEAST_ACCOUNT_BYTES:
            raise NotARoot
        return decode_account(value).storage_root
