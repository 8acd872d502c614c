"""What host opcodes and added ones see of the running frame, in both interpreters."""

from typing import Protocol

from cvm.evm.messages import BlockEnvironment, TransactionEnvironment
from cvm.evm.world_state import WorldState


class FrameView(Protocol):
    """The running frame: stack, memory, gas, and who it is."""

    world: WorldState
    block: BlockEnvironment
    transaction: TransactionEnvironment

    @property
    def address(self) -> bytes:
        """Return the address whose storage the frame uses."""

    @property
    def caller(self) -> bytes:
        """Return who called."""

    @property
    def value(self) -> int:
        """Return what CALLVALUE shows, in wei."""

    @property
    def is_static(self) -> bool:
        """Tell whether the state may not change (EIP-214)."""

    @property
    def depth(self) -> int:
        """Return how many frames wait below."""

    @property
    def gas(self) -> int:
        """Return the gas that is left."""

    def charge(self, gas: int) -> None:
        """Take gas; raises `OutOfGas`."""

    def return_gas(self, gas: int) -> None:
        """Give gas back."""

    def pop(self) -> int:
        """Take the top word; that it is there was checked."""

    def push(self, value: int) -> None:
        """Put a word on top; that it fits was checked."""

    def reserve(self, *ranges: tuple[int, int]) -> None:
        """Make memory for ranges (offset, size) and charge once for the furthest; `OutOfGas`."""

    def read(self, offset: int, size: int) -> bytes:
        """Return reserved memory."""

    def write(self, offset: int, data: bytes) -> None:
        """Write reserved memory."""

    def set_return_data(self, data: bytes) -> None:
        """Set what RETURNDATACOPY reads."""
