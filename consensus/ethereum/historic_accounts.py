"""The accounts of a block of proof of work while it runs, as py-evm's opcodes ask for them.

It has the methods of py-evm's `AccountDatabaseAPI` that these forks call, over a `StateReader`, and
gives `StateChanges`. Before EIP-161 an account may exist and be empty. Every write leaves what
undoes it, so a checkpoint is a length.
"""

from collections.abc import Callable
from dataclasses import replace

from cvm.evm.keccak import keccak256
from cvm.evm.state_reader import EMPTY_CODE_HASH, Account, StateChanges, StateReader

NO_ACCOUNT = Account()


class HistoricAccounts:
    """Accounts and storage over the state of the parent, with undo."""

    def __init__(self, reader: StateReader) -> None:
        self.state_root = b""
        """Set by py-evm when it goes back to a checkpoint; no rule reads it."""
        self._reader = reader
        self._accounts: dict[bytes, Account | None] = {}
        self._storage: dict[bytes, dict[int, int]] = {}
        self._cleared: set[bytes] = set()
        self._codes: dict[bytes, bytes] = {}
        self._warm: set[tuple[bytes, int | None]] = set()
        self._originals: dict[tuple[bytes, int], int] = {}
        self._undo: list[Callable[[], None]] = []
        self._changed: set[bytes] = set()

    def account(self, address: bytes) -> Account | None:
        """Return an account, None where there is none."""
        try:
            return self._accounts[address]
        except KeyError:
            found = self._accounts[address] = self._reader.account(address)
            return found

    def account_exists(self, address: bytes) -> bool:
        """Tell whether there is an account, be it empty."""
        return self.account(address) is not None

    def account_is_empty(self, address: bytes) -> bool:
        """Tell whether nonce, balance and code are none (EIP-161)."""
        return not (self.account_has_code_or_nonce(address) or self.get_balance(address))

    def account_has_code_or_nonce(self, address: bytes) -> bool:
        """Tell whether a contract cannot be created here."""
        account = self.account(address) or NO_ACCOUNT
        return account.nonce != 0 or account.code_hash != EMPTY_CODE_HASH

    def get_balance(self, address: bytes) -> int:
        """Return a balance in wei."""
        return (self.account(address) or NO_ACCOUNT).balance

    def set_balance(self, address: bytes, balance: int) -> None:
        """Set a balance in wei."""
        self._set(address, replace(self.account(address) or NO_ACCOUNT, balance=balance))

    def get_nonce(self, address: bytes) -> int:
        """Return a nonce."""
        return (self.account(address) or NO_ACCOUNT).nonce

    def set_nonce(self, address: bytes, nonce: int) -> None:
        """Set a nonce."""
        self._set(address, replace(self.account(address) or NO_ACCOUNT, nonce=nonce))

    def increment_nonce(self, address: bytes) -> None:
        """Add one to a nonce."""
        self.set_nonce(address, self.get_nonce(address) + 1)

    def get_code_hash(self, address: bytes) -> bytes:
        """Return keccak256 of the code."""
        return (self.account(address) or NO_ACCOUNT).code_hash

    def get_code(self, address: bytes) -> bytes:
        """Return the code."""
        code_hash = self.get_code_hash(address)
        if code_hash == EMPTY_CODE_HASH:
            return b""
        code = self._codes.get(code_hash)
        return self._reader.code(code_hash) if code is None else code

    def set_code(self, address: bytes, code: bytes) -> None:
        """Set the code."""
        code_hash = keccak256(code)
        self._codes[code_hash] = code
        self._set(address, replace(self.account(address) or NO_ACCOUNT, code_hash=code_hash))

    def touch_account(self, address: bytes) -> None:
        """Make an account where there is none."""
        self._set(address, self.account(address) or NO_ACCOUNT)

    def delete_account(self, address: bytes) -> None:
        """Take an account away with its storage."""
        self.delete_storage(address)
        self._set(address, None)

    def _set(self, address: bytes, account: Account | None) -> None:
        accounts, before = self._accounts, self.account(address)
        self._undo.append(lambda: accounts.__setitem__(address, before))
        accounts[address] = account
        self._changed.add(address)

    def get_storage(self, address: bytes, slot: int, from_journal: bool = True) -> int:
        """Return a slot: now, or as it was before the transaction."""
        if not from_journal and (address, slot) in self._originals:
            return self._originals[address, slot]
        value = self._storage.get(address, {}).get(slot)
        if value is not None:
            return value
        return 0 if address in self._cleared else self._reader.storage(address, slot)

    def set_storage(self, address: bytes, slot: int, value: int) -> None:
        """Set a slot; its account changes with it."""
        before = self.get_storage(address, slot)
        self._originals.setdefault((address, slot), before)
        slots = self._storage.setdefault(address, {})
        known = slots.get(slot)
        self._undo.append(lambda: restore(slots, slot, known))
        slots[slot] = value
        self._changed.add(address)

    def delete_storage(self, address: bytes) -> None:
        """Take all storage of an account away."""
        storage, cleared = self._storage, self._cleared
        slots, was_cleared = storage.pop(address, {}), address in cleared
        for slot, value in slots.items():
            self._originals.setdefault((address, slot), value)

        def undo() -> None:
            storage[address] = slots
            if not was_cleared:
                cleared.discard(address)

        self._undo.append(undo)
        cleared.add(address)
        self._changed.add(address)

    def is_address_warm(self, address: bytes) -> bool:
        """Tell whether the transaction was here before (EIP-2929)."""
        return (address, None) in self._warm

    def mark_address_warm(self, address: bytes) -> None:
        """Remember that the transaction was here."""
        self._mark((address, None))

    def is_storage_warm(self, address: bytes, slot: int) -> bool:
        """Tell whether the transaction touched a slot before (EIP-2929)."""
        return (address, slot) in self._warm

    def mark_storage_warm(self, address: bytes, slot: int) -> None:
        """Remember that the transaction touched a slot."""
        self._mark((address, slot))

    def _mark(self, place: tuple[bytes, int | None]) -> None:
        if place not in self._warm:
            self._warm.add(place)
            self._undo.append(lambda: self._warm.discard(place))

    def record(self) -> int:
        """Return a checkpoint."""
        return len(self._undo)

    def discard(self, checkpoint: int) -> None:
        """Go back to a checkpoint."""
        while len(self._undo) > checkpoint:
            self._undo.pop()()

    def commit(self, checkpoint: int) -> None:
        """Keep what was done since a checkpoint; an older one may still undo it."""

    def lock_changes(self) -> None:
        """Begin a transaction: nothing is warm, and what is here now is original."""
        self._undo.clear()
        self._warm.clear()
        self._originals.clear()

    def changes(self) -> StateChanges:
        """Return what the block leaves of its parent's state so far."""
        accounts = {
            address: account
            for address in sorted(self._changed)
            if (account := self.account(address)) is not None
            or self._reader.account(address) is not None
        }
        storage = {
            address: dict(slots)
            for address, slots in self._storage.items()
            if slots and accounts.get(address) is not None
        }
        hashes = {account.code_hash for account in accounts.values() if account is not None}
        codes = {key: self._codes[key] for key in sorted(hashes) if key in self._codes}
        return StateChanges(accounts, storage, frozenset(self._cleared & accounts.keys()), codes)


def restore(slots: dict[int, int], slot: int, value: int | None) -> None:
    """Set a slot back to what was known of it, nothing for None."""
    if value is None:
        slots.pop(slot, None)
    else:
        slots[slot] = value
