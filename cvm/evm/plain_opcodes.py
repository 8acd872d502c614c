"""The opcodes that need no host, each as the Yellow Paper states it: the definition of the loop.

A function gets the frame after the base gas was charged; pc is moved on by the interpreter, unless
the opcode moves it itself.
"""

from collections.abc import Callable
from functools import partial
from types import MappingProxyType

from cvm.evm.gas_costs import (
    COLD_SLOT_GAS,
    COPY_WORD_GAS,
    EXP_BYTE_GAS,
    KECCAK_WORD_GAS,
    LOG_BYTE_GAS,
    LOG_TOPIC_GAS,
    SSTORE_CLEAR_REFUND,
    SSTORE_RESET_GAS,
    SSTORE_SET_GAS,
    SSTORE_STIPEND,
    WARM_GAS,
)
from cvm.evm.halts import InvalidJump, OutOfGas, ReturnDataOutOfBounds, WriteProtection
from cvm.evm.keccak import keccak256
from cvm.evm.plain_frame import PlainFrame

MODULUS = 1 << 256
WORD_MASK = MODULUS - 1
SIGN_BIT = 1 << 255

PlainOpcode = Callable[[PlainFrame], None]


def signed(value: int) -> int:
    """Return a word as a two's complement number."""
    return value - MODULUS if value & SIGN_BIT else value


def words_in(size: int) -> int:
    """Return how many words hold so many bytes."""
    return -(-size // 32)


def binary(operation: Callable[[int, int], int], frame: PlainFrame) -> None:
    """Pop a, b and push operation(a, b) mod 2**256."""
    a, b = frame.pop(), frame.pop()
    frame.push(operation(a, b) & WORD_MASK)


def ternary(operation: Callable[[int, int, int], int], frame: PlainFrame) -> None:
    """Pop a, b, n and push operation(a, b, n)."""
    a, b, n = frame.pop(), frame.pop(), frame.pop()
    frame.push(operation(a, b, n))


def unary(operation: Callable[[int], int], frame: PlainFrame) -> None:
    """Pop a and push operation(a)."""
    frame.push(operation(frame.pop()) & WORD_MASK)


def quotient(a: int, b: int) -> int:
    """DIV: floor of a / b, 0 for b = 0."""
    return a // b if b else 0


def signed_quotient(a: int, b: int) -> int:
    """SDIV: a / b rounded towards zero, 0 for b = 0."""
    x, y = signed(a), signed(b)
    if y == 0:
        return 0
    size = abs(x) // abs(y)
    return size if (x < 0) == (y < 0) else -size


def signed_remainder(a: int, b: int) -> int:
    """SMOD: the remainder with the sign of a, 0 for b = 0."""
    x, y = signed(a), signed(b)
    if y == 0:
        return 0
    size = abs(x) % abs(y)
    return -size if x < 0 else size


def sign_extended(index: int, value: int) -> int:
    """SIGNEXTEND: the low index + 1 bytes of a value with their sign."""
    if index >= 31:
        return value
    bits = 8 * (index + 1)
    low = value & ((1 << bits) - 1)
    return low - (1 << bits) if low >> (bits - 1) else low


def chosen_byte(index: int, value: int) -> int:
    """BYTE: byte `index` from the most significant, 0 past the last."""
    return value >> (8 * (31 - index)) & 0xFF if index < 32 else 0


def left(count: int, value: int) -> int:
    """SHL (EIP-145)."""
    return value << count if count < 256 else 0


def right(count: int, value: int) -> int:
    """SHR (EIP-145)."""
    return value >> count if count < 256 else 0


def right_signed(count: int, value: int) -> int:
    """SAR (EIP-145)."""
    return signed(value) >> min(count, 255)


def exp(frame: PlainFrame) -> None:
    """EXP: base ** exponent; 50 gas for each byte of the exponent (EIP-160)."""
    base, exponent = frame.pop(), frame.pop()
    frame.charge(EXP_BYTE_GAS * -(-exponent.bit_length() // 8))
    frame.push(pow(base, exponent, MODULUS))


def keccak(frame: PlainFrame) -> None:
    """KECCAK256 of a range of memory."""
    offset, size = frame.pop(), frame.pop()
    frame.charge(KECCAK_WORD_GAS * words_in(size))
    frame.reserve((offset, size))
    frame.push(int.from_bytes(keccak256(frame.read(offset, size)), "big"))


def calldataload(frame: PlainFrame) -> None:
    """CALLDATALOAD: the word at an offset of the call's data, zeros after its end."""
    offset = frame.pop()
    frame.push(int.from_bytes(frame.message.data[offset : offset + 32].ljust(32, b"\0"), "big"))


def copy(source: Callable[[PlainFrame], bytes], frame: PlainFrame) -> None:
    """CALLDATACOPY or CODECOPY: copy to memory, zeros after the source's end."""
    target, offset, size = frame.pop(), frame.pop(), frame.pop()
    frame.charge(COPY_WORD_GAS * words_in(size))
    frame.reserve((target, size))
    if size:
        frame.write(target, source(frame)[offset : offset + size].ljust(size, b"\0"))


def returndatacopy(frame: PlainFrame) -> None:
    """RETURNDATACOPY: as `copy`, but reading past the end is a halt (EIP-211)."""
    target, offset, size = frame.pop(), frame.pop(), frame.pop()
    frame.charge(COPY_WORD_GAS * words_in(size))
    if offset + size > len(frame.return_data):
        raise ReturnDataOutOfBounds
    frame.reserve((target, size))
    frame.write(target, frame.return_data[offset : offset + size])


def blobhash(frame: PlainFrame) -> None:
    """BLOBHASH: a versioned hash of the transaction, 0 past the last (EIP-4844)."""
    index, hashes = frame.pop(), frame.transaction.blob_hashes
    frame.push(number_of(hashes[index]) if index < len(hashes) else 0)


def mload(frame: PlainFrame) -> None:
    """MLOAD."""
    offset = frame.pop()
    frame.reserve((offset, 32))
    frame.push(int.from_bytes(frame.read(offset, 32), "big"))


def mstore(frame: PlainFrame) -> None:
    """MSTORE."""
    offset, value = frame.pop(), frame.pop()
    frame.reserve((offset, 32))
    frame.write(offset, value.to_bytes(32, "big"))


def mstore8(frame: PlainFrame) -> None:
    """MSTORE8."""
    offset, value = frame.pop(), frame.pop()
    frame.reserve((offset, 1))
    frame.write(offset, bytes((value & 0xFF,)))


def mcopy(frame: PlainFrame) -> None:
    """MCOPY (EIP-5656)."""
    target, source, size = frame.pop(), frame.pop(), frame.pop()
    frame.charge(COPY_WORD_GAS * words_in(size))
    frame.reserve((target, size), (source, size))
    frame.write(target, frame.read(source, size))


def sload(frame: PlainFrame) -> None:
    """SLOAD (EIP-2929)."""
    world = frame.world
    slot = world.slots.slot(world.account(frame.address), frame.pop())
    frame.charge(COLD_SLOT_GAS if world.slots.warm(slot) else WARM_GAS)
    frame.push(world.slots.value(slot))


def sstore(frame: PlainFrame) -> None:
    """SSTORE (EIP-2200, EIP-2929, EIP-3529)."""
    if frame.is_static:
        raise WriteProtection
    if frame.gas <= SSTORE_STIPEND:
        raise OutOfGas
    world = frame.world
    key, new = frame.pop(), frame.pop()
    slot = world.slots.slot(world.account(frame.address), key)
    gas = COLD_SLOT_GAS if world.slots.warm(slot) else 0
    original, current = world.slots.original(slot), world.slots.value(slot)
    if current == new or original != current:
        gas += WARM_GAS
    else:
        gas += SSTORE_SET_GAS if original == 0 else SSTORE_RESET_GAS
    frame.charge(gas)
    world.add_refund(storage_refund(original, current, new))
    if current != new:
        world.slots.set(slot, new)


def storage_refund(original: int, current: int, new: int) -> int:
    """Return how a write changes the refund (EIP-3529)."""
    if current == new:
        return 0
    refund = 0
    if original:
        if current and not new:
            refund += SSTORE_CLEAR_REFUND
        elif not current and original != current:
            refund -= SSTORE_CLEAR_REFUND
    if original == new:
        refund += (SSTORE_RESET_GAS if original else SSTORE_SET_GAS) - WARM_GAS
    return refund


def tload(frame: PlainFrame) -> None:
    """TLOAD (EIP-1153)."""
    world = frame.world
    frame.push(world.slots.value(world.slots.transient(world.account(frame.address), frame.pop())))


def tstore(frame: PlainFrame) -> None:
    """TSTORE (EIP-1153)."""
    if frame.is_static:
        raise WriteProtection
    world = frame.world
    key, value = frame.pop(), frame.pop()
    world.slots.set(world.slots.transient(world.account(frame.address), key), value)


def jump(frame: PlainFrame) -> None:
    """JUMP; pc is left before its target, for the interpreter moves on."""
    target = frame.pop()
    if not frame.code.is_jump_destination(target):
        raise InvalidJump
    frame.pc = target - 1


def jumpi(frame: PlainFrame) -> None:
    """JUMPI."""
    target, condition = frame.pop(), frame.pop()
    if condition:
        if not frame.code.is_jump_destination(target):
            raise InvalidJump
        frame.pc = target - 1


def push_data(width: int, frame: PlainFrame) -> None:
    """PUSH1 to PUSH32: data past the end of the code is zero."""
    data = frame.code.data[frame.pc + 1 : frame.pc + 1 + width].ljust(width, b"\0")
    frame.push(int.from_bytes(data, "big"))
    frame.pc += width


def dup(depth: int, frame: PlainFrame) -> None:
    """DUP1 to DUP16."""
    frame.push(frame.stack[-depth])


def swap(depth: int, frame: PlainFrame) -> None:
    """SWAP1 to SWAP16."""
    stack = frame.stack
    stack[-1], stack[-1 - depth] = stack[-1 - depth], stack[-1]


def log(topics: int, frame: PlainFrame) -> None:
    """LOG0 to LOG4."""
    if frame.is_static:
        raise WriteProtection
    offset, size = frame.pop(), frame.pop()
    words = [frame.pop() for _ in range(topics)]
    frame.charge(LOG_TOPIC_GAS * topics + LOG_BYTE_GAS * size)
    frame.reserve((offset, size))
    frame.world.add_log(frame.world.account(frame.address), words, frame.read(offset, size))


def constant(value: Callable[[PlainFrame], int], frame: PlainFrame) -> None:
    """Push what the frame, the transaction or the block says."""
    frame.push(value(frame))


def number_of(data: bytes) -> int:
    """Return bytes as a big-endian number."""
    return int.from_bytes(data, "big")


def pop(frame: PlainFrame) -> None:
    """POP."""
    frame.pop()


def no_operation(_frame: PlainFrame) -> None:
    """JUMPDEST."""


BINARY: dict[int, Callable[[int, int], int]] = {
    0x01: lambda a, b: a + b,
    0x02: lambda a, b: a * b,
    0x03: lambda a, b: a - b,
    0x04: quotient,
    0x05: signed_quotient,
    0x06: lambda a, b: a % b if b else 0,
    0x07: signed_remainder,
    0x0B: sign_extended,
    0x10: lambda a, b: int(a < b),
    0x11: lambda a, b: int(a > b),
    0x12: lambda a, b: int(signed(a) < signed(b)),
    0x13: lambda a, b: int(signed(a) > signed(b)),
    0x14: lambda a, b: int(a == b),
    0x16: lambda a, b: a & b,
    0x17: lambda a, b: a | b,
    0x18: lambda a, b: a ^ b,
    0x1A: chosen_byte,
    0x1B: left,
    0x1C: right,
    0x1D: right_signed,
}
CONSTANTS: dict[int, Callable[[PlainFrame], int]] = {
    0x30: lambda f: number_of(f.address),
    0x32: lambda f: number_of(f.transaction.origin),
    0x33: lambda f: number_of(f.caller),
    0x34: lambda f: f.value,
    0x36: lambda f: len(f.message.data),
    0x38: lambda f: f.code.size,
    0x3A: lambda f: f.transaction.gas_price,
    0x3D: lambda f: len(f.return_data),
    0x41: lambda f: number_of(f.block.coinbase),
    0x42: lambda f: f.block.timestamp,
    0x43: lambda f: f.block.number,
    0x44: lambda f: number_of(f.block.prev_randao),
    0x45: lambda f: f.block.gas_limit,
    0x46: lambda f: f.block.chain_id,
    0x47: lambda f: f.world.account(f.address).balance,
    0x48: lambda f: f.block.base_fee,
    0x4A: lambda f: f.block.blob_base_fee,
    0x58: lambda f: f.pc,
    0x59: lambda f: len(f.memory),
    0x5A: lambda f: f.gas,
    0x5F: lambda _f: 0,
}


def _table() -> dict[int, PlainOpcode]:
    """Return every opcode of this module by its byte."""
    table: dict[int, PlainOpcode] = {
        0x08: partial(ternary, lambda a, b, n: (a + b) % n if n else 0),
        0x09: partial(ternary, lambda a, b, n: (a * b) % n if n else 0),
        0x0A: exp,
        0x15: partial(unary, lambda a: int(a == 0)),
        0x19: partial(unary, lambda a: ~a),
        0x1E: partial(unary, lambda a: 256 - a.bit_length()),
        0x20: keccak,
        0x35: calldataload,
        0x37: partial(copy, lambda f: f.message.data),
        0x39: partial(copy, lambda f: f.code.data),
        0x3E: returndatacopy,
        0x49: blobhash,
        0x50: pop,
        0x51: mload,
        0x52: mstore,
        0x53: mstore8,
        0x54: sload,
        0x55: sstore,
        0x56: jump,
        0x57: jumpi,
        0x5B: no_operation,
        0x5C: tload,
        0x5D: tstore,
        0x5E: mcopy,
    }
    table |= {byte: partial(binary, operation) for byte, operation in BINARY.items()}
    table |= {byte: partial(constant, value) for byte, value in CONSTANTS.items()}
    table |= {0x5F + width: partial(push_data, width) for width in range(1, 33)}
    table |= {0x7F + depth: partial(dup, depth) for depth in range(1, 17)}
    table |= {0x8F + depth: partial(swap, depth) for depth in range(1, 17)}
    table |= {0xA0 + topics: partial(log, topics) for topics in range(5)}
    return table


PLAIN_OPCODES = MappingProxyType(_table())
"""Every opcode that stays in its frame, by its byte."""
