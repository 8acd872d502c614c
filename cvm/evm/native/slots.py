"""Storage inside the loop: a hash table of slots with what they were, and a journal to go back.

A slot belongs to an account (by number) or to its transient storage. The table lives for a block; a
slot that an earlier transaction saw is made fresh when it is first touched: cold, and its original
value is what it holds (EIP-2200), or zero if it is transient (EIP-1153).
"""

from cvm.evm.native import layout as at
from cvm.evm.native.number_types import Limb, U, Word, int64
from cvm.evm.native.raw_memory import load_int, load_limb, store_int
from cvm.evm.native.word import from_limb, load_word, store_word
from cvm.native_code import inlined, kernel

ABSENT = -1
LOW_HALF = U(0xFFFFFFFF)


@inlined
def halves(registers: int, pair: int, value: Limb) -> Limb:
    """Return the part of a hash that the two halves of a limb make with two secret keys."""
    low, high = value & LOW_HALF, value >> U(32)
    keys = at.HASH_KEYS + 2 * pair
    return (load_limb(registers, keys) + low) * (load_limb(registers, keys + 1) + high)


@inlined
def mixed(registers: int, a: Limb, b: Limb, c: Limb, d: Limb, owner: int) -> Limb:
    """Return a hash of five integers, in 32 bits.

    Addresses and keys of slots are chosen by whoever writes a contract. With keys that are drawn
    when a process starts nobody can choose many that meet in one place, where each would be
    searched past all others (D. Lemire, O. Kaser: Strongly universal string hashing is fast, 2014,
    multilinear-HM). The keys decide places, and nothing that a block shows.
    """
    total = halves(registers, 0, a) + halves(registers, 1, b) + halves(registers, 2, c)
    total += halves(registers, 3, d) + halves(registers, 4, U(owner))
    return total >> U(32)


@inlined
def slot_address(registers: int, slot: int) -> int:
    """Return where the record of a slot lies."""
    return load_int(registers, at.SLOTS) + slot * (at.SLOT_FIELDS * 8)


@kernel
def find_place(registers: int, owner: int, key: int) -> tuple[int, int]:
    """Return the slot with the word at address `key`, or ABSENT; and its place in the index."""
    index, mask = load_int(registers, at.SLOT_INDEX), load_int(registers, at.SLOT_MASK)
    a, b, c, d = load_limb(key, 0), load_limb(key, 1), load_limb(key, 2), load_limb(key, 3)
    place = int64(mixed(registers, a, b, c, d, owner)) & mask
    while True:
        slot = load_int(index, place) - 1
        if slot < 0:
            return ABSENT, place
        record = slot_address(registers, slot)
        if (
            load_int(record, at.SLOT_OWNER) == owner
            and load_limb(record, at.SLOT_KEY) == a
            and load_limb(record, at.SLOT_KEY + 1) == b
            and load_limb(record, at.SLOT_KEY + 2) == c
            and load_limb(record, at.SLOT_KEY + 3) == d
        ):
            return slot, place
        place = (place + 1) & mask


@kernel
def touch(registers: int, slot: int) -> int:
    """Make a slot fresh in this transaction and return where its record lies."""
    record = slot_address(registers, slot)
    transaction = load_int(registers, at.TRANSACTION)
    if load_int(record, at.SLOT_SEEN) != transaction:
        store_int(record, at.SLOT_SEEN, transaction)
        store_int(record, at.SLOT_WARM, 0)
        if load_int(record, at.SLOT_OWNER) >= at.TRANSIENT:
            store_word(record, at.SLOT_VALUE * 8, from_limb(U(0)))
        store_word(record, at.SLOT_ORIGINAL * 8, load_word(record, at.SLOT_VALUE * 8))
    return record


@kernel
def add_slot(registers: int, owner: int, key: int, place: int) -> int:
    """Append a slot of value zero, for which there is room, and return where its record lies."""
    slot = load_int(registers, at.SLOT_COUNT)
    store_int(registers, at.SLOT_COUNT, slot + 1)
    store_int(load_int(registers, at.SLOT_INDEX), place, slot + 1)
    record = slot_address(registers, slot)
    store_int(record, at.SLOT_OWNER, owner)
    store_int(record, at.SLOT_SEEN, 0)
    store_int(record, at.SLOT_WARM, 0)
    store_int(record, at.SLOT_WRITTEN, 0)
    store_word(record, at.SLOT_KEY * 8, load_word(key, 0))
    store_word(record, at.SLOT_VALUE * 8, from_limb(U(0)))
    return record


@inlined
def has_room(registers: int) -> bool:
    """Tell whether one more slot and two more journal records fit."""
    return load_int(registers, at.SLOT_COUNT) < load_int(registers, at.SLOT_LIMIT) and load_int(
        registers, at.JOURNAL_COUNT
    ) + 2 <= load_int(registers, at.JOURNAL_LIMIT)


@kernel
def write_journal(registers: int, record: int, kind: int) -> None:
    """Note what a slot is before it changes."""
    count = load_int(registers, at.JOURNAL_COUNT)
    store_int(registers, at.JOURNAL_COUNT, count + 1)
    entry = load_int(registers, at.JOURNAL) + count * (at.JOURNAL_FIELDS * 8)
    slot = (record - load_int(registers, at.SLOTS)) // (at.SLOT_FIELDS * 8)
    store_int(entry, at.JOURNAL_SLOT, slot)
    store_int(entry, at.JOURNAL_KIND, kind)
    store_word(entry, at.JOURNAL_OLD * 8, load_word(record, at.SLOT_VALUE * 8))


@kernel
def undo_slots(registers: int, mark: int) -> None:
    """Take every slot back to what it was when the journal had `mark` records."""
    journal = load_int(registers, at.JOURNAL)
    for i in range(load_int(registers, at.JOURNAL_COUNT) - 1, mark - 1, -1):
        entry = journal + i * (at.JOURNAL_FIELDS * 8)
        record = slot_address(registers, load_int(entry, at.JOURNAL_SLOT))
        if load_int(entry, at.JOURNAL_KIND) == at.SLOT_WARMED:
            store_int(record, at.SLOT_WARM, 0)
        else:
            store_word(record, at.SLOT_VALUE * 8, load_word(entry, at.JOURNAL_OLD * 8))
    store_int(registers, at.JOURNAL_COUNT, mark)


@kernel
def warm(registers: int, record: int) -> int:
    """Return what the first access in the transaction costs more than a later one (EIP-2929)."""
    if load_int(record, at.SLOT_WARM):
        return 0
    write_journal(registers, record, at.SLOT_WARMED)
    store_int(record, at.SLOT_WARM, 1)
    return at.COLD_SLOT_GAS


@kernel
def store_gas(registers: int, record: int, new: Word) -> int:
    """Return what writing a touched slot costs beside its warming, and count the refund.

    EIP-2200 with the prices of EIP-2929 and EIP-3529.
    """
    zero = from_limb(U(0))
    current = load_word(record, at.SLOT_VALUE * 8)
    original = load_word(record, at.SLOT_ORIGINAL * 8)
    if current == new:
        return at.WARM_GAS
    refund = load_int(registers, at.REFUND)
    if original == current:
        if original == zero:
            return at.SSTORE_SET_GAS
        if new == zero:
            store_int(registers, at.REFUND, refund + at.SSTORE_CLEAR_REFUND)
        return at.SSTORE_RESET_GAS
    if original != zero:
        if current == zero:
            refund -= at.SSTORE_CLEAR_REFUND
        elif new == zero:
            refund += at.SSTORE_CLEAR_REFUND
    if original == new:
        first = at.SSTORE_SET_GAS if original == zero else at.SSTORE_RESET_GAS
        refund += first - at.WARM_GAS
    store_int(registers, at.REFUND, refund)
    return at.WARM_GAS
