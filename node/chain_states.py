"""The states of a chain on disk: the head's from the flat tables, any other from its tries."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from cvm.evm.header import BlockHeader
from cvm.evm.state_committer import StateCommitter, StateUpdate
from cvm.evm.state_reader import StateChanges, StateReader
from cvm.evm.trie_state import TrieState
from node.storage.chain_database import ChainDatabase
from node.storage.flat_state import UNDO_BLOCKS


class ChainStates:
    """See `consensus.block_execution.States`; one thread commits, any may read."""

    def __init__(self, database: ChainDatabase) -> None:
        self._database = database
        self._committer = StateCommitter(database.state)

    @contextmanager
    def reader(self, state_root: bytes) -> Iterator[StateReader]:
        """Open the state of a root."""
        root = self._database.standing_root(state_root)
        with self._database.head_state() as flat:
            if flat.root == root:
                yield flat
                return
        yield TrieState(root, self._database.state, self._database.code)

    def reader_after(self, header: BlockHeader) -> AbstractContextManager[StateReader]:
        """Open the state after a block."""
        return self._after(header)

    @contextmanager
    def _after(self, header: BlockHeader) -> Iterator[StateReader]:
        root = self._database.standing_root(header.state_root)
        with self._database.head_state() as head:
            behind = head.number - header.block_number
            if head.root == root:
                yield head
                return
        if 0 < behind <= UNDO_BLOCKS:
            with self._database.state_after(header.block_number) as flat:
                yield flat
            return
        yield TrieState(root, self._database.state, self._database.code)

    def commit(self, parent_root: bytes, changes: StateChanges) -> StateUpdate:
        """Return what a block makes of a state; nothing is written."""
        return self._committer.commit(self._database.standing_root(parent_root), changes)
