"""What a plan asks of the machine that runs its kernels: memory, copies, launches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cvm.inference.tensor_type import Array

THREADS = 256
"""Threads of every block; `kernels/ieee.cuh` has the same number."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A function of device code: the file in `kernels/` that holds it, without `.cu`, and it."""

    source: str
    name: str


@dataclass(frozen=True, slots=True)
class Launch:
    """One kernel over a line of blocks; its only argument is the address of its record.

    A record is the C struct that the kernel declares, all of whose fields are 64-bit words:
    addresses, numbers, or the bits of a float32.
    """

    kernel: Kernel
    blocks: int
    record_address: int


class Memory(Protocol):
    """Device memory that is given back when nothing refers to this object any more."""

    @property
    def address(self) -> int:
        """Return where it starts; it is aligned to 256 bytes."""


class Device(Protocol):
    """A machine that runs kernels in the order in which they are launched.

    Every method raises `DeviceFault` where the machine fails.
    """

    def allocate(self, size_bytes: int) -> Memory:
        """Return memory with undefined contents."""

    def upload(self, address: int, array: Array) -> None:
        """Copy a C-ordered array to the device."""

    def download(self, address: int, array: Array) -> None:
        """Wait for all launches, then fill a C-ordered array from the device."""

    def wait(self) -> None:
        """Return when all launches have ended."""

    def run(self, launches: Sequence[Launch]) -> None:
        """Launch kernels, one after the other."""

    def recorded(self, launches: Sequence[Launch]) -> Callable[[], None]:
        """Return a function that does what `run(launches)` does, made to be called often."""
