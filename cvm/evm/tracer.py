"""What can be watched while messages run: only the plain interpreter reports it."""

from typing import Protocol

from cvm.evm.frame_view import FrameView
from cvm.evm.messages import Message, Outcome


class TracedFrame(FrameView, Protocol):
    """A frame that a tracer may look into."""

    pc: int
    stack: list[int]
    memory: bytearray
    return_data: bytes
    message: Message


class Tracer(Protocol):
    """Told of every frame and every opcode, in order."""

    def enter(self, message: Message, opcode: int | None, depth: int, /) -> None:
        """Note that a message begins; `opcode` is what made it, None for the outermost."""

    def step(self, frame: TracedFrame, opcode: int, /) -> None:
        """Note that an opcode is about to run; nothing of it has been charged."""

    def exit(self, outcome: Outcome, depth: int, /) -> None:
        """Note that the message of this depth has ended."""

    def fault(self, frame: TracedFrame, error: str, /) -> None:
        """Note that the frame halts at its pc."""
