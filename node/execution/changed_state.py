"""A state after changes that no block has: what a message finds that runs after others."""

from dataclasses import replace

from cvm.evm.state_reader import EMPTY_TRIE_ROOT, Account, StateChanges, StateReader

UNKNOWN_ROOT = b"\xff" * 32
"""Stands for the root of a storage that is not empty; nobody reads a node by it."""


class ChangedState:
    """A `StateReader` that looks among the changes first."""

    def __init__(self, state: StateReader, changes: StateChanges) -> None:
        self._state = state
        self._changes = changes

    def account(self, address: bytes) -> Account | None:
        """Return an account, None where there is none."""
        if address not in self._changes.accounts:
            return self._state.account(address)
        account = self._changes.accounts[address]
        if account is None:
            return None
        kept = EMPTY_TRIE_ROOT if address in self._changes.cleared else account.storage_root
        has_written = any(self._changes.storage.get(address, {}).values())
        return replace(account, storage_root=UNKNOWN_ROOT if has_written else kept)

    def storage(self, address: bytes, slot: int) -> int:
        """Return the value of a slot, 0 where nothing is stored."""
        changes = self._changes
        written = changes.storage.get(address, {})
        if slot in written:
            return written[slot]
        is_gone = address in changes.accounts and changes.accounts[address] is None
        if is_gone or address in changes.cleared:
            return 0
        return self._state.storage(address, slot)

    def code(self, code_hash: bytes) -> bytes:
        """Return code by its keccak256; raises `DatabaseFault` where it is missing."""
        found = self._changes.codes.get(code_hash)
        return self._state.code(code_hash) if found is None else found
