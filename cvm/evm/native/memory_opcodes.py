"""Opcodes of the loop that work on a range of memory: KECCAK256 and the copies.

Each returns (gas left, event); with any event nothing has changed.
"""

from cvm.evm.native import layout as at
from cvm.evm.native.frame_memory import copy_padded, reserved, words_in
from cvm.evm.native.frames import as_size
from cvm.evm.native.keccak import keccak256
from cvm.evm.native.raw_memory import load_int, move_bytes
from cvm.evm.native.word import load_word, store_word, swap_bytes
from cvm.native_code import kernel

CALLDATACOPY, RETURNDATACOPY = 0x37, 0x3E
W = at.WORD_BYTES


@kernel
def memory_of(registers: int, frame: int) -> int:
    """Return where the memory of a frame lies."""
    return load_int(registers, at.MEMORY) + load_int(frame, at.MEMORY_BASE)


@kernel
def hash_memory(registers: int, frame: int, top: int, gas: int) -> tuple[int, int]:
    """KECCAK256: the offset on top, the size below, which the hash replaces."""
    size = as_size(load_word(top, -W))
    gas -= at.KECCAK_WORD_GAS * words_in(size)
    gas, start, event = reserved(registers, frame, gas, load_word(top, 0), size)
    if event != at.NONE:
        return gas, event
    digest = keccak256(load_int(registers, at.SCRATCH), memory_of(registers, frame) + start, size)
    store_word(top, -W, swap_bytes(digest))
    return gas, at.NONE


@kernel
def copy_to_memory(registers: int, frame: int, top: int, gas: int, opcode: int) -> tuple[int, int]:
    """CALLDATACOPY, CODECOPY or RETURNDATACOPY: target on top, then offset and size."""
    size = as_size(load_word(top, -2 * W))
    gas -= at.COPY_WORD_GAS * words_in(size)
    if gas < 0:
        return gas, at.OUT_OF_GAS
    source, source_size = load_int(frame, at.CODE), load_int(frame, at.CODE_SIZE)
    if opcode == CALLDATACOPY:
        source = load_int(registers, at.MEMORY) + load_int(frame, at.INPUT)
        source_size = load_int(frame, at.INPUT_SIZE)
    elif opcode == RETURNDATACOPY:
        source, source_size = (
            load_int(registers, at.RETURN_DATA),
            load_int(registers, at.RETURN_SIZE),
        )
        if as_size(load_word(top, -W)) + size > source_size:
            return gas, at.RETURN_DATA_OUT_OF_BOUNDS
    gas, start, event = reserved(registers, frame, gas, load_word(top, 0), size)
    if event != at.NONE:
        return gas, event
    target = memory_of(registers, frame) + start
    copy_padded(target, source, source_size, load_word(top, -W), size)
    return gas, at.NONE


@kernel
def copy_inside(registers: int, frame: int, top: int, gas: int) -> tuple[int, int]:
    """MCOPY (EIP-5656): target on top, then source and size."""
    size = as_size(load_word(top, -2 * W))
    gas -= at.COPY_WORD_GAS * words_in(size)
    target, source = load_word(top, 0), load_word(top, -W)
    furthest = source if target < source else target
    gas, _, event = reserved(registers, frame, gas, furthest, size)
    if event != at.NONE:
        return gas, event
    if size:
        memory = memory_of(registers, frame)
        move_bytes(memory + as_size(target), memory + as_size(source), size)
    return gas, at.NONE
