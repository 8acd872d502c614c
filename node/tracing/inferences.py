"""What an INFER or INFERARRAY that is about to run takes as its input."""

from cvm.evm.gas_costs import WARM_GAS
from cvm.evm.keccak import keccak256
from cvm.evm.machine_limits import WORD_BYTES
from cvm.evm.tracer import TracedFrame
from opcodes import gas
from opcodes.infer_array import WORDS, array_length
from opcodes.table import INFER


def inference_input(frame: TracedFrame, opcode: int) -> bytes:
    """Return the bytes that the model would be given; none where they cannot be paid for.

    The stack holds the operands. Memory that was never written is zeros.
    """
    stack = frame.stack
    if opcode == INFER:
        offset, size = stack[-2], stack[-3]
        if not can_pay(frame, size, gas.IO_WORD):
            return b""
        return bytes(frame.memory[offset : offset + size]).ljust(size, b"\0")
    return array_input(frame, stack[-2])


def array_input(frame: TracedFrame, slot: int) -> bytes:
    """Return a Solidity `bytes` of the contract's storage."""
    world = frame.world
    account = world.account(frame.address)
    head = world.storage(account, slot)
    length = array_length(head)
    if length is None or not can_pay(frame, length, WARM_GAS):
        return b""
    if length < WORD_BYTES:
        return head.to_bytes(WORD_BYTES, "big")[:length]
    first = int.from_bytes(keccak256(slot.to_bytes(WORD_BYTES, "big")), "big")
    words = [
        world.storage(account, (first + index) % WORDS).to_bytes(WORD_BYTES, "big")
        for index in range(-(-length // WORD_BYTES))
    ]
    return b"".join(words)[:length]


def can_pay(frame: TracedFrame, size: int, gas_per_word: int) -> bool:
    """Tell whether the frame has the gas without which so many bytes are not even read."""
    return frame.gas >= gas.INFER_BASE + gas_per_word * (size // WORD_BYTES)
