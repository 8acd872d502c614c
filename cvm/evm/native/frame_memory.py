"""A frame's memory, code and data: growing, copying with zeros after the end, jumps."""

from cvm.evm.native import layout as at
from cvm.evm.native.frames import TOO_LARGE, as_size, memory_gas
from cvm.evm.native.number_types import U, Word
from cvm.evm.native.raw_memory import load_byte, load_int, move_bytes, store_int, zero_bytes
from cvm.evm.native.word import from_limb, load_word, shift_left, shift_right, swap_bytes
from cvm.native_code import inlined, kernel

W = at.WORD_BYTES


@kernel
def read_padded(start: int, size: int, offset: Word) -> Word:
    """Return the big-endian word at an offset of some bytes, zeros after their end."""
    first = as_size(offset)
    result = from_limb(U(0))
    if first >= size:
        return result
    if first + W <= size:
        return swap_bytes(load_word(start, first))
    for i in range(first, size):
        result = shift_left(result, U(8)) | from_limb(U(load_byte(start, i)))
    return shift_left(result, U(8 * (W - (size - first))))


@kernel
def pushed_value(code: int, pc: int, width: int) -> Word:
    """Return the 2 to 32 bytes at pc, the data of a PUSH; the code is padded."""
    value = swap_bytes(load_word(code, pc))
    return shift_right(value, U(8 * (W - width)))


@kernel
def copy_padded(target: int, source: int, source_size: int, offset: Word, size: int) -> None:
    """Copy `size` bytes from an offset, zeros after the source's end."""
    first = min(as_size(offset), source_size)
    here = min(size, source_size - first)
    move_bytes(target, source + first, here)
    zero_bytes(target + here, size - here)


@kernel
def reserved(registers: int, frame: int, gas: int, offset: Word, size: int) -> tuple[int, int, int]:
    """Make memory up to offset + size; return (gas left, offset, event).

    Gas that is below zero already is out of gas. With any event, nothing has changed.
    """
    if gas < 0:
        return gas, 0, at.OUT_OF_GAS
    if size == 0:
        return gas, 0, at.NONE
    start = as_size(offset)
    end = start + size
    if end >= TOO_LARGE:
        return gas, 0, at.OUT_OF_GAS
    used = load_int(frame, at.MEMORY_USED)
    if end <= used:
        return gas, start, at.NONE
    left = gas - memory_gas(used, end)
    if left < 0:
        return gas, 0, at.OUT_OF_GAS
    base, grown = load_int(frame, at.MEMORY_BASE), (end + 31) & ~31
    if base + grown > load_int(registers, at.MEMORY_SIZE):
        store_int(registers, at.NEEDED, base + grown)
        return gas, 0, at.NEED_MEMORY
    zero_bytes(load_int(registers, at.MEMORY) + base + used, grown - used)
    store_int(frame, at.MEMORY_USED, grown)
    return left, start, at.NONE


@inlined
def words_in(size: int) -> int:
    """Return how many words hold so many bytes."""
    return (size + 31) >> 5


@kernel
def jump_target(frame: int, target: Word) -> int:
    """Return where a jump leads, or -1 where no JUMPDEST is."""
    place = as_size(target)
    if place >= load_int(frame, at.CODE_SIZE):
        return -1
    return place if load_byte(load_int(frame, at.JUMPS), place) else -1
