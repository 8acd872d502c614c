"""Calls inside the loop: a frame is pushed for code that is here, and popped with its output."""

from cvm.evm.machine_limits import CALL_DEPTH_LIMIT
from cvm.evm.native import layout as at
from cvm.evm.native.number_types import U, Word, int64
from cvm.evm.native.raw_memory import load_int, load_limb, move_bytes, store_int, zero_bytes
from cvm.evm.native.slots import mixed, undo_slots
from cvm.evm.native.word import from_limb, limb, load_word, store_word
from cvm.native_code import inlined, kernel

CALL, DELEGATECALL, STATICCALL = 0xF1, 0xF4, 0xFA
ADDRESS_MASK = U(0xFFFFFFFF)
HOST_DOES_IT, PUSHED, PUSHED_PRECOMPILE = 0, 1, 2
TOO_LARGE = at.MOST_OFFSET


@inlined
def frame_address(registers: int, depth: int) -> int:
    """Return where the record of a frame lies."""
    return load_int(registers, at.FRAMES) + depth * at.FRAME_BYTES


@inlined
def stack_address(registers: int, depth: int) -> int:
    """Return where the stack of a frame begins."""
    return load_int(registers, at.STACK) + depth * at.STACK_BYTES


@inlined
def account_record(registers: int, account: int) -> int:
    """Return where the record of an account lies."""
    return load_int(registers, at.ACCOUNTS) + account * at.ACCOUNT_BYTES


@inlined
def as_size(value: Word) -> int:
    """Return a word as a size or an offset, TOO_LARGE where no gas pays for it."""
    low = limb(value, 0)
    if limb(value, 1) | limb(value, 2) | limb(value, 3) or low >= U(TOO_LARGE):
        return TOO_LARGE
    return int64(low)


@inlined
def memory_gas(used: int, end: int) -> int:
    """Return the price of growing a memory from `used` to `end` bytes (Yellow Paper, 320)."""
    if end <= used:
        return 0
    words, old = (end + 31) >> 5, used >> 5
    return at.MEMORY_WORD_GAS * (words - old) + (words * words >> 9) - (old * old >> 9)


@inlined
def range_end(offset: int, size: int) -> int:
    """Return where a range ends, 0 for an empty one, wherever that lies."""
    return offset + size if size else 0


@kernel
def find_account(registers: int, address: Word) -> int:
    """Return the number of the account with the low 20 bytes of a word, or -1."""
    a, b, c = limb(address, 0), limb(address, 1), limb(address, 2) & ADDRESS_MASK
    index, mask = load_int(registers, at.ACCOUNT_INDEX), load_int(registers, at.ACCOUNT_MASK)
    accounts = load_int(registers, at.ACCOUNTS)
    place = int64(mixed(registers, a, b, c, U(0), 0)) & mask
    while True:
        account = load_int(index, place) - 1
        if account < 0:
            return -1
        record = accounts + account * at.ACCOUNT_BYTES
        if load_limb(record, 0) == a and load_limb(record, 1) == b and load_limb(record, 2) == c:
            return account
        place = (place + 1) & mask


@inlined
def is_warm(registers: int, record: int) -> bool:
    """Tell whether an account is warm in the running transaction."""
    warm_in = load_int(record, at.WARM_IN)
    return warm_in == load_int(registers, at.TRANSACTION) or warm_in == at.ALWAYS_WARM


@kernel
def enter_call(registers: int, opcode: int) -> int:
    """Push the frame of a CALL without value, a DELEGATECALL or a STATICCALL.

    Only where the callee is warm, and a precompile or code that is here; otherwise, and for every
    failure, the host does the whole opcode, and nothing has changed.
    """
    depth = load_int(registers, at.DEPTH)
    frame = frame_address(registers, depth)
    top = stack_address(registers, depth) + at.WORD_BYTES * (load_int(frame, at.HEIGHT) - 1)
    operands = top - at.WORD_BYTES
    taken = 2
    if opcode == CALL:
        if load_word(top, -2 * at.WORD_BYTES) != from_limb(U(0)):
            return HOST_DOES_IT
        operands -= at.WORD_BYTES
        taken = 3
    account = find_account(registers, load_word(top, -at.WORD_BYTES))
    if account < 0 or depth + 1 > CALL_DEPTH_LIMIT:
        return HOST_DOES_IT
    record = account_record(registers, account)
    if load_int(record, at.CODE_AT) == 0 or not is_warm(registers, record):
        return HOST_DOES_IT
    input_at = as_size(load_word(operands, -at.WORD_BYTES))
    input_size = as_size(load_word(operands, -2 * at.WORD_BYTES))
    result_at = as_size(load_word(operands, -3 * at.WORD_BYTES))
    result_size = as_size(load_word(operands, -4 * at.WORD_BYTES))
    if input_size == TOO_LARGE or result_size == TOO_LARGE:
        return HOST_DOES_IT
    end = max(range_end(input_at, input_size), range_end(result_at, result_size))
    if end >= TOO_LARGE:
        return HOST_DOES_IT
    used = load_int(frame, at.MEMORY_USED)
    base = load_int(frame, at.MEMORY_BASE)
    gas = load_int(frame, at.GAS) - at.WARM_GAS - memory_gas(used, end)
    if gas < 0 or base + end + at.WORD_BYTES > load_int(registers, at.MEMORY_SIZE):
        return HOST_DOES_IT
    if end > used:
        grown = (end + 31) & ~31
        zero_bytes(load_int(registers, at.MEMORY) + base + used, grown - used)
        store_int(frame, at.MEMORY_USED, grown)
    asked = load_word(top, 0)
    most = gas - (gas >> at.CALL_GAS_SHIFT)
    given = most if not asked < from_limb(U(most)) else int64(limb(asked, 0))
    store_int(frame, at.GAS, gas - given)
    store_int(frame, at.HEIGHT, load_int(frame, at.HEIGHT) - taken - 4)
    _push(registers, frame, record, given)
    child = frame + at.FRAME_BYTES
    store_int(child, at.INPUT, base + input_at if input_size else 0)
    store_int(child, at.INPUT_SIZE, input_size)
    store_int(child, at.RESULT, result_at if result_size else 0)
    store_int(child, at.RESULT_SIZE, result_size)
    store_int(child, at.CALLEE, account)
    _set_parties(frame, child, opcode, account)
    if load_int(record, at.CODE_AT) == at.IS_PRECOMPILE:
        return PUSHED_PRECOMPILE
    return PUSHED


@kernel
def _push(registers: int, frame: int, record: int, gas: int) -> None:
    """Write what every new frame starts with above a frame, and make it the running one."""
    child = frame + at.FRAME_BYTES
    store_int(child, at.PC, 0)
    store_int(child, at.HEIGHT, 0)
    store_int(child, at.GAS, gas)
    base = load_int(frame, at.MEMORY_BASE) + load_int(frame, at.MEMORY_USED)
    store_int(child, at.MEMORY_BASE, base)
    store_int(child, at.MEMORY_USED, 0)
    store_int(child, at.CODE, load_int(record, at.CODE_AT))
    store_int(child, at.CODE_SIZE, load_int(record, at.CODE_SIZE_AT))
    store_int(child, at.JUMPS, load_int(record, at.JUMPS_AT))
    set_marks(registers, child)
    store_int(registers, at.DEPTH, load_int(registers, at.DEPTH) + 1)
    store_int(registers, at.RETURN_SIZE, 0)


@kernel
def set_marks(registers: int, frame: int) -> None:
    """Note how far every journal reaches, to go back there if the frame fails."""
    store_int(frame, at.JOURNAL_MARK, load_int(registers, at.JOURNAL_COUNT))
    store_int(frame, at.LOGS_MARK, load_int(registers, at.LOGS_SIZE))
    store_int(frame, at.LOG_COUNT_MARK, load_int(registers, at.LOG_COUNT))
    store_int(frame, at.REFUND_MARK, load_int(registers, at.REFUND))
    store_int(frame, at.HOST_MARK, load_int(registers, at.HOST_JOURNAL))


@kernel
def _set_parties(frame: int, child: int, opcode: int, account: int) -> None:
    """Set who calls whom with which value, by the kind of call."""
    flags = load_int(frame, at.FLAGS) & at.STATIC
    if opcode == DELEGATECALL:
        store_int(child, at.ADDRESS_ACCOUNT, load_int(frame, at.ADDRESS_ACCOUNT))
        store_int(child, at.CALLER_ACCOUNT, load_int(frame, at.CALLER_ACCOUNT))
        store_word(child, at.VALUE * 8, load_word(frame, at.VALUE * 8))
    else:
        store_int(child, at.ADDRESS_ACCOUNT, account)
        store_int(child, at.CALLER_ACCOUNT, load_int(frame, at.ADDRESS_ACCOUNT))
        store_word(child, at.VALUE * 8, from_limb(U(0)))
        if opcode == STATICCALL:
            flags |= at.STATIC
    store_int(child, at.FLAGS, flags)


@kernel
def end_frame(registers: int, status: int, offset: int, size: int) -> int:
    """End the running frame with `size` bytes of its memory; return a reason, or 0 if popped.

    A failed frame takes slots, logs and refunds back to its marks; the host's journal first.
    """
    frame = frame_address(registers, load_int(registers, at.DEPTH))
    failed = status != at.SUCCEEDED
    if failed and load_int(registers, at.HOST_JOURNAL) != load_int(frame, at.HOST_MARK):
        return at.NEED_UNDO
    if size > load_int(registers, at.RETURN_CAPACITY):
        store_int(registers, at.NEEDED, size)
        return at.NEED_RETURN_DATA
    if failed:
        undo_slots(registers, load_int(frame, at.JOURNAL_MARK))
        store_int(registers, at.LOGS_SIZE, load_int(frame, at.LOGS_MARK))
        store_int(registers, at.LOG_COUNT, load_int(frame, at.LOG_COUNT_MARK))
        store_int(registers, at.REFUND, load_int(frame, at.REFUND_MARK))
    if status == at.HALTED:
        store_int(frame, at.GAS, 0)
    memory = load_int(registers, at.MEMORY)
    start = memory + load_int(frame, at.MEMORY_BASE) + offset
    move_bytes(load_int(registers, at.RETURN_DATA), start, size)
    store_int(registers, at.RETURN_SIZE, size)
    if load_int(frame, at.FLAGS) & at.HOST_ENDS:
        store_int(registers, at.STATUS, status)
        return at.FRAME_ENDED
    caller = frame - at.FRAME_BYTES
    store_int(caller, at.GAS, load_int(caller, at.GAS) + load_int(frame, at.GAS))
    copied = min(size, load_int(frame, at.RESULT_SIZE))
    target = memory + load_int(caller, at.MEMORY_BASE) + load_int(frame, at.RESULT)
    move_bytes(target, start, copied)
    depth = load_int(registers, at.DEPTH) - 1
    store_int(registers, at.DEPTH, depth)
    height = load_int(caller, at.HEIGHT)
    place = stack_address(registers, depth) + at.WORD_BYTES * height
    store_word(place, 0, from_limb(U(0) if failed else U(1)))
    store_int(caller, at.HEIGHT, height + 1)
    store_int(caller, at.PC, load_int(caller, at.PC) + 1)
    return 0
