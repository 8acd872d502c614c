"""The state while a block runs: accounts and storage over a reader, with a journal to go back.

Storage lives in the tables of the compiled loop (`slots`), codes in `codes`; balances and nonces
live here. `mark` and `undo` cover all of them. Nothing reaches a store before `changes`.
"""

from collections.abc import Callable
from struct import Struct
from typing import Any

import numpy as np

from cvm.evm.block_codes import BlockCodes
from cvm.evm.block_storage import BlockStorage
from cvm.evm.forks import Fork
from cvm.evm.live_account import LiveAccount, delegate_address
from cvm.evm.native import layout as at
from cvm.evm.native import table_access as table
from cvm.evm.native.machine_memory import MachineMemory, address_of
from cvm.evm.state_reader import (
    EMPTY_CODE_HASH,
    EMPTY_TRIE_ROOT,
    Account,
    StateChanges,
    StateReader,
)

LOG_HEAD = Struct("<3q")
Mark = tuple[int, int, int, int, int]
"""Lengths of the host's journal, the slots' journal, log bytes, logs; and the refund."""


class WorldState:
    """Accounts, storage, logs and access of one block as it runs."""

    def __init__(
        self,
        reader: StateReader,
        memory: MachineMemory,
        fork: Fork,
        block_hash: Callable[[int], bytes],
    ) -> None:
        self.fork = fork
        self.block_hash = block_hash
        self.memory = memory
        self.registers = memory.registers
        self._reader = reader
        self._accounts: dict[bytes, LiveAccount] = {}
        self._listed: list[LiveAccount] = []
        self._indexed = 0
        self.codes = BlockCodes(reader, memory)
        self.slots = BlockStorage(reader, memory, self._listed)
        self._journal: list[tuple[Any, ...]] = []
        self._touched: list[LiveAccount] = []
        self._destroyed: dict[bytes, LiveAccount] = {}
        self.transaction = 0

    # --- accounts

    def account(self, address: bytes) -> LiveAccount:
        """Return an account, read when it is first asked for."""
        account = self._accounts.get(address)
        if account is None:
            account = self._load(address)
        return account

    def holds(self, address: bytes) -> bool:
        """Tell whether an account was asked for before; one that was not is cold."""
        return address in self._accounts

    def _load(self, address: bytes) -> LiveAccount:
        number = len(self._listed)
        if number == self.memory.account_room:
            self.memory.grow_accounts()
            self._indexed = 0
        account = LiveAccount(address, number, self._reader.account(address))
        self._accounts[address] = account
        self._listed.append(account)
        return account

    def _show_accounts(self) -> None:
        """Write the addresses of new accounts where the loop finds them."""
        new = self._listed[self._indexed :]
        addresses = np.frombuffer(b"".join([account.address for account in new]), np.uint8)
        place = address_of(addresses)
        table.index_accounts(self.memory.address, self._indexed, len(new), place)
        self._indexed = len(self._listed)

    def numbered(self, number: int) -> LiveAccount:
        """Return an account by its number in the loop's table."""
        return self._listed[number]

    def set_balance(self, account: LiveAccount, balance: int) -> None:
        """Set a balance in wei; the account exists from now on."""
        self._journal.append((self.put_balance, account, account.balance))
        self.put_balance(account, balance)
        if account.touched_in != self.transaction:
            self.touch(account)

    def put_balance(self, account: LiveAccount, balance: int) -> None:
        """Write a balance and nothing else; the loop must ask for it anew."""
        account.balance = balance
        self.memory.accounts[account.number * at.ACCOUNT_FIELDS + at.BALANCE_KNOWN] = 0

    def show_balance(self, account: LiveAccount) -> None:
        """Write an account's balance where the loop reads it until it changes."""
        base = account.number * at.ACCOUNT_FIELDS
        place = (base + at.BALANCE) * 8
        records = self.memory.accounts.cast("B")
        records[place : place + at.WORD_BYTES] = account.balance.to_bytes(32, "little")
        self.memory.accounts[base + at.BALANCE_KNOWN] = 1

    def set_nonce(self, account: LiveAccount, nonce: int) -> None:
        """Set a nonce; the account exists from now on."""
        self._note(setattr, account, "nonce", account.nonce)
        account.nonce = nonce
        self.touch(account)

    def touch(self, account: LiveAccount) -> None:
        """Note that a transaction touched an account: an empty one goes at its end (EIP-161)."""
        if not account.exists:
            self._note(setattr, account, "exists", False)
            account.exists = True
        if account.touched_in != self.transaction:
            self._note(setattr, account, "touched_in", account.touched_in)
            account.touched_in = self.transaction
            self._touched.append(account)

    def transfer(self, sender: LiveAccount, receiver: LiveAccount, value: int) -> None:
        """Move wei that the sender has; both are touched."""
        self.set_balance(sender, sender.balance - value)
        self.set_balance(receiver, receiver.balance + value)

    # --- code

    def code_of(self, account: LiveAccount) -> bytes:
        """Return the code of an account."""
        return self.codes.code(account.code_hash)

    def set_code(self, account: LiveAccount, data: bytes) -> None:
        """Set the code of an account; the loop must learn it anew."""
        self.codes.forget_callable(account)
        self._note(self.codes.forget_callable, account)
        self._note(setattr, account, "code_hash", account.code_hash)
        account.code_hash = self.codes.write(data)
        self.touch(account)

    def delegate_of(self, account: LiveAccount) -> bytes | None:
        """Return the address that an account delegates to (EIP-7702), or None."""
        if account.code_hash == EMPTY_CODE_HASH:
            return None
        return delegate_address(self.code_of(account))

    # --- access (EIP-2929)

    def warm_address(self, account: LiveAccount) -> bool:
        """Warm an address; tell whether it was cold."""
        place = account.number * at.ACCOUNT_FIELDS + at.WARM_IN
        records = self.memory.accounts
        warm_in = records[place]
        if warm_in == self.transaction or warm_in == at.ALWAYS_WARM:
            return False
        self._note(self._cool, account.number)
        records[place] = self.transaction
        return True

    def keep_warm(self, address: bytes) -> None:
        """Make an address warm in every transaction of the block."""
        number = self.account(address).number
        self.memory.accounts[number * at.ACCOUNT_FIELDS + at.WARM_IN] = at.ALWAYS_WARM

    def call_natively(self, address: bytes) -> None:
        """Let the loop push the frame of a precompile.

        A call touches its target, which removes an empty account that is there (EIP-161); such a
        one is left to the host.
        """
        account = self.account(address)
        if not account.exists or not account.is_empty:
            base = account.number * at.ACCOUNT_FIELDS
            self.memory.accounts[base + at.CODE_AT] = at.IS_PRECOMPILE

    def _cool(self, number: int) -> None:
        self.memory.accounts[number * at.ACCOUNT_FIELDS + at.WARM_IN] = 0

    # --- storage

    def storage(self, account: LiveAccount, key: int) -> int:
        """Return a value of storage; this warms nothing."""
        return self.slots.value(self.slots.slot(account, key))

    def set_storage(self, account: LiveAccount, key: int, value: int) -> None:
        """Write a value of storage, as a system call or an override does."""
        self.slots.set(self.slots.slot(account, key), value)
        self.touch(account)

    # --- journal

    def _note(self, undo: Callable[..., object], *arguments: object) -> None:
        self._journal.append((undo, *arguments))

    def show_host(self) -> None:
        """Tell the compiled code, before it runs, of new accounts and the journal's length."""
        if self._indexed < len(self._listed):
            self._show_accounts()
        self.registers[at.HOST_JOURNAL] = len(self._journal)

    def mark(self) -> Mark:
        """Return where every journal stands."""
        registers = self.registers
        return (
            len(self._journal),
            registers[at.JOURNAL_COUNT],
            registers[at.LOGS_SIZE],
            registers[at.LOG_COUNT],
            registers[at.REFUND],
        )

    def undo(self, mark: Mark) -> None:
        """Go back to a mark."""
        host, slots, log_bytes, logs, refund = mark
        self.undo_host(host)
        registers = self.registers
        if registers[at.JOURNAL_COUNT] > slots:
            table.go_back(self.memory.address, slots)
        registers[at.LOGS_SIZE], registers[at.LOG_COUNT] = log_bytes, logs
        registers[at.REFUND] = refund

    def undo_host(self, mark: int) -> None:
        """Take the host's own journal back."""
        journal = self._journal
        while len(journal) > mark:
            undo, *arguments = journal.pop()
            undo(*arguments)
        self.registers[at.HOST_JOURNAL] = mark

    @property
    def refund(self) -> int:
        """Return the refund counted so far, in gas."""
        return self.registers[at.REFUND]

    def add_refund(self, gas: int) -> None:
        """Count a refund."""
        self.registers[at.REFUND] += gas

    # --- logs

    def add_log(self, account: LiveAccount, topics: list[int], data: bytes) -> None:
        """Append a log."""
        registers = self.registers
        start = registers[at.LOGS_SIZE]
        size = at.LOG_HEAD_BYTES + 32 * len(topics) + len(data)
        if start + size > registers[at.LOGS_CAPACITY]:
            self.memory.grow_logs(start + size)
        head = b"".join(n.to_bytes(8, "little") for n in (account.number, len(topics), len(data)))
        body = head + b"".join(topic.to_bytes(32, "big") for topic in topics) + data
        self.memory.logs[start : start + size] = body
        registers[at.LOGS_SIZE] = start + size
        registers[at.LOG_COUNT] += 1

    def logs(self) -> tuple[tuple[bytes, tuple[bytes, ...], bytes], ...]:
        """Return the transaction's logs: address, topics, data."""
        found, place = [], 0
        written = bytes(self.memory.logs[: self.registers[at.LOGS_SIZE]])
        for _ in range(self.registers[at.LOG_COUNT]):
            number, topics, size = LOG_HEAD.unpack_from(written, place)
            place += at.LOG_HEAD_BYTES
            data = place + 32 * topics
            words = tuple([written[word : word + 32] for word in range(place, data, 32)])
            place = data + size
            found.append((self._listed[number].address, words, written[data:place]))
        return tuple(found)

    # --- transactions and their end

    def begin_transaction(self) -> None:
        """Start a transaction: nothing is warm, nothing is touched, every slot is original."""
        self.transaction += 1
        registers = self.registers
        registers[at.TRANSACTION] = self.transaction
        for place in (at.JOURNAL_COUNT, at.LOGS_SIZE, at.LOG_COUNT, at.REFUND, at.HOST_JOURNAL):
            registers[place] = 0
        self._journal.clear()
        self._touched.clear()
        self._destroyed.clear()
        self.codes.begin_transaction()

    def create(self, account: LiveAccount) -> None:
        """Start a contract at an address (EIP-161: its nonce is 1)."""
        self._note(setattr, account, "fresh", account.fresh)
        account.fresh = self.transaction
        self.set_nonce(account, 1)

    def destroy(self, account: LiveAccount) -> None:
        """Note that an account goes at the end of the transaction."""
        if account.address not in self._destroyed:
            self._destroyed[account.address] = account
            self._note(self._destroyed.pop, account.address)

    def end_transaction(self) -> None:
        """Remove what was destroyed, and what was touched and is empty (EIP-161)."""
        for account in self._destroyed.values():
            self._remove(account)
        for account in self._touched:
            is_touched = account.touched_in == self.transaction  # unless that was taken back
            if is_touched and account.exists and account.is_empty:
                self._remove(account)

    def _remove(self, account: LiveAccount) -> None:
        account.exists = False
        account.touched_in = 0  # what is paid to it from here on makes it exist again
        account.nonce = 0
        self.put_balance(account, 0)
        account.code_hash = EMPTY_CODE_HASH
        self.codes.forget_callable(account)
        self.slots.clear(account)

    # --- the end of the block

    def changes(self) -> StateChanges:
        """Return what the block leaves."""
        cleared = frozenset(a.address for a in self._listed if a.storage_gone and a.loaded)
        accounts = {
            account.address: final
            for account in self._listed
            if (final := _final(account)) != account.loaded or account.address in cleared
        }
        storage: dict[bytes, dict[int, int]] = {}
        for account, key, value in self.slots.written():
            if account.exists:
                storage.setdefault(account.address, {})[key] = value
                accounts.setdefault(account.address, _final(account))
        hashes = {a.code_hash for a in accounts.values() if a is not None} - {EMPTY_CODE_HASH}
        return StateChanges(accounts, storage, cleared, self.codes.written(hashes))


def _final(account: LiveAccount) -> Account | None:
    """Return an account as it stands, with the storage root that was loaded."""
    if not account.exists:
        return None
    root = account.loaded.storage_root if account.loaded else EMPTY_TRIE_ROOT
    return Account(account.nonce, account.balance, root, account.code_hash)
