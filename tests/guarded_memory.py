"""Machine memory with marked bytes around every buffer, to see what writes outside."""

from typing import ClassVar

import numpy as np

from cvm.evm.native.machine_memory import Array, MachineMemory, address_of, view_of

GUARD_BYTES = 4096
MARK = 0xA5
MAX_KEPT_BYTES = 1 << 20
"""A buffer that was replaced is compared with what it was, unless it is larger."""


class MemoryOverrun(Exception):
    """Bytes outside of a buffer were written."""


class GuardedMemory(MachineMemory):
    """A machine's memory whose buffers lie between guards; `check` looks at all of them."""

    made: ClassVar["list[GuardedMemory]"] = []

    def __init__(self) -> None:
        self._guarded: dict[int, Array] = {}
        self._replaced: list[tuple[int, Array, bytes]] = []
        super().__init__()
        GuardedMemory.made.append(self)

    def _bytes(self, register: int, size_bytes: int, capacity: int | None = None) -> memoryview:
        old = self._guarded.get(register)
        if old is not None:
            self._check_guards(register, old)
        array = np.zeros(size_bytes + 2 * GUARD_BYTES, np.uint8)
        array[:GUARD_BYTES] = MARK
        array[size_bytes + GUARD_BYTES :] = MARK
        if old is not None and old.size <= MAX_KEPT_BYTES:
            self._replaced.append((register, old, old.tobytes()))
        self._guarded[register] = array
        inner = array[GUARD_BYTES : size_bytes + GUARD_BYTES]
        self._arrays[register] = inner
        self._limit(register, address_of(inner))
        if capacity is not None:
            self._limit(capacity, size_bytes)
        return view_of(inner)

    def guarded(self, register: int) -> Array:
        """Return a buffer with its guards."""
        return self._guarded[register]

    def check(self) -> None:
        """Look at every guard; raises `MemoryOverrun`."""
        for register, array in self._guarded.items():
            self._check_guards(register, array)
        for register, array, content in self._replaced:
            if array.tobytes() != content:
                raise MemoryOverrun(f"the old buffer of register {register} was written")

    @staticmethod
    def _check_guards(register: int, array: Array) -> None:
        if (array[:GUARD_BYTES] != MARK).any():
            raise MemoryOverrun(f"bytes before the buffer of register {register} were written")
        if (array[-GUARD_BYTES:] != MARK).any():
            raise MemoryOverrun(f"bytes after the buffer of register {register} were written")


def check_all() -> int:
    """Check every memory that was made since the last time, and forget it; return how many."""
    memories, GuardedMemory.made = GuardedMemory.made, []
    for memory in memories:
        memory.check()
    return len(memories)
