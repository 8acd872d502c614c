"""The states of a chain in dictionaries: what `BlockRunner` runs on where no disk is wanted."""

from collections.abc import Iterator
from contextlib import contextmanager

from cvm.evm.state_committer import StateCommitter, StateUpdate
from cvm.evm.state_reader import EMPTY_TRIE_ROOT, StateChanges, StateReader
from cvm.evm.trie_state import TrieState


class MemoryStates:
    """`consensus.block_execution.States`; an update counts once it is kept."""

    def __init__(self) -> None:
        self.nodes: dict[bytes, bytes] = {}
        self.codes: dict[bytes, bytes] = {}
        self._committer = StateCommitter(self.nodes.get)

    @contextmanager
    def reader(self, state_root: bytes) -> Iterator[StateReader]:
        yield TrieState(state_root, self.nodes.get, self.codes.get)

    def commit(self, parent_root: bytes, changes: StateChanges) -> StateUpdate:
        return self._committer.commit(parent_root, changes)

    def keep(self, update: StateUpdate) -> None:
        self.nodes |= update.nodes
        self.codes |= update.codes

    def start(self, changes: StateChanges) -> bytes:
        """Keep a first state and return its root."""
        update = self.commit(EMPTY_TRIE_ROOT, changes)
        self.keep(update)
        return update.root
