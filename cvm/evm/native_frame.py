"""The running frame of the compiled loop as host opcodes see it: a view of its record."""

from ctypes import string_at
from struct import Struct
from typing import cast

from cvm.evm.contract_code import ContractCode
from cvm.evm.halts import OutOfGas, StackOverflow, StackUnderflow
from cvm.evm.machine_limits import STACK_LIMIT
from cvm.evm.message_rules import Rules
from cvm.evm.messages import Message, TransactionEnvironment
from cvm.evm.native import layout as at
from cvm.evm.world_state import Mark

FRAME = Struct("<20q32s")
"""The fields of `layout` from PC to VALUE."""

WORD_MASK = (1 << 256) - 1


class NativeFrame:
    """See `frame_view.FrameView`; `refreshed` finds the running frame."""

    __slots__ = ("_base", "_depth", "_memory", "_registers", "block", "transaction", "world")

    def __init__(self, rules: Rules) -> None:
        self.world = rules.world
        self.block = rules.block
        self.transaction = TransactionEnvironment(bytes(20), 0)
        self._memory = rules.world.memory
        self._registers = self._memory.registers
        self._depth = self._base = 0

    def refreshed(self) -> "NativeFrame":
        """Look at the frame that runs now."""
        self._depth = self._registers[at.DEPTH]
        self._base = self._depth * at.FRAME_FIELDS
        return self

    def field(self, place: int) -> int:
        """Return a field of the record."""
        return self._memory.frames[self._base + place]

    def _set(self, place: int, value: int) -> None:
        self._memory.frames[self._base + place] = value

    @property
    def address(self) -> bytes:
        """Return the address whose storage the frame uses."""
        return self.world.numbered(self.field(at.ADDRESS_ACCOUNT)).address

    @property
    def caller(self) -> bytes:
        """Return who called."""
        return self.world.numbered(self.field(at.CALLER_ACCOUNT)).address

    @property
    def value(self) -> int:
        """Return what CALLVALUE shows, in wei."""
        start = (self._base + at.VALUE) * 8
        return int.from_bytes(self._memory.frames.cast("B")[start : start + 32], "little")

    @property
    def is_static(self) -> bool:
        """Tell whether the state may not change."""
        return bool(self.field(at.FLAGS) & at.STATIC)

    @property
    def depth(self) -> int:
        """Return how many frames wait below."""
        return self._depth

    @property
    def gas(self) -> int:
        """Return the gas that is left."""
        return self.field(at.GAS)

    @property
    def top_address(self) -> int:
        """Return where the top word of the stack lies."""
        height = self.field(at.HEIGHT)
        stack = self._registers[at.STACK] + self._depth * at.STACK_BYTES
        return int(stack + (height - 1) * at.WORD_BYTES)

    def opcode(self) -> int:
        """Return the byte at pc."""
        return string_at(self.field(at.CODE) + self.field(at.PC), 1)[0]

    def step(self) -> None:
        """Go on after a host opcode, which is one byte."""
        self._memory.frames[self._base + at.PC] += 1

    def charge(self, gas: int) -> None:
        """Take gas; raises `OutOfGas`."""
        frames, place = self._memory.frames, self._base + at.GAS
        if gas > frames[place]:
            raise OutOfGas
        frames[place] -= gas

    def return_gas(self, gas: int) -> None:
        """Give gas back."""
        self._memory.frames[self._base + at.GAS] += gas

    def _word_place(self, height: int) -> int:
        return self._depth * at.STACK_BYTES + height * at.WORD_BYTES

    def pop(self) -> int:
        """Take the top word."""
        height = self.field(at.HEIGHT) - 1
        if height < 0:
            raise StackUnderflow
        self._set(at.HEIGHT, height)
        start = self._word_place(height)
        return int.from_bytes(self._memory.stack[start : start + 32], "little")

    def push(self, value: int) -> None:
        """Put a word on top."""
        height = self.field(at.HEIGHT)
        if height >= STACK_LIMIT:
            raise StackOverflow
        start = self._word_place(height)
        self._memory.stack[start : start + 32] = value.to_bytes(32, "little")
        self._set(at.HEIGHT, height + 1)

    def reserve(self, *ranges: tuple[int, int]) -> None:
        """Make memory for ranges (offset, size) and charge once for the furthest."""
        end = max((offset + size for offset, size in ranges if size), default=0)
        used = self.field(at.MEMORY_USED)
        if end <= used:
            return
        if end >= at.MOST_OFFSET:
            raise OutOfGas
        words, old = (end + 31) >> 5, used >> 5
        self.charge(at.MEMORY_WORD_GAS * (words - old) + (words * words >> 9) - (old * old >> 9))
        base, grown = self.field(at.MEMORY_BASE), words << 5
        if base + grown > self._registers[at.MEMORY_SIZE]:
            self._memory.grow_memory(base + grown)
        self._memory.memory[base + used : base + grown] = bytes(grown - used)
        self._set(at.MEMORY_USED, grown)

    def read(self, offset: int, size: int) -> bytes:
        """Return reserved memory."""
        if not size:
            return b""
        start = self.field(at.MEMORY_BASE) + offset
        return bytes(self._memory.memory[start : start + size])

    def write(self, offset: int, data: bytes) -> None:
        """Write reserved memory."""
        if data:
            start = self.field(at.MEMORY_BASE) + offset
            self._memory.memory[start : start + len(data)] = data

    def code_address(self) -> bytes:
        """Return the precompile that a frame without code stands for."""
        return self.world.numbered(self.field(at.CALLEE)).address

    def input(self) -> bytes:
        """Return the call's data as `view` does."""
        start = self.field(at.INPUT)
        return cast("bytes", self._memory.memory[start : start + self.field(at.INPUT_SIZE)])

    def view(self, offset: int, size: int) -> bytes:
        """Return reserved memory where it lies: to be measured and sliced, before any write."""
        start = self.field(at.MEMORY_BASE) + offset if size else 0
        return cast("bytes", self._memory.memory[start : start + size])

    def place_output(self, output: bytes) -> None:
        """Write the output of a precompile to the start of its frame's memory."""
        base = self.field(at.MEMORY_BASE)
        if base + len(output) > self._registers[at.MEMORY_SIZE]:
            self._memory.grow_memory(base + len(output))
        self._memory.memory[base : base + len(output)] = output

    def set_return_data(self, data: bytes) -> None:
        """Set what RETURNDATACOPY reads."""
        size = len(data)
        if size > self._registers[at.RETURN_CAPACITY]:
            self._memory.grow_return_data(size)
        self._memory.return_data[:size] = data
        self._registers[at.RETURN_SIZE] = size

    def mark(self) -> Mark:
        """Return the marks to which the frame goes back if it fails."""
        places = (
            at.HOST_MARK,
            at.JOURNAL_MARK,
            at.LOGS_MARK,
            at.LOG_COUNT_MARK,
            at.REFUND_MARK,
        )
        host, slots, log_bytes, logs, refund = (self.field(place) for place in places)
        return host, slots, log_bytes, logs, refund

    def set_result(self, offset: int, size: int) -> None:
        """Say where in its caller's memory the output of the frame goes."""
        self._set(at.RESULT, offset)
        self._set(at.RESULT_SIZE, size)

    def push_frame(
        self, message: Message, code: ContractCode, mark: Mark, data: tuple[int, int], flags: int
    ) -> None:
        """Push the frame of a message on this one, or the first of all, and look at it.

        `data` is where in MEMORY the message's input lies, and its size.
        """
        data_at, data_size = data
        registers, frames, world = self._registers, self._memory.frames, self.world
        depth = registers[at.DEPTH] + 1
        below = (depth - 1) * at.FRAME_FIELDS
        base = (data_size + 31) & ~31
        if depth:
            base = frames[below + at.MEMORY_BASE] + frames[below + at.MEMORY_USED]
        registers[at.DEPTH] = depth
        registers[at.RETURN_SIZE] = 0
        self.refreshed()
        host, slots, log_bytes, logs, refund = mark
        FRAME.pack_into(
            frames,
            depth * at.FRAME_BYTES,
            *(0, 0, message.gas, base, 0),
            *(code.address, code.size, code.jumps_address),
            *(world.account(message.target).number, world.account(message.caller).number),
            flags | (at.STATIC if message.is_static else 0),
            *(data_at, data_size, 0, 0),
            *(slots, log_bytes, logs, refund, host),
            message.value.to_bytes(at.WORD_BYTES, "little"),
        )
