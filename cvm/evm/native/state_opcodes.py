"""Opcodes of the loop that touch state: storage, transient storage, logs, accounts, blobs."""

from cvm.evm.native import layout as at
from cvm.evm.native.frame_memory import reserved
from cvm.evm.native.frames import account_record, as_size
from cvm.evm.native.number_types import U, Word
from cvm.evm.native.raw_memory import load_int, move_bytes, store_int
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
    from_limb,
    load_word,
    shift_left,
    shift_right,
    store_word,
    swap_bytes,
)
from cvm.native_code import kernel

W = at.WORD_BYTES


@kernel
def load_slot(registers: int, frame: int, top: int, gas: int) -> tuple[int, int]:
    """SLOAD: replace the key on top by its value; return (gas left, event)."""
    owner = load_int(frame, at.ADDRESS_ACCOUNT)
    slot, _ = find_place(registers, owner, top)
    if slot == ABSENT and gas < at.COLD_SLOT_GAS:
        return -1, at.OUT_OF_GAS  # it is read from the state for nobody who does not pay
    if slot == ABSENT or not has_room(registers):
        store_int(registers, at.SLOT_ACCOUNT, owner)
        return gas, at.NEED_SLOT if slot == ABSENT else at.NEED_SLOT_ROOM
    record = touch(registers, slot)
    gas -= at.WARM_GAS if load_int(record, at.SLOT_WARM) else at.COLD_SLOT_GAS
    if gas < 0:
        return gas, at.OUT_OF_GAS
    warm(registers, record)
    store_word(top, 0, load_word(record, at.SLOT_VALUE * 8))
    return gas, at.NONE


@kernel
def store_slot(registers: int, frame: int, top: int, gas: int) -> tuple[int, int]:
    """SSTORE: the key on top, the value below; return (gas left, event)."""
    if load_int(frame, at.FLAGS) & at.STATIC:
        return gas, at.WRITE_PROTECTION
    if gas <= at.SSTORE_STIPEND:
        return -1, at.OUT_OF_GAS
    owner = load_int(frame, at.ADDRESS_ACCOUNT)
    slot, _ = find_place(registers, owner, top)
    if slot == ABSENT or not has_room(registers):
        store_int(registers, at.SLOT_ACCOUNT, owner)
        return gas, at.NEED_SLOT if slot == ABSENT else at.NEED_SLOT_ROOM
    record = touch(registers, slot)
    new = load_word(top, -W)
    gas -= warm(registers, record) + store_gas(registers, record, new)
    if gas < 0:
        return gas, at.OUT_OF_GAS
    if load_word(record, at.SLOT_VALUE * 8) != new:
        write_journal(registers, record, at.VALUE_CHANGED)
        store_int(record, at.SLOT_WRITTEN, 1)
        store_word(record, at.SLOT_VALUE * 8, new)
    return gas, at.NONE


@kernel
def transient_slot(registers: int, frame: int, top: int, writes: bool) -> int:
    """TLOAD or TSTORE (EIP-1153); return an event."""
    if writes and load_int(frame, at.FLAGS) & at.STATIC:
        return at.WRITE_PROTECTION
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
def write_log(registers: int, frame: int, top: int, gas: int, topics: int) -> tuple[int, int]:
    """LOG0 to LOG4: append a log; return (gas left, event)."""
    if load_int(frame, at.FLAGS) & at.STATIC:
        return gas, at.WRITE_PROTECTION
    size = as_size(load_word(top, -W))
    used = load_int(frame, at.MEMORY_USED)
    gas -= at.LOG_TOPIC_GAS * topics + at.LOG_BYTE_GAS * size
    gas, start, event = reserved(registers, frame, gas, load_word(top, 0), size)
    if event != at.NONE:
        return gas, event
    written = load_int(registers, at.LOGS_SIZE)
    end = written + at.LOG_HEAD_BYTES + W * topics + size
    if end > load_int(registers, at.LOGS_CAPACITY):
        store_int(registers, at.NEEDED, end)
        store_int(frame, at.MEMORY_USED, used)
        return gas, at.NEED_LOGS
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
    return gas, at.NONE


@kernel
def load_balance(registers: int, frame: int, place: int) -> int:
    """SELFBALANCE: write the running account's balance to an address; return an event."""
    record = account_record(registers, load_int(frame, at.ADDRESS_ACCOUNT))
    if load_int(record, at.BALANCE_KNOWN) == 0:
        return at.NEED_BALANCE
    store_word(place, 0, load_word(record, at.BALANCE * 8))
    return at.NONE


@kernel
def blob_hash(registers: int, index: Word) -> Word:
    """BLOBHASH: return a versioned hash of the transaction, zero past the last (EIP-4844)."""
    place = as_size(index)
    if place >= load_int(registers, at.BLOB_COUNT):
        return from_limb(U(0))
    return load_word(load_int(registers, at.BLOB_HASHES), W * place)


@kernel
def address_word(registers: int, account: int) -> Word:
    """Return the address of an account as a word."""
    record = account_record(registers, account)
    return shift_right(shift_left(load_word(record, 0), U(96)), U(96))
