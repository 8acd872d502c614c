"""Opcodes of the loop that touch state: storage, transient storage, logs, addresses."""

from cvm.evm.native import layout as at
from cvm.evm.native.number_types import (
    U,
    Word,
)
from cvm.evm.native.raw_memory import (
    load_int,
    move_bytes,
    store_int,
)
from cvm.evm.native.slots import (
    ABSENT,
    add_slot,
    find_place,
    has_room,
    store_gas,
    touch,
    warm,
    write_journal,
)
from cvm.evm.native.word import (
    load_word,
    shift_left,
    shift_right,
    store_word,
    swap_bytes,
)
from cvm.native_code import (
    kernel,
)

W = at.WORD_BYTES


@kernel
def load_slot(registers: int, frame: int, top: int, gas: int) -> tuple[int, int]:
    """SLOAD: replace the key on top by its value; return (gas left, event)."""
    owner = load_int(frame, at.ADDRESS_ACCOUNT)
    slot, _ = find_place(registers, owner, top)
    if slot == ABSENT and gas < at.COLD_SLOT_GAS:
        return -1, at.FAILED  # it is read from the state for nobody who does not pay
    if slot == ABSENT or not has_room(registers):
        store_int(registers, at.SLOT_ACCOUNT, owner)
        return gas, at.NEED_SLOT if slot == ABSENT else at.NEED_SLOT_ROOM
    record = touch(registers, slot)
    gas -= at.WARM_GAS if load_int(record, at.SLOT_WARM) else at.COLD_SLOT_GAS
    if gas < 0:
        return gas, at.FAILED
    warm(registers, record)
    store_word(top, 0, load_word(record, at.SLOT_VALUE * 8))
    return gas, at.NONE


@kernel
def store_slot(registers: int, frame: int, top: int, gas: int) -> tuple[int, int]:
    """SSTORE: the key on top, the value below; return (gas left, event)."""
    if gas <= at.SSTORE_STIPEND:
        return -1, at.FAILED
    owner = load_int(frame, at.ADDRESS_ACCOUNT)
    slot, _ = find_place(registers, owner, top)
    if slot == ABSENT or not has_room(registers):
        store_int(registers, at.SLOT_ACCOUNT, owner)
        return gas, at.NEED_SLOT if slot == ABSENT else at.NEED_SLOT_ROOM
    record = touch(registers, slot)
    new = load_word(top, -W)
    gas -= warm(registers, record) + store_gas(registers, record, new)
    if gas < 0:
        return gas, at.FAILED
    if load_word(record, at.SLOT_VALUE * 8) != new:
        write_journal(registers, record, at.VALUE_CHANGED)
        store_int(record, at.SLOT_WRITTEN, 1)
        store_word(record, at.SLOT_VALUE * 8, new)
    return gas, at.NONE


@kernel
def transient_slot(registers: int, frame: int, top: int, writes: bool) -> int:
    """TLOAD or TSTORE (EIP-1153); return an event."""
    if not has_room(registers):
        return at.NEED_SLOT_ROOM
    owner = load_int(frame, at.ADDRESS_ACCOUNT) + at.TRANSIENT
    slot, place = find_place(registers, owner, top)
    if slot == ABSENT:
        add_slot(registers, owner, top, place)
        slot = load_int(registers, at.SLOT_COUNT) - 1
    record = touch(registers, slot)
    if writes:
        write_journal(registers, record, at.VALUE_CHANGED)
        store_word(record, at.SLOT_VALUE * 8, load_word(top, -W))
    else:
        store_word(top, 0, load_word(record, at.SLOT_VALUE * 8))
    return at.NONE


@kernel
def write_log(registers: int, frame: int, top: int, topics: int, start: int, size: int) -> int:
    """Append a log whose memory is reserved; return an event."""
    written = load_int(registers, at.LOGS_SIZE)
    end = written + at.LOG_HEAD_BYTES + W * topics + size
    if end > load_int(registers, at.LOGS_CAPACITY):
        store_int(registers, at.NEEDED, end)
        return at.NEED_LOGS
    head = load_int(registers, at.LOGS) + written
    store_int(head, 0, load_int(frame, at.ADDRESS_ACCOUNT))
    store_int(head, 1, topics)
    store_int(head, 2, size)
    for i in range(topics):
        topic = swap_bytes(load_word(top, -W * (2 + i)))
        store_word(head, at.LOG_HEAD_BYTES + W * i, topic)
    data = load_int(registers, at.MEMORY) + load_int(frame, at.MEMORY_BASE) + start
    move_bytes(head + at.LOG_HEAD_BYTES + W * topics, data, size)
    store_int(registers, at.LOGS_SIZE, end)
    store_int(registers, at.LOG_COUNT, load_int(registers, at.LOG_COUNT) + 1)
    return at.NONE


@kernel
def address_word(registers: int, account: int) -> Word:
    """Return the address of an account as a word."""
    record = load_int(registers, at.ACCOUNTS) + account * (at.ACCOUNT_FIELDS * 8)
    return shift_right(shift_left(load_word(record, 0), U(96)), U(96))
