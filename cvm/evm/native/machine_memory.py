"""The arrays that the compiled loop works on, and the registers that say where they lie."""

from array import array
from collections.abc import Sequence
from ctypes import string_at
from typing import Any

import numpy as np

from cvm.evm.machine_limits import CALL_DEPTH_LIMIT
from cvm.evm.native import layout as at
from cvm.evm.native.keccak import ROUND_CONSTANTS, round_constants
from cvm.evm.table_secret import TABLE_SECRET

Array = np.ndarray[Any, Any]
START_MEMORY_BYTES = 1 << 20
START_RETURN_BYTES = 1 << 16
START_LOG_BYTES = 1 << 16
START_SLOTS = 1 << 10
START_JOURNAL = 1 << 10
START_ACCOUNTS = 1 << 8
START_BLOB_HASHES = 16
CONSTANTS = array("q", [value - (value >> 63 << 64) for value in round_constants()])
MAX_MEMORY_BYTES = 1 << 33
"""More than any gas limit pays for; a request above it is a fault of this program."""


def address_of(array: Array) -> int:
    """Return where an array's bytes lie."""
    return int(array.ctypes.data)


def view_of(array: Array) -> memoryview:
    """Return a view of an array, whose elements Python reads faster than NumPy's."""
    buffer: Any = array  # a buffer before Python 3.12 has no name for that
    return memoryview(buffer)


def new_scratch() -> Array:
    """Return room for `keccak.keccak256` and division, with keccak's constants in their place."""
    scratch = np.zeros(at.SCRATCH_BYTES // 8, np.int64)
    scratch[ROUND_CONSTANTS : ROUND_CONSTANTS + len(CONSTANTS)] = CONSTANTS
    return scratch


class MachineMemory:
    """Buffers of one machine; each grows when the loop or the host asks, and never shrinks.

    `registers`, `frames`, `accounts` and `slots` are views of int64; `stack`, `memory`,
    `return_data`, `logs`, `environment`, `blob_hashes` and `slot_bytes` are views of bytes.
    `key` and `value` are two words through which the host hands words to compiled functions.
    """

    def __init__(self) -> None:
        self._arrays: dict[int, Array] = {}
        self._registers = np.zeros(at.REGISTERS, np.int64)
        self.registers = view_of(self._registers)
        self.address = address_of(self._registers)
        keys = slice(at.HASH_KEYS, at.HASH_KEYS + at.HASH_KEY_COUNT)
        self._registers[keys] = np.frombuffer(TABLE_SECRET, np.int64)
        depth = CALL_DEPTH_LIMIT + 1
        self.stack = self._bytes(at.STACK, depth * at.STACK_BYTES)
        self.memory = self._bytes(at.MEMORY, START_MEMORY_BYTES, at.MEMORY_SIZE)
        self.return_data = self._bytes(at.RETURN_DATA, START_RETURN_BYTES, at.RETURN_CAPACITY)
        self.logs = self._bytes(at.LOGS, START_LOG_BYTES, at.LOGS_CAPACITY)
        self.environment = self._bytes(at.ENVIRONMENT, at.ENVIRONMENT_WORDS * at.WORD_BYTES)
        self.blob_hashes = self._bytes(at.BLOB_HASHES, START_BLOB_HASHES * at.WORD_BYTES)
        self.frames = self._ints(at.FRAMES, depth * at.FRAME_FIELDS)
        self.opcodes = self._ints(at.OPCODES, 256)
        self.accounts = self._ints(at.ACCOUNTS, START_ACCOUNTS * at.ACCOUNT_FIELDS)
        self.slots = self._ints(at.SLOTS, START_SLOTS * at.SLOT_FIELDS)
        self.slot_bytes = self.slots.cast("B")
        self._ints(at.JOURNAL, START_JOURNAL * at.JOURNAL_FIELDS)
        self._limit(at.SLOT_LIMIT, START_SLOTS)
        self._limit(at.JOURNAL_LIMIT, START_JOURNAL)
        self.account_index = self._ints(at.ACCOUNT_INDEX, 2 * START_ACCOUNTS)
        self.slot_index = self._ints(at.SLOT_INDEX, 2 * START_SLOTS)
        self._limit(at.ACCOUNT_MASK, 2 * START_ACCOUNTS - 1)
        self._limit(at.SLOT_MASK, 2 * START_SLOTS - 1)
        self._words = np.zeros(2 * at.WORD_BYTES, np.uint8)
        self.key_address = address_of(self._words)
        self.value_address = self.key_address + at.WORD_BYTES
        self.key, self.value = view_of(self._words[:32]), view_of(self._words[32:])
        scratch = self._ints(at.SCRATCH, at.SCRATCH_BYTES // 8)
        scratch[ROUND_CONSTANTS : ROUND_CONSTANTS + len(CONSTANTS)] = CONSTANTS

    @property
    def account_room(self) -> int:
        """Return how many account records there are."""
        return len(self.accounts) // at.ACCOUNT_FIELDS

    @property
    def grown_bytes(self) -> int:
        """Return how many bytes lie here, but for the stack and the frames, which do not grow."""
        fixed = (at.STACK, at.FRAMES)
        return sum(array.size for place, array in self._arrays.items() if place not in fixed)

    @staticmethod
    def word_at(address: int) -> int:
        """Return the word at an address of one of the buffers."""
        return int.from_bytes(string_at(address, at.WORD_BYTES), "little")

    def grow_memory(self, size_bytes: int) -> None:
        """Make room for the memories of all frames."""
        self.memory = self._grown(at.MEMORY, size_bytes, at.MEMORY_SIZE)

    def grow_return_data(self, size_bytes: int) -> None:
        """Make room for what a call returns."""
        self.return_data = self._grown(at.RETURN_DATA, size_bytes, at.RETURN_CAPACITY)

    def grow_logs(self, size_bytes: int) -> None:
        """Make room for the bytes of logs."""
        self.logs = self._grown(at.LOGS, size_bytes, at.LOGS_CAPACITY)

    def set_blob_hashes(self, hashes: Sequence[bytes]) -> None:
        """Write the versioned hashes of a transaction as words."""
        size_bytes = len(hashes) * at.WORD_BYTES
        if size_bytes > len(self.blob_hashes):
            self.blob_hashes = self._grown(at.BLOB_HASHES, size_bytes)
        self.blob_hashes[:size_bytes] = b"".join(item[::-1] for item in hashes)
        self._limit(at.BLOB_COUNT, len(hashes))

    def grow_journal(self) -> None:
        """Double the journal of slots."""
        room = 2 * self.registers[at.JOURNAL_LIMIT]
        self._grown(at.JOURNAL, room * at.JOURNAL_FIELDS * 8)
        self._limit(at.JOURNAL_LIMIT, room)

    def grow_slots(self) -> None:
        """Double the slot records; the index must be filled again by the caller."""
        room = 2 * self.registers[at.SLOT_LIMIT]
        self.slot_bytes = self._grown(at.SLOTS, room * at.SLOT_FIELDS * 8)
        self.slots = self.slot_bytes.cast("q")
        self._limit(at.SLOT_LIMIT, room)
        self.slot_index = self._ints(at.SLOT_INDEX, 2 * room)
        self._limit(at.SLOT_MASK, 2 * room - 1)

    def grow_accounts(self) -> None:
        """Double the account records; the index must be filled again by the caller."""
        room = 2 * self.account_room
        self.accounts = self._grown(at.ACCOUNTS, room * at.ACCOUNT_FIELDS * 8).cast("q")
        self.account_index = self._ints(at.ACCOUNT_INDEX, 2 * room)
        self._limit(at.ACCOUNT_MASK, 2 * room - 1)

    def _bytes(self, register: int, size_bytes: int, capacity: int | None = None) -> memoryview:
        """Return a new buffer of zeros and note it in its registers."""
        array = np.zeros(size_bytes, np.uint8)
        self._arrays[register] = array
        self._limit(register, address_of(array))
        if capacity is not None:
            self._limit(capacity, size_bytes)
        return view_of(array)

    def _ints(self, register: int, count: int) -> memoryview:
        """Return a new buffer of int64 zeros."""
        return self._bytes(register, count * 8).cast("q")

    def _grown(self, register: int, size_bytes: int, capacity: int | None = None) -> memoryview:
        """Return a larger buffer with the same contents, at least twice as large."""
        if size_bytes > MAX_MEMORY_BYTES:
            raise MemoryError(f"the machine asked for {size_bytes} bytes")
        old = self._arrays[register]
        view = self._bytes(register, max(size_bytes, 2 * old.size), capacity)
        self._arrays[register][: old.size] = old
        return view

    def _limit(self, register: int, value: int) -> None:
        """Write a register."""
        self.registers[register] = value
