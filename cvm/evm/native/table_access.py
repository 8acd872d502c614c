"""What the host does in the loop's tables of accounts and slots, one compiled call each."""

from cvm.evm.native import layout as at
from cvm.evm.native.frames import account_record
from cvm.evm.native.number_types import Limb, U, int64
from cvm.evm.native.raw_memory import load_byte, load_int, store_int, store_limb
from cvm.evm.native.slots import (
    ABSENT,
    add_slot,
    find_place,
    mixed,
    slot_address,
    touch,
    undo_slots,
    warm,
    write_journal,
)
from cvm.evm.native.word import from_limb, load_word, store_word
from cvm.evm.rlp_lists import ADDRESS_BYTES
from cvm.native_code import kernel


@kernel
def number_of(data: int, size: int) -> Limb:
    """Return the number of at most eight bytes, the highest first."""
    value = U(0)
    for place in range(size):
        value = value << U(8) | U(load_byte(data, place))
    return value


@kernel
def index_account(registers: int, account: int, address: int) -> None:
    """Write the 20 bytes of an account's address into its record, and enter it into the index."""
    record = account_record(registers, account)
    index, mask = load_int(registers, at.ACCOUNT_INDEX), load_int(registers, at.ACCOUNT_MASK)
    a, b, c = number_of(address + 12, 8), number_of(address + 4, 8), number_of(address, 4)
    store_limb(record, 0, a)
    store_limb(record, 1, b)
    store_limb(record, 2, c)
    place = int64(mixed(registers, a, b, c, U(0), 0)) & mask
    while load_int(index, place):
        place = (place + 1) & mask
    store_int(index, place, account + 1)


@kernel
def index_accounts(registers: int, first: int, count: int, addresses: int) -> None:
    """Enter accounts from a number on, whose addresses stand one after the other."""
    for account in range(count):
        index_account(registers, first + account, addresses + ADDRESS_BYTES * account)


@kernel
def index_slots(registers: int) -> None:
    """Enter every slot into an empty index."""
    for slot in range(load_int(registers, at.SLOT_COUNT)):
        record = slot_address(registers, slot)
        owner = load_int(record, at.SLOT_OWNER)
        _, place = find_place(registers, owner, record + at.SLOT_KEY * 8)
        store_int(load_int(registers, at.SLOT_INDEX), place, slot + 1)


@kernel
def find_slot(registers: int, owner: int, key: int) -> int:
    """Return the slot of an owner, fresh in this transaction, or ABSENT."""
    slot, _ = find_place(registers, owner, key)
    if slot != ABSENT:
        touch(registers, slot)
    return slot


@kernel
def insert_slot(registers: int, owner: int, key: int, value: int) -> int:
    """Add an absent slot with the word at an address as its value, and return it."""
    _, place = find_place(registers, owner, key)
    record = add_slot(registers, owner, key, place)
    store_word(record, at.SLOT_VALUE * 8, load_word(value, 0))
    slot = load_int(registers, at.SLOT_COUNT) - 1
    touch(registers, slot)
    return slot


@kernel
def set_slot(registers: int, slot: int, value: int) -> None:
    """Write the word at an address to a slot, for which the journal has room."""
    record = slot_address(registers, slot)
    write_journal(registers, record, at.VALUE_CHANGED)
    store_int(record, at.SLOT_WRITTEN, 1)
    store_word(record, at.SLOT_VALUE * 8, load_word(value, 0))


@kernel
def warm_slot(registers: int, slot: int) -> bool:
    """Warm a slot, for which the journal has room; tell whether it was cold."""
    return warm(registers, slot_address(registers, slot)) != 0


@kernel
def clear_slots(registers: int, slots: int, count: int) -> None:
    """Make slots zero for good; their numbers lie at an address."""
    for i in range(count):
        record = slot_address(registers, load_int(slots, i))
        store_word(record, at.SLOT_VALUE * 8, from_limb(U(0)))
        store_int(record, at.SLOT_WRITTEN, 1)


@kernel
def go_back(registers: int, mark: int) -> None:
    """Undo the journal of slots down to a mark."""
    undo_slots(registers, mark)
