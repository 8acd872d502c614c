"""A state in dictionaries, for tests that put in it what they like and see what is read."""

from collections.abc import Mapping
from dataclasses import replace

from cvm.evm.keccak import keccak256
from cvm.evm.state_reader import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, Account, StateChanges

SOME_STORAGE = keccak256(b"some storage")
"""Stands for the storage root of every account that has storage."""


class MemoryState:
    """A `StateReader`; what is put in later is there for what is read later."""

    def __init__(self) -> None:
        self.accounts: dict[bytes, Account] = {}
        self.slots: dict[tuple[bytes, int], int] = {}
        self.codes: dict[bytes, bytes] = {}

    def put(
        self,
        address: bytes,
        *,
        nonce: int | None = None,
        balance: int | None = None,
        code: bytes | None = None,
        storage: Mapping[int, int] | None = None,
    ) -> None:
        """Make an account, or change what is given of it."""
        account = self.accounts.get(address, Account())
        if nonce is not None:
            account = replace(account, nonce=nonce)
        if balance is not None:
            account = replace(account, balance=balance)
        if code is not None:
            account = replace(account, code_hash=keccak256(code))
            self.codes[keccak256(code)] = code
        for slot, value in (storage or {}).items():
            self.slots[address, slot] = value
            account = replace(account, storage_root=SOME_STORAGE)
        self.accounts[address] = account

    def changes(self) -> StateChanges:
        """Return the state as what an empty one changes by."""
        accounts: dict[bytes, Account | None] = dict(self.accounts)
        storage: dict[bytes, dict[int, int]] = {}
        for (address, slot), value in self.slots.items():
            storage.setdefault(address, {})[slot] = value
        return StateChanges(accounts, storage, frozenset(), dict(self.codes))

    def account(self, address: bytes) -> Account | None:
        return self.accounts.get(address)

    def storage(self, address: bytes, slot: int) -> int:
        found = self.accounts.get(address, Account())
        return 0 if found.storage_root == EMPTY_TRIE_ROOT else self.slots.get((address, slot), 0)

    def code(self, code_hash: bytes) -> bytes:
        return b"" if code_hash == EMPTY_CODE_HASH else self.codes[code_hash]
