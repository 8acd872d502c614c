"""Reads a block's list of transactions in compiled code: fields, hash and signing hash of each.

Only what is well formed and of types 0 to 2 without an access list is read; anything else is left
to `transaction_decoding`, which is the definition and names the rule that is broken. A field of a
row is eight bytes, a word is 32 with the highest first, as the encoding has them.
"""

from cvm.evm.native.keccak import keccak256
from cvm.evm.native.list_trie import list_before, write_prefix
from cvm.evm.native.number_types import U, Word, int64, uint8
from cvm.evm.native.raw_memory import (
    load_byte,
    load_int,
    load_limb,
    move_bytes,
    store_byte,
    store_int,
    store_limb,
    zero_bytes,
)
from cvm.evm.native.word import from_limb, from_limbs, load_word, store_word, swap_bytes
from cvm.native_code import kernel

LIST = 0xC0
LONG = 56
"""Payloads from this size on have their length in bytes of its own."""
LENGTH_BYTES = 4
"""A length that takes more is left to the definition, which refuses it."""

# A row: fields by number, then words by their place in bytes.
FORM = 0  # type 0 to 2, or one of the two below
OTHER_LIST, OTHER_STRING = -1, -2
START, END = 1, 2  # of the EIP-2718 bytes
CHAIN_ID = 3  # -1: the signature names none
NONCE, GAS = 4, 5  # without sign
TO, TO_SIZE = 6, 7
DATA, DATA_SIZE = 8, 9
Y_PARITY = 10
TIP, CAP, VALUE, R, S, HASH, SIGNING_HASH = range(88, 312, 32)
ROW_BYTES = 312

# Where a call finds what it works on, in int64.
PAYLOAD = 0  # address of the list's payload
SIZE = 1
SCRATCH = 2  # address of keccak's scratch
FIELDS = 3  # address of MOST_FIELDS pairs: where a field's payload starts, and where it ends
MESSAGE = 4  # address of a buffer for what the sender signed
ROWS = 5
ROOM = 6  # rows
PLACE = 7  # where the next item starts
WORK_WORDS = 8

MOST_FIELDS = 12
MESSAGE_MARGIN = 32
"""Beside the encoding: the prefixes before it, and a chain id with two zeros behind it."""
SECP256K1_ORDER = (0xBFD25E8CD0364141, 0xBAAEDCE6AF48A03B, 0xFFFFFFFFFFFFFFFE, 0xFFFFFFFFFFFFFFFF)
HALF_ORDER = (0xDFE92F46681B20A0, 0x5D576E7357A4501D, 0xFFFFFFFFFFFFFFFF, 0x7FFFFFFFFFFFFFFF)
N0, N1, N2, N3 = (U(limb) for limb in SECP256K1_ORDER)
H0, H1, H2, H3 = (U(limb) for limb in HALF_ORDER)


@kernel
def item_bounds(data: int, place: int, end: int) -> tuple[int, int, bool]:
    """Return where the payload of the item at a place starts and ends, and whether it is a list.

    It ends at -1 where the prefix is not canonical, or beyond `end`.
    """
    prefix = int64(load_byte(data, place))
    if prefix < 0x80:
        return place, place + 1, False
    is_list = prefix >= LIST
    size = prefix - (LIST if is_list else 0x80)
    start = place + 1
    if size >= LONG:
        width = size - LONG + 1
        if width > LENGTH_BYTES or start + width > end:
            return start, int64(-1), is_list
        size = 0
        for i in range(width):
            size = size << 8 | int64(load_byte(data, start + i))
        if size < LONG or size >> (8 * (width - 1)) == 0:
            return start, int64(-1), is_list
        start += width
    stop = start + size
    if stop > end or (size == 1 and not is_list and load_byte(data, start) < uint8(0x80)):
        return start, int64(-1), is_list
    return start, stop, is_list


@kernel
def count_items(data: int, size: int) -> int:
    """Return how many items a list's payload has, or -1 less the place of one not canonical."""
    place, count = int64(0), 0
    while place < size:
        _start, stop, _is_list = item_bounds(data, place, size)
        if stop < 0:
            return -1 - place
        place = stop
        count += 1
    return count


@kernel
def split_fields(work: int, start: int, end: int, count: int, list_place: int) -> bool:
    """Find the fields of a transaction; there are so many, strings but for an empty list."""
    data, fields = load_int(work, PAYLOAD), load_int(work, FIELDS)
    place = start
    for number in range(count):
        if place >= end:
            return False
        first, stop, is_list = item_bounds(data, place, end)
        if stop < 0 or is_list != (number == list_place) or (is_list and stop != first):
            return False
        store_int(fields, 2 * number, first)
        store_int(fields, 2 * number + 1, stop)
        place = stop
    return place == end


@kernel
def read_number(work: int, field: int, row: int, target: int) -> bool:
    """Write a number of at most 64 bits in its shortest form; False where it is not that."""
    fields = load_int(work, FIELDS)
    start, stop = load_int(fields, 2 * field), load_int(fields, 2 * field + 1)
    data = load_int(work, PAYLOAD)
    if stop - start > 8 or (stop > start and load_byte(data, start) == uint8(0)):
        return False
    value = U(0)
    for place in range(start, stop):
        value = value << U(8) | U(load_byte(data, place))
    store_limb(row, target, value)
    return True


@kernel
def read_word(work: int, field: int, row: int, target: int) -> bool:
    """Write a number of at most 256 bits in its shortest form; False where it is not that."""
    fields = load_int(work, FIELDS)
    start, stop = load_int(fields, 2 * field), load_int(fields, 2 * field + 1)
    data = load_int(work, PAYLOAD)
    size = stop - start
    if size > 32 or (size > 0 and load_byte(data, start) == uint8(0)):
        return False
    store_word(row, target, from_limb(U(0)))
    move_bytes(row + target + 32 - size, data + start, size)
    return True


@kernel
def read_bounds(work: int, field: int, row: int, target: int) -> int:
    """Write where a byte string starts and its size; return the size."""
    fields = load_int(work, FIELDS)
    start, stop = load_int(fields, 2 * field), load_int(fields, 2 * field + 1)
    store_int(row, target, start)
    store_int(row, target + 1, stop - start)
    return stop - start


@kernel
def read_signature(work: int, field: int, row: int) -> bool:
    """Write r and s; 0 < r < n, 0 < s <= n / 2 (Yellow Paper, appendix F; EIP-2)."""
    if not (read_word(work, field, row, R) and read_word(work, field + 1, row, S)):
        return False
    zero = from_limb(U(0))
    r, s = swap_bytes(load_word(row, R)), swap_bytes(load_word(row, S))
    if r == zero or s == zero or from_limbs(H0, H1, H2, H3) < s:
        return False
    return r < from_limbs(N0, N1, N2, N3)


@kernel
def read_legacy_v(row: int) -> bool:
    """Turn the v in the place of the parity into chain id and parity (EIP-155)."""
    v = load_limb(row, Y_PARITY)
    if v == U(27) or v == U(28):
        store_int(row, CHAIN_ID, int64(-1))
        store_limb(row, Y_PARITY, v - U(27))
        return True
    store_limb(row, CHAIN_ID, (v - U(35)) >> U(1))
    store_limb(row, Y_PARITY, (v - U(35)) & U(1))
    return v >= U(35)


@kernel
def read_fields(work: int, form: int, row: int) -> bool:
    """Write the fields of a row but for the hashes; False where one is out of its bounds."""
    first = 1 if form else 0
    fee = first + 1
    cap = fee + 1 if form == 2 else fee
    signature = cap + 5 + first  # v, behind gas, to, value, data, access list
    ok = read_number(work, first, row, NONCE) and read_word(work, fee, row, TIP)
    ok = ok and read_word(work, cap, row, CAP) and read_number(work, cap + 1, row, GAS)
    ok = ok and read_word(work, cap + 3, row, VALUE)
    ok = ok and read_number(work, signature, row, Y_PARITY)
    ok = ok and read_signature(work, signature + 1, row)
    to_size = read_bounds(work, cap + 2, row, TO)
    read_bounds(work, cap + 4, row, DATA)
    if not ok or (to_size != 0 and to_size != 20):
        return False
    if not form:
        return read_legacy_v(row)
    if load_limb(row, Y_PARITY) > U(1) or not read_number(work, int64(0), row, CHAIN_ID):
        return False
    return load_int(row, CHAIN_ID) >= 0


@kernel
def signing_hash(work: int, form: int, start: int, row: int) -> Word:
    """Return the hash of what the sender signed: the fields up to the signature.

    `start` is where the first field stands. EIP-155 adds the chain id and two zeros.
    """
    fields = load_int(work, FIELDS)
    last = 6 + form if form else 5  # the field before the signature
    stop = load_int(fields, 2 * last + 1)
    message = load_int(work, MESSAGE) + MESSAGE_MARGIN // 2
    move_bytes(message, load_int(work, PAYLOAD) + start, stop - start)
    end = message + stop - start
    chain_id = load_int(row, CHAIN_ID)
    if not form and chain_id >= 0:
        size = 0
        while size < 8 and chain_id >> (8 * size):
            size += 1
        if size != 1 or chain_id >= 0x80:
            end += write_prefix(end, 0x80, size)
        for digit in range(size):
            store_byte(end, digit, uint8(chain_id >> (8 * (size - 1 - digit)) & 0xFF))
        end += size
        store_byte(end, 0, uint8(0x80))
        store_byte(end, 1, uint8(0x80))
        end += 2
    begin = list_before(message, end - message)
    if form:
        begin -= 1
        store_byte(begin, 0, uint8(form))
    return keccak256(load_int(work, SCRATCH), begin, end - begin)


@kernel
def read_transaction(work: int, start: int, end: int, row: int) -> bool:
    """Write the row of the EIP-2718 bytes at a place; False where the definition must decide."""
    data = load_int(work, PAYLOAD)
    form = int64(load_byte(data, start))
    list_at = start + 1
    if form >= LIST:
        form, list_at = int64(0), start
    elif form != 1 and form != 2:
        return False
    if list_at >= end:
        return False
    first, stop, is_list = item_bounds(data, list_at, end)
    if stop != end or not is_list:
        return False
    count = 9 if form == 0 else 10 + form
    access_list = -1 if form == 0 else 6 + form
    if not split_fields(work, first, end, count, access_list):
        return False
    store_int(row, FORM, form)
    store_int(row, START, start)
    store_int(row, END, end)
    if not read_fields(work, form, row):
        return False
    store_word(row, HASH, keccak256(load_int(work, SCRATCH), data + start, end - start))
    store_word(row, SIGNING_HASH, signing_hash(work, form, first, row))
    return True


@kernel
def scan_transactions(work: int) -> int:
    """Write the rows of the next transactions of a canonical list; return how many."""
    data, size = load_int(work, PAYLOAD), load_int(work, SIZE)
    place, room = load_int(work, PLACE), load_int(work, ROOM)
    count = 0
    while place < size and count < room:
        row = load_int(work, ROWS) + count * ROW_BYTES
        start, stop, is_list = item_bounds(data, place, size)
        if is_list:
            start = place
        is_typed = not is_list and stop > start and load_byte(data, start) < uint8(0x80)
        if not (is_list or is_typed) or not read_transaction(work, start, stop, row):
            zero_bytes(row, ROW_BYTES)
            store_int(row, FORM, OTHER_LIST if is_list else OTHER_STRING)
            store_int(row, START, start)
            store_int(row, END, stop)
        place = stop
        count += 1
    store_int(work, PLACE, place)
    return count
