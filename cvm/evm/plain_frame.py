"""A frame of the plain interpreter: Python integers and bytes, nothing hidden."""

from dataclasses import dataclass, field

from cvm.evm.contract_code import ContractCode
from cvm.evm.gas_costs import MEMORY_WORD_GAS
from cvm.evm.halts import OutOfGas, StackOverflow, StackUnderflow
from cvm.evm.machine_limits import STACK_LIMIT
from cvm.evm.messages import BlockEnvironment, Message, TransactionEnvironment
from cvm.evm.world_state import Mark, WorldState

MEMORY_QUADRATIC_DIVISOR = 512
MOST_OFFSET = 1 << 32
"""Memory of this many bytes costs more gas than any transaction has."""


@dataclass(slots=True)
class PlainFrame:
    """See `frame_view.FrameView`; `result` is where in the caller's memory the output goes."""

    world: WorldState
    block: BlockEnvironment
    transaction: TransactionEnvironment
    message: Message
    code: ContractCode
    mark: Mark
    depth: int
    gas: int
    result: tuple[int, int] = (0, 0)
    pc: int = 0
    stack: list[int] = field(default_factory=list)
    memory: bytearray = field(default_factory=bytearray)
    return_data: bytes = b""

    @property
    def address(self) -> bytes:
        """Return the address whose storage the frame uses."""
        return self.message.target

    @property
    def caller(self) -> bytes:
        """Return who called."""
        return self.message.caller

    @property
    def value(self) -> int:
        """Return what CALLVALUE shows, in wei."""
        return self.message.value

    @property
    def is_static(self) -> bool:
        """Tell whether the state may not change."""
        return self.message.is_static

    def charge(self, gas: int) -> None:
        """Take gas; raises `OutOfGas`."""
        if gas > self.gas:
            raise OutOfGas
        self.gas -= gas

    def return_gas(self, gas: int) -> None:
        """Give gas back."""
        self.gas += gas

    def pop(self) -> int:
        """Take the top word; raises `StackUnderflow`."""
        if not self.stack:
            raise StackUnderflow
        return self.stack.pop()

    def push(self, value: int) -> None:
        """Put a word on top; raises `StackOverflow`."""
        if len(self.stack) >= STACK_LIMIT:
            raise StackOverflow
        self.stack.append(value)

    def reserve(self, *ranges: tuple[int, int]) -> None:
        """Make memory for ranges (offset, size) and charge once for the furthest."""
        end = max((offset + size for offset, size in ranges if size), default=0)
        if end <= len(self.memory):
            return
        if end >= MOST_OFFSET:
            raise OutOfGas
        words = -(-end // 32)
        self.charge(memory_price(words) - memory_price(len(self.memory) // 32))
        self.memory.extend(bytes(32 * words - len(self.memory)))

    def read(self, offset: int, size: int) -> bytes:
        """Return reserved memory."""
        return bytes(self.memory[offset : offset + size]) if size else b""

    def write(self, offset: int, data: bytes) -> None:
        """Write reserved memory."""
        if data:
            self.memory[offset : offset + len(data)] = data

    def set_return_data(self, data: bytes) -> None:
        """Set what RETURNDATACOPY reads."""
        self.return_data = data


def memory_price(words: int) -> int:
    """Return what a memory of so many words has cost (Yellow Paper, 320)."""
    return MEMORY_WORD_GAS * words + words * words // MEMORY_QUADRATIC_DIVISOR
