"""Code ready to run: padded bytes and a map of its JUMPDESTs, found once per code."""

from collections import OrderedDict
from contextlib import suppress

import numpy as np

from cvm.evm.native import layout
from cvm.evm.native.number_types import int64, uint8
from cvm.evm.native.raw_memory import load_byte, store_byte
from cvm.native_code import kernel

CACHE_BYTES = 64 * 2**20
"""Code and maps that stay in memory."""


@kernel
def mark_jump_destinations(code: int, size: int, jumps: int) -> None:
    """Write 1 for each JUMPDEST that no PUSH reads as data (Yellow Paper, 9.4.3)."""
    pc = 0
    while pc < size:
        op = int64(load_byte(code, pc))
        if op == 0x5B:
            store_byte(jumps, pc, uint8(1))
        pc += op - 0x5E if 0x60 <= op <= 0x7F else 1


class ContractCode:
    """Bytes of code with what an interpreter asks of them."""

    __slots__ = ("_jumps", "_padded", "address", "data", "jumps_address", "size")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)
        self._padded = np.frombuffer(data + bytes(layout.CODE_PADDING), np.uint8)
        self._jumps = np.zeros(max(len(data), 1), np.uint8)
        self.address = int(self._padded.ctypes.data)
        self.jumps_address = int(self._jumps.ctypes.data)
        mark_jump_destinations(self.address, self.size, self.jumps_address)

    def is_jump_destination(self, place: int) -> bool:
        """Tell whether a jump may lead to a byte of the code."""
        return place < self.size and bool(self._jumps[place])


class CodeCache:
    """The codes that ran last, by hash."""

    def __init__(self, budget_bytes: int = CACHE_BYTES) -> None:
        self._codes: OrderedDict[bytes, ContractCode] = OrderedDict()
        self._left_bytes = budget_bytes

    def get(self, code_hash: bytes, data: bytes) -> ContractCode:
        """Return the code with a hash, analysed."""
        code = self._codes.get(code_hash)
        if code is not None:
            with suppress(KeyError):  # another thread may have let it go
                self._codes.move_to_end(code_hash)
            return code
        code = ContractCode(data)
        self._codes[code_hash] = code
        self._left_bytes -= 2 * code.size
        while self._left_bytes < 0 and len(self._codes) > 1:
            with suppress(KeyError):
                self._left_bytes += 2 * self._codes.popitem(last=False)[1].size
        return code
