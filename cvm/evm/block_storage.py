"""Storage while a block runs, in the slots of the compiled loop, which both interpreters use."""

from array import array
from collections.abc import Iterator, Sequence

from cvm.evm.live_account import LiveAccount
from cvm.evm.native import layout as at
from cvm.evm.native import table_access as table
from cvm.evm.native.machine_memory import MachineMemory
from cvm.evm.state_reader import EMPTY_TRIE_ROOT, StateReader


class BlockStorage:
    """The slots that a block has seen, by their numbers in the loop's table.

    `accounts` are the block's accounts by their numbers.
    """

    def __init__(
        self, reader: StateReader, memory: MachineMemory, accounts: Sequence[LiveAccount]
    ) -> None:
        self._reader = reader
        self._memory = memory
        self._accounts = accounts
        self._slots_of: dict[int, array[int]] = {}

    def slot(self, account: LiveAccount, key: int) -> int:
        """Return the number of a slot, loaded when it is first asked for."""
        self._memory.key[:] = key.to_bytes(32, "little")
        return self.slot_at(account.number, self._memory.key_address)

    def slot_at(self, number: int, key_address: int) -> int:
        """Return the slot whose key is the word at an address, loaded if it was absent."""
        memory = self._memory
        slot = table.find_slot(memory.address, number, key_address)
        if slot >= 0:
            return int(slot)
        self.make_room()
        account = self._accounts[number]
        value = 0
        if not (account.storage_gone or account.loaded is None):
            value = self._reader.storage(account.address, memory.word_at(key_address))
        memory.value[:] = value.to_bytes(32, "little")
        slot = int(table.insert_slot(memory.address, number, key_address, memory.value_address))
        self._slots_of.setdefault(number, array("q")).append(slot)
        return slot

    def transient(self, account: LiveAccount, key: int) -> int:
        """Return the number of a slot of transient storage (EIP-1153)."""
        memory, owner = self._memory, account.number + at.TRANSIENT
        memory.key[:] = key.to_bytes(32, "little")
        slot = table.find_slot(memory.address, owner, memory.key_address)
        if slot >= 0:
            return int(slot)
        self.make_room()
        memory.value[:] = bytes(32)
        return int(
            table.insert_slot(memory.address, owner, memory.key_address, memory.value_address)
        )

    def make_room(self) -> None:
        """Make room for a slot and two journal records."""
        registers = self._memory.registers
        if registers[at.JOURNAL_COUNT] + 2 > registers[at.JOURNAL_LIMIT]:
            self._memory.grow_journal()
        if registers[at.SLOT_COUNT] >= registers[at.SLOT_LIMIT]:
            self._memory.grow_slots()
            table.index_slots(self._memory.address)

    def value(self, slot: int) -> int:
        """Return the value of a slot."""
        return self._word(slot, at.SLOT_VALUE)

    def original(self, slot: int) -> int:
        """Return the value that a slot had when the transaction began."""
        return self._word(slot, at.SLOT_ORIGINAL)

    def _word(self, slot: int, field: int) -> int:
        start = (slot * at.SLOT_FIELDS + field) * 8
        return int.from_bytes(self._memory.slot_bytes[start : start + 32], "little")

    def set(self, slot: int, value: int) -> None:
        """Write a slot."""
        self.make_room()
        self._memory.value[:] = value.to_bytes(32, "little")
        table.set_slot(self._memory.address, slot, self._memory.value_address)

    def warm(self, slot: int) -> bool:
        """Warm a slot; tell whether it was cold (EIP-2929)."""
        self.make_room()
        return bool(table.warm_slot(self._memory.address, slot))

    @staticmethod
    def is_used(account: LiveAccount) -> bool:
        """Tell whether an account has storage, as EIP-7610 asks before a creation."""
        if account.storage_gone or account.loaded is None:
            return False
        return account.loaded.storage_root != EMPTY_TRIE_ROOT

    def clear(self, account: LiveAccount) -> None:
        """Make every slot of an account zero for good."""
        account.storage_gone = True
        slots = self._slots_of.get(account.number)
        if slots is not None:
            slots_at, count = slots.buffer_info()
            table.clear_slots(self._memory.address, slots_at, count)

    def written(self) -> Iterator[tuple[LiveAccount, int, int]]:
        """Yield account, key and value of each slot that was written in the block."""
        slots, fields = self._memory.slots, at.SLOT_FIELDS
        for slot in range(self._memory.registers[at.SLOT_COUNT]):
            owner = slots[slot * fields]
            if slots[slot * fields + at.SLOT_WRITTEN] and owner < at.TRANSIENT:
                yield self._accounts[owner], self._word(slot, at.SLOT_KEY), self.value(slot)
